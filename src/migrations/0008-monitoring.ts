import type { Kysely } from 'kysely';
import { columnTypes, createTable, defaultsTo, notNull, primaryKey, projectId } from './columns.ts';
import type { Dialect, Migration } from './migration.ts';

type MonitoringSeed = { readonly incident_counter: { id: number; next_number: number } };

/** Labels, evaluated windows, incidents with their alerts and actions, and rehearsals. */
export const migration: Migration = {
  id: '0008-monitoring',
  async up(k, dialect) {
    await createLabels(k, dialect);
    await createEvaluation(k, dialect);
    await createIncidents(k, dialect);
    await createRehearsals(k, dialect);
  },
};

/** `label_pending` holds what names no prediction that is known yet; `label_day` says which windows have new labels. */
async function createLabels(k: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const t = columnTypes(dialect);
  await createTable(k, dialect, 'label')
    .addColumn('project_id', t.text, projectId)
    .addColumn('endpoint', t.text, notNull)
    .addColumn('prediction_id', t.text, notNull)
    .addColumn('event_time', t.bigint, notNull)
    .addColumn('value', t.text, notNull)
    .addColumn('available_at', t.bigint, notNull)
    .addColumn('source', t.text, notNull)
    .addColumn('revision', t.bigint, notNull)
    .addColumn('updated_at', t.bigint, notNull)
    .addPrimaryKeyConstraint('label_key', ['project_id', 'endpoint', 'prediction_id'] as never[])
    .execute();
  await k.schema.createIndex('label_event').on('label').columns(['project_id', 'endpoint', 'event_time']).execute();
  await createTable(k, dialect, 'label_history')
    .addColumn('project_id', t.text, projectId)
    .addColumn('endpoint', t.text, notNull)
    .addColumn('prediction_id', t.text, notNull)
    .addColumn('revision', t.bigint, notNull)
    .addColumn('value', t.text, notNull)
    .addColumn('available_at', t.bigint, notNull)
    .addColumn('source', t.text, notNull)
    .addColumn('replaced_at', t.bigint, notNull)
    .addPrimaryKeyConstraint('label_history_key', ['project_id', 'endpoint', 'prediction_id', 'revision'] as never[])
    .execute();
  await createTable(k, dialect, 'label_pending')
    .addColumn('project_id', t.text, projectId)
    .addColumn('endpoint', t.text, notNull)
    .addColumn('kind', t.text, notNull)
    .addColumn('ref', t.text, notNull)
    .addColumn('at', t.bigint, notNull)
    .addColumn('value', t.text, notNull)
    .addColumn('available_at', t.bigint, notNull)
    .addColumn('source', t.text, notNull)
    .addColumn('received_at', t.bigint, notNull)
    .addPrimaryKeyConstraint('label_pending_key', ['project_id', 'endpoint', 'kind', 'ref', 'at'] as never[])
    .execute();
  await createTable(k, dialect, 'label_day')
    .addColumn('project_id', t.text, projectId)
    .addColumn('endpoint', t.text, notNull)
    .addColumn('window_start', t.bigint, notNull)
    .addColumn('revision', t.bigint, notNull)
    .addColumn('evaluated', t.bigint, defaultsTo(0))
    .addColumn('due_at', t.bigint, defaultsTo(0))
    .addPrimaryKeyConstraint('label_day_key', ['project_id', 'endpoint', 'window_start'] as never[])
    .execute();
}

async function createEvaluation(k: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const t = columnTypes(dialect);
  await createTable(k, dialect, 'monitor_progress')
    .addColumn('project_id', t.text, projectId)
    .addColumn('endpoint', t.text, notNull)
    .addColumn('evaluated_to', t.bigint, notNull)
    .addColumn('updated_at', t.bigint, notNull)
    .addPrimaryKeyConstraint('monitor_progress_key', ['project_id', 'endpoint'] as never[])
    .execute();
  await createTable(k, dialect, 'monitor_evaluation')
    .addColumn('project_id', t.text, projectId)
    .addColumn('endpoint', t.text, notNull)
    .addColumn('rehearsal', t.text, notNull)
    .addColumn('version_id', t.text, notNull)
    .addColumn('window_start', t.bigint, notNull)
    .addColumn('rule', t.text, notNull)
    .addColumn('window_end', t.bigint, notNull)
    .addColumn('revision', t.text, notNull)
    .addColumn('light', t.text, notNull)
    .addColumn('state', t.text, notNull)
    .addColumn('exceeds', t.smallint, notNull)
    .addColumn('value', t.double)
    .addColumn('threshold', t.double)
    .addColumn('sample_size', t.bigint, notNull)
    .addColumn('sentence', t.text, notNull)
    .addColumn('details', t.text, notNull)
    .addColumn('evaluated_at', t.bigint, notNull)
    .addPrimaryKeyConstraint('monitor_evaluation_key', [
      'project_id',
      'endpoint',
      'rehearsal',
      'version_id',
      'window_start',
      'rule',
    ] as never[])
    .execute();
  await k.schema
    .createIndex('monitor_evaluation_window')
    .on('monitor_evaluation')
    .columns(['project_id', 'endpoint', 'window_start'])
    .execute();
}

async function createIncidents(k: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const t = columnTypes(dialect);
  await createTable(k, dialect, 'incident_counter')
    .addColumn('id', t.bigint, primaryKey)
    .addColumn('next_number', t.bigint, notNull)
    .execute();
  await k.withTables<MonitoringSeed>().insertInto('incident_counter').values({ id: 1, next_number: 1 }).execute();
  await createTable(k, dialect, 'incident')
    .addColumn('project_id', t.text, projectId)
    .addColumn('number', t.bigint, notNull)
    .addColumn('model', t.text, notNull)
    .addColumn('endpoint', t.text, notNull)
    .addColumn('light', t.text, notNull)
    .addColumn('cause', t.text, notNull)
    .addColumn('fingerprint', t.text, notNull)
    .addColumn('rehearsal', t.text)
    .addColumn('severity', t.text, notNull)
    .addColumn('state', t.text, notNull)
    .addColumn('version_id', t.text)
    .addColumn('version', t.bigint)
    .addColumn('since', t.bigint, notNull)
    .addColumn('verdict', t.text, notNull)
    .addColumn('details', t.text, notNull)
    .addColumn('good_windows', t.bigint, notNull)
    .addColumn('last_window', t.bigint, notNull)
    .addColumn('opened_at', t.bigint, notNull)
    .addColumn('opened_event', t.bigint)
    .addColumn('acknowledged_by', t.text)
    .addColumn('acknowledged_at', t.bigint)
    .addColumn('resolved_by', t.text)
    .addColumn('resolved_at', t.bigint)
    .addColumn('resolved_event', t.bigint)
    .addColumn('resolution', t.text)
    .addPrimaryKeyConstraint('incident_key', ['project_id', 'number'] as never[])
    .execute();
  await k.schema
    .createIndex('incident_open')
    .on('incident')
    .columns(['project_id', 'endpoint', 'state', 'fingerprint'])
    .execute();
  await createTable(k, dialect, 'incident_alert')
    .addColumn('project_id', t.text, projectId)
    .addColumn('number', t.bigint, notNull)
    .addColumn('rule', t.text, notNull)
    .addColumn('window_start', t.bigint, notNull)
    .addColumn('light', t.text, notNull)
    .addColumn('inhibited', t.smallint, notNull)
    .addColumn('sentence', t.text, notNull)
    .addPrimaryKeyConstraint('incident_alert_key', ['project_id', 'number', 'rule', 'window_start'] as never[])
    .execute();
  await createTable(k, dialect, 'monitor_action')
    .addColumn('project_id', t.text, projectId)
    .addColumn('id', t.text, notNull)
    .addColumn('model', t.text, notNull)
    .addColumn('endpoint', t.text, notNull)
    .addColumn('incident', t.bigint, notNull)
    .addColumn('light', t.text, notNull)
    .addColumn('decision', t.text, notNull)
    .addColumn('guard', t.text)
    .addColumn('why', t.text, notNull)
    .addColumn('at', t.bigint, notNull)
    .addColumn('event_at', t.bigint, notNull)
    .addColumn('labels', t.bigint, notNull)
    .addPrimaryKeyConstraint('monitor_action_key', ['project_id', 'id'] as never[])
    .execute();
  await k.schema
    .createIndex('monitor_action_model')
    .on('monitor_action')
    .columns(['project_id', 'endpoint', 'at'])
    .execute();
}

async function createRehearsals(k: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const t = columnTypes(dialect);
  await createTable(k, dialect, 'rehearsal')
    .addColumn('project_id', t.text, projectId)
    .addColumn('id', t.text, notNull)
    .addColumn('model', t.text, notNull)
    .addColumn('endpoint', t.text, notNull)
    .addColumn('kind', t.text, notNull)
    .addColumn('state', t.text, notNull)
    .addColumn('params', t.text, notNull)
    .addColumn('report', t.text, notNull)
    .addColumn('incident', t.bigint)
    .addColumn('rollout_id', t.text)
    .addColumn('started_by', t.text, notNull)
    .addColumn('started_at', t.bigint, notNull)
    .addColumn('finished_at', t.bigint)
    .addPrimaryKeyConstraint('rehearsal_key', ['project_id', 'id'] as never[])
    .execute();
  await k.schema.createIndex('rehearsal_state').on('rehearsal').column('state').execute();
}
