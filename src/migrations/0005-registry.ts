import { columnTypes, createTable, defaultsTo, notNull, projectId } from './columns.ts';
import type { Migration } from './migration.ts';

/** Registered models, their versions, aliases and holds. What a version is made of is JSON that is never queried inside. */
export const migration: Migration = {
  id: '0005-registry',
  async up(k, dialect) {
    const t = columnTypes(dialect);
    await createTable(k, dialect, 'registered_model')
      .addColumn('project_id', t.text, projectId)
      .addColumn('name', t.text, notNull)
      .addColumn('next_version', t.bigint, defaultsTo(1))
      .addColumn('created_at', t.bigint, notNull)
      .addPrimaryKeyConstraint('registered_model_key', ['project_id', 'name'] as never[])
      .execute();
    await createTable(k, dialect, 'model_version')
      .addColumn('project_id', t.text, projectId)
      .addColumn('model', t.text, notNull)
      .addColumn('version', t.bigint, notNull)
      .addColumn('id', t.text, (column) => column.notNull().unique())
      .addColumn('state', t.text, notNull)
      .addColumn('identity', t.text, notNull)
      .addColumn('run_id', t.text)
      .addColumn('pipeline_run_id', t.text)
      .addColumn('created_at', t.bigint, notNull)
      .addColumn('draft', t.smallint, defaultsTo(0))
      .addColumn('rehearsal', t.text)
      .addColumn('facts', t.text, notNull)
      .addColumn('spec', t.text)
      .addColumn('profile', t.text)
      .addColumn('gate', t.text)
      .addColumn('approval', t.text, notNull)
      .addColumn('decision', t.text)
      .addPrimaryKeyConstraint('model_version_key', ['project_id', 'model', 'version'] as never[])
      .execute();
    await k.schema
      .createIndex('model_version_identity')
      .on('model_version')
      .columns(['project_id', 'model', 'identity'])
      .execute();
    await k.schema.createIndex('model_version_approval').on('model_version').column('approval').execute();
    await createTable(k, dialect, 'model_alias')
      .addColumn('project_id', t.text, projectId)
      .addColumn('model', t.text, notNull)
      .addColumn('alias', t.text, notNull)
      .addColumn('version', t.bigint, notNull)
      .addPrimaryKeyConstraint('model_alias_key', ['project_id', 'model', 'alias'] as never[])
      .execute();
    await createTable(k, dialect, 'model_hold')
      .addColumn('project_id', t.text, projectId)
      .addColumn('model', t.text, notNull)
      .addColumn('reason', t.text, notNull)
      .addColumn('set_by', t.text, notNull)
      .addColumn('set_at', t.bigint, notNull)
      .addPrimaryKeyConstraint('model_hold_key', ['project_id', 'model'] as never[])
      .execute();
  },
};
