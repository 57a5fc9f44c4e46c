import type { Kysely } from 'kysely';
import { columnTypes, createTable, notNull, primaryKey, projectId } from './columns.ts';
import type { Dialect, Migration } from './migration.ts';

/** People, tokens and the one timeline. People and tokens belong to the instance; roles and the timeline to a project. */
export const migration: Migration = {
  id: '0002-identity',
  async up(k, dialect) {
    await createPeople(k, dialect);
    await createTokens(k, dialect);
    await createActivity(k, dialect);
  },
};

async function createPeople(k: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const t = columnTypes(dialect);
  await createTable(k, dialect, 'person')
    .addColumn('id', t.text, primaryKey)
    .addColumn('name', t.text, (column) => column.notNull().unique())
    .addColumn('password_hash', t.text)
    .addColumn('created_at', t.bigint, notNull)
    .execute();
  await createTable(k, dialect, 'membership')
    .addColumn('project_id', t.text, projectId)
    .addColumn('person_id', t.text, (column) => column.notNull().references('person.id'))
    .addColumn('role', t.text, notNull)
    .addPrimaryKeyConstraint('membership_key', ['project_id', 'person_id'] as never[])
    .execute();
}

async function createTokens(k: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const t = columnTypes(dialect);
  await createTable(k, dialect, 'token')
    .addColumn('hash', t.text, primaryKey)
    .addColumn('id', t.text, (column) => column.notNull().unique())
    .addColumn('kind', t.text, notNull)
    .addColumn('name', t.text, notNull)
    .addColumn('project_id', t.text, (column) => column.references('project.id'))
    .addColumn('person_id', t.text, (column) => column.references('person.id'))
    .addColumn('attempt_id', t.text)
    .addColumn('created_at', t.bigint, notNull)
    .addColumn('expires_at', t.bigint)
    .addColumn('revoked_at', t.bigint)
    .execute();
  await k.schema.createIndex('token_attempt').on('token').column('attempt_id').execute();
}

async function createActivity(k: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const t = columnTypes(dialect);
  await createTable(k, dialect, 'activity')
    .addColumn('project_id', t.text, projectId)
    .addColumn('id', t.text, notNull)
    .addColumn('at', t.bigint, notNull)
    .addColumn('event_at', t.bigint)
    .addColumn('kind', t.text, notNull)
    .addColumn('subject', t.text, notNull)
    .addColumn('sentence', t.text, notNull)
    .addColumn('command', t.text)
    .addColumn('actor', t.text, notNull)
    .addPrimaryKeyConstraint('activity_key', ['project_id', 'id'] as never[])
    .execute();
}
