import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe } from 'node:test';
import { openPostgres } from '../../src/adapters/postgres/index.ts';
import { openSqlite } from '../../src/adapters/sqlite/index.ts';
import { migrate } from '../../src/migrations/index.ts';
import type { Db } from '../../src/ports/db.ts';
import { postgresMissing, startPostgres } from './postgres.ts';
import { tempDir } from './temp.ts';

export { postgresMissing } from './postgres.ts';

export type DatabaseName = 'sqlite' | 'postgres';

/**
 * Declares the tests of `body` once for each database, as suites `on sqlite` and `on postgres`; the second is skipped with its
 * reason where PostgreSQL is not installed. `open` answers a fresh migrated database.
 * @example
 * eachDatabase((name, open) => {
 *   test('a finished run cannot finish again', async () => { const db = await open(); … });
 * });
 */
export function eachDatabase(body: (name: DatabaseName, open: () => Promise<Db>) => void): void {
  describe('on sqlite', () => body('sqlite', testDb));
  describe('on postgres', { skip: postgresMissing() ?? false }, () => body('postgres', testPostgres));
}

let sqliteTemplate: Promise<string> | undefined;
let postgresTemplate: Promise<string> | undefined;
let copies = 0;

/** A fresh migrated SQLite database. Closing it is good manners, not needed: an idle one keeps no process alive. */
export async function testDb(): Promise<Db> {
  sqliteTemplate ??= migrateTemplate();
  const path = join(tempDir(), 'db.sqlite');
  copyFileSync(await sqliteTemplate, path);
  return openSqlite({ path });
}

/** A fresh migrated PostgreSQL database on this process's throw-away cluster. Throws where `postgresMissing()` says why. */
export async function testPostgres(): Promise<Db> {
  const cluster = await startPostgres();
  postgresTemplate ??= migratePostgresTemplate();
  const template = await postgresTemplate;
  const name = `t${process.pid}_${++copies}`;
  await cluster.run(`create database ${name} template ${template} strategy file_copy`);
  return openPostgres({ url: cluster.url(name), poolSize: 4 });
}

/** An empty PostgreSQL database, not migrated: its URL. */
export async function emptyPostgres(): Promise<string> {
  const cluster = await startPostgres();
  const name = `e${process.pid}_${++copies}`;
  await cluster.run(`create database ${name}`);
  return cluster.url(name);
}

async function migrateTemplate(): Promise<string> {
  const path = join(tempDir(), 'template.sqlite');
  const db = await openSqlite({ path });
  await migrate(db);
  await db.close();
  return path;
}

async function migratePostgresTemplate(): Promise<string> {
  const cluster = await startPostgres();
  const name = `template_${process.pid}`;
  await cluster.run(`create database ${name}`);
  const db = await openPostgres({ url: cluster.url(name), poolSize: 1 });
  await migrate(db);
  await db.close();
  return name;
}
