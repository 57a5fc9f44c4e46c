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

/** Lowest, highest and how many of the points that are not sealed, a series; NaN apart. */
export async function summarizeHot(tx: Tx, seriesIds: readonly number[]) {
  return sqlOf<TrackingTables>(tx)
    .selectFrom('metric_hot')
    .select(['series_id', 'is_nan'])
    .select(({ fn }) => [fn.countAll<number>().as('points'), fn.min('value').as('low'), fn.max('value').as('high')])
    .where('series_id', 'in', seriesIds)
    .groupBy(['series_id', 'is_nan'])
    .execute();
}
