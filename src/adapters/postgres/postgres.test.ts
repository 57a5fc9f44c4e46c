import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { sql } from 'kysely';
import { emptyPostgres, postgresMissing } from '../../../test/support/db.ts';
import { freePort } from '../../../test/support/ports.ts';
import { isAppError } from '../../kernel/errors.ts';
import { type Db, sqlOf, type Tx } from '../../ports/db.ts';
import { openPostgres } from './index.ts';

const unavailable = (error: unknown): boolean => isAppError(error, 'unavailable');

const open = async (): Promise<{ db: Db; url: string }> => {
  const url = await emptyPostgres();
  const db = await openPostgres({ url, poolSize: 4 });
  await db.write((tx) => sql`create table item (id bigint primary key, amount bigint not null)`.execute(sqlOf(tx)));
  await db.write((tx) => sql`insert into item values (1, 0), (2, 0)`.execute(sqlOf(tx)));
  return { db, url };
};

const pidOf = async (tx: Tx): Promise<number> =>
  (await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(sqlOf(tx))).rows[0]!.pid;

const amountsOf = async (db: Db): Promise<readonly number[]> =>
  (await db.read((tx) => sql<{ amount: number }>`select amount from item order by id`.execute(sqlOf(tx)))).rows.map(
    ({ amount }) => amount,
  );

test('a server that is not there is unavailable, and the password is not told', async () => {
  const url = `postgres://levain:very-secret@127.0.0.1:${await freePort()}/levain`;
  await assert.rejects(openPostgres({ url }), (error) => unavailable(error) && !String(error).includes('very-secret'));
});

describe('on a real server', { skip: postgresMissing() ?? false }, () => {
  const addOne = async (tx: Tx, meanwhile: () => Promise<unknown>): Promise<void> => {
    const { rows } = await sql<{ amount: number }>`select amount from item where id = 1`.execute(sqlOf(tx));
    await meanwhile();
    await sql`update item set amount = ${rows[0]!.amount + 1} where id = 1`.execute(sqlOf(tx));
  };
  const nothing = async (): Promise<void> => {};

  test('a write that loses against another runs again, and gives up after five more', async () => {
    const { db, url } = await open();
    const other = await openPostgres({ url, poolSize: 1 });
    const overtake = (): Promise<void> => other.write((tx) => addOne(tx, nothing));
    let runs = 0;
    await db.write((tx) => addOne(tx, () => (++runs === 1 ? overtake() : nothing())));
    assert.equal(runs, 2);
    assert.deepEqual(await amountsOf(db), [2, 0]);
    runs = 0;
    const alwaysOvertaken = db.write((tx) => {
      runs += 1;
      return addOne(tx, overtake);
    });
    await assert.rejects(alwaysOvertaken, unavailable);
    assert.equal(runs, 6);
    assert.deepEqual(await amountsOf(db), [8, 0]);
    await other.close();
    await db.close();
  });

  test('a connection that the server ends fails its transaction only', async () => {
    const { db, url } = await open();
    const other = await openPostgres({ url, poolSize: 1 });
    const killed = db.write(async (tx) => {
      await sql`update item set amount = 5`.execute(sqlOf(tx));
      const pid = await pidOf(tx);
      await other.read((tx) => sql`select pg_terminate_backend(${pid}::int)`.execute(sqlOf(tx)));
      await sql`update item set amount = 6`.execute(sqlOf(tx));
    });
    await assert.rejects(killed, unavailable);
    assert.deepEqual(await amountsOf(db), [0, 0]);
    await other.close();
    await db.close();
  });

  test('NOTIFY reaches listeners, also after their connection was lost', async () => {
    const { db } = await open();
    let heard = Promise.withResolvers<void>();
    const stop = await db.listen!('tests', () => heard.resolve());
    await db.write((tx) => sql`select pg_notify('tests', '')`.execute(sqlOf(tx)));
    await heard.promise;
    heard = Promise.withResolvers();
    await db.read((tx) =>
      sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and query like 'listen%'`.execute(
        sqlOf(tx),
      ),
    );
    await heard.promise;
    heard = Promise.withResolvers();
    await db.write((tx) => sql`select pg_notify('tests', '')`.execute(sqlOf(tx)));
    await heard.promise;
    await stop();
    await db.close();
  });

  test('batches of two servers that lock the same rows in opposite order all come through', async () => {
    const { db, url } = await open();
    const other = await openPostgres({ url, poolSize: 2 });
    const add = (one: Db, id: number) =>
      sql`update item set amount = amount + 1 where id = ${id}`.compile(one.compiler);
    const calls = Array.from({ length: 20 }, () => [
      db.batch([add(db, 1), add(db, 2)]),
      other.batch([add(other, 2), add(other, 1)]),
    ]);
    await Promise.all(calls.flat());
    assert.deepEqual(await amountsOf(db), [40, 40]);
    await other.close();
    await db.close();
  });
});
