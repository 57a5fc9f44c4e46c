import { useQueries } from '@tanstack/react-query';
import { useMemo } from 'react';
import { call } from '../api/client.ts';
import type { Series } from '../ui/chart.tsx';
import { Chart } from '../ui/chart.tsx';

export type XAxis = 'step' | 'time';

interface MetricChartProps {
  readonly runs: readonly { readonly id: string; readonly name: string }[];
  readonly metric: string;
  readonly axis: XAxis;
  /** 0 none to 0.99: exponential smoothing; the raw series stays faint behind. */
  readonly smoothing: number;
  readonly log: boolean;
}

const POINTS = 2_000;

/** One metric of some runs, by step or by time since each began. */
export function MetricChart({ runs, metric, axis, smoothing, log }: MetricChartProps) {
  const histories = useQueries({
    queries: runs.map(({ id }) => ({
      queryKey: ['GET /runs/:id/metrics', { id, metric }],
      queryFn: ({ signal }: { signal: AbortSignal }) =>
        call('GET /runs/:id/metrics', { params: { id }, query: { key: metric, limit: POINTS } as never, signal }),
    })),
  });
  const stamp = histories.map(({ dataUpdatedAt }) => dataUpdatedAt).join();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the stamps tell when an answer is another one
  const { x, series } = useMemo(
    () =>
      toSeries(
        runs.map(({ name }, i) => ({ name, points: histories[i]?.data?.items ?? [] })),
        axis,
        smoothing,
      ),
    [stamp, runs, axis, smoothing],
  );
  return (
    <Chart
      title={`${metric} by ${axis === 'step' ? 'step' : 'seconds since the run began'}`}
      x={x}
      series={series}
      log={log}
      xLabel={axis === 'step' ? 'step' : 'seconds'}
      syncKey="metrics"
    />
  );
}

interface Point {
  readonly value: number | null;
  readonly at: string;
  readonly step: number;
}

/** Runs on one shared x; where a run has no point there is a gap, which the plot bridges within the run only. */
export function toSeries(
  runs: readonly { readonly name: string; readonly points: readonly Point[] }[],
  axis: XAxis,
  smoothing: number,
): { readonly x: readonly number[]; readonly series: readonly Series[] } {
  const placed = runs.map(({ points }) => {
    const start = Date.parse(points[0]?.at ?? '');
    return points.map(
      (point) => [axis === 'step' ? point.step : (Date.parse(point.at) - start) / 1_000, point.value] as const,
    );
  });
  const x = [...new Set(placed.flat().map(([at]) => at))].sort((a, b) => a - b);
  const series = runs.flatMap(({ name }, i): Series[] => {
    const byX = new Map(placed[i]);
    const values = x.map((at) => byX.get(at) ?? null);
    const colour = `--series-${(i % 8) + 1}`;
    if (smoothing === 0) return [{ label: name, values, colour }];
    return [
      { label: `${name} raw`, values, colour, width: 0.4 },
      { label: name, values: smooth(values, smoothing), colour },
    ];
  });
  return { x, series };
}

/** Exponential moving average with the start's bias taken out; gaps stay gaps. */
export function smooth(values: readonly (number | null)[], weight: number): (number | null)[] {
  let mean = 0;
  let total = 0;
  return values.map((value) => {
    if (value === null || !Number.isFinite(value)) return null;
    mean = weight * mean + (1 - weight) * value;
    total = weight * total + (1 - weight);
    return mean / total;
  });
}
