import { sqlOf, type Tx } from '../ports/db.ts';
import type { TrackingTables } from './tables.ts';

/** The series of one key of some runs, over all contexts. */
export async function listSeriesOfRuns(tx: Tx, projectId: string, runIds: readonly string[], key: string) {
  return sqlOf<TrackingTables>(tx)
    .selectFrom('series')
    .innerJoin('metric_key', 'metric_key.id', 'series.key_id')
    .select(['series.id', 'series.run_id'])
    .where('series.project_id', '=', projectId)
    .where('series.run_id', 'in', runIds)
    .where('metric_key.project_id', '=', projectId)
    .where('metric_key.name', '=', key)
    .execute();
}

/** Every series of one run with its key. */
export async function listSeriesOfRun(tx: Tx, projectId: string, runId: string) {
  return sqlOf<TrackingTables>(tx)
    .selectFrom('series')
    .innerJoin('metric_key', 'metric_key.id', 'series.key_id')
    .select(['series.id', 'metric_key.name'])
    .where('series.project_id', '=', projectId)
    .where('series.run_id', '=', runId)
    .orderBy('metric_key.name')
    .execute();
}

/** The sealed points of these series, as they are stored. */
export async function listChunks(tx: Tx, seriesIds: readonly number[]) {
  return sqlOf<TrackingTables>(tx)
    .selectFrom('metric_chunk')
    .select(['series_id', 'seq', 'count', 'crc', 'bytes'])
    .where('series_id', 'in', seriesIds)
    .execute();
}

/** The points of these series that are not sealed yet. */
export async function listHot(tx: Tx, seriesIds: readonly number[]) {
  return sqlOf<TrackingTables>(tx).selectFrom('metric_hot').selectAll().where('series_id', 'in', seriesIds).execute();
}

/** Lowest, highest and how many of a run's points that are not sealed, a key; NaN apart, and what stands in two contexts once. */
export async function summarizeHot(tx: Tx, projectId: string, runId: string) {
  const points = sqlOf<TrackingTables>(tx)
    .selectFrom('metric_hot')
    .innerJoin('series', 'series.id', 'metric_hot.series_id')
    .select(['series.key_id', 'metric_hot.step', 'metric_hot.ts', 'metric_hot.is_nan', 'metric_hot.value'])
    .distinct()
    .where('series.project_id', '=', projectId)
    .where('series.run_id', '=', runId);
  return sqlOf<TrackingTables>(tx)
    .selectFrom(points.as('points'))
    .innerJoin('metric_key', 'metric_key.id', 'points.key_id')
    .select(['metric_key.name', 'points.is_nan'])
    .select(({ fn }) => [
      fn.countAll<number>().as('count'),
      fn.min('points.value').as('low'),
      fn.max('points.value').as('high'),
    ])
    .groupBy(['metric_key.name', 'points.is_nan'])
    .execute();
}
