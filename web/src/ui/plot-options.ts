import type uPlot from 'uplot';
import { colourOf, type Series } from './chart-parts.ts';
import { number } from './format.ts';
import type { PlotProps } from './plot.tsx';
import { toData } from './plot-data.ts';
import { drawMarks, drawZero, token } from './plot-marks.ts';

const FONT = '11px system-ui, sans-serif';
const DAY = 86_400;

/** uPlot's options and first data for a chart. */
export function toOptions(props: PlotProps, width: number): { options: uPlot.Options; data: uPlot.AlignedData } {
  const { series, x, marks = [], time = false, height, log = false, zeroLine = false, syncKey, range } = props;
  const lines = series.flatMap((each, index) => toLines(series, each, index));
  const options: uPlot.Options = {
    width,
    height,
    ms: 1,
    scales: { x: { time }, y: { distr: log ? 3 : 1, ...(range && !log && { range: toRange(range) }) } },
    axes: axesOf(props),
    series: [{}, ...lines.map(({ line }) => line)],
    bands: lines.flatMap(({ band }, index) =>
      band ? [{ series: [index + 3, index + 2] as [number, number], fill: band }] : [],
    ),
    padding: [10, 26, null, null],
    cursor: {
      drag: { x: true, y: false, setScale: true },
      points: { size: 6 },
      ...(syncKey && { sync: { key: syncKey, scales: ['x', null] } }),
    },
    legend: { show: false },
    hooks: {
      draw: [
        (plot) => {
          if (zeroLine) drawZero(plot);
          drawMarks(plot, marks);
        },
      ],
    },
  };
  return { options, data: toData(props, x[0] ?? 0, x.at(-1) ?? 1, width) };
}

const toRange =
  ([low, high]: readonly [number | null, number | null]): uPlot.Scale.Range =>
  (_, min, max) => {
    const pad = (max - min || Math.abs(max) || 1) * 0.08;
    return [low ?? min - pad, high ?? max + pad];
  };

function axesOf({ time = false, log = false, xLabel, yLabel, format = number }: PlotProps): uPlot.Axis[] {
  const grid = token('--grid');
  const axis: uPlot.Axis = {
    stroke: token('--text-2'),
    grid: { stroke: grid, width: 1 },
    ticks: { stroke: grid, width: 1, size: 4 },
    font: FONT,
    labelFont: FONT,
    labelSize: 18,
  };
  const ticks = (_: uPlot, splits: number[]): string[] => splits.map((value) => (value == null ? '' : format(value)));
  return [
    { ...axis, space: 64, size: time ? 46 : 30, ...(time && { values: timeTicks }), ...(xLabel && { label: xLabel }) },
    { ...axis, size: 62, ...(!log && { values: ticks }), ...(yLabel && { label: yLabel }) },
  ];
}

const MONTHS = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });

/** Days as `19 Apr`, with the year where it begins; hours and minutes with the day where that begins. */
function timeTicks(_: uPlot, splits: number[], _axis: number, _space: number, step: number): string[] {
  let before: Date | undefined;
  return splits.map((value) => {
    const date = new Date(value * 1_000);
    const isNewYear = before?.getFullYear() !== date.getFullYear();
    const isNewDay = isNewYear || before?.toDateString() !== date.toDateString();
    before = date;
    const day = `${MONTHS.format(date)}${isNewYear ? `\n${date.getFullYear()}` : ''}`;
    if (step >= DAY) return day;
    const clock = date.toTimeString().slice(0, step < 60 ? 8 : 5);
    return isNewDay ? `${clock}\n${MONTHS.format(date)}` : clock;
  });
}

const PALE = 30;

function toLines(all: readonly Series[], series: Series, index: number): { line: uPlot.Series; band?: string }[] {
  const { label, dashed, width, band, rawOf, values } = series;
  const colour = token(colourOf(all, index));
  const stroke = rawOf === undefined ? colour : `color-mix(in srgb, ${colour} ${PALE}%, transparent)`;
  const line: uPlot.Series = {
    label,
    stroke,
    width: width ?? (rawOf === undefined ? 1.75 : 1),
    ...(dashed && { dash: [5, 4] }),
    points: { size: 4, ...(rawOf !== undefined && { show: false }), ...(isSparse(values) && { show: true }) },
  };
  if (!band) return [{ line }];
  const edge: uPlot.Series = { stroke: 'transparent', width: 0, points: { show: false } };
  return [
    { line, band: `color-mix(in srgb, ${colour} 18%, transparent)` },
    { line: { ...edge, label: `${label} low` } },
    { line: { ...edge, label: `${label} high` } },
  ];
}

const FEW = 40;

/** Few points are marked, so that one alone between gaps is seen. */
const isSparse = (values: Series['values']): boolean => {
  let count = 0;
  for (const value of values) if (typeof value === 'number' && ++count > FEW) return false;
  return true;
};
