import { type CompiledQuery, type Kysely, sql } from 'kysely';
import { type Db, sqlOf, type Tx } from '../ports/db.ts';
import { columnTypes, createTable, notNull, nowMs, primaryKey } from './columns.ts';
import { MIGRATIONS } from './list.ts';
import type { Migration } from './migration.ts';

export type { Migration } from './migration.ts';

export interface MigrateOptions {
  /** Where the database is copied before a schema that holds data is changed (SQLite; PostgreSQL has its own backups). */
  readonly backupTo?: string;
  readonly migrations?: readonly Migration[];
}

interface MigrationTables {
  readonly migrations: { id: string; applied_at: number };
}

/** Any number of our own; the same in every release, so that servers of two releases wait for each other. */
const ADVISORY_LOCK = 4_747_001;

/**
 * Brings the schema up to this release and answers the ids that were applied. Safe to call from several servers at once: one
 * applies, the others wait and find nothing to do. Rows of later releases are left alone.
 */
export async function migrate(db: Db, options: MigrateOptions = {}): Promise<readonly string[]> {
  const list = [...(options.migrations ?? MIGRATIONS)].sort((a, b) => (a.id < b.id ? -1 : 1));
  await createRecord(db);
  const known = await db.read(findApplied);
  const pending = list.filter(({ id }) => !known.has(id));
  if (pending.length > 0 && known.size > 0 && options.backupTo) await db.backup?.(options.backupTo);
  const applied: string[] = [];
  for (const migration of pending) {
    if (await apply(db, migration)) applied.push(migration.id);
  }
  return applied;
}

/** Runs READ COMMITTED in the batch lane, where the second server sees the table that the first one made. */
async function createRecord(db: Db): Promise<void> {
  const k = db.compiler as unknown as Kysely<unknown>;
  const t = columnTypes(db.dialect);
  const lock = sql`select pg_advisory_xact_lock(${sql.lit(ADVISORY_LOCK)})`.compile(k);
  const create = createTable(k, db.dialect, 'migrations')
    .ifNotExists()
    .addColumn('id', t.text, primaryKey)
    .addColumn('applied_at', t.bigint, notNull)
    .compile() as CompiledQuery<unknown>;
  await db.batch(db.dialect === 'postgres' ? [lock, create] : [create]);
}

async function findApplied(tx: Tx): Promise<ReadonlySet<string>> {
  const rows = await sqlOf<MigrationTables>(tx).selectFrom('migrations').select('id').execute();
  return new Set(rows.map(({ id }) => id));
}

/** LOCK TABLE takes no snapshot, so what follows it sees all that earlier holders committed. */
async function apply(db: Db, migration: Migration): Promise<boolean> {
  return db.write(async (tx) => {
    const k = sqlOf<MigrationTables>(tx);
    if (db.dialect === 'postgres') await sql`lock table migrations in exclusive mode`.execute(k);
    if ((await findApplied(tx)).has(migration.id)) return false;
    await migration.up(sqlOf<unknown>(tx), db.dialect);
    await k
      .insertInto('migrations')
      .values({ id: migration.id, applied_at: nowMs(db.dialect) })
      .execute();
    return true;
  });
}
