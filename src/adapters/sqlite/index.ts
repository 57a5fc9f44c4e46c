import { open, rename, rm } from 'node:fs/promises';
import { sql } from 'kysely';
import { AppError } from '../../kernel/errors.ts';
import { runAfterCommit } from '../../ports/after-commit.ts';
import { type Db, sqlOf } from '../../ports/db.ts';
import { createNestingGuard } from '../../ports/nesting.ts';
import { createReaders } from './readers.ts';
import { startThread } from './thread.ts';
import { sqliteCompiler } from './transaction.ts';
import { createWriter } from './writer.ts';

export { acquireInstanceLock, type InstanceLock } from './instance-lock.ts';

export interface SqliteOptions {
  readonly path: string;
  /** Reader threads at most; they start when first needed. Default 2. */
  readonly readers?: number;
}

/**
 * The embedded database: one writer thread with the only write connection, reader threads with snapshots, nothing on the
 * main thread. WAL with `synchronous = full`: what is acknowledged survives a power cut. Creates the file where it is missing;
 * throws `unavailable` where it cannot be opened.
 */
export async function openSqlite({ path, readers: maxReaders = 2 }: SqliteOptions): Promise<Db> {
  const thread = startThread({ path, role: 'writer' });
  const writer = createWriter(thread, path);
  const readers = createReaders(path, maxReaders);
  const guard = createNestingGuard();
  let closed: Promise<void> | undefined;

  function enter(call: string): void {
    guard.assertOutside(call);
    if (closed) throw new AppError('unavailable', 'The database is closed');
  }

  async function closeAll(): Promise<void> {
    await writer.drain();
    await readers.close();
    await thread.send({ kind: 'close' }).catch(() => {});
    await thread.terminate();
  }

  try {
    await writer.write((tx) => sql`select 1`.execute(sqlOf(tx)));
  } catch (error) {
    await thread.terminate();
    throw error;
  }

  return {
    dialect: 'sqlite',
    compiler: sqliteCompiler,
    async read(fn) {
      enter('read');
      return readers.read((tx) => guard.run('read', () => fn(tx)));
    },
    async write(fn) {
      enter('write');
      const { value, tx } = await writer.write((tx) => guard.run('write', () => fn(tx)));
      runAfterCommit(tx);
      return value;
    },
    async batch(statements) {
      enter('batch');
      return statements.length === 0 ? [] : writer.batch(statements);
    },
    async backup(toPath) {
      enter('backup');
      await backUp(path, toPath);
    },
    close() {
      closed ??= closeAll();
      return closed;
    },
  };
}

/** A whole, durable copy under `toPath`, or none: written beside it and renamed. Runs on a thread of its own. */
async function backUp(path: string, toPath: string): Promise<void> {
  const partPath = `${toPath}.part`;
  await rm(partPath, { force: true });
  const thread = startThread({ path, role: 'reader' });
  try {
    await thread.send({ kind: 'backup', path: partPath });
  } finally {
    await thread.terminate();
  }
  const file = await open(partPath, 'r+');
  await file.sync().finally(() => file.close());
  await rename(partPath, toPath);
}
