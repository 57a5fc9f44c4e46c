import type { Kysely } from 'kysely';
import { columnTypes, createTable, defaultsTo, notNull, projectId } from './columns.ts';
import type { Dialect, Migration } from './migration.ts';

/** Applied files, snapshots, runs with their steps, the cache, and triggers with the events that they have answered. */
export const migration: Migration = {
  id: '0006-pipelines',
  async up(k, dialect) {
    await createFiles(k, dialect);
    await createRuns(k, dialect);
    await createSteps(k, dialect);
    await createTriggers(k, dialect);
  },
};

async function createFiles(k: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const t = columnTypes(dialect);
  await createTable(k, dialect, 'project_file')
    .addColumn('project_id', t.text, projectId)
    .addColumn('digest', t.text, notNull)
    .addColumn('text', t.text, notNull)
    .addColumn('created_at', t.bigint, notNull)
    .addPrimaryKeyConstraint('project_file_key', ['project_id', 'digest'] as never[])
    .execute();
  await createTable(k, dialect, 'snapshot')
    .addColumn('project_id', t.text, projectId)
    .addColumn('digest', t.text, notNull)
    .addColumn('manifest', t.text, notNull)
    .addColumn('size_bytes', t.bigint, notNull)
    .addColumn('created_at', t.bigint, notNull)
    .addPrimaryKeyConstraint('snapshot_key', ['project_id', 'digest'] as never[])
    .execute();
  await createTable(k, dialect, 'pipeline')
    .addColumn('project_id', t.text, projectId)
    .addColumn('name', t.text, notNull)
    .addColumn('file_digest', t.text, notNull)
    .addColumn('source_digest', t.text, notNull)
    .addColumn('folder', t.text, notNull)
    .addColumn('generation', t.bigint, notNull)
    .addColumn('applied_at', t.bigint, notNull)
    .addColumn('applied_by', t.text, notNull)
    .addPrimaryKeyConstraint('pipeline_key', ['project_id', 'name'] as never[])
    .execute();
}

/** `file_digest` is the digest of the text, which the run keeps; `state` is the run's state machine. */
async function createRuns(k: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const t = columnTypes(dialect);
  await createTable(k, dialect, 'pipeline_run')
    .addColumn('project_id', t.text, projectId)
    .addColumn('id', t.text, notNull)
    .addColumn('pipeline', t.text, notNull)
    .addColumn('file_digest', t.text, notNull)
    .addColumn('source_digest', t.text, notNull)
    .addColumn('folder', t.text, notNull)
    .addColumn('draft', t.smallint, notNull)
    .addColumn('trigger_kind', t.text, notNull)
    .addColumn('trigger_key', t.text, notNull)
    .addColumn('as_of', t.bigint)
    .addColumn('data_mode', t.text, notNull)
    .addColumn('params', t.text, notNull)
    .addColumn('started_by', t.text, notNull)
    .addColumn('rehearsal', t.text)
    .addColumn('state', t.text, notNull)
    .addColumn('summary', t.text)
    .addColumn('failure', t.text)
    .addColumn('model', t.text)
    .addColumn('version', t.bigint)
    .addColumn('cancel_requested', t.smallint, defaultsTo(0))
    .addColumn('created_at', t.bigint, notNull)
    .addColumn('started_at', t.bigint)
    .addColumn('finished_at', t.bigint)
    .addPrimaryKeyConstraint('pipeline_run_key', ['project_id', 'id'] as never[])
    .addUniqueConstraint('pipeline_run_trigger', ['project_id', 'pipeline', 'trigger_kind', 'trigger_key'] as never[])
    .execute();
  await k.schema.createIndex('pipeline_run_state').on('pipeline_run').columns(['state', 'created_at', 'id']).execute();
  await k.schema
    .createIndex('pipeline_run_list')
    .on('pipeline_run')
    .columns(['project_id', 'created_at', 'id'])
    .execute();
}

/**
 * `fence` rises whenever somebody takes the step over, and every later write names it, so that one who lost the lease cannot
 * write; `attempt` rises when it is started anew and names its folder.
 */
async function createSteps(k: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const t = columnTypes(dialect);
  await createTable(k, dialect, 'step_run')
    .addColumn('project_id', t.text, projectId)
    .addColumn('run_id', t.text, notNull)
    .addColumn('name', t.text, notNull)
    .addColumn('kind', t.text, notNull)
    .addColumn('position', t.bigint, notNull)
    .addColumn('needs', t.text, notNull)
    .addColumn('state', t.text, notNull)
    .addColumn('attempt', t.bigint, defaultsTo(0))
    .addColumn('fence', t.bigint, defaultsTo(0))
    .addColumn('lease_owner', t.text)
    .addColumn('lease_until', t.bigint)
    .addColumn('due_at', t.bigint)
    .addColumn('cache_key', t.text)
    .addColumn('cached_from', t.text)
    .addColumn('reason', t.text)
    .addColumn('env_digest', t.text)
    .addColumn('outputs', t.text)
    .addColumn('failure', t.text)
    .addColumn('started_at', t.bigint)
    .addColumn('finished_at', t.bigint)
    .addPrimaryKeyConstraint('step_run_key', ['project_id', 'run_id', 'name'] as never[])
    .execute();
  await k.schema.createIndex('step_run_cache').on('step_run').columns(['project_id', 'cache_key', 'state']).execute();
  await createTable(k, dialect, 'key_part')
    .addColumn('project_id', t.text, projectId)
    .addColumn('run_id', t.text, notNull)
    .addColumn('step', t.text, notNull)
    .addColumn('name', t.text, notNull)
    .addColumn('digest', t.text, notNull)
    .addPrimaryKeyConstraint('key_part_key', ['project_id', 'run_id', 'step', 'name'] as never[])
    .execute();
  await createTable(k, dialect, 'step_cache')
    .addColumn('project_id', t.text, projectId)
    .addColumn('cache_key', t.text, notNull)
    .addColumn('run_id', t.text, notNull)
    .addColumn('step', t.text, notNull)
    .addColumn('outputs', t.text, notNull)
    .addColumn('created_at', t.bigint, notNull)
    .addPrimaryKeyConstraint('step_cache_key', ['project_id', 'cache_key'] as never[])
    .execute();
}

/** `trigger_event` remembers every event that was answered, also where the answer was to start nothing. */
async function createTriggers(k: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const t = columnTypes(dialect);
  await createTable(k, dialect, 'cron_trigger')
    .addColumn('project_id', t.text, projectId)
    .addColumn('pipeline', t.text, notNull)
    .addColumn('trigger_id', t.text, notNull)
    .addColumn('due_at', t.bigint)
    .addPrimaryKeyConstraint('cron_trigger_key', ['project_id', 'pipeline', 'trigger_id'] as never[])
    .execute();
  await k.schema.createIndex('cron_trigger_due').on('cron_trigger').column('due_at').execute();
  await createTable(k, dialect, 'trigger_event')
    .addColumn('project_id', t.text, projectId)
    .addColumn('pipeline', t.text, notNull)
    .addColumn('kind', t.text, notNull)
    .addColumn('key', t.text, notNull)
    .addColumn('run_id', t.text)
    .addColumn('outcome', t.text, notNull)
    .addColumn('created_at', t.bigint, notNull)
    .addPrimaryKeyConstraint('trigger_event_key', ['project_id', 'pipeline', 'kind', 'key'] as never[])
    .execute();
}
