import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { sql } from 'kysely';
import { tempDir } from '../../../test/support/temp.ts';
import { type AppError, isAppError } from '../../kernel/errors.ts';
import { type Db, sqlOf, type Tx } from '../../ports/db.ts';
import { acquireInstanceLock, openSqlite } from './index.ts';

const openItems = async (path = join(tempDir(), 'db.sqlite')): Promise<Db> => {
  const db = await openSqlite({ path });
  await db.write((tx) => sql`create table if not exists item (id integer primary key) strict`.execute(sqlOf(tx)));
  return db;
};

const insert = (tx: Tx, id: number): Promise<unknown> => sql`insert into item (id) values (${id})`.execute(sqlOf(tx));

const ids = async (db: Db): Promise<readonly unknown[]> =>
  (await db.read((tx) => sql<{ id: number }>`select id from item order by id`.execute(sqlOf(tx)))).rows.map(
    ({ id }) => id,
  );

test('a write that waits for something else is rolled back, and the next one goes on', async () => {
  const db = await openItems();
  const stuck = db.write(async (tx) => {
    await insert(tx, 1);
    await new Promise(() => {});
  });
  const next = db.write((tx) => insert(tx, 2));
  await assert.rejects(stuck, (error) => isAppError(error, 'unavailable'));
  await next;
  assert.deepEqual(await ids(db), [2]);
  await db.close();
});

test('a slow statement is not taken for waiting', async () => {
  const db = await openItems();
  const slow = sql`with recursive n(i) as (select 1 union all select i + 1 from n where i < 3000000) insert into item select max(i) from n`;
  await db.write((tx) => slow.execute(sqlOf(tx)));
  assert.deepEqual(await ids(db), [3_000_000]);
  await db.close();
});

test('reads go on while a write is open, and see what was committed before it', async () => {
  const db = await openItems();
  await db.write((tx) => insert(tx, 1));
  // A reader thread that starts only now could take longer than a write may wait.
  await ids(db);
  const { promise: read, resolve } = Promise.withResolvers<readonly unknown[]>();
  setImmediate(() => ids(db).then(resolve));
  await db.write(async (tx) => {
    await insert(tx, 2);
    await read;
  });
  assert.deepEqual(await read, [1]);
  await db.close();
});

test('a file that is not a database, or that cannot be made, is unavailable with its path', async () => {
  const dir = tempDir();
  const path = join(dir, 'text.sqlite');
  await writeFile(path, 'not a database'.repeat(1000));
  await assert.rejects(
    openSqlite({ path }),
    (error) => isAppError(error, 'unavailable') && error.message.includes(path),
  );
  const nowhere = join(dir, 'no', 'such', 'db.sqlite');
  await assert.rejects(openSqlite({ path: nowhere }), (error) => isAppError(error, 'unavailable'));
});

test('a full disk is unavailable, loses nothing committed, and is survived', async () => {
  const db = await openItems();
  await db.write((tx) => insert(tx, 1));
  await db.write((tx) => sql`create table blob_store (data blob) strict`.execute(sqlOf(tx)));
  await db.batch([sql`pragma max_page_count = 20`.compile(db.compiler)]).catch(() => {});
  const filling = db.write(async (tx) => {
    await insert(tx, 2);
    await sql`insert into blob_store (data) values (zeroblob(1000000))`.execute(sqlOf(tx));
  });
  await assert.rejects(filling, (error) => isAppError(error, 'unavailable') && /disk is full/.test(error.message));
  await db.write((tx) => insert(tx, 3));
  assert.deepEqual(await ids(db), [1, 3]);
  await db.close();
});

const WRITER = `
  import { sql } from 'kysely';
  import { openSqlite } from ${JSON.stringify(import.meta.resolve('./index.ts'))};
  import { sqlOf } from ${JSON.stringify(import.meta.resolve('../../ports/db.ts'))};
  const db = await openSqlite({ path: process.argv[1] });
  const from = Number(process.argv[2]);
  for (let i = from; ; i += 3) {
    await Promise.all([
      db.write((tx) => sql\`insert into item (id) values (\${i})\`.execute(sqlOf(tx))),
      db.batch([sql\`insert into item (id) values (\${i + 1})\`.compile(db.compiler)]),
      db.batch([sql\`insert into item (id) values (\${i + 2})\`.compile(db.compiler)]),
    ]);
    process.stdout.write(i + 2 + '\\n');
  }`;

test('kill -9 loses no acknowledged write', async () => {
  const path = join(tempDir(), 'db.sqlite');
  await (await openItems(path)).close();
  let from = 1;
  for (let round = 0; round < 3; round++) {
    const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', WRITER, path, String(from)], {
      cwd: import.meta.dirname,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let last = 0;
    let lines = 0;
    const ended = once(child, 'exit');
    for await (const line of createInterface({ input: child.stdout })) {
      last = Number(line);
      if (++lines === 20) child.kill('SIGKILL');
    }
    await ended;
    const db = await openItems(path);
    const found = new Set(await ids(db));
    for (let id = from; id <= last; id++) assert.ok(found.has(id), `row ${id} of ${last} is lost`);
    await db.close();
    from = last + 1_000;
  }
});

test('an idle database lets its process end, closed or not', async () => {
  const code = `
    import { openSqlite } from ${JSON.stringify(import.meta.resolve('./index.ts'))};
    await openSqlite({ path: process.argv[1] });`;
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', code, join(tempDir(), 'db.sqlite')], {
    stdio: 'inherit',
  });
  const [exitCode] = await once(child, 'exit');
  assert.equal(exitCode, 0);
});

test('a second instance on a data directory is refused with the directory and the process that holds it', () => {
  const dataDir = tempDir();
  const lock = acquireInstanceLock(dataDir);
  assert.throws(
    () => acquireInstanceLock(dataDir),
    (error: AppError) =>
      error.code === 'conflict' && error.message.includes(dataDir) && error.message.includes(String(process.pid)),
  );
  lock.release();
  acquireInstanceLock(dataDir).release();
});

test('a killed instance leaves no lock behind', async () => {
  const dataDir = join(tempDir(), 'made', 'by', 'the lock');
  const code = `
    import { acquireInstanceLock } from ${JSON.stringify(import.meta.resolve('./instance-lock.ts'))};
    acquireInstanceLock(process.argv[1]);
    process.stdout.write('held\\n');
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', code, dataDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  assert.throws(() => acquireInstanceLock(dataDir), new RegExp(`Levain process ${child.pid};`));
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.ok(existsSync(join(dataDir, 'lock.pid')));
  acquireInstanceLock(dataDir).release();
});

test('a lock whose handle was dropped is held all the same', async () => {
  const dataDir = tempDir();
  const code = `
    import { acquireInstanceLock } from ${JSON.stringify(import.meta.resolve('./instance-lock.ts'))};
    acquireInstanceLock(process.argv[1]);
    setTimeout(() => { gc(); setTimeout(() => { process.stdout.write('collected\\n'); }, 20); }, 20);
    setInterval(() => {}, 1000);`;
  const args = ['--expose-gc', '--input-type=module-typescript', '-e', code, dataDir];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  assert.throws(() => acquireInstanceLock(dataDir), new RegExp(`Levain process ${child.pid};`));
  child.kill('SIGKILL');
  await once(child, 'exit');
});

test('a data directory that cannot be made is unavailable', async () => {
  const dir = tempDir();
  await writeFile(join(dir, 'file'), '');
  assert.throws(
    () => acquireInstanceLock(join(dir, 'file', 'data')),
    (error: AppError) => error.code === 'unavailable',
  );
});
