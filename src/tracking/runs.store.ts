import { compilerOf, type Db, sqlOf, type Tx } from '../ports/db.ts';
import type { Statement } from './metrics.store.ts';
import type { RunPairRow, RunRow, TrackingTables } from './tables.ts';
import type { Pair } from './types.ts';

export async function findRunRow(tx: Tx, projectId: string, id: string): Promise<RunRow | undefined> {
  return sqlOf<TrackingTables>(tx)
    .selectFrom('run')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('id', '=', id)
    .executeTakeFirst();
}

export async function findRunRows(tx: Tx, projectId: string, ids: readonly string[]): Promise<readonly RunRow[]> {
  if (ids.length === 0) return [];
  return sqlOf<TrackingTables>(tx)
    .selectFrom('run')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('id', 'in', ids)
    .execute();
}

/** The runs that were made under a step's token, the first made first. */
export async function listRunsOfAttempt(tx: Tx, projectId: string, attemptId: string): Promise<readonly RunRow[]> {
  return sqlOf<TrackingTables>(tx)
    .selectFrom('run')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('attempt_id', '=', attemptId)
    .orderBy('created_at')
    .orderBy('id')
    .execute();
}

export async function insertRun(tx: Tx, row: RunRow): Promise<void> {
  await sqlOf<TrackingTables>(tx).insertInto('run').values(row).execute();
}

export async function updateRunRow(
  tx: Tx,
  projectId: string,
  id: string,
  change: Partial<Omit<RunRow, 'project_id' | 'id'>>,
): Promise<void> {
  if (Object.keys(change).length === 0) return;
  await sqlOf<TrackingTables>(tx)
    .updateTable('run')
    .set(change)
    .where('project_id', '=', projectId)
    .where('id', '=', id)
    .execute();
}

/** Sorted, one a key: see `lastPerKey`. */
export const upsertRunTags = (db: Db, projectId: string, runId: string, tags: readonly Pair[]): Statement =>
  compilerOf<TrackingTables>(db)
    .insertInto('run_tag')
    .values(toPairRows(projectId, runId, tags))
    .onConflict((conflict) =>
      conflict.columns(['project_id', 'run_id', 'key']).doUpdateSet(({ ref }) => ({ value: ref('excluded.value') })),
    )
    .compile();

export const renameRun = (db: Db, projectId: string, runId: string, name: string): Statement =>
  compilerOf<TrackingTables>(db)
    .updateTable('run')
    .set({ name })
    .where('project_id', '=', projectId)
    .where('id', '=', runId)
    .compile();

export async function deleteRunTagRow(tx: Tx, projectId: string, runId: string, key: string): Promise<boolean> {
  const rows = await sqlOf<TrackingTables>(tx)
    .deleteFrom('run_tag')
    .where('project_id', '=', projectId)
    .where('run_id', '=', runId)
    .where('key', '=', key)
    .returning('key')
    .execute();
  return rows.length > 0;
}

export async function findRunTag(tx: Tx, projectId: string, runId: string, key: string): Promise<string | undefined> {
  const row = await sqlOf<TrackingTables>(tx)
    .selectFrom('run_tag')
    .select('value')
    .where('project_id', '=', projectId)
    .where('run_id', '=', runId)
    .where('key', '=', key)
    .executeTakeFirst();
  return row?.value;
}

export const insertRunParams = (db: Db, projectId: string, runId: string, params: readonly Pair[]): Statement =>
  compilerOf<TrackingTables>(db)
    .insertInto('run_param')
    .values(toPairRows(projectId, runId, params))
    .onConflict((conflict) => conflict.doNothing())
    .compile();

/** The values that these keys have now: what another write had put there first. */
export const selectRunParams = (db: Db, projectId: string, runId: string, keys: readonly string[]): Statement =>
  compilerOf<TrackingTables>(db)
    .selectFrom('run_param')
    .select(['key', 'value'])
    .where('project_id', '=', projectId)
    .where('run_id', '=', runId)
    .where('key', 'in', keys)
    .compile();

export async function runStatements(tx: Tx, statements: readonly Statement[]): Promise<void> {
  for (const statement of statements) await sqlOf<TrackingTables>(tx).executeQuery(statement);
}

export async function findRunParams(
  tx: Tx,
  projectId: string,
  runId: string,
  keys: readonly string[],
): Promise<readonly Pair[]> {
  return sqlOf<TrackingTables>(tx)
    .selectFrom('run_param')
    .select(['key', 'value'])
    .where('project_id', '=', projectId)
    .where('run_id', '=', runId)
    .where('key', 'in', keys)
    .execute();
}

export async function listRunPairs(
  tx: Tx,
  table: 'run_param' | 'run_tag',
  projectId: string,
  runIds: readonly string[],
): Promise<readonly Omit<RunPairRow, 'project_id'>[]> {
  return sqlOf<TrackingTables>(tx)
    .selectFrom(table)
    .select(['run_id', 'key', 'value'])
    .where('project_id', '=', projectId)
    .where('run_id', 'in', runIds)
    .orderBy('run_id')
    .orderBy('key')
    .execute();
}

export async function listLatestMetrics(tx: Tx, projectId: string, runIds: readonly string[]) {
  return sqlOf<TrackingTables>(tx)
    .selectFrom('metric_latest')
    .innerJoin('metric_key', 'metric_key.id', 'metric_latest.key_id')
    .innerJoin('series', 'series.id', 'metric_latest.series_id')
    .leftJoin('metric_context', 'metric_context.id', 'series.context_id')
    .select([
      'metric_latest.run_id',
      'metric_key.name',
      'metric_latest.step',
      'metric_latest.ts',
      'metric_latest.is_nan',
      'metric_latest.value',
      'metric_context.model_id',
      'metric_context.dataset_name',
      'metric_context.dataset_digest',
    ])
    .where('metric_latest.project_id', '=', projectId)
    .where('metric_latest.run_id', 'in', runIds)
    .orderBy('metric_latest.run_id')
    .orderBy('metric_key.name')
    .execute();
}

const toPairRows = (projectId: string, runId: string, pairs: readonly Pair[]): RunPairRow[] =>
  pairs.map(({ key, value }) => ({ project_id: projectId, run_id: runId, key, value }));
