import { sqlOf, type Tx } from '../ports/db.ts';
import type { LoggedDatasetRow, RunModelRow, TrackingTables } from './tables.ts';

/** Stores a dataset once an experiment, name and digest; answers the id that it has. */
export async function insertLoggedDataset(tx: Tx, row: LoggedDatasetRow): Promise<string> {
  const k = sqlOf<TrackingTables>(tx);
  await k
    .insertInto('logged_dataset')
    .values(row)
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const { id } = await k
    .selectFrom('logged_dataset')
    .select('id')
    .where('project_id', '=', row.project_id)
    .where('experiment_id', '=', row.experiment_id)
    .where('name', '=', row.name)
    .where('digest', '=', row.digest)
    .executeTakeFirstOrThrow();
  return id;
}

export async function insertRunDataset(tx: Tx, row: TrackingTables['run_dataset']): Promise<void> {
  await sqlOf<TrackingTables>(tx)
    .insertInto('run_dataset')
    .values(row)
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

export async function insertRunModels(tx: Tx, rows: readonly RunModelRow[]): Promise<void> {
  if (rows.length === 0) return;
  await sqlOf<TrackingTables>(tx)
    .insertInto('run_model')
    .values([...rows])
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

export async function listRunDatasets(tx: Tx, projectId: string, runIds: readonly string[]) {
  return sqlOf<TrackingTables>(tx)
    .selectFrom('run_dataset')
    .innerJoin('logged_dataset', (join) =>
      join
        .onRef('logged_dataset.project_id', '=', 'run_dataset.project_id')
        .onRef('logged_dataset.id', '=', 'run_dataset.dataset_id'),
    )
    .select([
      'run_dataset.run_id',
      'run_dataset.tags',
      'logged_dataset.name',
      'logged_dataset.digest',
      'logged_dataset.source_type',
      'logged_dataset.source',
      'logged_dataset.schema',
      'logged_dataset.profile',
    ])
    .where('run_dataset.project_id', '=', projectId)
    .where('run_dataset.run_id', 'in', runIds)
    .orderBy('run_dataset.run_id')
    .orderBy('run_dataset.created_at')
    .orderBy('run_dataset.dataset_id')
    .execute();
}

export async function listRunModels(tx: Tx, projectId: string, runIds: readonly string[]): Promise<RunModelRow[]> {
  return sqlOf<TrackingTables>(tx)
    .selectFrom('run_model')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('run_id', 'in', runIds)
    .orderBy('run_id')
    .orderBy('id')
    .execute();
}

/** The datasets that runs of these experiments read, each once a context. */
export async function listDatasetsOfExperiments(
  tx: Tx,
  projectId: string,
  experimentIds: readonly number[],
  limit: number,
) {
  return sqlOf<TrackingTables>(tx)
    .selectFrom('logged_dataset')
    .innerJoin('run_dataset', (join) =>
      join
        .onRef('run_dataset.project_id', '=', 'logged_dataset.project_id')
        .onRef('run_dataset.dataset_id', '=', 'logged_dataset.id'),
    )
    .select(['logged_dataset.experiment_id', 'logged_dataset.name', 'logged_dataset.digest', 'run_dataset.context'])
    .distinct()
    .where('logged_dataset.project_id', '=', projectId)
    .where('logged_dataset.experiment_id', 'in', experimentIds)
    .orderBy('logged_dataset.name')
    .orderBy('logged_dataset.digest')
    .limit(limit)
    .execute();
}
