import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { dataDeps, sectionOf } from '../../test/support/data.ts';
import { eachDatabase } from '../../test/support/db.ts';
import { tempDir } from '../../test/support/temp.ts';
import { createAnalytics } from '../adapters/duckdb/index.ts';
import { isAppError } from '../kernel/errors.ts';
import { DEFAULT_PROJECT_ID } from '../kernel/ids.ts';
import type { Actor } from '../wire/route.ts';
import { diffRows, syncDataset } from './index.ts';

const ann: Actor = { projectId: DEFAULT_PROJECT_ID, user: 'ann', kind: 'user' };
const analytics = createAnalytics({ tempDir: join(tempDir(), 'spill') });
after(() => analytics.close());

eachDatabase((_name, open) => {
  async function world(from: string) {
    const deps = await dataDeps(await open(), analytics);
    const section = sectionOf(`{ from: "${from}" }`);
    const write = (file: string, text: string) => writeFile(join(deps.folder, file), text);
    const sync = async () => (await syncDataset(deps, ann, { name: 'd', section, folder: deps.folder })).version;
    const diff = (from: number, to: number, key: readonly string[] = []) =>
      diffRows(deps, ann, { from: { dataset: 'd', version: from }, to: { dataset: 'd', version: to }, key });
    return { write, sync, diff };
  }

  test('rows that came, went and changed are counted by key, and shown', async () => {
    const { write, sync, diff } = await world('d.csv');
    await write('d.csv', 'id,x\n1,a\n2,b\n3,c\n');
    await sync();
    await write('d.csv', 'id,x\n2,b\n3,C\n4,d\n5,e\n');
    await sync();
    const byKey = await diff(1, 2, ['id']);
    assert.deepEqual([byKey.added, byKey.removed, byKey.changed, byKey.unchanged], [2, 1, 1, 1]);
    assert.deepEqual(byKey.sample, {
      added: [
        { id: 4, x: 'd' },
        { id: 5, x: 'e' },
      ],
      removed: [{ id: 1, x: 'a' }],
      changed: [{ id: 3, x: 'C' }],
    });
    const byValue = await diff(1, 2);
    assert.deepEqual([byValue.added, byValue.removed, byValue.changed, byValue.unchanged], [3, 2, null, 1]);
  });

  test('the same rows in another order are the same, and equal rows count', async () => {
    const { write, sync, diff } = await world('d.csv');
    await write('d.csv', 'x\na\na\nb\n');
    await sync();
    await write('d.csv', 'x\nb\na\na\na\n');
    await sync();
    const found = await diff(1, 2);
    assert.deepEqual([found.added, found.removed, found.unchanged], [1, 0, 3]);
    const back = await diff(2, 1);
    assert.deepEqual([back.added, back.removed, back.unchanged], [0, 1, 3]);
  });

  test('files that both versions hold are not read', async () => {
    const { write, sync, diff } = await world('*.csv');
    await write('a.csv', 'x\n1\n2\n');
    await sync();
    await write('b.csv', 'x\n3\n');
    await sync();
    const found = await diff(1, 2);
    assert.deepEqual(found.read, { from: 0, to: 1 });
    assert.deepEqual([found.added, found.removed, found.unchanged], [1, 0, 2]);
    assert.deepEqual(found.sample.added, [{ x: 3 }]);
    const same = await diff(2, 2);
    assert.deepEqual([same.added, same.removed, same.unchanged], [0, 0, 3]);
  });

  test('versions are compared by the columns that both have; a key that one lacks is refused', async () => {
    const { write, sync, diff } = await world('d.csv');
    await write('d.csv', 'id,x\n1,a\n');
    await sync();
    await write('d.csv', 'id,y\n1,b\n');
    await sync();
    const found = await diff(1, 2);
    assert.deepEqual([found.added, found.removed, found.unchanged], [0, 0, 1]);
    await assert.rejects(diff(1, 2, ['y']), (error) => isAppError(error) && /"y"/.test(error.message));
    await write('d.csv', 'z\n1\n');
    await sync();
    await assert.rejects(diff(1, 3), /no column in common/);
  });
});
