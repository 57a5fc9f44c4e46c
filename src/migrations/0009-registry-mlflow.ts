import type { Kysely } from 'kysely';
import { columnTypes, createTable, defaultsTo, notNull, projectId } from './columns.ts';
import type { Dialect, Migration } from './migration.ts';

/** What clients of MLflow's registry write beside a model and a version: texts, tags, stages, where the files are. */
export const migration: Migration = {
  id: '0009-registry-mlflow',
  async up(k, dialect) {
    const t = columnTypes(dialect);
    await createTable(k, dialect, 'model_note')
      .addColumn('project_id', t.text, projectId)
      .addColumn('model', t.text, notNull)
      .addColumn('description', t.text)
      .addColumn('updated_at', t.bigint, notNull)
      .addPrimaryKeyConstraint('model_note_key', ['project_id', 'model'] as never[])
      .execute();
    await createTable(k, dialect, 'version_note')
      .addColumn('project_id', t.text, projectId)
      .addColumn('model', t.text, notNull)
      .addColumn('version', t.bigint, notNull)
      .addColumn('description', t.text)
      .addColumn('source', t.text)
      .addColumn('location', t.text)
      .addColumn('run_link', t.text)
      .addColumn('logged_model_id', t.text)
      .addColumn('user_id', t.text)
      .addColumn('stage', t.text, defaultsTo('None'))
      .addColumn('updated_at', t.bigint, notNull)
      .addPrimaryKeyConstraint('version_note_key', ['project_id', 'model', 'version'] as never[])
      .execute();
    await createTags(k, dialect, 'model_tag', ['model']);
    await createTags(k, dialect, 'version_tag', ['model', 'version']);
  },
};

async function createTags(
  k: Kysely<unknown>,
  dialect: Dialect,
  table: string,
  owner: readonly string[],
): Promise<void> {
  const t = columnTypes(dialect);
  let builder = createTable(k, dialect, table).addColumn('project_id', t.text, projectId);
  for (const column of owner)
    builder = builder.addColumn(column as never, column === 'version' ? t.bigint : t.text, notNull);
  await builder
    .addColumn('key', t.text, notNull)
    .addColumn('value', t.text, notNull)
    .addPrimaryKeyConstraint(`${table}_key`, ['project_id', ...owner, 'key'] as never[])
    .execute();
}
