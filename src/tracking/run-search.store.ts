import { type Expression, type RawBuilder, type SqlBool, sql } from 'kysely';
import { sqlOf, type Tx } from '../ports/db.ts';
import { compareText } from './experiments.store.ts';
import type { SearchClause, SearchField, SearchOrder } from './search-fields.ts';
import type { RunRow, TrackingTables } from './tables.ts';
import type { ViewType } from './types.ts';

export interface RunSearch {
  readonly projectId: string;
  /** Null searches every experiment of the project. */
  readonly experimentIds: readonly number[] | null;
  readonly view: ViewType;
  readonly clauses: readonly SearchClause[];
  readonly orders: readonly SearchOrder[];
  readonly limit: number;
  readonly offset: number;
}

const COLUMNS: Readonly<Record<string, string>> = {
  run_id: 'run.id',
  run_name: 'run.name',
  user_id: 'run.user_id',
  status: 'run.status',
  artifact_uri: 'run.artifact_uri',
  start_time: 'run.started_at',
  end_time: 'run.ended_at',
};

/**
 * Runs by the caller's clauses and orders; what has no value comes last in both directions, NaN before it. Each clause is an
 * `exists` on an index that leads with the project and the key, so that a rare value is found without reading all runs.
 */
export async function searchRunRows(tx: Tx, search: RunSearch): Promise<readonly RunRow[]> {
  return toQuery(tx, search).selectAll().execute();
}

/** As `searchRunRows`, their ids only. */
export async function searchRunIds(tx: Tx, search: RunSearch): Promise<readonly string[]> {
  const rows = await toQuery(tx, search).select('id').execute();
  return rows.map(({ id }) => id);
}

function toQuery(tx: Tx, search: RunSearch) {
  const { projectId, experimentIds } = search;
  let query = sqlOf<TrackingTables>(tx).selectFrom('run').where('project_id', '=', projectId);
  if (experimentIds !== null) query = query.where('experiment_id', 'in', experimentIds);
  if (search.view !== 'all') query = query.where('lifecycle', '=', search.view);
  for (const clause of search.clauses) query = query.where(toCondition(projectId, clause));
  for (const order of search.orders) {
    for (const part of toOrder(projectId, order)) query = query.orderBy(part);
  }
  return query.orderBy('started_at', 'desc').orderBy('id', 'asc').limit(search.limit).offset(search.offset);
}

function toCondition(projectId: string, clause: SearchClause): Expression<SqlBool> {
  switch (clause.entity) {
    case 'metric':
      return metricCondition(projectId, clause);
    case 'parameter':
    case 'tag':
      return compareText(pairValue(projectId, clause), clause);
    case 'dataset':
      return datasetCondition(projectId, clause);
    case 'attribute': {
      const column = sql.ref(COLUMNS[clause.key]!);
      if (typeof clause.value !== 'number') return compareText(column, clause);
      return sql<SqlBool>`${column} ${sql.raw(clause.comparator)} ${clause.value}`;
    }
  }
}

/** NaN is unequal to every number and compares with none. */
function metricCondition(projectId: string, { key, comparator, value }: SearchClause): Expression<SqlBool> {
  const compared = sql`l.value ${sql.raw(comparator)} ${value}`;
  const matched = comparator === '!=' ? sql`(l.is_nan = 1 or ${compared})` : sql`(l.is_nan = 0 and ${compared})`;
  return sql<SqlBool>`exists (select 1 from metric_latest l where l.project_id = ${projectId} and l.run_id = run.id and l.key_id = ${keyId(projectId, key)} and ${matched})`;
}

function datasetCondition(projectId: string, clause: SearchClause): Expression<SqlBool> {
  const column = clause.key === 'context' ? sql.ref('i.context') : sql.ref(`d.${clause.key}`);
  return sql<SqlBool>`exists (select 1 from run_dataset i join logged_dataset d on d.project_id = i.project_id and d.id = i.dataset_id where i.project_id = ${projectId} and i.run_id = run.id and ${compareText(column, clause)})`;
}

function toOrder(projectId: string, order: SearchOrder): readonly RawBuilder<unknown>[] {
  const direction = sql.raw(order.ascending ? 'asc' : 'desc');
  if (order.entity === 'metric') {
    const latest = (column: string) =>
      sql`(select ${sql.ref(`l.${column}`)} from metric_latest l where l.project_id = ${projectId} and l.run_id = run.id and l.key_id = ${keyId(projectId, order.key)})`;
    return [sql`coalesce(${latest('is_nan')}, 2) asc`, sql`${latest('value')} ${direction} nulls last`];
  }
  const value = order.entity === 'attribute' ? sql.ref(COLUMNS[order.key]!) : pairValue(projectId, order);
  return [sql`${value} ${direction} nulls last`];
}

const keyId = (projectId: string, name: string): RawBuilder<number> =>
  sql<number>`(select k.id from metric_key k where k.project_id = ${projectId} and k.name = ${name})`;

const pairValue = (projectId: string, { entity, key }: SearchField): RawBuilder<string> =>
  sql<string>`(select p.value from ${sql.table(entity === 'tag' ? 'run_tag' : 'run_param')} p where p.project_id = ${projectId} and p.run_id = run.id and p.key = ${key})`;
