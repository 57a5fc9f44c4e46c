import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { test } from 'node:test';
import { type Kysely, sql } from 'kysely';
import { isAppError } from '../../src/kernel/errors.ts';
import { columnTypes, createTable, notNull, primaryKey } from '../../src/migrations/columns.ts';
import { afterCommit } from '../../src/ports/after-commit.ts';
import { compilerOf, type Db, sqlOf, type Tx } from '../../src/ports/db.ts';
import { containing, matches } from '../../src/ports/sql.ts';

interface Tables {
  readonly item: { id: string; amount: number | null; ratio: number | null; flag: number; bytes: Uint8Array | null };
}

/** What `Db` promises, as tests. `open` answers a fresh database; tables are made here. */
export function describeDb(open: () => Promise<Db>): void {
  const withItems = async (): Promise<Db> => {
    const db = await open();
    await db.write((tx) => createItems(sqlOf<unknown>(tx), db));
    return db;
  };

  test('a committed write is seen by the next read', async () => {
    const db = await withItems();
    await db.write((tx) => insert(tx, 'a', 1));
    assert.deepEqual(await amounts(db), { a: 1 });
    await db.close();
  });

  test('a write that throws leaves nothing and throws the same error', async () => {
    const db = await withItems();
    const mistake = new Error('no');
    const failing = db.write(async (tx) => {
      await insert(tx, 'a', 1);
      throw mistake;
    });
    await assert.rejects(failing, mistake);
    assert.deepEqual(await amounts(db), {});
    await db.close();
  });

  test('a failed statement dooms its transaction even where its error is swallowed', async () => {
    const db = await withItems();
    await db.write((tx) => insert(tx, 'a', 1));
    const swallowing = db.write(async (tx) => {
      await insert(tx, 'b', 2);
      await insert(tx, 'a', 3).catch(() => {});
    });
    await assert.rejects(swallowing);
    assert.deepEqual(await amounts(db), { a: 1 });
    await db.close();
  });

  test('a read sees one snapshot', async () => {
    const db = await withItems();
    await db.write((tx) => insert(tx, 'a', 1));
    const [before, after] = await db.read(async (tx) => {
      const first = await list(tx);
      await outside(() => db.write((other) => insert(other, 'b', 2)));
      return [first, await list(tx)];
    });
    assert.deepEqual(before, after);
    assert.deepEqual(await amounts(db), { a: 1, b: 2 });
    await db.close();
  });

  test('a read cannot write', async () => {
    const db = await withItems();
    await assert.rejects(db.read((tx) => insert(tx, 'a', 1)));
    assert.deepEqual(await amounts(db), {});
    await db.close();
  });

  test('nesting throws at once, and calls that were only started inside do not count once it has ended', async () => {
    const db = await withItems();
    for (const inner of [() => db.read(list), () => db.write(list), () => db.batch([])]) {
      await assert.rejects(db.write<unknown>(inner), /inside the function of db.write/);
    }
    let later: Promise<unknown> | undefined;
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    await db.write(async () => {
      later = ended.then(() => db.read(list));
    });
    resolve();
    assert.deepEqual(await later, []);
    await db.close();
  });

  test('a tx that outlives its function is dead', async () => {
    const db = await withItems();
    let kept: Tx | undefined;
    await db.write(async (tx) => {
      kept = tx;
    });
    await assert.rejects(list(kept!), /has ended/);
    await db.close();
  });

  test('concurrent increments lose nothing', async () => {
    const db = await withItems();
    await db.write((tx) => insert(tx, 'a', 0));
    const increment = (): Promise<void> =>
      db.write(async (tx) => {
        const [row] = await list(tx);
        const changed = { amount: (row?.amount ?? 0) + 1 };
        await sqlOf<Tables>(tx).updateTable('item').set(changed).where('id', '=', 'a').execute();
      });
    await Promise.all(Array.from({ length: 5 }, increment));
    assert.deepEqual(await amounts(db), { a: 5 });
    await db.close();
  });

  test('a batch is all or nothing, and a failing call does not harm those that wait with it', async () => {
    const db = await withItems();
    const k = compilerOf<Tables>(db);
    const row = (id: string) =>
      k
        .insertInto('item')
        .values({ ...EMPTY, id, amount: 1 })
        .compile();
    const answers = await Promise.allSettled([
      db.batch([row('a'), row('b')]),
      db.batch([row('c'), row('a')]),
      db.batch([row('d')]),
    ]);
    assert.deepEqual(
      answers.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    );
    assert.deepEqual(Object.keys(await amounts(db)), ['a', 'b', 'd']);
    await db.close();
  });

  test('a batch answers what its statements return', async () => {
    const db = await withItems();
    const k = compilerOf<Tables>(db);
    const [inserted, updated, selected] = await db.batch([
      k
        .insertInto('item')
        .values({ ...EMPTY, id: 'a', amount: 1 })
        .returning(['id', 'amount'])
        .compile(),
      k.updateTable('item').set({ amount: 2 }).compile(),
      k.selectFrom('item').select('amount').compile(),
    ]);
    assert.deepEqual(inserted?.rows, [{ id: 'a', amount: 1 }]);
    assert.equal(updated?.numAffectedRows, 1n);
    assert.deepEqual(selected?.rows, [{ amount: 2 }]);
    await db.close();
  });

  test('batches and writes that come together are all applied', async () => {
    const db = await withItems();
    const k = compilerOf<Tables>(db);
    const jobs = Array.from({ length: 60 }, (_, i) => {
      const id = String(i).padStart(2, '0');
      if (i % 7 === 0) return db.write((tx) => insert(tx, id, i));
      return db.batch([
        k
          .insertInto('item')
          .values({ ...EMPTY, id, amount: i })
          .compile(),
      ]);
    });
    await Promise.all(jobs);
    assert.equal(Object.keys(await amounts(db)).length, 60);
    await db.close();
  });

  test('values come back as they went in', async () => {
    const db = await withItems();
    const rows = [
      { id: 'ä\u{1F600}"\'\\%', amount: Number.MAX_SAFE_INTEGER, ratio: 0.1, flag: 1, bytes: Uint8Array.of(0, 255) },
      { id: 'b', amount: Number.MIN_SAFE_INTEGER, ratio: -1.797e308, flag: 0, bytes: new Uint8Array(0) },
      { id: 'c', amount: null, ratio: null, flag: 0, bytes: null },
      { id: 'd', amount: 0, ratio: 5, flag: 0, bytes: null },
    ];
    await db.write((tx) => sqlOf<Tables>(tx).insertInto('item').values(rows).execute());
    const back = await db.read((tx) => sqlOf<Tables>(tx).selectFrom('item').selectAll().orderBy('id').execute());
    const plain = back.map((row) => ({ ...row, bytes: row.bytes && Uint8Array.from(row.bytes) }));
    assert.deepEqual(plain.sort(byId), rows.toSorted(byId));
    await db.close();
  });

  test('counts, sums and comparisons come back as numbers', async () => {
    const db = await withItems();
    await db.write(async (tx) => {
      await insert(tx, 'a', 1);
      await insert(tx, 'b', 2);
    });
    const rows = await db.read(
      async (tx) =>
        (
          await sql`select count(*) as n, sum(amount) as total, avg(amount) as mean, count(*) > 1 as many from item`.execute(
            sqlOf(tx),
          )
        ).rows,
    );
    assert.deepEqual({ ...(rows[0] as object) }, { n: 2, total: 3, mean: 1.5, many: 1 });
    await db.close();
  });

  test('an integer beyond 2^53-1 throws on reading', async () => {
    const db = await withItems();
    await db.write((tx) =>
      sql`insert into item (id, amount, flag) values ('a', 9007199254740993, 0)`.execute(sqlOf(tx)),
    );
    await assert.rejects(amounts(db));
    await db.close();
  });

  test('text sorts by code point', async () => {
    const db = await withItems();
    const ids = ['a', 'B', 'ä', 'Z', '_', '10', '9', '\u{1F600}', '\uFFFD'];
    await db.write(async (tx) => {
      for (const id of ids) await insert(tx, id, 0);
    });
    const byBytes = ids.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    const sorted = await db.read((tx) => sqlOf<Tables>(tx).selectFrom('item').select('id').orderBy('id').execute());
    assert.deepEqual(
      sorted.map(({ id }) => id),
      byBytes,
    );
    await db.close();
  });

  test('parameters that the databases would store differently are refused with their position', async () => {
    const db = await withItems();
    for (const bad of [true, new Date(0), undefined, { a: 1 }, [1], Number.NaN, 'a\u0000b', '\ud800']) {
      await assert.rejects(
        db.write((tx) =>
          sqlOf<Tables>(tx)
            .updateTable('item')
            .set({ id: sql`${bad}` as never })
            .execute(),
        ),
        /Parameter 1 is|U\+0000|lone surrogate/,
        String(bad),
      );
    }
    await db.close();
  });

  test('a text in a number column is refused', async () => {
    const db = await withItems();
    await assert.rejects(db.write((tx) => insert(tx, 'a', 'many' as never)));
    await db.close();
  });

  test('matches: case counts unless ci, wildcards can be escaped', async () => {
    const db = await withItems();
    await db.write(async (tx) => {
      for (const id of ['Churn-1', 'churn-2', 'churn_3', '100%', 'a[b]*?', 'x\\y']) await insert(tx, id, 0);
    });
    const find = (pattern: string, ci?: boolean): Promise<string[]> =>
      db.read(async (tx) => {
        const query = sqlOf<Tables>(tx).selectFrom('item').select('id').orderBy('id');
        const rows = await query.where(({ ref }) => matches(ref('id'), pattern, ci ? { ci } : {})).execute();
        return rows.map(({ id }) => id);
      });
    assert.deepEqual(await find('churn%'), ['churn-2', 'churn_3']);
    assert.deepEqual(await find('CHURN%', true), ['Churn-1', 'churn-2', 'churn_3']);
    assert.deepEqual(await find('churn\\_3'), ['churn_3']);
    assert.deepEqual(await find(containing('%')), ['100%']);
    assert.deepEqual(await find(containing('[b]*')), ['a[b]*?']);
    assert.deepEqual(await find(containing('\\')), ['x\\y']);
    await db.close();
  });

  test('what waits for the commit runs after it, and not after a rollback', async () => {
    const db = await withItems();
    const seen: string[] = [];
    await db.write(async (tx) => afterCommit(tx, () => seen.push('committed')));
    const failing = db.write(async (tx) => {
      afterCommit(tx, () => seen.push('rolled back'));
      throw new Error('no');
    });
    await assert.rejects(failing);
    assert.deepEqual(seen, ['committed']);
    await db.close();
  });

  test('a closed database says so', async () => {
    const db = await withItems();
    await db.close();
    await assert.rejects(db.read(list), (error) => isAppError(error, 'unavailable'));
    await db.close();
  });
}

const EMPTY = { amount: null, ratio: null, flag: 0, bytes: null };

const byId = (a: { id: string }, b: { id: string }): number => (a.id < b.id ? -1 : 1);

async function createItems(k: Kysely<unknown>, { dialect }: Db): Promise<void> {
  const t = columnTypes(dialect);
  await createTable(k, dialect, 'item')
    .addColumn('id', t.text, primaryKey)
    .addColumn('amount', t.bigint)
    .addColumn('ratio', t.double)
    .addColumn('flag', t.smallint, notNull)
    .addColumn('bytes', t.bytes)
    .execute();
}

const insert = async (tx: Tx, id: string, amount: number): Promise<void> => {
  await sqlOf<Tables>(tx)
    .insertInto('item')
    .values({ ...EMPTY, id, amount })
    .execute();
};

const list = (tx: Tx) => sqlOf<Tables>(tx).selectFrom('item').select(['id', 'amount']).orderBy('id').execute();

async function amounts(db: Db): Promise<Record<string, number | null>> {
  return Object.fromEntries((await db.read(list)).map(({ id, amount }) => [id, amount]));
}

const ROOT = AsyncLocalStorage.snapshot();

/** Runs `fn` as another request would: outside the asynchronous context of the caller. */
const outside = <T>(fn: () => Promise<T>): Promise<T> => ROOT(fn) as Promise<T>;
