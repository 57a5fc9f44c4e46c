import { AppError, messageOf } from '../kernel/errors.ts';
import type { Page } from '../kernel/pages.ts';
import { parsePageToken, toPageToken } from '../kernel/pages.ts';
import type { Tx } from '../ports/db.ts';
import type { Actor } from '../wire/route.ts';
import { decodeChunk, encodeChunk, type Point } from './metric-chunk.ts';
import { ensureSeries, type KnownRun, type KnownSeries, pointStatements, seriesName } from './metric-ingest.ts';
import { compareHistory, type Metric, type MetricInput, numberOf, toHistory } from './metric-points.ts';
import {
  countHot,
  deleteHotUpTo,
  findSeriesOfKey,
  getChunk,
  insertChunk,
  listChunkRanges,
  listHotFrom,
  listOldestHot,
  type SeriesPoint,
} from './metrics.store.ts';
import { assertRun, getWritableRun } from './run-state.ts';
import { findRunRow, runStatements } from './runs.store.ts';
import { MAX_HISTORY_A_PAGE, type TrackingDeps } from './types.ts';

export const MAX_HOT_POINTS = 4_096;
export const SEALED_AT_ONCE = 2_048;

/**
 * Stores metric points of one active run. Exact duplicates are dropped, so a retry is safe; the latest value of a key is the
 * largest by step, then time, then value. Resolves after the commit. Throws `not_found`, or `precondition_failed` where the
 * run is deleted.
 */
export async function logMetrics(
  deps: TrackingDeps,
  actor: Actor,
  input: { readonly runId: string; readonly metrics: readonly MetricInput[] },
): Promise<void> {
  const run = await getWritableRun(deps, actor.projectId, input.runId);
  await ensureSeries(deps.db, run, input.metrics);
  await deps.db.batch(pointStatements(deps.db, run, input.metrics));
  sealWhereFull(deps, run, input.metrics);
}

/** Seals in the background what has grown too long; a failure is logged and tried again at the next point. */
export function sealWhereFull(deps: TrackingDeps, run: KnownRun, metrics: readonly MetricInput[]): void {
  for (const metric of metrics) {
    const series = run.series.get(seriesName(metric));
    if (series && series.hotCount > MAX_HOT_POINTS && !series.isSealing) {
      series.isSealing = true;
      sealing.add(
        seal(deps, series).finally(() => {
          series.isSealing = false;
        }),
      );
    }
  }
}

/** Seals that are under way; for a clean stop and for tests. */
export async function settleSeals(): Promise<void> {
  await Promise.allSettled([...sealing]);
}

const sealing = {
  pending: new Set<Promise<void>>(),
  add(work: Promise<void>): void {
    this.pending.add(work);
    void work.finally(() => this.pending.delete(work));
  },
  [Symbol.iterator](): Iterator<Promise<void>> {
    return this.pending[Symbol.iterator]();
  },
};

async function seal(deps: TrackingDeps, series: KnownSeries): Promise<void> {
  try {
    while (series.hotCount > MAX_HOT_POINTS) {
      const { sealed, left } = await deps.db.write((tx) => sealOldestIn(tx, deps.db, series.id));
      series.hotCount = sealed > 0 ? series.hotCount - sealed : left;
    }
  } catch (error) {
    deps.log.warn('metric points stay unsealed for now', { seriesId: series.id, reason: messageOf(error) });
  }
}

/** The serializable transaction is the lease: of two servers that seal one series, the second finds nothing left to do. */
async function sealOldestIn(
  tx: Tx,
  db: TrackingDeps['db'],
  seriesId: number,
): Promise<{ readonly sealed: number; readonly left: number }> {
  const count = await countHot(tx, seriesId);
  if (count <= MAX_HOT_POINTS) return { sealed: 0, left: count };
  const oldest = await listOldestHot(tx, seriesId, SEALED_AT_ONCE);
  await runStatements(tx, [insertChunk(db, seriesId, encodeChunk(oldest))]);
  await deleteHotUpTo(tx, seriesId, oldest.at(-1)!);
  return { sealed: oldest.length, left: count - oldest.length };
}

/**
 * One page of a key's points in order of time, step and value, over all contexts, duplicates dropped. Empty where the run never
 * logged the key; throws `not_found` where there is no such run.
 */
export async function listMetricHistory(
  deps: Pick<TrackingDeps, 'db'>,
  actor: Actor,
  input: { readonly runId: string; readonly key: string; readonly limit?: number; readonly after?: string | undefined },
): Promise<Page<Metric>> {
  const limit = Math.min(input.limit ?? MAX_HISTORY_A_PAGE, MAX_HISTORY_A_PAGE);
  const after = input.after === undefined ? null : toPosition(input.after);
  return deps.db.read(async (tx) => {
    assertRun(await findRunRow(tx, actor.projectId, input.runId), input.runId);
    const series = await findSeriesOfKey(tx, actor.projectId, input.runId, input.key);
    if (series.length === 0) return { items: [] };
    const points = await readPoints(
      tx,
      series.map(({ id }) => id),
      after,
      limit,
    );
    const contexts = new Map(series.map((row) => [row.id, row]));
    const items = points.slice(0, limit).map((point): Metric => {
      const context = contexts.get(point.seriesId);
      return {
        runId: input.runId,
        key: input.key,
        value: numberOf(point),
        timestamp: point.ts,
        step: point.step,
        ...(context?.model_id ? { modelId: context.model_id } : {}),
        ...(context?.dataset_name ? { datasetName: context.dataset_name } : {}),
        ...(context?.dataset_digest ? { datasetDigest: context.dataset_digest } : {}),
      };
    });
    const last = points[limit - 1];
    return points.length > limit && last ? { items, next: toToken(last) } : { items };
  });
}

/** Opens sealed chunks oldest first, and no more of them once the page is full of points that none can precede. */
async function readPoints(
  tx: Tx,
  seriesIds: readonly number[],
  after: Point | null,
  limit: number,
): Promise<readonly SeriesPoint[]> {
  const fromTs = after?.ts ?? 0;
  const isWanted = (point: Point): boolean => after === null || compareHistory(point, after) > 0;
  let points = (await listHotFrom(tx, seriesIds, fromTs)).filter(isWanted);
  for (const range of await listChunkRanges(tx, seriesIds, fromTs)) {
    if (points.length > limit && countBefore(points, range.min_ts) > limit) break;
    const chunk = decodeChunk(await getChunk(tx, range));
    points = points.concat(chunk.filter(isWanted).map((point) => ({ ...point, seriesId: range.series_id })));
  }
  return toHistory(points) as readonly SeriesPoint[];
}

const countBefore = (points: readonly Point[], ts: number): number =>
  points.reduce((count, point) => count + Number(point.ts < ts), 0);

const toToken = ({ ts, step, isNan, value }: Point): string => toPageToken([ts, step, Number(isNan), value]);

function toPosition(token: string): Point {
  const [ts, step, isNan, value] = parsePageToken(token);
  if ([ts, step, isNan, value].every((part) => typeof part === 'number')) {
    return { ts: ts as number, step: step as number, isNan: isNan === 1, value: value as number };
  }
  throw new AppError('invalid', 'The page token is not one of a metric history; start from the first page');
}
