import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { dataDeps, sectionOf } from '../../test/support/data.ts';
import { eachDatabase } from '../../test/support/db.ts';
import { tempDir } from '../../test/support/temp.ts';
import { createAnalytics } from '../adapters/duckdb/index.ts';
import { listActivity } from '../identity/index.ts';
import { isAppError } from '../kernel/errors.ts';
import { findColumn, toRecords } from '../kernel/frame.ts';
import { DEFAULT_PROJECT_ID } from '../kernel/ids.ts';
import { type Analytics, fileList } from '../ports/analytics.ts';
import type { Db } from '../ports/db.ts';
import type { Actor } from '../wire/route.ts';
import {
  type Cut,
  currentVersion,
  cutDigest,
  diffVersions,
  gateRows,
  gateSplitOf,
  getVersion,
  listDatasets,
  listVersions,
  materialise,
  overlapCount,
  syncDataset,
} from './index.ts';
import { readRows } from './rows.ts';

const ann: Actor = { projectId: DEFAULT_PROJECT_ID, user: 'ann', kind: 'user' };
const DAY_MS = 864e5;
const VEGA = join(import.meta.dirname, '../../node_modules/vega-datasets/data');

const analytics: Analytics = createAnalytics({ tempDir: join(tempDir(), 'spill') });
after(() => analytics.close());

const depsOver = (db: Db) => dataDeps(db, analytics);

const md5 = (path: string): string => createHash('md5').update(readFileSync(path)).digest('hex');

const CHURN = `customerID,tenure,plan,charge,since
007,1,basic,29.85,2024-01-01
008,34,pro,56.95,2024-01-02
009,2,basic,NA,2024-01-03
010,45,"pro, yearly",42.30,2024-01-04
`;

eachDatabase((name, open) => {
  test('the same files are the same version, others the next one', async () => {
    const deps = await depsOver(await open());
    const section = sectionOf('{ from: churn.csv, key: customerID, time: since }');
    const sync = () => syncDataset(deps, ann, { name: 'churn', section, folder: deps.folder });
    await writeFile(join(deps.folder, 'churn.csv'), CHURN);
    const first = await sync();
    assert.deepEqual([first.created, first.version.version, first.version.rowCount], [true, 1, 4]);
    assert.deepEqual(
      first.version.schema.map((column) => `${column.name} ${column.kind}`),
      ['customerID integer', 'tenure integer', 'plan string', 'charge number', 'since date'],
    );
    assert.deepEqual(first.version.timeRange, {
      column: 'since',
      min: Date.UTC(2024, 0, 1),
      max: Date.UTC(2024, 0, 4),
    });
    // Rewritten with the same bytes: another stamp, the same version.
    await writeFile(join(deps.folder, 'churn.csv'), CHURN);
    assert.equal((await sync()).created, false);
    await appendFile(join(deps.folder, 'churn.csv'), '011,5,basic,20.10,2024-01-05\n');
    const second = await sync();
    assert.deepEqual([second.created, second.version.version, second.version.rowCount], [true, 2, 5]);
    const { items } = await listVersions(deps, ann, { dataset: 'churn' });
    assert.deepEqual(
      items.map((version) => version.version),
      [2, 1],
    );
    const diff = await diffVersions(deps, ann, {
      from: { dataset: 'churn', version: 1 },
      to: { dataset: 'churn', version: 'latest' },
    });
    assert.deepEqual([diff.rows, diff.files.changed], [{ from: 4, to: 5 }, ['churn.csv']]);
    assert.deepEqual(diff.columns.find((column) => column.name === 'tenure')?.max, { from: 45, to: 45 });
    const timeline = await listActivity(deps.identity, ann, { limit: 10, kinds: ['data'] });
    assert.deepEqual(
      timeline.items.map((item) => item.sentence),
      [
        'data churn v2: 5 rows in 1 file, contract kept (1 check)',
        'data churn v1: 4 rows in 1 file, contract kept (1 check)',
      ],
    );
    await deps.db.close();
  });

  test('the version that stands is of the section as it is: of its own source, under its own contract', async () => {
    const deps = await depsOver(await open());
    const section = sectionOf('{ from: churn.csv, key: customerID }');
    const current = (more: object = {}) =>
      currentVersion(deps, ann, { name: 'churn', section, folder: deps.folder, ...more });
    assert.equal(await current(), undefined);
    await writeFile(join(deps.folder, 'churn.csv'), CHURN);
    const { version } = await syncDataset(deps, ann, { name: 'churn', section, folder: deps.folder });
    assert.equal((await current())?.id, version.id);
    assert.equal(await current({ folder: join(deps.folder, 'elsewhere') }), undefined);
    assert.equal(await current({ section: sectionOf('{ from: other.csv, key: customerID }') }), undefined);
    const stricter = sectionOf('{ from: churn.csv, key: customerID, expect: { tenure: { between: [0, 40] } } }');
    const refused = await current({ section: stricter });
    assert.deepEqual([refused?.id, refused?.state], [version.id, 'refused']);
    await deps.db.close();
  });

  test('a broken contract refuses the version and names the rows that broke it', async () => {
    const deps = await depsOver(await open());
    const section = sectionOf(
      '{ from: "in/*.csv", key: customerID, expect: { tenure: { type: number, nulls: 0, between: [0, 120] }, plan: { type: category, max_new: 0 }, charge: { nulls: 30%, between: [0, 100], mostly: 60% } } }',
    );
    const sync = () => syncDataset(deps, ann, { name: 'churn', section, folder: deps.folder });
    await mkdir(join(deps.folder, 'in'));
    await writeFile(join(deps.folder, 'in/a.csv'), CHURN);
    assert.equal((await sync()).version.state, 'ok');
    await writeFile(
      join(deps.folder, 'in/b.csv'),
      'customerID,tenure,plan,charge,since\n011,5,basic,500,2024-01-05\n012,-3,gold,500,2024-01-06\n013,,basic,1,2024-01-07\n',
    );
    const { version } = await sync();
    assert.equal(version.state, 'refused');
    const broken = version.contract.checks.filter((check) => !check.success);
    assert.deepEqual(
      broken.map((check) => [
        check.check,
        check.column,
        check.failing,
        check.rows.map((row) => [row.file, row.row, row.values[check.column!]]),
      ]),
      [
        ['expect_column_values_to_not_be_null', 'tenure', 1, [['b.csv', 3, null]]],
        ['expect_column_values_to_be_between', 'tenure', 1, [['b.csv', 2, -3]]],
        ['expect_column_distinct_values_to_be_in_set', 'plan', 1, [['b.csv', 2, 'gold']]],
      ],
    );
    assert.equal(broken[1]!.sentence, 'tenure: 1 of 6 values (17%) are outside [0, 120]');
    assert.equal(
      (await getVersion(deps, ann, { dataset: 'churn', version: 'latest' })).version,
      1,
      'no run uses a refused version',
    );
    const [summary] = await listDatasets(deps, ann);
    assert.deepEqual([summary?.latest?.version, summary?.refused?.version], [1, 2]);
    // The contract changes, the files do not: the same version, checked again.
    const relaxed = await syncDataset(deps, ann, {
      name: 'churn',
      section: sectionOf('{ from: "in/*.csv", key: customerID }'),
      folder: deps.folder,
    });
    assert.deepEqual([relaxed.created, relaxed.version.version, relaxed.version.state], [false, 2, 'ok']);
    await deps.db.close();
  });

  if (name !== 'sqlite') return;

  test('a missing column, a wrong type, a repeated key and a bad count are each told apart', async () => {
    const deps = await depsOver(await open());
    await writeFile(join(deps.folder, 'd.csv'), 'id,n,when,code\n1,1.5,2024-01-01,AB\n1,x,soon,abc\n');
    const section = sectionOf(
      '{ from: d.csv, key: id, row_count: [3, 10], expect: { nn: { type: number }, n: { type: integer }, when: { type: date }, code: { matches: "[A-Z]{2}", in: [AB, CD], unique: true } } }',
    );
    const { version } = await syncDataset(deps, ann, { name: 'd', section, folder: deps.folder });
    const sentences = version.contract.checks.filter((check) => !check.success).map((check) => check.sentence);
    assert.deepEqual(sentences, [
      '2 rows; expected 3 to 10',
      'nn: the data has no such column; did you mean "n"?',
      'n: 2 of 2 values (100%) are not of type integer',
      'when: 1 of 2 values (50%) are not of type date',
      'code: 1 of 2 values (50%) are not among the values allowed',
      'code: 1 of 2 values (50%) do not match [A-Z]{2}',
      'id: 1 of 2 rows (50%) repeat an earlier key',
    ]);
    assert.equal(version.contract.checks.at(-1)!.severity, 'warn');
    await deps.db.close();
  });

  test('key and time must be columns, and a source must exist', async () => {
    const deps = await depsOver(await open());
    await writeFile(join(deps.folder, 'd.csv'), CHURN);
    const sync = (yaml: string) => syncDataset(deps, ann, { name: 'd', section: sectionOf(yaml), folder: deps.folder });
    await assert.rejects(
      sync('{ from: d.csv, key: customerId }'),
      /data\.d\.key names the column "customerId".*did you mean "customerID"/,
    );
    await assert.rejects(sync('{ from: none.csv }'), (e) => isAppError(e, 'not_found'));
    await assert.rejects(sync('{ from: { sql: select 1, url: $X }, as: d.csv }'), /not built yet/);
    await deps.db.close();
  });

  test('a file that is no table is named, in words, without the place where we keep it', async () => {
    const deps = await depsOver(await open());
    const section = sectionOf('{ from: "*.csv" }');
    const broken: [string | Buffer, RegExp][] = [
      ['', /^t\.csv is empty; a table needs a header line$/],
      [Buffer.from(Array.from({ length: 3_000 }, (_, i) => (i * 7919) % 256)), /^t\.csv cannot be read as csv: /],
      ['id,a,b\n1,2\n3,4,5,6,7\n', /^t\.csv cannot be read as csv: /],
    ];
    for (const [text, message] of broken) {
      await writeFile(join(deps.folder, 't.csv'), text);
      await assert.rejects(syncDataset(deps, ann, { name: 't', section, folder: deps.folder }), (error: Error) => {
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /objects|Error:|""/);
        return isAppError(error, 'invalid');
      });
    }
    await deps.db.close();
  });

  test('a profile has the numbers of a known file', async () => {
    const deps = await depsOver(await open());
    const { version } = await syncDataset(deps, ann, {
      name: 'w',
      section: sectionOf('{ from: seattle-weather.csv, time: date }'),
      folder: VEGA,
    });
    const column = (wanted: string) => version.profile.columns.find((candidate) => candidate.name === wanted)!;
    assert.equal(version.rowCount, 1461);
    assert.deepEqual(column('weather').top[0], { value: 'rain', count: 641 });
    const stats = column('temp_max').number!;
    assert.deepEqual([stats.min, stats.max], [-1.6, 35.6]);
    assert.ok(Math.abs(stats.mean - 16.43908281998631) < 1e-9);
    assert.equal(
      stats.histogram.counts.reduce((sum, count) => sum + count, 0),
      1461,
    );
    assert.equal(stats.histogram.edges.length, 21);
    assert.deepEqual(column('date').time, { min: Date.UTC(2012, 0, 1), max: Date.UTC(2015, 11, 31) });
    const { version: movies } = await syncDataset(deps, ann, {
      name: 'm',
      section: sectionOf('{ from: movies.json }'),
      folder: VEGA,
    });
    const gross = movies.profile.columns.find((candidate) => candidate.name === 'US Gross')!;
    assert.equal(gross.nulls, 7);
    assert.equal(
      gross.number!.histogram.counts.reduce((sum, count) => sum + count, 0),
      movies.rowCount - 7,
      'missing values are in no bin',
    );
    await deps.db.close();
  });

  test('a row is read by its number from 0, typed as callers send it', async () => {
    const deps = await depsOver(await open());
    await writeFile(join(deps.folder, 'churn.csv'), CHURN);
    const section = sectionOf('{ from: churn.csv, key: customerID }');
    await syncDataset(deps, ann, { name: 'churn', section, folder: deps.folder });
    const read = (offset: number) => readRows(deps, ann, { dataset: 'churn', version: 'latest' }, { offset, limit: 1 });
    assert.deepEqual(await read(2), {
      dataset: 'churn',
      version: 1,
      rowCount: 4,
      rows: [{ customerID: 9, tenure: 2, plan: 'basic', charge: null, since: '2024-01-03' }],
      infinite: [],
    });
    assert.deepEqual((await read(4)).rows, []);
  });

  test('numbers with a comma are numbers where the file is said to write them so, and another version', async () => {
    const deps = await depsOver(await open());
    await writeFile(join(deps.folder, 'homes.csv'), 'id;price;sold;note\n1;148,924;2;1,5 rooms\n2;-0,5;;x\n3;7;4;y\n');
    const sync = async (yaml: string) =>
      (await syncDataset(deps, ann, { name: 'homes', section: sectionOf(yaml), folder: deps.folder })).version;
    const kinds = ({ schema }: { schema: readonly { kind: string }[] }) => schema.map(({ kind }) => kind);
    const plain = await sync('{ from: homes.csv }');
    assert.deepEqual([plain.version, kinds(plain)], [1, ['integer', 'string', 'integer', 'string']]);
    const comma = await sync('{ from: homes.csv, decimal: "," }');
    assert.deepEqual([comma.version, kinds(comma)], [2, ['integer', 'number', 'integer', 'string']]);
    const { rows } = await readRows(deps, ann, { dataset: 'homes', version: 'latest' }, { offset: 0, limit: 3 });
    assert.deepEqual(
      rows.map(({ price }) => price),
      [148.924, -0.5, 7],
    );
  });

  test('columns that are said to be text keep their leading zeros, and make another version', async () => {
    const deps = await depsOver(await open());
    await writeFile(join(deps.folder, 'people.csv'), 'zip,age\n00501,41\n,7\n90210,12\n');
    const sync = async (yaml: string) =>
      (await syncDataset(deps, ann, { name: 'people', section: sectionOf(yaml), folder: deps.folder })).version;
    assert.deepEqual(
      (await sync('{ from: people.csv }')).schema.map(({ kind }) => kind),
      ['integer', 'integer'],
    );
    const text = await sync('{ from: people.csv, text: [zip] }');
    assert.deepEqual([text.version, text.schema.map(({ kind }) => kind)], [2, ['string', 'integer']]);
    const { rows } = await readRows(deps, ann, { dataset: 'people', version: 'latest' }, { offset: 0, limit: 3 });
    assert.deepEqual(
      rows.map(({ zip }) => zip),
      ['00501', null, '90210'],
    );
    await assert.rejects(sync('{ from: people.csv, text: [zipp] }'), /text names the column "zipp".*zip/);
  });

  test('a file that is said to be no table counts by its bytes alone', async () => {
    const deps = await depsOver(await open());
    await writeFile(join(deps.folder, 'odd.csv'), Buffer.from('name,age\nK\xf6ln,4\n\xff"x\n', 'latin1'));
    const sync = async (yaml: string) =>
      (await syncDataset(deps, ann, { name: 'odd', section: sectionOf(yaml), folder: deps.folder })).version;
    await assert.rejects(sync('{ from: odd.csv }'), /odd\.csv cannot be read as csv/);
    const { plan } = await sync('{ from: odd.csv, table: false }');
    assert.deepEqual(plan, { format: 'files', columns: [] });
  });

  test('gate rows by hash of key and training rows share no row, and none is lost', async () => {
    const deps = await depsOver(await open());
    const lines = Array.from(
      { length: 2000 },
      (_, i) => `${String(i).padStart(5, '0')},${i % 7},${i % 3 === 0 ? '' : `v${i}`}`,
    );
    await writeFile(join(deps.folder, 'd.csv'), `id,n,text\n${lines.join('\n')}\n`);
    const section = sectionOf('{ from: d.csv, key: id }');
    const { version } = await syncDataset(deps, ann, { name: 'd', section, folder: deps.folder });
    const cut: Cut = {
      versionId: version.id,
      section,
      split: gateSplitOf(section, { kind: 'hash', share: 0.2 }),
      asOf: null,
    };
    const to = join(deps.folder, 'out/d.csv');
    const { rows, digest } = await materialise(deps, { ...cut, to });
    const gate = await gateRows(deps, { ...cut, limit: 10_000, seed: 1 });
    assert.equal(rows + gate.total, 2000);
    assert.ok(Math.abs(gate.total - 400) < 80, `${gate.total} of 2000`);
    const written = (await readFile(to, 'utf8')).trim().split('\n').slice(1);
    const kept = new Set(written);
    assert.equal(written.length, rows);
    assert.ok(
      written.every((line) => lines.includes(line)),
      'a CSV cell is written as it was read: 00042 stays 00042',
    );
    for (const { id } of toRecords(gate.frame))
      assert.ok(!written.some((line) => line.startsWith(`${String(id).padStart(5, '0')},`)));
    assert.equal(kept.size, rows);
    assert.equal(new Set(gate.rowIds).size, gate.total);
    assert.equal(await overlapCount(deps, { ...cut, other: cut }), 0);
    assert.equal(await overlapCount(deps, { ...cut, other: { ...cut, split: null } }), gate.total);
    const [again, other] = [join(deps.folder, 'out/again.csv'), { ...cut, split: { ...cut.split!, share: 0.3 } }];
    assert.equal((await materialise(deps, { ...cut, to: again })).digest, digest);
    assert.equal(md5(again), md5(to));
    assert.equal(await cutDigest(deps, cut), digest);
    assert.notEqual(await cutDigest(deps, other), digest);
    await deps.db.close();
  });

  test('a later version keeps the gate rows of an earlier one apart, row by row', async () => {
    const deps = await depsOver(await open());
    const section = sectionOf('{ from: d.csv }');
    const split = gateSplitOf(section, { kind: 'hash', share: 0.2 });
    const lines = Array.from({ length: 500 }, (_, i) => `${i},${i * 2}`);
    const sync = async (rows: readonly string[]) => {
      await writeFile(join(deps.folder, 'd.csv'), `a,b\n${rows.join('\n')}\n`);
      return (await syncDataset(deps, ann, { name: 'd', section, folder: deps.folder })).version;
    };
    const [v1, v2] = [await sync(lines), await sync([...lines, ...lines.slice(0, 50), '900,1'])];
    const cut = (versionId: string): Cut => ({ versionId, section, split, asOf: null });
    assert.equal(
      await overlapCount(deps, { ...cut(v2.id), other: cut(v1.id) }),
      0,
      'hashing puts a row on the same side for ever',
    );
    const [gate1, gate2] = [
      await gateRows(deps, { ...cut(v1.id), limit: 1000, seed: 1 }),
      await gateRows(deps, { ...cut(v2.id), limit: 1000, seed: 1 }),
    ];
    const ids = new Set(gate2.rowIds);
    assert.ok(
      gate1.rowIds.every((id) => ids.has(id)),
      'a row keeps its identity',
    );
    assert.equal(ids.size, gate2.total, 'equal rows are told apart by their occurrence');
    const overlap = await overlapCount(deps, { ...cut(v2.id), other: { ...cut(v1.id), split: null } });
    assert.equal(overlap, gate1.total, 'a second copy of a row is not the row that was trained on');
    await deps.db.close();
  });

  test('a row is the same row after its column became wider, and in any file', async () => {
    const deps = await depsOver(await open());
    const section = sectionOf('{ from: "in/*.parquet" }');
    await mkdir(join(deps.folder, 'in'));
    const write = (file: string, rows: string): Promise<void> =>
      analytics.run(`copy (${rows}) to '${join(deps.folder, 'in', file)}' (format parquet)`);
    const sync = async () => (await syncDataset(deps, ann, { name: 'd', section, folder: deps.folder })).version;
    // Names that DuckDB has columns of its own for.
    const rows = (type: string, count: number): string =>
      `select cast(range % 7 as ${type}) as n, 'v' || (range % 3) as file_index, range % 2 as file_row_number from range(${count})`;
    await write('a.parquet', rows('integer', 60));
    const narrow = await sync();
    await write('a.parquet', rows('bigint', 30));
    await write('b.parquet', rows('bigint', 60));
    const wide = await sync();
    const cut = (version: { id: string }, split: Cut['split']): Cut => ({
      versionId: version.id,
      section,
      split,
      asOf: null,
    });
    const all = { kind: 'hash', share: 1 - 1e-9, key: [] } as const;
    const gate = await gateRows(deps, { ...cut(wide, all), limit: 1000, seed: 1 });
    assert.deepEqual([gate.total, new Set(gate.rowIds).size], [90, 90]);
    assert.equal(await overlapCount(deps, { ...cut(wide, all), other: cut(narrow, null) }), 60);
    assert.equal(await overlapCount(deps, { ...cut(narrow, all), other: cut(wide, null) }), 60);
    await deps.db.close();
  });

  test('the newest rows are the gate; rows of one time stay together; the window ends at asOf', async () => {
    const deps = await depsOver(await open());
    const day = (i: number): string => new Date(Date.UTC(2024, 0, 1) + i * DAY_MS).toISOString().slice(0, 10);
    const rows = Array.from({ length: 100 }, (_, i) => `${i},${day(Math.floor(i / 10))}`);
    await writeFile(join(deps.folder, 'd.csv'), `id,at\n${rows.join('\n')}\n`);
    const section = sectionOf('{ from: d.csv, key: id, time: at, window: 5d }');
    const { version } = await syncDataset(deps, ann, { name: 'd', section, folder: deps.folder });
    const cut = (asOf: number | null): Cut => ({
      versionId: version.id,
      section,
      split: gateSplitOf(section, { kind: 'newest', share: 0.25 }),
      asOf,
    });
    const newest = await gateRows(deps, { ...cut(null), limit: 100, seed: 1 });
    assert.deepEqual([...new Set(findColumn(newest.frame, 'at')!.values as string[])], [day(8), day(9)]);
    const trained = await materialise(deps, { ...cut(null), to: join(deps.folder, 'o.parquet') });
    assert.equal(trained.rows, 30, 'five days are fifty rows, less twenty');
    const earlier = await gateRows(deps, { ...cut(Date.UTC(2024, 0, 6)), limit: 100, seed: 1 });
    assert.deepEqual([...new Set(findColumn(earlier.frame, 'at')!.values as string[])], [day(4), day(5)]);
    assert.equal(
      await overlapCount(deps, { ...cut(Date.UTC(2024, 0, 6)), other: cut(null) }),
      10,
      'the later cut trains on one of the two days',
    );
    assert.equal(
      await cutDigest(deps, cut(Date.UTC(2030, 0, 1))),
      await cutDigest(deps, cut(null)),
      'a time after the newest row cuts nothing',
    );
    await deps.db.close();
  });

  test('where few times are left, the newest one is divided by hash, not swallowed', async () => {
    const deps = await depsOver(await open());
    const rows = Array.from({ length: 400 }, (_, i) => `${i},${i < 100 ? '2024-01-01' : '2024-02-01'}`);
    await writeFile(join(deps.folder, 'd.csv'), `id,at\n${rows.join('\n')}\n`);
    const section = sectionOf('{ from: d.csv, key: id, time: at }');
    const { version } = await syncDataset(deps, ann, { name: 'd', section, folder: deps.folder });
    const gate = await gateRows(deps, {
      versionId: version.id,
      section,
      split: gateSplitOf(section, { kind: 'newest', share: 0.2 }),
      asOf: null,
      limit: 400,
      seed: 1,
    });
    assert.ok(gate.total > 50 && gate.total < 110, `${gate.total} of 400`);
    await deps.db.close();
  });

  test('two files with the same bytes are two files: rows, places and folders', async () => {
    const deps = await depsOver(await open());
    await mkdir(join(deps.folder, 'in'));
    for (const file of ['a.csv', 'b.csv']) await writeFile(join(deps.folder, 'in', file), 'id,n\n1,1\n2,200\n');
    const section = sectionOf('{ from: "in/*.csv", key: id, expect: { n: { between: [0, 100] } } }');
    const { version } = await syncDataset(deps, ann, { name: 'd', section, folder: deps.folder });
    assert.equal(version.rowCount, 4);
    const [broken] = version.contract.checks.filter((check) => !check.success);
    assert.deepEqual(
      broken!.rows.map((row) => [row.file, row.row]),
      [
        ['a.csv', 2],
        ['b.csv', 2],
      ],
    );
    const split = { kind: 'hash', share: 1e-9, key: ['id'] } as const;
    const to = `${join(deps.folder, 'out')}/`;
    assert.equal((await materialise(deps, { versionId: version.id, section, split, asOf: null, to })).rows, 4);
    assert.equal(await readFile(join(to, 'b.csv'), 'utf8'), 'id,n\n1,1\n2,200\n');
    await deps.db.close();
  });

  test('a sample of the gate is decided by its seed', async () => {
    const deps = await depsOver(await open());
    writeFileSync(join(deps.folder, 'd.csv'), `id\n${Array.from({ length: 500 }, (_, i) => i).join('\n')}\n`);
    const section = sectionOf('{ from: d.csv, key: id }');
    const { version } = await syncDataset(deps, ann, { name: 'd', section, folder: deps.folder });
    const sample = (seed: number) =>
      gateRows(deps, {
        versionId: version.id,
        section,
        split: gateSplitOf(section, { kind: 'hash', share: 0.5 }),
        asOf: null,
        limit: 20,
        seed,
      });
    const [one, same, other] = [await sample(1), await sample(1), await sample(2)];
    assert.equal(one.frame.rowCount, 20);
    assert.deepEqual(one.rowIds, same.rowIds);
    assert.notDeepEqual(one.rowIds, other.rowIds);
    await deps.db.close();
  });

  test('three million rows of Parquet are cut by time to the same bytes twice; uncut they are the source itself', async () => {
    const deps = await depsOver(await open());
    const section = sectionOf('{ from: flights-3m.parquet, time: date, window: 30d }');
    const { version } = await syncDataset(deps, ann, { name: 'flights', section, folder: VEGA });
    assert.equal(version.rowCount, 3_000_000);
    const cut: Cut = {
      versionId: version.id,
      section,
      split: gateSplitOf(section, { kind: 'newest', share: 0.2 }),
      asOf: Date.UTC(2001, 3, 1),
    };
    const [a, b, whole] = ['a', 'b', 'whole'].map((file) => join(deps.folder, `${file}.parquet`)) as [
      string,
      string,
      string,
    ];
    const first = await materialise(deps, { ...cut, to: a });
    await materialise(deps, { ...cut, to: b });
    assert.equal(md5(a), md5(b));
    const [range] = toRecords(
      await analytics.query(
        `select count(*) as n, min(date) as low, max(date) as high from read_parquet(${fileList([a])})`,
      ),
    );
    assert.equal(range!['n'], first.rows);
    assert.ok(Number(range!['low']) > Date.UTC(2001, 2, 2) && Number(range!['high']) < Date.UTC(2001, 2, 27));
    const plain = sectionOf('{ from: flights-3m.parquet }');
    await materialise(deps, { versionId: version.id, section: plain, split: null, asOf: null, to: whole });
    assert.equal(md5(whole), md5(join(VEGA, 'flights-3m.parquet')));
    const gate = await gateRows(deps, { ...cut, limit: 100, seed: 1 });
    assert.ok(
      findColumn(gate.frame, 'date')!.values.every((at) => Number(at) >= Date.UTC(2001, 2, 26)),
      'timestamps are epoch ms',
    );
    await deps.db.close();
  });

  test('the files of a glob keep their names in a folder, each cut by itself', async () => {
    const deps = await depsOver(await open());
    await mkdir(join(deps.folder, 'in/x'), { recursive: true });
    await writeFile(join(deps.folder, 'in/a.csv'), 'id,n\n1,1\n2,2\n3,3\n4,4\n');
    await writeFile(join(deps.folder, 'in/x/b.csv'), 'n,id\n5,5\n6,6\n7,7\n');
    const section = sectionOf('{ from: "in/**/*.csv", key: id }');
    const { version } = await syncDataset(deps, ann, { name: 'd', section, folder: deps.folder });
    const cut: Cut = {
      versionId: version.id,
      section,
      split: gateSplitOf(section, { kind: 'hash', share: 0.3 }),
      asOf: null,
    };
    const to = `${join(deps.folder, 'out')}/`;
    const { rows } = await materialise(deps, { ...cut, to });
    const read = async (file: string): Promise<string[]> =>
      (await readFile(join(to, file), 'utf8')).trim().split('\n').slice(1);
    assert.equal((await read('a.csv')).length + (await read('x/b.csv')).length, rows);
    const gate = await gateRows(deps, { ...cut, limit: 10, seed: 1 });
    assert.equal(rows + gate.total, 7);
    await materialise(deps, { ...cut, split: null, to });
    assert.equal(await readFile(join(to, 'x/b.csv'), 'utf8'), 'n,id\n5,5\n6,6\n7,7\n');
    await deps.db.close();
  });
});
