import { useMantineColorScheme } from '@mantine/core';
import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import classes from './chart.module.css';
import type { ChartProps, Mark, Series } from './chart-parts.ts';
import { number } from './format.ts';

const SERIES_COLOURS = 8;

/** uPlot behind our wrapper; its own chunk, because it is not needed for the first page. */
export default function Plot(props: ChartProps & { readonly height: number }) {
  const place = useRef<HTMLDivElement>(null);
  const { colorScheme } = useMantineColorScheme();
  // biome-ignore lint/correctness/useExhaustiveDependencies: colours are read from the document, which follows the scheme
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const plot = new uPlot(toOptions(props, element), toData(props), element);
    const resize = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: props.height }));
    resize.observe(element);
    return () => {
      resize.disconnect();
      plot.destroy();
    };
  }, [props, colorScheme]);
  return <div ref={place} className={classes['plot']} style={{ minHeight: props.height }} />;
}

const token = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function toData({ x, series }: ChartProps): uPlot.AlignedData {
  const columns = series.flatMap(({ values, band }) => (band ? [values, band.low, band.high] : [values]));
  return [x, ...columns] as unknown as uPlot.AlignedData;
}

function toOptions(props: ChartProps & { readonly height: number }, element: HTMLElement): uPlot.Options {
  const { series, marks = [], time = false, height, log = false, zeroLine = false, syncKey, format = number } = props;
  const [text, grid] = [token('--text-2'), token('--grid')];
  const axis = {
    stroke: text,
    grid: { stroke: grid, width: 1 },
    ticks: { stroke: grid, width: 1 },
    font: '12px system-ui',
  };
  const lines = series.flatMap((each, index) => toLines(each, index, format));
  return {
    width: element.clientWidth || 600,
    height,
    ms: 1,
    scales: { x: { time }, y: { distr: log ? 3 : 1 } },
    axes: [
      { ...axis, ...(props.xLabel && { label: props.xLabel, labelSize: 18, labelFont: '12px system-ui' }) },
      {
        ...axis,
        size: 64,
        values: (_: uPlot, ticks: number[]) => ticks.map((value) => format(value)),
        ...(props.yLabel && { label: props.yLabel, labelSize: 18, labelFont: '12px system-ui' }),
      },
    ],
    series: [{}, ...lines.map(({ line }) => line)],
    bands: lines.flatMap(({ band }, index) =>
      band ? [{ series: [index + 3, index + 2] as [number, number], fill: band }] : [],
    ),
    cursor: { drag: { x: true, y: false }, ...(syncKey && { sync: { key: syncKey } }) },
    legend: { live: true },
    hooks: { draw: [(plot) => drawMarks(plot, marks, zeroLine)] },
  };
}

function toLines(
  { label, colour, dashed, width = 1.5, band }: Series,
  index: number,
  format: (value: number) => string,
): { line: uPlot.Series; band?: string }[] {
  const stroke = token(colour ?? `--series-${(index % SERIES_COLOURS) + 1}`);
  const line: uPlot.Series = {
    label,
    stroke,
    width,
    ...(dashed && { dash: [5, 4] }),
    points: { size: 4 },
    value: (_: uPlot, value: number | null) => (value === null ? '—' : format(value)),
  };
  if (!band) return [{ line }];
  const edge: uPlot.Series = { stroke: 'transparent', width: 0, points: { show: false } };
  return [
    { line, band: `color-mix(in srgb, ${stroke} 18%, transparent)` },
    { line: { ...edge, label: `${label} low` } },
    { line: { ...edge, label: `${label} high` } },
  ];
}

function drawMarks(plot: uPlot, marks: readonly Mark[], zeroLine: boolean): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.lineWidth = 1;
  if (zeroLine && (plot.scales['y']?.min ?? 0) < 0 && (plot.scales['y']?.max ?? 0) > 0) {
    const y = plot.valToPos(0, 'y', true);
    ctx.strokeStyle = token('--line-strong');
    ctx.strokeRect(bbox.left, y, bbox.width, 0);
  }
  ctx.setLineDash([3, 3]);
  ctx.font = `${11 * devicePixelRatio}px system-ui`;
  for (const { x, label, colour } of marks) {
    const at = plot.valToPos(x, 'x', true);
    if (at < bbox.left || at > bbox.left + bbox.width) continue;
    ctx.strokeStyle = token(colour ?? '--text-3');
    ctx.beginPath();
    ctx.moveTo(at, bbox.top);
    ctx.lineTo(at, bbox.top + bbox.height);
    ctx.stroke();
    ctx.fillStyle = token(colour ?? '--text-2');
    ctx.fillText(label, at + 3 * devicePixelRatio, bbox.top + 11 * devicePixelRatio);
  }
  ctx.restore();
}
