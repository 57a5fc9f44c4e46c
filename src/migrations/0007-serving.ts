import type { Kysely } from 'kysely';
import { columnTypes, createTable, defaultsTo, notNull, primaryKey, projectId } from './columns.ts';
import type { Dialect, Migration } from './migration.ts';

type ServingSeed = {
  readonly desired_state: { id: number; generation: number };
};

/** Endpoints, rollouts, what gateways should do and say, and the prediction log. */
export const migration: Migration = {
  id: '0007-serving',
  async up(k, dialect) {
    await createEndpoint(k, dialect);
    await createRollout(k, dialect);
    await createGateway(k, dialect);
    await createLog(k, dialect);
  },
};

async function createEndpoint(k: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const t = columnTypes(dialect);
  await createTable(k, dialect, 'endpoint')
    .addColumn('project_id', t.text, projectId)
    .addColumn('name', t.text, notNull)
    .addColumn('model', t.text, notNull)
    .addColumn('champion', t.bigint)
    .addColumn('champion_id', t.text)
    .addColumn('previous', t.bigint)
    .addColumn('previous_id', t.text)
    .addColumn('entity', t.text)
    .addColumn('event_time', t.text, notNull)
    .addColumn('lateness_ms', t.bigint, notNull)
    .addColumn('event_clock', t.bigint)
    .addColumn('fallback_active', t.smallint, defaultsTo(0))
    .addColumn('fallback', t.text)
    .addColumn('ingested_at', t.bigint, defaultsTo(0))
    .addColumn('announced_at', t.bigint, defaultsTo(0))
    .addColumn('created_at', t.bigint, notNull)
    .addColumn('updated_at', t.bigint, notNull)
    .addPrimaryKeyConstraint('endpoint_key', ['project_id', 'name'] as never[])
    .execute();
  await k.schema.createIndex('endpoint_name').on('endpoint').column('name').execute();
}

async function createRollout(k: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const t = columnTypes(dialect);
  await createTable(k, dialect, 'rollout')
    .addColumn('project_id', t.text, projectId)
    .addColumn('id', t.text, notNull)
    .addColumn('endpoint', t.text, notNull)
    .addColumn('model', t.text, notNull)
    .addColumn('version', t.bigint, notNull)
    .addColumn('version_id', t.text, notNull)
    .addColumn('from_version', t.bigint)
    .addColumn('from_version_id', t.text)
    .addColumn('revision', t.bigint, notNull)
    .addColumn('state', t.text, notNull)
    .addColumn('plan', t.text, notNull)
    .addColumn('step', t.bigint, notNull)
    .addColumn('weight', t.double, notNull)
    .addColumn('shadow', t.smallint, notNull)
    .addColumn('rehearsal', t.text)
    .addColumn('requested_by', t.text, notNull)
    .addColumn('generation', t.bigint, notNull)
    .addColumn('sentence', t.text, notNull)
    .addColumn('reason', t.text)
    .addColumn('paused_by', t.text)
    .addColumn('evidence', t.text)
    .addColumn('replay', t.text)
    .addColumn('evaluated_ingest', t.bigint)
    .addColumn('started_at', t.bigint, notNull)
    .addColumn('started_event', t.bigint)
    .addColumn('step_started_at', t.bigint, notNull)
    .addColumn('step_started_event', t.bigint)
    .addColumn('deadline_event', t.bigint)
    .addColumn('finished_at', t.bigint)
    .addPrimaryKeyConstraint('rollout_key', ['project_id', 'id'] as never[])
    .execute();
  await k.schema.createIndex('rollout_endpoint').on('rollout').columns(['project_id', 'endpoint', 'id']).execute();
  await k.schema.createIndex('rollout_state').on('rollout').column('state').execute();
  await createTable(k, dialect, 'rollout_transition')
    .addColumn('project_id', t.text, projectId)
    .addColumn('rollout_id', t.text, notNull)
    .addColumn('revision', t.bigint, notNull)
    .addColumn('from_state', t.text)
    .addColumn('event', t.text, notNull)
    .addColumn('to_state', t.text, notNull)
    .addColumn('step', t.bigint, notNull)
    .addColumn('weight', t.double, notNull)
    .addColumn('at', t.bigint, notNull)
    .addColumn('event_at', t.bigint)
    .addColumn('sentence', t.text, notNull)
    .addColumn('evidence', t.text)
    .addPrimaryKeyConstraint('rollout_transition_key', ['project_id', 'rollout_id', 'revision'] as never[])
    .execute();
}

/** Gateways and their generation belong to the instance, not to a project. */
async function createGateway(k: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const t = columnTypes(dialect);
  await createTable(k, dialect, 'desired_state')
    .addColumn('id', t.bigint, primaryKey)
    .addColumn('generation', t.bigint, notNull)
    .execute();
  await k.withTables<ServingSeed>().insertInto('desired_state').values({ id: 1, generation: 1 }).execute();
  await createTable(k, dialect, 'gateway')
    .addColumn('id', t.text, primaryKey)
    .addColumn('incarnation', t.text, notNull)
    .addColumn('url', t.text, notNull)
    .addColumn('generation', t.bigint, notNull)
    .addColumn('started_at', t.bigint, notNull)
    .addColumn('seen_at', t.bigint, notNull)
    .addColumn('report', t.text, notNull)
    .execute();
}

/** `log_segment` is what was ingested, once each; `log_file` is what readers open: one row a block of one endpoint. */
async function createLog(k: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const t = columnTypes(dialect);
  await createTable(k, dialect, 'log_segment')
    .addColumn('gateway_id', t.text, notNull)
    .addColumn('incarnation', t.text, notNull)
    .addColumn('seq', t.bigint, notNull)
    .addColumn('id', t.text, notNull)
    .addColumn('rows_dropped', t.bigint, notNull)
    .addColumn('ingested_at', t.bigint, notNull)
    .addPrimaryKeyConstraint('log_segment_key', ['gateway_id', 'incarnation', 'seq'] as never[])
    .execute();
  await createTable(k, dialect, 'log_file')
    .addColumn('project_id', t.text, projectId)
    .addColumn('endpoint', t.text, notNull)
    .addColumn('id', t.text, notNull)
    .addColumn('digest', t.text, notNull)
    .addColumn('format', t.text, notNull)
    .addColumn('block', t.bigint, notNull)
    .addColumn('row_count', t.bigint, notNull)
    .addColumn('min_event', t.bigint, notNull)
    .addColumn('max_event', t.bigint, notNull)
    .addColumn('created_at', t.bigint, notNull)
    .addPrimaryKeyConstraint('log_file_key', ['project_id', 'endpoint', 'id'] as never[])
    .execute();
  await k.schema
    .createIndex('log_file_event')
    .on('log_file')
    .columns(['project_id', 'endpoint', 'max_event'])
    .execute();
  await k.schema.createIndex('log_file_span').on('log_file').columns(['project_id', 'max_event']).execute();
  await k.schema
    .createIndex('log_file_created')
    .on('log_file')
    .columns(['project_id', 'endpoint', 'created_at'])
    .execute();
  await createTable(k, dialect, 'window_counters')
    .addColumn('project_id', t.text, projectId)
    .addColumn('endpoint', t.text, notNull)
    .addColumn('window_start', t.bigint, notNull)
    .addColumn('version_id', t.text, notNull)
    .addColumn('role', t.text, notNull)
    .addColumn('rehearsal', t.text, notNull)
    .addColumn('counters', t.text, notNull)
    .addPrimaryKeyConstraint('window_counters_key', [
      'project_id',
      'endpoint',
      'window_start',
      'version_id',
      'role',
      'rehearsal',
    ] as never[])
    .execute();
  await createTable(k, dialect, 'prediction_caller')
    .addColumn('project_id', t.text, projectId)
    .addColumn('endpoint', t.text, notNull)
    .addColumn('caller_id', t.text, notNull)
    .addColumn('prediction_id', t.text, notNull)
    .addColumn('event_time', t.bigint, notNull)
    .addPrimaryKeyConstraint('prediction_caller_key', ['project_id', 'endpoint', 'caller_id'] as never[])
    .execute();
}
