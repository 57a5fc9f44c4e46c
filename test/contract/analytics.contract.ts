import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { isAppError } from '../../src/kernel/errors.ts';
import { type Frame, findColumn, toRecords } from '../../src/kernel/frame.ts';
import { type Analytics, fileList, identifier } from '../../src/ports/analytics.ts';

/** What every `Analytics` keeps. `open` makes one with its files under `folder`. */
export function analyticsContract(name: string, open: (folder: string) => Analytics): void {
  describe(`analytics: ${name}`, () => {
    let folder: string;
    let analytics: Analytics;
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), "levain 'analytics-"));
      analytics = open(folder);
    });
    after(async () => {
      await analytics.close();
      await rm(folder, { recursive: true, force: true });
    });
    const one = async (sql: string): Promise<unknown> => Object.values(toRecords(await analytics.query(sql))[0]!)[0];

    test('parameters are bound, never pasted', async () => {
      const frame = await analytics.query('select $1 as a, $2 as b, $3 as c, $4 as d', [
        "'; drop table x --",
        2,
        true,
        null,
      ]);
      assert.deepEqual(toRecords(frame), [{ a: "'; drop table x --", b: 2, c: true, d: null }]);
    });

    test('times are epoch milliseconds in UTC, dates are text, whole numbers are numbers', async () => {
      assert.equal(await one("select timestamp '2001-01-01 00:01:00'"), Date.UTC(2001, 0, 1, 0, 1));
      assert.equal(await one("select date '2001-02-03'"), '2001-02-03');
      assert.equal(await one('select 9007199254740991::bigint'), 2 ** 53 - 1);
      assert.equal(await one('select sum(x) from range(10) t(x)'), 45);
      assert.equal(await one('select 12.50::decimal(9,2)'), 12.5);
      assert.equal(await one('select [1, 2]'), '[1,2]');
    });

    test('a whole number beyond 2^53-1 is refused, not rounded', async () => {
      await assert.rejects(
        analytics.query('select 9007199254740993::bigint'),
        (e) => isAppError(e, 'invalid') && /9007199254740993/.test(e.message),
      );
    });

    test('numbers come as a Float64Array in which NaN is missing', async () => {
      const { values } = findColumn(await analytics.query('select nullif(x, 1) as x from range(5000) t(x)'), 'x')!;
      assert.ok(values instanceof Float64Array);
      assert.equal(values.length, 5000);
      assert.ok(Number.isNaN(values[1]));
      assert.equal(values[4999], 4999);
    });

    test('more rows than asked for are refused', async () => {
      assert.equal((await analytics.query('select * from range(10)', [], { maxRows: 10 })).rowCount, 10);
      await assert.rejects(analytics.query('select * from range(11)', [], { maxRows: 10 }), (e) =>
        isAppError(e, 'too_large'),
      );
    });

    test('a statement that is wrong says so in one line', async () => {
      await assert.rejects(analytics.query('selec 1'), (e) => isAppError(e, 'invalid') && !e.message.includes('\n'));
      await assert.rejects(
        analytics.query("select 'x'::int"),
        (e) => isAppError(e, 'invalid') && /'x'/.test(e.message),
      );
    });

    test('files with quotes in their names are written and read; identifiers are quoted', async () => {
      const csv = join(folder, "it's.csv");
      const parquet = join(folder, "o'ut.parquet");
      await writeFile(csv, 'a"b,c\n1,x\n2,y\n');
      await analytics.run(
        `copy (select * from read_csv(${fileList([csv])})) to '${parquet.replaceAll("'", "''")}' (format parquet)`,
      );
      const frame = await analytics.query(
        `select ${identifier('a"b')} as n, c from read_parquet(${fileList([parquet])}) order by n desc`,
      );
      assert.deepEqual(toRecords(frame), [
        { n: 2, c: 'y' },
        { n: 1, c: 'x' },
      ]);
      assert.equal((await readFile(parquet)).subarray(0, 4).toString(), 'PAR1');
    });

    test('an abort stops a statement that would run for hours, and the next one is answered', async () => {
      const controller = new AbortController();
      const endless = analytics.query(ENDLESS, [], { signal: controller.signal });
      controller.abort();
      await assert.rejects(endless, (e) => isAppError(e, 'unavailable') && /cancelled/.test(e.message));
      assert.equal(await one('select 1'), 1);
    });

    test('a statement is cancelled after its time', async () => {
      await assert.rejects(
        analytics.query(ENDLESS, [], { timeoutMs: 50 }),
        (e) => isAppError(e, 'unavailable') && /longer than 0\.05 s/.test(e.message),
      );
    });

    test('queries that come together are all answered, each its own', async () => {
      const frames = await Promise.all(Array.from({ length: 20 }, (_, i) => analytics.query('select $1 as i', [i])));
      assert.deepEqual(
        frames.map((frame: Frame) => toRecords(frame)[0]!['i']),
        Array.from({ length: 20 }, (_, i) => i),
      );
    });
  });
}

const ENDLESS = 'select count(*) from range(1000000000) a(x), range(1000000000) b(y) where x * y % 7 = 3';
