import { useComputedColorScheme } from '@mantine/core';
import { type RefObject, useEffect, useRef, useState } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import classes from './chart.module.css';
import { type ChartProps, columnsOf } from './chart-parts.ts';
import { localTime, MISSING, number } from './format.ts';
import { toData } from './plot-data.ts';
import { markAt } from './plot-marks.ts';
import { toOptions } from './plot-options.ts';

export interface PlotProps extends ChartProps {
  readonly height: number;
  /** Labels of the series that are not shown. */
  readonly hidden: ReadonlySet<string>;
  readonly values: RefObject<Map<string, HTMLElement>>;
}

/** uPlot behind our wrapper; its own chunk, because it is not needed for the first page. */
export default function Plot(props: PlotProps) {
  const place = useRef<HTMLDivElement>(null);
  const tip = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const latest = useRef(props);
  latest.current = props;
  const [zoomed, setZoomed] = useState(false);
  const scheme = useComputedColorScheme();
  const shape = shapeOf(props);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the plot is made anew where its shape or its colours change; data goes into the one that stands
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const { options, data } = toOptions(latest.current, element.clientWidth || 600);
    const made = new uPlot(
      {
        ...options,
        hooks: {
          ...options.hooks,
          setScale: [
            (self, key) => key === 'x' && queueMicrotask(() => refine(self, latest.current)),
            (self, key) => key === 'x' && setZoomed(isZoomed(self, latest.current)),
          ],
          setCursor: [(self) => follow(self, latest.current, tip.current)],
        },
      },
      data,
      element,
    );
    plot.current = made;
    // What it was made with needs no second drawing.
    drawn.set(made, latest.current.series);
    seen.set(made, keyOf(made, latest.current, data[0][0] ?? 0, data[0].at(-1) ?? 1));
    show(made, latest.current);
    const resize = new ResizeObserver(() => {
      const width = element.clientWidth;
      if (width > 0 && width !== made.width) made.setSize({ width, height: latest.current.height });
    });
    resize.observe(element);
    return () => {
      resize.disconnect();
      made.destroy();
      plot.current = undefined;
    };
  }, [shape, scheme]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: only other data is drawn again
  useEffect(() => {
    if (plot.current && drawn.get(plot.current) !== latest.current.series) replace(plot.current, latest.current);
  }, [props.x, props.series]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: as above
  useEffect(() => {
    if (plot.current) show(plot.current, latest.current);
  }, [props.hidden]);

  return (
    <div className={classes['plot']} style={{ minHeight: props.height }}>
      <div
        ref={place}
        role="img"
        aria-label={`${props.title}; ${props.series.length} series, ${props.x.length} points; the table has the numbers`}
      />
      <div ref={tip} className={classes['tip']} hidden />
      {zoomed && (
        <button type="button" className={classes['reset']} onClick={() => plot.current && showAll(plot.current, props)}>
          Show all
        </button>
      )}
    </div>
  );
}

const showAll = (plot: uPlot, { x }: PlotProps): void =>
  void plot.setScale('x', { min: x[0] ?? 0, max: x.at(-1) ?? 1 });

/** All that a plot is made of but its data. */
const shapeOf = ({
  x: _x,
  series,
  hidden: _h,
  values: _v,
  format: _f,
  onZoom: _z,
  isLoading: _l,
  ...rest
}: PlotProps): string =>
  JSON.stringify([rest, series.map(({ values: _, band, ...each }) => [each, band !== undefined])]);

const seen = new WeakMap<uPlot, string>();
const drawn = new WeakMap<uPlot, ChartProps['series']>();

const keyOf = (plot: uPlot, { x }: ChartProps, min: number, max: number): string =>
  `${min} ${max} ${plot.width} ${x.length} ${x.at(-1)}`;

/** Puts the points in that the range in sight needs: about two a pixel. */
function refine(plot: uPlot, props: PlotProps): void {
  const { min, max } = plot.scales['x'] ?? {};
  if (min == null || max == null || !plot.root.isConnected) return;
  tellZoom(plot, props, min, max);
  const key = keyOf(plot, props, min, max);
  if (seen.get(plot) === key) return;
  seen.set(plot, key);
  plot.setData(toData(props, min, max, plot.width), false);
  plot.setScale('x', { min, max });
}

const told = new WeakMap<uPlot, boolean>();

/** Only changes are told, and that nothing is zoomed into is what holds at first. */
function tellZoom(plot: uPlot, props: PlotProps, min: number, max: number): void {
  const { onZoom } = props;
  if (!onZoom) return;
  const isNow = isZoomed(plot, props);
  if (isNow) onZoom([min, max]);
  else if (told.get(plot)) onZoom(undefined);
  told.set(plot, isNow);
}

const isZoomed = (plot: uPlot, { x }: PlotProps): boolean => {
  const { min, max } = plot.scales['x'] ?? {};
  return min != null && max != null && (min > (x[0] ?? min) || max < (x.at(-1) ?? max));
};

/** Other data: a range that was zoomed into stays, else all of it is shown. */
function replace(plot: uPlot, props: PlotProps): void {
  const before = plot.data[0];
  const { min, max } = plot.scales['x'] ?? {};
  const wasZoomed = min != null && max != null && (min > before[0]! || max < before.at(-1)!);
  seen.delete(plot);
  drawn.set(plot, props.series);
  if (wasZoomed) refine(plot, props);
  else plot.setData(toData(props, props.x[0] ?? 0, props.x.at(-1) ?? 1, plot.width));
}

function show(plot: uPlot, { series, hidden }: PlotProps): void {
  plot.batch(() => {
    for (const [index, column] of columnsOf(series).entries()) {
      const { label, rawOf } = series[column.series]!;
      const isShown = !hidden.has(rawOf ?? label);
      if (plot.series[index + 1]?.show !== isShown) plot.setSeries(index + 1, { show: isShown });
    }
  });
}

/** Writes what is under the crosshair into the legend, and names the mark that is near. */
function follow(plot: uPlot, props: PlotProps, tip: HTMLElement | null): void {
  const { series, values, time, format = number } = props;
  const index = plot.cursor.idx;
  const x = index == null ? undefined : plot.data[0][index];
  let column = 1;
  for (const { label, rawOf, band } of series) {
    const [value, low, high] = [0, 1, 2].map((i) => (index == null ? null : plot.data[column + i]?.[index]));
    column += band ? 3 : 1;
    const target = rawOf === undefined ? values.current.get(label) : undefined;
    if (!target) continue;
    const text = typeof value === 'number' ? format(value) : x === undefined ? '' : MISSING;
    const around =
      band && typeof low === 'number' && typeof high === 'number' ? ` [${format(low)}, ${format(high)}]` : '';
    target.textContent = text === '' ? '' : `${text}${around}`;
  }
  const at = values.current.get('');
  if (at) at.textContent = x === undefined ? '' : time ? localTime(x * 1_000) : `${props.xLabel ?? 'x'} ${number(x)}`;
  nameMark(plot, props, tip);
}

function nameMark(plot: uPlot, { marks = [] }: PlotProps, tip: HTMLElement | null): void {
  if (!tip) return;
  const near = markAt(plot, marks);
  tip.hidden = near === undefined;
  if (!near) return;
  tip.textContent = near.label;
  const left = plot.valToPos(near.x, 'x') + plot.bbox.left / devicePixelRatio;
  tip.style.left = `${Math.min(left + 6, Math.max(0, plot.width - tip.offsetWidth - 4))}px`;
}
