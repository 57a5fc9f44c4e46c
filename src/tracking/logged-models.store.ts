import { type Expression, type RawBuilder, type SqlBool, sql } from 'kysely';
import { sqlOf, type Tx } from '../ports/db.ts';
import { compareText } from './experiments.store.ts';
import type { SearchClause } from './search-fields.ts';
import type { LoggedModelRow, TrackingTables } from './tables.ts';
import type { Pair } from './types.ts';

export async function insertLoggedModel(tx: Tx, row: LoggedModelRow): Promise<void> {
  await sqlOf<TrackingTables>(tx).insertInto('logged_model').values(row).execute();
}

export async function findLoggedModelRow(tx: Tx, projectId: string, id: string): Promise<LoggedModelRow | undefined> {
  return sqlOf<TrackingTables>(tx)
    .selectFrom('logged_model')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('id', '=', id)
    .executeTakeFirst();
}

export async function updateLoggedModelRow(
  tx: Tx,
  projectId: string,
  id: string,
  change: Partial<Pick<LoggedModelRow, 'status' | 'lifecycle' | 'autologged' | 'updated_at'>>,
): Promise<void> {
  await sqlOf<TrackingTables>(tx)
    .updateTable('logged_model')
    .set(change)
    .where('project_id', '=', projectId)
    .where('id', '=', id)
    .execute();
}

/** In the order in which they were made. */
export async function listModelsOfRun(tx: Tx, projectId: string, runId: string): Promise<readonly LoggedModelRow[]> {
  return sqlOf<TrackingTables>(tx)
    .selectFrom('logged_model')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('source_run_id', '=', runId)
    .where('lifecycle', '=', 'active')
    .orderBy('created_at')
    .orderBy('id')
    .execute();
}

/** Models without a run that carry this tag become the run's. */
export async function giveModelsToRun(
  tx: Tx,
  projectId: string,
  tag: { readonly key: string; readonly value: string },
  change: { readonly source_run_id: string; readonly updated_at: number },
): Promise<void> {
  const k = sqlOf<TrackingTables>(tx);
  const tagged = k
    .selectFrom('logged_model_tag')
    .select('model_id')
    .where('project_id', '=', projectId)
    .where('key', '=', tag.key)
    .where('value', '=', tag.value);
  await k
    .updateTable('logged_model')
    .set(change)
    .where('project_id', '=', projectId)
    .where('source_run_id', '=', '')
    .where('id', 'in', tagged)
    .execute();
}

export async function upsertModelPairs(
  tx: Tx,
  table: 'logged_model_param' | 'logged_model_tag',
  projectId: string,
  modelId: string,
  pairs: readonly Pair[],
): Promise<void> {
  if (pairs.length === 0) return;
  await sqlOf<TrackingTables>(tx)
    .insertInto(table)
    .values(pairs.map(({ key, value }) => ({ project_id: projectId, model_id: modelId, key, value })))
    .onConflict((conflict) =>
      conflict.columns(['project_id', 'model_id', 'key']).doUpdateSet(({ ref }) => ({ value: ref('excluded.value') })),
    )
    .execute();
}

export async function deleteModelTagRow(tx: Tx, projectId: string, modelId: string, key: string): Promise<boolean> {
  const rows = await sqlOf<TrackingTables>(tx)
    .deleteFrom('logged_model_tag')
    .where('project_id', '=', projectId)
    .where('model_id', '=', modelId)
    .where('key', '=', key)
    .returning('key')
    .execute();
  return rows.length > 0;
}

export async function listModelPairs(
  tx: Tx,
  table: 'logged_model_param' | 'logged_model_tag',
  projectId: string,
  modelIds: readonly string[],
) {
  return sqlOf<TrackingTables>(tx)
    .selectFrom(table)
    .select(['model_id', 'key', 'value'])
    .where('project_id', '=', projectId)
    .where('model_id', 'in', modelIds)
    .orderBy('model_id')
    .orderBy('key')
    .execute();
}

/** The latest point of every series that names one of these models. */
export async function listModelMetrics(tx: Tx, projectId: string, modelIds: readonly string[]) {
  return sqlOf<TrackingTables>(tx)
    .selectFrom('metric_context')
    .innerJoin('series', (join) =>
      join
        .onRef('series.project_id', '=', 'metric_context.project_id')
        .onRef('series.context_id', '=', 'metric_context.id'),
    )
    .innerJoin('metric_key', 'metric_key.id', 'series.key_id')
    .innerJoin('series_latest', 'series_latest.series_id', 'series.id')
    .select([
      'metric_context.model_id',
      'metric_context.dataset_name',
      'metric_context.dataset_digest',
      'metric_key.name',
      'series.run_id',
      'series_latest.step',
      'series_latest.ts',
      'series_latest.is_nan',
      'series_latest.value',
    ])
    .where('metric_context.project_id', '=', projectId)
    .where('metric_context.model_id', 'in', modelIds)
    .orderBy('metric_key.name')
    .orderBy('series.id')
    .execute();
}

export interface DatasetFilter {
  readonly name: string;
  readonly digest?: string | undefined;
}

export interface ModelOrder {
  readonly entity: 'metric' | 'attribute';
  readonly key: string;
  readonly ascending: boolean;
  readonly dataset?: DatasetFilter | undefined;
}

export interface LoggedModelSearch {
  readonly projectId: string;
  readonly experimentIds: readonly number[];
  readonly clauses: readonly SearchClause[];
  readonly datasets: readonly DatasetFilter[];
  readonly orders: readonly ModelOrder[];
  readonly limit: number;
  readonly offset: number;
}

const COLUMNS: Readonly<Record<string, string>> = {
  name: 'logged_model.name',
  model_id: 'logged_model.id',
  model_type: 'logged_model.model_type',
  status: 'logged_model.status',
  source_run_id: 'logged_model.source_run_id',
  artifact_location: 'logged_model.artifact_uri',
  experiment_id: 'logged_model.experiment_id',
  creation_timestamp_ms: 'logged_model.created_at',
  last_updated_timestamp_ms: 'logged_model.updated_at',
};

/** Newest first unless ordered otherwise; what has no value comes last. `datasets` narrows the metrics that are compared. */
export async function searchLoggedModelRows(tx: Tx, search: LoggedModelSearch): Promise<readonly LoggedModelRow[]> {
  let query = sqlOf<TrackingTables>(tx)
    .selectFrom('logged_model')
    .selectAll()
    .where('project_id', '=', search.projectId)
    .where('experiment_id', 'in', search.experimentIds)
    .where('lifecycle', '=', 'active');
  for (const clause of search.clauses) query = query.where(toCondition(search, clause));
  const hasMetric = search.clauses.some(({ entity }) => entity === 'metric');
  if (search.datasets.length > 0 && !hasMetric) query = query.where(hasMetricOn(search));
  for (const order of search.orders) query = query.orderBy(toOrder(search.projectId, order));
  return query.orderBy('created_at', 'desc').orderBy('id', 'asc').limit(search.limit).offset(search.offset).execute();
}

function toCondition(search: LoggedModelSearch, clause: SearchClause): Expression<SqlBool> {
  const { projectId } = search;
  if (clause.entity === 'metric') {
    const compared = sql`sl.value ${sql.raw(clause.comparator)} ${clause.value}`;
    return sql<SqlBool>`exists (${metricRows(projectId, clause.key)} and sl.is_nan = 0 and ${compared}${onDatasets(search.datasets)})`;
  }
  if (clause.entity === 'attribute') {
    const column = sql.ref(COLUMNS[clause.key]!);
    if (typeof clause.value === 'number') return sql<SqlBool>`${column} ${sql.raw(clause.comparator)} ${clause.value}`;
    return compareText(column, clause);
  }
  const table = sql.table(clause.entity === 'tag' ? 'logged_model_tag' : 'logged_model_param');
  const value = sql`(select p.value from ${table} p where p.project_id = ${projectId} and p.model_id = logged_model.id and p.key = ${clause.key})`;
  return compareText(value, clause);
}

const hasMetricOn = ({ projectId, datasets }: LoggedModelSearch): Expression<SqlBool> =>
  sql<SqlBool>`exists (${metricRows(projectId, null)}${onDatasets(datasets)})`;

function metricRows(projectId: string, key: string | null): RawBuilder<unknown> {
  const named = key === null ? sql`` : sql` and k.project_id = ${projectId} and k.name = ${key}`;
  return sql`select 1 from metric_context c join series s on s.project_id = c.project_id and s.context_id = c.id join metric_key k on k.id = s.key_id join series_latest sl on sl.series_id = s.id where c.project_id = ${projectId} and c.model_id = logged_model.id${named}`;
}

function onDatasets(datasets: readonly DatasetFilter[]): RawBuilder<unknown> {
  if (datasets.length === 0) return sql``;
  const each = datasets.map(({ name, digest }) =>
    digest === undefined
      ? sql`c.dataset_name = ${name}`
      : sql`(c.dataset_name = ${name} and c.dataset_digest = ${digest})`,
  );
  return sql` and (${sql.join(each, sql` or `)})`;
}

function toOrder(projectId: string, { entity, key, ascending, dataset }: ModelOrder): RawBuilder<unknown> {
  const direction = sql.raw(ascending ? 'asc' : 'desc');
  if (entity === 'attribute') return sql`${sql.ref(COLUMNS[key]!)} ${direction} nulls last`;
  const on = onDatasets(dataset ? [dataset] : []);
  const latest = sql`(select sl.value from metric_context c join series s on s.project_id = c.project_id and s.context_id = c.id join metric_key k on k.id = s.key_id join series_latest sl on sl.series_id = s.id where c.project_id = ${projectId} and c.model_id = logged_model.id and k.project_id = ${projectId} and k.name = ${key}${on} order by sl.ts desc, sl.step desc, s.run_id limit 1)`;
  return sql`${latest} ${direction} nulls last`;
}
