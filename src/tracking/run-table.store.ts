import { sql } from 'kysely';
import { sqlOf, type Tx } from '../ports/db.ts';
import type { TrackingTables } from './tables.ts';
import type { ViewType } from './types.ts';

export interface TableScope {
  readonly projectId: string;
  /** Null is every experiment of the project. */
  readonly experimentId: number | null;
  readonly view: ViewType;
  /** Only runs that were made or ended since (epoch ms), and those that still run. */
  readonly since: number | null;
  readonly limit: number;
}

/** The runs of a table, newest first, without what they logged. */
export async function listTableRows(tx: Tx, scope: TableScope) {
  let query = sqlOf<TrackingTables>(tx)
    .selectFrom('run')
    .select(['id', 'name', 'user_id', 'status', 'experiment_id', 'started_at', 'ended_at', 'lifecycle', 'attempt_id'])
    .where('project_id', '=', scope.projectId);
  if (scope.experimentId !== null) query = query.where('experiment_id', '=', scope.experimentId);
  if (scope.view !== 'all') query = query.where('lifecycle', '=', scope.view);
  const { since } = scope;
  if (since !== null) {
    query = query.where((eb) =>
      eb.or([eb('created_at', '>=', since), eb('ended_at', '>=', since), eb('status', 'in', ['RUNNING', 'SCHEDULED'])]),
    );
  }
  return query.orderBy('started_at', 'desc').orderBy('id', 'asc').limit(scope.limit).execute();
}

/** How many runs there are in the scope, whatever its limit. */
export async function countRuns(
  tx: Tx,
  scope: Pick<TableScope, 'projectId' | 'experimentId' | 'view'>,
): Promise<number> {
  let query = sqlOf<TrackingTables>(tx)
    .selectFrom('run')
    .select(({ fn }) => fn.countAll<number>().as('runs'))
    .where('project_id', '=', scope.projectId);
  if (scope.experimentId !== null) query = query.where('experiment_id', '=', scope.experimentId);
  if (scope.view !== 'all') query = query.where('lifecycle', '=', scope.view);
  return Number((await query.executeTakeFirstOrThrow()).runs);
}

/** One parameter or tag of these runs, or of every run of the project where `runIds` is null; texts cut to `maxLength`. */
export async function listPairColumn(
  tx: Tx,
  table: 'run_param' | 'run_tag',
  column: {
    readonly projectId: string;
    readonly key: string;
    readonly runIds: readonly string[] | null;
    readonly maxLength: number;
  },
) {
  let query = sqlOf<TrackingTables>(tx)
    .selectFrom(table)
    .select(['run_id', sql<string>`substr(value, 1, ${column.maxLength})`.as('value')])
    .where('project_id', '=', column.projectId)
    .where('key', '=', column.key);
  if (column.runIds !== null) query = query.where('run_id', 'in', column.runIds);
  return query.execute();
}

/** The latest values of one metric, as `listPairColumn`. */
export async function listMetricColumn(
  tx: Tx,
  column: { readonly projectId: string; readonly key: string; readonly runIds: readonly string[] | null },
) {
  let query = sqlOf<TrackingTables>(tx)
    .selectFrom('metric_latest')
    .innerJoin('metric_key', 'metric_key.id', 'metric_latest.key_id')
    .select(['metric_latest.run_id', 'metric_latest.is_nan', 'metric_latest.value'])
    .where('metric_latest.project_id', '=', column.projectId)
    .where('metric_key.project_id', '=', column.projectId)
    .where('metric_key.name', '=', column.key);
  if (column.runIds !== null) query = query.where('metric_latest.run_id', 'in', column.runIds);
  return query.execute();
}

/** The keys that runs logged, those of most runs first, with whether their values differ. */
export async function listPairKeys(tx: Tx, table: 'run_param' | 'run_tag', projectId: string, limit: number) {
  return sqlOf<TrackingTables>(tx)
    .selectFrom(table)
    .select('key')
    .select(({ fn }) => [fn.countAll<number>().as('runs'), fn.min('value').as('low'), fn.max('value').as('high')])
    .where('project_id', '=', projectId)
    .groupBy('key')
    .orderBy('runs', 'desc')
    .orderBy('key')
    .limit(limit)
    .execute();
}

export async function listMetricKeys(tx: Tx, projectId: string, limit: number) {
  return sqlOf<TrackingTables>(tx)
    .selectFrom('metric_latest')
    .innerJoin('metric_key', 'metric_key.id', 'metric_latest.key_id')
    .select('metric_key.name as key')
    .select(({ fn }) => [
      fn.countAll<number>().as('runs'),
      fn.min('metric_latest.value').as('low'),
      fn.max('metric_latest.value').as('high'),
    ])
    .where('metric_latest.project_id', '=', projectId)
    .groupBy('metric_key.name')
    .orderBy('runs', 'desc')
    .orderBy('metric_key.name')
    .limit(limit)
    .execute();
}
