import { columnTypes, createTable, notNull, projectId } from './columns.ts';
import type { Migration } from './migration.ts';

/** By model: which rows of which data its first version's notebook kept for itself; no later step sees them. */
export const migration: Migration = {
  id: '0010-gate-rows',
  async up(k, dialect) {
    const t = columnTypes(dialect);
    await createTable(k, dialect, 'gate_rows')
      .addColumn('project_id', t.text, projectId)
      .addColumn('model', t.text, notNull)
      .addColumn('dataset', t.text, notNull)
      .addColumn('split', t.text, notNull)
      .addColumn('created_at', t.bigint, notNull)
      .addPrimaryKeyConstraint('gate_rows_key', ['project_id', 'model'] as never[])
      .execute();
  },
};
