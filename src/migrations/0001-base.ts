import type { Kysely } from 'kysely';
import { DEFAULT_PROJECT_ID } from '../kernel/ids.ts';
import { columnTypes, createTable, defaultsTo, notNull, nowMs, primaryKey } from './columns.ts';
import type { Dialect, Migration } from './migration.ts';

type BaseTables = {
  readonly project: { id: string; name: string; created_at: number };
};

/** Projects, content and the outbox: what every pillar stands on. */
export const migration: Migration = {
  id: '0001-base',
  async up(k, dialect) {
    await createProject(k, dialect);
    await createContent(k, dialect);
    await createOutbox(k, dialect);
  },
};

async function createProject(k: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const t = columnTypes(dialect);
  await createTable(k, dialect, 'project')
    .addColumn('id', t.text, primaryKey)
    .addColumn('name', t.text, (column) => column.notNull().unique())
    .addColumn('created_at', t.bigint, notNull)
    .execute();
  await k
    .withTables<BaseTables>()
    .insertInto('project')
    .values({ id: DEFAULT_PROJECT_ID, name: 'main', created_at: nowMs(dialect) })
    .execute();
}

/**
 * Bytes belong to the instance, not to a project: the same digest is stored once. `content_pin` keeps what is not referenced
 * yet; `content_reference` is owned by a row of any pillar; `content_tombstone` names objects to delete.
 */
async function createContent(k: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const t = columnTypes(dialect);
  await createTable(k, dialect, 'content')
    .addColumn('digest', t.text, primaryKey)
    .addColumn('object_key', t.text, (column) => column.notNull().unique())
    .addColumn('size_bytes', t.bigint, notNull)
    .addColumn('touched_at', t.bigint, notNull)
    .addColumn('pinned_until', t.bigint, notNull)
    .addColumn('marked_at', t.bigint)
    .execute();
  await k.schema.createIndex('content_pinned').on('content').columns(['pinned_until', 'digest']).execute();
  await createTable(k, dialect, 'content_reference')
    .addColumn('owner_kind', t.text, notNull)
    .addColumn('owner_id', t.text, notNull)
    .addColumn('digest', t.text, (column) => column.notNull().references('content.digest'))
    .addPrimaryKeyConstraint('content_reference_key', ['owner_kind', 'owner_id', 'digest'] as never[])
    .execute();
  await k.schema.createIndex('content_reference_digest').on('content_reference').column('digest').execute();
  await createTable(k, dialect, 'content_tombstone')
    .addColumn('object_key', t.text, primaryKey)
    .addColumn('created_at', t.bigint, notNull)
    .execute();
}

async function createOutbox(k: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const t = columnTypes(dialect);
  await createTable(k, dialect, 'outbox')
    .addColumn('id', t.text, primaryKey)
    .addColumn('project_id', t.text, notNull)
    .addColumn('topic', t.text, notNull)
    .addColumn('key', t.text, notNull)
    .addColumn('payload', t.text, notNull)
    .addColumn('created_at', t.bigint, notNull)
    .execute();
  await k.schema.createIndex('outbox_created').on('outbox').column('created_at').execute();
  await createTable(k, dialect, 'outbox_delivery')
    .addColumn('outbox_id', t.text, (column) => column.notNull().references('outbox.id').onDelete('cascade'))
    .addColumn('subscriber', t.text, notNull)
    .addColumn('state', t.text, notNull)
    .addColumn('due_at', t.bigint, notNull)
    .addColumn('lease_token', t.text)
    .addColumn('attempts', t.bigint, defaultsTo(0))
    .addColumn('error', t.text)
    .addPrimaryKeyConstraint('outbox_delivery_key', ['outbox_id', 'subscriber'] as never[])
    .execute();
  await k.schema.createIndex('outbox_delivery_due').on('outbox_delivery').columns(['state', 'due_at']).execute();
}
