import { type Expression, type SqlBool, sql } from 'kysely';
import { compilerOf, type Db, sqlOf, type Tx } from '../ports/db.ts';
import { matches } from '../ports/sql.ts';
import type { Statement } from './metrics.store.ts';
import type { SearchClause, SearchOrder } from './search-fields.ts';
import type { ExperimentRow, TrackingTables } from './tables.ts';
import type { Lifecycle, Pair, ViewType } from './types.ts';

export const insertExperimentIfAbsent = (db: Db, row: ExperimentRow): Statement =>
  compilerOf<TrackingTables>(db)
    .insertInto('experiment')
    .values(row)
    .onConflict((conflict) => conflict.doNothing())
    .compile();

export async function insertExperiment(tx: Tx, row: ExperimentRow): Promise<void> {
  await sqlOf<TrackingTables>(tx).insertInto('experiment').values(row).execute();
}

export async function findExperimentRow(tx: Tx, projectId: string, id: number): Promise<ExperimentRow | undefined> {
  return sqlOf<TrackingTables>(tx)
    .selectFrom('experiment')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('id', '=', id)
    .executeTakeFirst();
}

export async function findExperimentByName(
  tx: Tx,
  projectId: string,
  name: string,
): Promise<ExperimentRow | undefined> {
  return sqlOf<TrackingTables>(tx)
    .selectFrom('experiment')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('name', '=', name)
    .executeTakeFirst();
}

export async function updateExperimentRow(
  tx: Tx,
  projectId: string,
  id: number,
  change: { readonly name?: string; readonly lifecycle?: Lifecycle; readonly updated_at: number },
): Promise<void> {
  await sqlOf<TrackingTables>(tx)
    .updateTable('experiment')
    .set(change)
    .where('project_id', '=', projectId)
    .where('id', '=', id)
    .execute();
}

export async function listExperimentTags(
  tx: Tx,
  projectId: string,
  ids: readonly number[],
): Promise<ReadonlyMap<number, Pair[]>> {
  const byId = new Map<number, Pair[]>(ids.map((id) => [id, []]));
  if (ids.length === 0) return byId;
  const rows = await sqlOf<TrackingTables>(tx)
    .selectFrom('experiment_tag')
    .select(['experiment_id', 'key', 'value'])
    .where('project_id', '=', projectId)
    .where('experiment_id', 'in', ids)
    .orderBy('key')
    .execute();
  for (const { experiment_id, key, value } of rows) byId.get(experiment_id)?.push({ key, value });
  return byId;
}

export async function upsertExperimentTags(
  tx: Tx,
  projectId: string,
  experimentId: number,
  tags: readonly Pair[],
): Promise<void> {
  if (tags.length === 0) return;
  await sqlOf<TrackingTables>(tx)
    .insertInto('experiment_tag')
    .values(tags.map(({ key, value }) => ({ project_id: projectId, experiment_id: experimentId, key, value })))
    .onConflict((conflict) =>
      conflict
        .columns(['project_id', 'experiment_id', 'key'])
        .doUpdateSet(({ ref }) => ({ value: ref('excluded.value') })),
    )
    .execute();
}

export async function deleteExperimentTagRow(
  tx: Tx,
  projectId: string,
  experimentId: number,
  key: string,
): Promise<boolean> {
  const rows = await sqlOf<TrackingTables>(tx)
    .deleteFrom('experiment_tag')
    .where('project_id', '=', projectId)
    .where('experiment_id', '=', experimentId)
    .where('key', '=', key)
    .returning('key')
    .execute();
  return rows.length > 0;
}

/** Deletes the experiment's active runs with it, marked so that a restore brings back just these. */
export async function deleteRunsWithExperiment(tx: Tx, projectId: string, id: number, at: number): Promise<void> {
  await sqlOf<TrackingTables>(tx)
    .updateTable('run')
    .set({ lifecycle: 'deleted', deleted_at: at, deleted_with_experiment: 1 })
    .where('project_id', '=', projectId)
    .where('experiment_id', '=', id)
    .where('lifecycle', '=', 'active')
    .execute();
}

export async function restoreRunsWithExperiment(tx: Tx, projectId: string, id: number): Promise<void> {
  await sqlOf<TrackingTables>(tx)
    .updateTable('run')
    .set({ lifecycle: 'active', deleted_at: null, deleted_with_experiment: 0 })
    .where('project_id', '=', projectId)
    .where('experiment_id', '=', id)
    .where('deleted_with_experiment', '=', 1)
    .execute();
}

export interface ExperimentSearch {
  readonly projectId: string;
  readonly view: ViewType;
  readonly clauses: readonly SearchClause[];
  readonly orders: readonly SearchOrder[];
  readonly limit: number;
  readonly offset: number;
}

const COLUMNS: Readonly<Record<string, 'id' | 'name' | 'created_at' | 'updated_at'>> = {
  experiment_id: 'id',
  name: 'name',
  creation_time: 'created_at',
  last_update_time: 'updated_at',
};

export async function searchExperimentRows(tx: Tx, search: ExperimentSearch): Promise<readonly ExperimentRow[]> {
  let query = sqlOf<TrackingTables>(tx).selectFrom('experiment').selectAll().where('project_id', '=', search.projectId);
  if (search.view !== 'all') query = query.where('lifecycle', '=', search.view);
  for (const clause of search.clauses) query = query.where(toCondition(search.projectId, clause));
  for (const { entity, key, ascending } of search.orders) {
    const column = entity === 'tag' ? tagValue(search.projectId, key) : sql.ref(`experiment.${COLUMNS[key]!}`);
    query = query.orderBy(column, (order) => (ascending ? order.asc().nullsLast() : order.desc().nullsLast()));
  }
  return query.orderBy('created_at', 'desc').orderBy('id', 'asc').limit(search.limit).offset(search.offset).execute();
}

const tagValue = (projectId: string, key: string) =>
  sql<string>`(select t.value from experiment_tag t where t.project_id = ${projectId} and t.experiment_id = experiment.id and t.key = ${key})`;

function toCondition(projectId: string, clause: SearchClause): Expression<SqlBool> {
  if (clause.entity === 'tag') return compareText(tagValue(projectId, clause.key), clause);
  if (clause.key === 'experiment_id') return compareIds(clause);
  const column = sql.ref(`experiment.${COLUMNS[clause.key]!}`);
  if (typeof clause.value === 'number') return sql<SqlBool>`${column} ${sql.raw(clause.comparator)} ${clause.value}`;
  return compareText(column, clause);
}

/** `experiment_id` is compared as the text that clients know. */
function compareIds({ comparator, value }: SearchClause): Expression<SqlBool> {
  const ids = (Array.isArray(value) ? value : [value]).map(Number).filter(Number.isSafeInteger);
  const list = ids.length === 0 ? sql`-1` : sql.join(ids);
  return comparator === '=' || comparator === 'IN'
    ? sql<SqlBool>`experiment.id in (${list})`
    : sql<SqlBool>`experiment.id not in (${list})`;
}

/** A text comparison of the search grammar. The patterns of clients have no escape character: a backslash is itself. */
export function compareText(column: Expression<unknown>, { comparator, value }: SearchClause): Expression<SqlBool> {
  if (comparator === 'IS NULL') return sql<SqlBool>`${column} is null`;
  if (comparator === 'IS NOT NULL') return sql<SqlBool>`${column} is not null`;
  if (comparator === 'LIKE' || comparator === 'ILIKE') {
    return matches(column, String(value).replaceAll('\\', '\\\\'), { ci: comparator === 'ILIKE' });
  }
  if (Array.isArray(value)) {
    const list = sql.join(value);
    return comparator === 'IN' ? sql<SqlBool>`${column} in (${list})` : sql<SqlBool>`${column} not in (${list})`;
  }
  return sql<SqlBool>`${column} ${sql.raw(comparator)} ${value}`;
}
