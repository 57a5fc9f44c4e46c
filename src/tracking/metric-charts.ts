import type { Actor } from '../wire/route.ts';
import { decodeColumns, type PointColumns } from './metric-chunk.ts';
import { concatColumns, type Levels, type Line, toLevels } from './metric-levels.ts';
import { toHistory } from './metric-points.ts';
import { listChunks, listHot, listSeriesOfRun, listSeriesOfRuns, summarizeHot } from './metric-series.store.ts';
import { toPointOfRow } from './metrics.store.ts';
import { assertRun } from './run-state.ts';
import { findRunRow, findRunRows } from './runs.store.ts';
import type { RunRow } from './tables.ts';
import type { TrackingDeps } from './types.ts';

export type ChartAxis = 'step' | 'time' | 'relative';

export interface ChartQuery {
  readonly runIds: readonly string[];
  readonly key: string;
  readonly axis: ChartAxis;
  /** The most positions on the axis that are answered. */
  readonly slots: number;
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

export interface Chart extends Levels {
  readonly runIds: readonly string[];
}

type ReadDeps = Pick<TrackingDeps, 'db'>;

/**
 * One metric of some runs at the level of detail that a chart can show. `time` stands in epoch ms, `relative` in ms since the run
 * started. Runs that never logged the key have empty lines. Throws `not_found` where one of the runs is not there.
 */
export async function chartMetric(deps: ReadDeps, actor: Actor, query: ChartQuery): Promise<Chart> {
  const runIds = [...new Set(query.runIds)];
  const { rows, series, chunks, hot } = await deps.db.read(async (tx) => {
    const found = await findRunRows(tx, actor.projectId, runIds);
    const byId = new Map(found.map((row) => [row.id, row]));
    for (const id of runIds) assertRun(byId.get(id), id);
    const named = await listSeriesOfRuns(tx, actor.projectId, runIds, query.key);
    const ids = named.map(({ id }) => id);
    if (ids.length === 0) return { rows: byId, series: named, chunks: [], hot: [] };
    return { rows: byId, series: named, chunks: await listChunks(tx, ids), hot: await listHot(tx, ids) };
  });
  const sealed = groupBy(chunks, ({ series_id }) => series_id);
  const open = groupBy(hot, ({ series_id }) => series_id);
  const lines = runIds.map((runId): Line => {
    const ids = series.filter(({ run_id }) => run_id === runId).map(({ id }) => id);
    const parts = ids.flatMap((id) => [...(sealed.get(id) ?? []).map(decodeColumns), toColumns(open.get(id) ?? [])]);
    const points = ids.length > 1 ? withoutCopies(concatColumns(parts)) : concatColumns(parts);
    return { x: positionsOf(points, query.axis, rows.get(runId)!), values: points.values };
  });
  const levels = toLevels(lines, {
    slots: query.slots,
    whole: query.axis === 'step',
    ...(query.from !== undefined && { from: query.from }),
    ...(query.to !== undefined && { to: query.to }),
  });
  return { runIds, ...levels };
}

export interface MetricSummary {
  readonly key: string;
  readonly count: number;
  readonly nans: number;
  /** Null where every point is NaN. */
  readonly low: number | null;
  readonly high: number | null;
}

/** Count, lowest and highest of every metric of a run, by key. Throws `not_found`. */
export async function summarizeMetrics(deps: ReadDeps, actor: Actor, runId: string): Promise<readonly MetricSummary[]> {
  const { series, hot, chunks } = await deps.db.read(async (tx) => {
    assertRun(await findRunRow(tx, actor.projectId, runId), runId);
    const named = await listSeriesOfRun(tx, actor.projectId, runId);
    const ids = named.map(({ id }) => id);
    if (ids.length === 0) return { series: named, hot: [], chunks: [] };
    return { series: named, hot: await summarizeHot(tx, actor.projectId, runId), chunks: await listChunks(tx, ids) };
  });
  const keyOf = new Map(series.map(({ id, name }) => [id, name]));
  const sums = new Map<string, { count: number; nans: number; low: number; high: number }>();
  const sumOf = (key: string) => {
    const sum = sums.get(key) ?? { count: 0, nans: 0, low: Infinity, high: -Infinity };
    sums.set(key, sum);
    return sum;
  };
  for (const { name, is_nan, count, low, high } of hot) {
    const sum = sumOf(name);
    sum.count += Number(count);
    if (is_nan === 1) sum.nans += Number(count);
    else [sum.low, sum.high] = [Math.min(sum.low, low), Math.max(sum.high, high)];
  }
  for (const chunk of chunks) {
    const sum = sumOf(keyOf.get(chunk.series_id) ?? '');
    const part = summaryOf(chunk);
    sum.count += chunk.count;
    sum.nans += part.nans;
    [sum.low, sum.high] = [Math.min(sum.low, part.low), Math.max(sum.high, part.high)];
  }
  return [...sums].map(([key, { count, nans, low, high }]) => ({
    key,
    count,
    nans,
    low: count === nans ? null : low,
    high: count === nans ? null : high,
  }));
}

type StoredChunk = Awaited<ReturnType<typeof listChunks>>[number];

interface ChunkSummary {
  readonly nans: number;
  readonly low: number;
  readonly high: number;
}

/** Sealed points never change, so what was added up once holds. */
const summaries = new Map<string, ChunkSummary>();
const MAX_SUMMARIES = 20_000;

function summaryOf(chunk: StoredChunk): ChunkSummary {
  const name = `${chunk.seq}/${chunk.crc}/${chunk.count}`;
  const known = summaries.get(name);
  if (known) return known;
  let [nans, low, high] = [0, Infinity, -Infinity];
  for (const value of decodeColumns(chunk).values) {
    if (Number.isNaN(value)) nans++;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const summary = { nans, low, high };
  summaries.set(name, summary);
  if (summaries.size > MAX_SUMMARIES) summaries.delete(summaries.keys().next().value!);
  return summary;
}

function positionsOf({ steps, times }: PointColumns, axis: ChartAxis, run: RunRow): Float64Array {
  if (axis === 'step') return steps;
  if (axis === 'time') return times;
  const first = times.reduce((low, time) => Math.min(low, time), Infinity);
  // Clients may date points before their run, or by a clock of their own.
  const start =
    Math.min(first, run.started_at) === run.started_at && first - run.started_at < DAY_MS ? run.started_at : first;
  return times.map((time) => time - start);
}

const DAY_MS = 86_400_000;

type HotRow = Awaited<ReturnType<typeof listHot>>[number];

const toColumns = (rows: readonly HotRow[]): PointColumns => ({
  count: rows.length,
  steps: Float64Array.from(rows, ({ step }) => step),
  times: Float64Array.from(rows, ({ ts }) => ts),
  values: Float64Array.from(rows, ({ is_nan, value }) => (is_nan === 1 ? Number.NaN : value)),
});

/** An explicit log_model logs points once more under the model: the same point in two contexts is drawn once. */
function withoutCopies({ steps, times, values }: PointColumns): PointColumns {
  const rows = Array.from(steps, (step, i) => {
    const isNan = Number.isNaN(values[i]!);
    return { series_id: 0, step, ts: times[i]!, is_nan: Number(isNan), value: isNan ? 0 : values[i]! };
  });
  return toColumns(
    toHistory(rows.map(toPointOfRow)).map(({ step, ts, isNan, value }) => ({
      series_id: 0,
      step,
      ts,
      is_nan: Number(isNan),
      value,
    })),
  );
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => number): Map<number, T[]> {
  const groups = new Map<number, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group) group.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return groups;
}
