import { columnTypes, createTable, defaultsTo, notNull, projectId } from './columns.ts';
import type { Migration } from './migration.ts';

/** Datasets and their versions. Files, schema, profile and contract are JSON that is never queried inside. */
export const migration: Migration = {
  id: '0003-data',
  async up(k, dialect) {
    const t = columnTypes(dialect);
    await createTable(k, dialect, 'dataset')
      .addColumn('project_id', t.text, projectId)
      .addColumn('name', t.text, notNull)
      .addColumn('next_version', t.bigint, defaultsTo(1))
      .addColumn('created_at', t.bigint, notNull)
      .addPrimaryKeyConstraint('dataset_key', ['project_id', 'name'] as never[])
      .execute();
    await createTable(k, dialect, 'dataset_version')
      .addColumn('project_id', t.text, projectId)
      .addColumn('dataset', t.text, notNull)
      .addColumn('version', t.bigint, notNull)
      .addColumn('id', t.text, (column) => column.notNull().unique())
      .addColumn('state', t.text, notNull)
      .addColumn('manifest_digest', t.text, notNull)
      .addColumn('section_digest', t.text, notNull)
      .addColumn('source', t.text, notNull)
      .addColumn('files', t.text, notNull)
      .addColumn('row_count', t.bigint, notNull)
      .addColumn('size_bytes', t.bigint, notNull)
      .addColumn('plan', t.text, notNull)
      .addColumn('schema', t.text, notNull)
      .addColumn('profile', t.text, notNull)
      .addColumn('domains', t.text, notNull)
      .addColumn('contract', t.text, notNull)
      .addColumn('time_column', t.text)
      .addColumn('time_min', t.bigint)
      .addColumn('time_max', t.bigint)
      .addColumn('created_at', t.bigint, notNull)
      .addPrimaryKeyConstraint('dataset_version_key', ['project_id', 'dataset', 'version'] as never[])
      .addUniqueConstraint('dataset_version_manifest', ['project_id', 'dataset', 'manifest_digest'] as never[])
      .execute();
  },
};
