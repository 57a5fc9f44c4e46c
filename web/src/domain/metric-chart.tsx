import { useMemo, useState } from 'react';
import { useGet } from '../api/queries.ts';
import { Chart } from '../ui/chart.tsx';
import { Refusal } from '../ui/confirm.tsx';
import { number } from '../ui/format.ts';
import { type ChartRun, type Levels, toSeries } from './metric-series.ts';

export const X_AXES = ['step', 'relative', 'time'] as const;
export type XAxis = (typeof X_AXES)[number];

interface MetricChartProps {
  readonly runs: readonly ChartRun[];
  readonly metric: string;
  readonly axis: XAxis;
  /** 0 none to 0.99; the raw series stays faint behind. */
  readonly smoothing: number;
  readonly log: boolean;
  readonly height?: number;
  readonly syncKey?: string;
}

/** One position of the axis for each pixel of a chart in a grid. */
const SLOTS = 320;
/** A range that was zoomed into is asked for again as finely as the whole. */
const MIN_FINER = 0.75;

/** One metric of some runs, by step, by time, or by time since each began; finer levels come where one zooms in. */
export function MetricChart({ runs, metric, axis, smoothing, log, height = 190, syncKey }: MetricChartProps) {
  const [range, setRange] = useState<readonly [number, number]>();
  const query = { runs: runs.map(({ id }) => id).join(','), key: metric, axis, slots: SLOTS };
  const whole = useGet('GET /runs/chart', { query });
  const part = useGet(
    'GET /runs/chart',
    { query: { ...query, ...(range && { from: range[0], to: range[1] }) } },
    { enabled: range !== undefined && whole.data?.exact === false },
  );
  const fine = range !== undefined && whole.data?.exact === false && !part.isPlaceholderData ? part.data : undefined;
  const unit = unitOf(axis, whole.data?.x);
  const { x, series } = useMemo(() => {
    if (!whole.data) return { x: [], series: [] };
    const levels = fine && range ? stitch(whole.data, fine, range) : whole.data;
    return toSeries(levels, runs, smoothing, unit.scale);
  }, [whole.data, fine, range, runs, smoothing, unit.scale]);
  if (whole.error && !whole.data) return <Refusal error={whole.error} />;
  return (
    <Chart
      title={`${metric} by ${unit.title}`}
      x={x}
      series={series}
      log={log}
      time={axis === 'time'}
      height={height}
      isLoading={whole.isPending}
      format={number}
      onZoom={(zoomed) => setRange((before) => keep(before, zoomed && finer(zoomed, x, unit.scale)))}
      {...(axis !== 'time' && { xLabel: unit.label })}
      {...(syncKey !== undefined && { syncKey: `${syncKey} ${unit.label}` })}
    />
  );
}

type Range = readonly [number, number];

/** The same object for the same range, so that nothing is drawn twice. */
const keep = (before: Range | undefined, next: Range | undefined): Range | undefined =>
  before && next && before[0] === next[0] && before[1] === next[1] ? before : next;

function finer(
  [from, to]: readonly [number, number],
  x: readonly number[],
  scale: number,
): readonly [number, number] | undefined {
  const all = (x.at(-1) ?? 0) - (x[0] ?? 0);
  return to - from > all * MIN_FINER ? undefined : [from / scale, to / scale];
}

/** The coarse picture with the fine part put in, so that zooming out shows no hole. */
function stitch(coarse: Levels, fine: Levels, [from, to]: Range): Levels {
  const before = coarse.x.findIndex((at) => at >= from);
  const after = coarse.x.findIndex((at) => at > to);
  const [head, tail] = [before < 0 ? coarse.x.length : before, after < 0 ? coarse.x.length : after];
  const cut = <T,>(all: readonly T[], middle: readonly T[]): T[] => [
    ...all.slice(0, head),
    ...middle,
    ...all.slice(tail),
  ];
  const slots = (all: readonly number[], middle: readonly number[]): number[] => [
    ...all.filter((at) => at < head),
    ...middle.map((at) => at + head),
    ...all.filter((at) => at >= tail).map((at) => at - tail + head + fine.x.length),
  ];
  return {
    x: cut(coarse.x, fine.x),
    lines: coarse.lines.map((line, i) => {
      const part = fine.lines[i]!;
      return {
        ...line,
        mean: cut(line.mean, part.mean),
        low: cut(line.low ?? line.mean, part.low ?? part.mean),
        high: cut(line.high ?? line.mean, part.high ?? part.mean),
        nan: slots(line.nan, part.nan),
        infinite: slots(line.infinite, part.infinite),
      };
    }),
  };
}

interface Unit {
  /** From what the server says to what the axis shows. */
  readonly scale: number;
  readonly label: string;
  readonly title: string;
}

const [SECOND, MINUTE, HOUR] = [1e-3, 1e-3 / 60, 1e-3 / 3_600];
const LONG_MS = 3 * 3_600_000;
const MEDIUM_MS = 5 * 60_000;

function unitOf(axis: XAxis, x: readonly number[] | undefined): Unit {
  if (axis === 'step') return { scale: 1, label: 'step', title: 'step' };
  if (axis === 'time') return { scale: SECOND, label: 'time', title: 'time' };
  const longest = x?.at(-1) ?? 0;
  const [scale, word] =
    longest > LONG_MS ? [HOUR, 'hours'] : longest > MEDIUM_MS ? [MINUTE, 'minutes'] : [SECOND, 'seconds'];
  return { scale, label: `${word} since the start`, title: `${word} since the start of the run` };
}
