import { type CreateTableBuilder, type Kysely, sql } from 'kysely';
import { columnTypes, createTable, defaultsTo, notNull, primaryKey, projectId } from './columns.ts';
import type { Dialect, Migration } from './migration.ts';

/** Experiments, runs, metrics, logged models and artifact paths. */
export const migration: Migration = {
  id: '0004-tracking',
  async up(k, dialect) {
    await createExperiments(k, dialect);
    await createRuns(k, dialect);
    await createSeries(k, dialect);
    await createPoints(k, dialect);
    await createDatasets(k, dialect);
    await createLoggedModels(k, dialect);
    await createArtifacts(k, dialect);
  },
};

/** `tracking_sequence` counts for the whole instance: experiment ids are instance-wide, series take ids in blocks. */
async function createExperiments(k: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const t = columnTypes(dialect);
  await createTable(k, dialect, 'tracking_sequence')
    .addColumn('name', t.text, primaryKey)
    .addColumn('value', t.bigint, notNull)
    .execute();
  await createTable(k, dialect, 'experiment')
    .addColumn('project_id', t.text, projectId)
    .addColumn('id', t.bigint, notNull)
    .addColumn('name', t.text, notNull)
    .addColumn('artifact_location', t.text, notNull)
    .addColumn('lifecycle', t.text, notNull)
    .addColumn('created_at', t.bigint, notNull)
    .addColumn('updated_at', t.bigint, notNull)
    .addPrimaryKeyConstraint('experiment_key', ['project_id', 'id'] as never[])
    .addUniqueConstraint('experiment_name', ['project_id', 'name'] as never[])
    .execute();
  await createPairs(k, dialect, 'experiment_tag', 'experiment_id', 'bigint');
}

async function createRuns(k: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const t = columnTypes(dialect);
  await createTable(k, dialect, 'run')
    .addColumn('project_id', t.text, projectId)
    .addColumn('id', t.text, notNull)
    .addColumn('experiment_id', t.bigint, notNull)
    .addColumn('name', t.text, notNull)
    .addColumn('user_id', t.text, notNull)
    .addColumn('status', t.text, notNull)
    .addColumn('started_at', t.bigint, notNull)
    .addColumn('ended_at', t.bigint)
    .addColumn('artifact_uri', t.text, notNull)
    .addColumn('lifecycle', t.text, notNull)
    .addColumn('deleted_at', t.bigint)
    .addColumn('deleted_with_experiment', t.smallint, defaultsTo(0))
    .addColumn('attempt_id', t.text)
    .addColumn('created_at', t.bigint, notNull)
    .addPrimaryKeyConstraint('run_key', ['project_id', 'id'] as never[])
    .execute();
  await createIndex(k, 'run_experiment', 'run', ['project_id', 'experiment_id', 'started_at', 'id']);
  await createIndex(k, 'run_started', 'run', ['project_id', 'started_at', 'id']);
  await createIndex(k, 'run_attempt', 'run', ['project_id', 'attempt_id', 'created_at', 'id']);
  await createPairs(k, dialect, 'run_param', 'run_id', 'text');
  await createPairs(k, dialect, 'run_tag', 'run_id', 'text');
  await createIndex(k, 'run_tag_value', 'run_tag', ['project_id', 'key', 'run_id']);
  await createIndex(k, 'run_param_value', 'run_param', ['project_id', 'key', 'run_id']);
}

/** A series is one key of one run in one context (logged model and dataset; 0 is none). */
async function createSeries(k: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const t = columnTypes(dialect);
  await createTable(k, dialect, 'metric_key')
    .addColumn('project_id', t.text, projectId)
    .addColumn('name', t.text, notNull)
    .addColumn('id', t.bigint, (column) => column.notNull().unique())
    .addPrimaryKeyConstraint('metric_key_name', ['project_id', 'name'] as never[])
    .execute();
  await createTable(k, dialect, 'metric_context')
    .addColumn('project_id', t.text, projectId)
    .addColumn('model_id', t.text, notNull)
    .addColumn('dataset_name', t.text, notNull)
    .addColumn('dataset_digest', t.text, notNull)
    .addColumn('id', t.bigint, (column) => column.notNull().unique())
    .addPrimaryKeyConstraint('metric_context_name', [
      'project_id',
      'model_id',
      'dataset_name',
      'dataset_digest',
    ] as never[])
    .execute();
  await createTable(k, dialect, 'series')
    .addColumn('project_id', t.text, projectId)
    .addColumn('run_id', t.text, notNull)
    .addColumn('key_id', t.bigint, notNull)
    .addColumn('context_id', t.bigint, notNull)
    .addColumn('id', t.bigint, (column) => column.notNull().unique())
    .addPrimaryKeyConstraint('series_name', ['project_id', 'run_id', 'key_id', 'context_id'] as never[])
    .execute();
  await createIndex(k, 'series_context', 'series', ['project_id', 'context_id']);
}

/**
 * NaN is `is_nan = 1, value = 0`, because NULL would break the key. A point is its whole key, so that a retry inserts nothing.
 * `metric_latest` is the run's newest point of a key over all contexts, `series_latest` that of one series with a context.
 */
async function createPoints(k: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const t = columnTypes(dialect);
  await clustered(createTable(k, dialect, 'metric_hot'), dialect)
    .addColumn('series_id', t.bigint, notNull)
    .addColumn('step', t.bigint, notNull)
    .addColumn('ts', t.bigint, notNull)
    .addColumn('is_nan', t.smallint, notNull)
    .addColumn('value', t.double, notNull)
    .addPrimaryKeyConstraint('metric_hot_key', ['series_id', 'step', 'ts', 'is_nan', 'value'] as never[])
    .execute();
  await createTable(k, dialect, 'metric_chunk')
    .addColumn('series_id', t.bigint, notNull)
    .addColumn('seq', t.bigint, notNull)
    .addColumn('min_step', t.bigint, notNull)
    .addColumn('max_step', t.bigint, notNull)
    .addColumn('min_ts', t.bigint, notNull)
    .addColumn('max_ts', t.bigint, notNull)
    .addColumn('count', t.bigint, notNull)
    .addColumn('crc', t.bigint, notNull)
    .addColumn('bytes', t.bytes, notNull)
    .addPrimaryKeyConstraint('metric_chunk_key', ['series_id', 'seq'] as never[])
    .execute();
  await createTable(k, dialect, 'metric_latest')
    .addColumn('project_id', t.text, projectId)
    .addColumn('run_id', t.text, notNull)
    .addColumn('key_id', t.bigint, notNull)
    .addColumn('series_id', t.bigint, notNull)
    .addColumn('step', t.bigint, notNull)
    .addColumn('ts', t.bigint, notNull)
    .addColumn('is_nan', t.smallint, notNull)
    .addColumn('value', t.double, notNull)
    .addPrimaryKeyConstraint('metric_latest_key', ['project_id', 'run_id', 'key_id'] as never[])
    .execute();
  await createIndex(k, 'metric_latest_value', 'metric_latest', ['project_id', 'key_id', 'value']);
  await createTable(k, dialect, 'series_latest')
    .addColumn('series_id', t.bigint, primaryKey)
    .addColumn('step', t.bigint, notNull)
    .addColumn('ts', t.bigint, notNull)
    .addColumn('is_nan', t.smallint, notNull)
    .addColumn('value', t.double, notNull)
    .execute();
}

async function createDatasets(k: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const t = columnTypes(dialect);
  await createTable(k, dialect, 'logged_dataset')
    .addColumn('project_id', t.text, projectId)
    .addColumn('experiment_id', t.bigint, notNull)
    .addColumn('name', t.text, notNull)
    .addColumn('digest', t.text, notNull)
    .addColumn('id', t.text, notNull)
    .addColumn('source_type', t.text, notNull)
    .addColumn('source', t.text, notNull)
    .addColumn('schema', t.text)
    .addColumn('profile', t.text)
    .addPrimaryKeyConstraint('logged_dataset_key', ['project_id', 'experiment_id', 'name', 'digest'] as never[])
    .addUniqueConstraint('logged_dataset_id', ['project_id', 'id'] as never[])
    .execute();
  await createTable(k, dialect, 'run_dataset')
    .addColumn('project_id', t.text, projectId)
    .addColumn('run_id', t.text, notNull)
    .addColumn('dataset_id', t.text, notNull)
    .addColumn('context', t.text)
    .addColumn('tags', t.text, notNull)
    .addColumn('created_at', t.bigint, notNull)
    .addPrimaryKeyConstraint('run_dataset_key', ['project_id', 'run_id', 'dataset_id'] as never[])
    .execute();
  await createTable(k, dialect, 'run_model')
    .addColumn('project_id', t.text, projectId)
    .addColumn('run_id', t.text, notNull)
    .addColumn('direction', t.text, notNull)
    .addColumn('id', t.text, notNull)
    .addColumn('model_id', t.text, notNull)
    .addColumn('step', t.bigint, notNull)
    .addPrimaryKeyConstraint('run_model_key', ['project_id', 'run_id', 'direction', 'id'] as never[])
    .execute();
}

async function createLoggedModels(k: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const t = columnTypes(dialect);
  await createTable(k, dialect, 'logged_model')
    .addColumn('project_id', t.text, projectId)
    .addColumn('id', t.text, notNull)
    .addColumn('experiment_id', t.bigint, notNull)
    .addColumn('name', t.text, notNull)
    .addColumn('model_type', t.text, notNull)
    .addColumn('source_run_id', t.text, notNull)
    .addColumn('creator_id', t.text, notNull)
    .addColumn('status', t.text, notNull)
    .addColumn('artifact_uri', t.text, notNull)
    .addColumn('lifecycle', t.text, notNull)
    .addColumn('autologged', t.smallint, defaultsTo(0))
    .addColumn('created_at', t.bigint, notNull)
    .addColumn('updated_at', t.bigint, notNull)
    .addPrimaryKeyConstraint('logged_model_key', ['project_id', 'id'] as never[])
    .execute();
  await createIndex(k, 'logged_model_experiment', 'logged_model', ['project_id', 'experiment_id', 'created_at', 'id']);
  await createIndex(k, 'logged_model_run', 'logged_model', ['project_id', 'source_run_id', 'created_at', 'id']);
  await createPairs(k, dialect, 'logged_model_param', 'model_id', 'text');
  await createPairs(k, dialect, 'logged_model_tag', 'model_id', 'text');
}

async function createArtifacts(k: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const t = columnTypes(dialect);
  await createTable(k, dialect, 'artifact_path')
    .addColumn('project_id', t.text, projectId)
    .addColumn('root', t.text, notNull)
    .addColumn('path', t.text, notNull)
    .addColumn('digest', t.text, notNull)
    .addColumn('size_bytes', t.bigint, notNull)
    .addColumn('updated_at', t.bigint, notNull)
    .addPrimaryKeyConstraint('artifact_path_key', ['project_id', 'root', 'path'] as never[])
    .execute();
  await createIndex(k, 'artifact_path_digest', 'artifact_path', ['digest']);
}

/** A table of key and value texts that hang on one owner. */
async function createPairs(
  k: Kysely<unknown>,
  dialect: Dialect,
  table: string,
  owner: string,
  ownerType: 'text' | 'bigint',
): Promise<void> {
  const t = columnTypes(dialect);
  await clustered(createTable(k, dialect, table), dialect)
    .addColumn('project_id', t.text, projectId)
    .addColumn(owner as never, t[ownerType], notNull)
    .addColumn('key', t.text, notNull)
    .addColumn('value', t.text, notNull)
    .addPrimaryKeyConstraint(`${table}_pair`, ['project_id', owner, 'key'] as never[])
    .execute();
}

/** On SQLite the rows live in the primary key's tree itself: one tree to write instead of two. */
const clustered = (builder: CreateTableBuilder<string, never>, dialect: Dialect): CreateTableBuilder<string, never> =>
  dialect === 'sqlite' ? builder.modifyEnd(sql`, without rowid`) : builder;

async function createIndex(k: Kysely<unknown>, name: string, table: string, columns: string[]): Promise<void> {
  await k.schema.createIndex(name).on(table).columns(columns).execute();
}
