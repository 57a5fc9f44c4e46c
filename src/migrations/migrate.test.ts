import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { sql } from 'kysely';
import { emptyPostgres, postgresMissing } from '../../test/support/db.ts';
import { tempDir } from '../../test/support/temp.ts';
import { openPostgres } from '../adapters/postgres/index.ts';
import { openSqlite } from '../adapters/sqlite/index.ts';
import { DEFAULT_PROJECT_ID } from '../kernel/ids.ts';
import { type Db, sqlOf } from '../ports/db.ts';
import { columnTypes, createTable, notNull, primaryKey, serialKey } from './columns.ts';
import { type Migration, migrate } from './index.ts';
import { MIGRATIONS } from './list.ts';

const ids = MIGRATIONS.map(({ id }) => id);

const addsTable = (id: string, name: string): Migration => ({
  id,
  async up(k, dialect) {
    const t = columnTypes(dialect);
    await createTable(k, dialect, name)
      .addColumn('id', t.bigint, serialKey(dialect))
      .addColumn('name', t.text, notNull)
      .execute();
  },
});

const rowsOf = async <T>(db: Db, query: string): Promise<readonly T[]> =>
  (await db.read((tx) => sql<T>`${sql.raw(query)}`.execute(sqlOf(tx)))).rows;

/** `openMore` opens the same database once more, as another server would. */
function describeMigrate(openEmpty: () => Promise<{ db: Db; openMore: () => Promise<Db> }>): void {
  test('an empty database gets every migration, once, and the project main', async () => {
    const { db } = await openEmpty();
    assert.deepEqual(await migrate(db), ids);
    assert.deepEqual(await migrate(db), []);
    const projects = await rowsOf<{ id: string; name: string; created_at: number }>(db, 'select * from project');
    assert.deepEqual(
      projects.map(({ id, name }) => ({ id, name })),
      [{ id: DEFAULT_PROJECT_ID, name: 'main' }],
    );
    assert.ok(projects[0]!.created_at > Date.UTC(2020, 0, 1));
    await db.close();
  });

  test('servers that start together apply each migration once', async () => {
    const { db, openMore } = await openEmpty();
    const others = [await openMore(), await openMore()];
    const applied = await Promise.all([db, ...others].map((one) => migrate(one)));
    assert.deepEqual(applied.flat().sort(), ids);
    for (const one of [db, ...others]) await one.close();
  });

  test('a migration that fails leaves nothing of itself, and the ones before it stay', async () => {
    const { db } = await openEmpty();
    const broken: Migration = {
      id: '0003-broken',
      async up(k, dialect) {
        await addsTable('', 'half').up(k, dialect);
        await sql`insert into no_such_table values (1)`.execute(k);
      },
    };
    await assert.rejects(migrate(db, { migrations: [addsTable('0002-b', 'b'), broken, addsTable('0001-a', 'a')] }));
    assert.deepEqual(await rowsOf(db, 'select id from migrations order by id'), [{ id: '0001-a' }, { id: '0002-b' }]);
    assert.deepEqual(await migrate(db, { migrations: [addsTable('0003-broken', 'half')] }), ['0003-broken']);
    await db.close();
  });

  test('a number that comes late is applied, and rows of a later release are left alone', async () => {
    const { db } = await openEmpty();
    await migrate(db, { migrations: [addsTable('0009-later', 'later')] });
    assert.deepEqual(await migrate(db, { migrations: [addsTable('0005-late', 'late')] }), ['0005-late']);
    await db.close();
  });

  test('serial keys count up, and a primary key takes no null', async () => {
    const { db } = await openEmpty();
    const keyed: Migration = {
      id: '0002-keyed',
      async up(k, dialect) {
        await createTable(k, dialect, 'keyed').addColumn('id', columnTypes(dialect).text, primaryKey).execute();
      },
    };
    await migrate(db, { migrations: [addsTable('0001-a', 'a'), keyed] });
    const insert = (query: string): Promise<unknown> => db.write((tx) => sql.raw(query).execute(sqlOf(tx)));
    await insert(`insert into a (name) values ('x')`);
    await insert(`insert into a (name) values ('y')`);
    assert.deepEqual(await rowsOf(db, 'select id, name from a order by id'), [
      { id: 1, name: 'x' },
      { id: 2, name: 'y' },
    ]);
    await assert.rejects(insert('insert into keyed (id) values (null)'));
    await db.close();
  });
}

describe('on sqlite', () => {
  const openEmpty = async () => {
    const path = join(tempDir(), 'db.sqlite');
    return { db: await openSqlite({ path }), openMore: () => openSqlite({ path }) };
  };
  describeMigrate(openEmpty);

  test('a database that holds data is copied first, and only where something will change', async () => {
    const { db } = await openEmpty();
    const backupTo = join(tempDir(), 'before.sqlite');
    await migrate(db, { backupTo, migrations: [addsTable('0001-a', 'a')] });
    assert.equal(existsSync(backupTo), false);
    await db.write((tx) => sql`insert into a (name) values ('kept')`.execute(sqlOf(tx)));
    await migrate(db, { backupTo, migrations: [addsTable('0001-a', 'a'), addsTable('0002-b', 'b')] });
    const copy = await openSqlite({ path: backupTo });
    assert.deepEqual(await rowsOf(copy, 'select name from a'), [{ name: 'kept' }]);
    assert.deepEqual(await rowsOf(copy, `select name from sqlite_master where name = 'b'`), []);
    await copy.close();
    await db.close();
  });
});

describe('on postgres', { skip: postgresMissing() ?? false }, () =>
  describeMigrate(async () => {
    const url = await emptyPostgres();
    return { db: await openPostgres({ url, poolSize: 3 }), openMore: () => openPostgres({ url, poolSize: 3 }) };
  }),
);
