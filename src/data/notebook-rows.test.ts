import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { dataDeps, sectionOf } from '../../test/support/data.ts';
import { eachDatabase } from '../../test/support/db.ts';
import { tempDir } from '../../test/support/temp.ts';
import { createAnalytics } from '../adapters/duckdb/index.ts';
import { findColumn } from '../kernel/frame.ts';
import { DEFAULT_PROJECT_ID } from '../kernel/ids.ts';
import type { Analytics } from '../ports/analytics.ts';
import type { Db } from '../ports/db.ts';
import type { Actor } from '../wire/route.ts';
import {
  type Cut,
  cutDigest,
  gateRows,
  holdRows,
  materialise,
  type NotebookSplit,
  overlapCount,
  syncDataset,
} from './index.ts';

const ann: Actor = { projectId: DEFAULT_PROJECT_ID, user: 'ann', kind: 'user' };
const analytics: Analytics = createAnalytics({ tempDir: join(tempDir(), 'spill') });
after(() => analytics.close());

const depsOver = (db: Db) => dataDeps(db, analytics);

const lines = (from: number, to: number, more = ''): string =>
  Array.from({ length: to - from }, (_, i) => `r${from + i},${(from + i) % 7},x${more}\n`).join('');

eachDatabase((_name, open) => {
  /** Syncs this text and answers the cut of it. */
  const worldOf = async (yaml: string) => {
    const deps = await depsOver(await open());
    const section = sectionOf(yaml);
    const cutOf = async (text: string): Promise<Omit<Cut, 'split'>> => {
      await writeFile(join(deps.folder, 'd.csv'), text);
      const { version } = await syncDataset(deps, ann, { name: 'd', section, folder: deps.folder });
      return { versionId: version.id, section, asOf: null };
    };
    const gateOf = async (cut: Omit<Cut, 'split'>, split: NotebookSplit) => {
      const { frame, total } = await gateRows(deps, { ...cut, split, limit: 10_000, seed: 1 });
      return { ids: Array.from(findColumn(frame, 'id')!.values, String), total };
    };
    const trainOf = async (cut: Omit<Cut, 'split'>, split: Cut['split']) => {
      const to = join(deps.folder, 'train.csv');
      await materialise(deps, { ...cut, split, to });
      return (await readFile(to, 'utf8')).trim().split('\n').slice(1);
    };
    return { deps, cutOf, gateOf, trainOf };
  };

  test("the first version's test rows are the gate's, and later ones and a fifth of the new rows are kept from steps", async () => {
    const { deps, cutOf, gateOf, trainOf } = await worldOf('{ from: d.csv, key: id }');
    const first = await cutOf(`id,a,b\n${lines(0, 100)}`);
    const split = await holdRows(deps, first, { rows: [3, 50, 99], fileRows: 100, share: 0.2 });
    assert.deepEqual([split.base, split.key], [first.versionId, ['id']]);
    assert.deepEqual(await gateOf(first, split), { ids: ['r3', 'r50', 'r99'], total: 3 });
    assert.equal((await trainOf(first, split)).length, 97);
    // In front of the known rows, and with other values: the key tells them.
    const later = await cutOf(`id,a,b\n${lines(100, 600)}${lines(0, 100, 'y')}`);
    const { ids } = await gateOf(later, split);
    const old = ids.filter((id) => Number(id.slice(1)) < 100);
    assert.deepEqual(old, ['r3', 'r50', 'r99']);
    const share = (ids.length - 3) / 500;
    assert.ok(share > 0.12 && share < 0.28, `a fifth of the new rows, by hash: ${share}`);
    const seen = await trainOf(later, split);
    assert.equal(seen.length, 600 - ids.length);
    assert.ok(!seen.some((line) => ids.includes(line.split(',')[0]!)), 'no step sees a row of the gate');
    // A row's side is its own for ever.
    const latest = await cutOf(`id,a,b\n${lines(0, 900)}`);
    const again = await gateOf(latest, split);
    assert.deepEqual(new Set(again.ids.filter((id) => Number(id.slice(1)) < 600)), new Set(ids));
    const champion = { ...first, split };
    assert.equal(await overlapCount(deps, { ...later, split, other: champion }), 0);
    assert.equal(await overlapCount(deps, { ...later, split, other: { ...first, split: null } }), 3);
    assert.notEqual(await cutDigest(deps, { ...later, split }), await cutDigest(deps, { ...later, split: null }));
  });

  test('without a key equal rows are counted, and a new column changes nobody', async () => {
    const { deps, cutOf, gateOf, trainOf } = await worldOf('{ from: d.csv }');
    const first = await cutOf('id,a\nsame,1\nsame,1\nother,2\n');
    const split = await holdRows(deps, first, { rows: [1], fileRows: 3, share: 0 });
    assert.deepEqual((await gateOf(first, split)).ids, ['same']);
    assert.deepEqual(await trainOf(first, split), ['same,1', 'other,2']);
    const later = await cutOf('id,a,b\nother,2,5\nsame,1,6\nsame,1,7\nsame,1,8\n');
    assert.deepEqual(
      await trainOf(later, split),
      ['other,2,5', 'same,1,6', 'same,1,8'],
      'the second of the equal ones',
    );
  });

  test('a key that is not unique tells no rows apart', async () => {
    const { deps, cutOf, trainOf } = await worldOf('{ from: d.csv, key: id }');
    const first = await cutOf('id,a\nann,1\nann,2\nbob,3\n');
    const split = await holdRows(deps, first, { rows: [1], fileRows: 3, share: 0 });
    assert.deepEqual(split.key, []);
    const later = await cutOf('id,a\nann,1\nann,2\nann,4\nbob,3\n');
    assert.deepEqual(await trainOf(later, split), ['ann,1', 'ann,4', 'bob,3']);
    assert.equal(await overlapCount(deps, { ...later, split, other: { ...first, split } }), 0);
  });

  test('without test rows the first cut is the file itself; other counts of rows are refused', async () => {
    const { deps, cutOf, trainOf } = await worldOf('{ from: d.csv, key: id }');
    const first = await cutOf(`id,a,b\n${lines(0, 10)}`);
    const none = await holdRows(deps, first, { rows: [], fileRows: 10, share: 0.2 });
    assert.equal(none.rows, null);
    assert.equal(await cutDigest(deps, { ...first, split: none }), await cutDigest(deps, { ...first, split: null }));
    const later = await cutOf(`id,a,b\n${lines(0, 210)}`);
    const seen = await trainOf(later, none);
    assert.ok(seen.length > 140 && seen.length < 190, `of 200 new rows about 160 are left: ${seen.length - 10}`);
    await assert.rejects(holdRows(deps, first, { rows: [3], fileRows: 11, share: 0.2 }), {
      message: 'the notebook counts 11 rows in a file of 10',
    });
    await assert.rejects(holdRows(deps, first, { rows: [10], fileRows: 10, share: 0.2 }), { message: /10 rows/ });
  });
});
