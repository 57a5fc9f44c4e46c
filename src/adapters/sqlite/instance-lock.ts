import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { AppError, messageOf } from '../../kernel/errors.ts';

/** Held until `release` or until the process ends, however it ends. */
export interface InstanceLock {
  release(): void;
}

/** Connections that hold a lock. A connection that nobody refers to is collected, and its lock would go with it. */
const held = new Set<DatabaseSync>();

/**
 * Makes this process the only Levain on `dataDir` (created where it is missing). SQLite's exclusive lock is the kernel's, so a
 * killed process leaves none behind. The one connection on the main thread: it is idle for ever, a thread would cost 21 MB.
 *
 * Throws `conflict` naming the directory and the process that holds it, `unavailable` where the directory cannot be written.
 */
export function acquireInstanceLock(dataDir: string): InstanceLock {
  const pidPath = join(dataDir, 'lock.pid');
  const db = openLock(dataDir);
  try {
    db.exec('pragma locking_mode = exclusive; begin exclusive');
  } catch (error) {
    db.close();
    if (!isBusy(error)) throw unwritable(dataDir, error);
    throw new AppError(
      'conflict',
      `The data directory ${dataDir} is in use by Levain process ${holder(pidPath)}; stop it with "levain down" or choose another with --data-dir`,
      { dataDir, pid: holder(pidPath) },
    );
  }
  held.add(db);
  writeFileSync(pidPath, `${process.pid}\n`);
  return {
    release() {
      held.delete(db);
      rmSync(pidPath, { force: true });
      db.close();
    },
  };
}

function openLock(dataDir: string): DatabaseSync {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    return new DatabaseSync(join(dataDir, 'lock.db'), { timeout: 0 });
  } catch (error) {
    throw unwritable(dataDir, error);
  }
}

const isBusy = (error: unknown): boolean => (((error as { errcode?: number }).errcode ?? 0) & 0xff) === 5;

const unwritable = (dataDir: string, error: unknown): AppError =>
  new AppError(
    'unavailable',
    `The data directory ${dataDir} cannot be written (${messageOf(error)}); check its owner, its mode and its disk`,
    { dataDir },
    error,
  );

function holder(pidPath: string): string {
  try {
    return readFileSync(pidPath, 'utf8').trim().slice(0, 20) || 'unknown';
  } catch {
    return 'unknown';
  }
}
