import assert from 'node:assert/strict';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { tempDir } from '../../../test/support/temp.ts';
import { writeFiles } from './files.ts';

const file = (path: string, text: string, before: string | null = null) =>
  ({ path, text, before, state: before === null ? 'new' : before === text ? 'same' : 'other' }) as const;

test('what somebody else wrote is kept beside when it is replaced', async () => {
  const folder = tempDir();
  await writeFile(join(folder, 'features.py'), 'mine');
  await writeFiles(folder, [file('features.py', 'new', 'mine'), file('levain.yaml', 'name: a')]);
  assert.equal(await readFile(join(folder, 'features.py'), 'utf8'), 'new');
  const kept = await readdir(join(folder, '.levain/adopt/replaced'));
  assert.equal(kept.length, 1);
  assert.match(kept[0]!, /-features\.py$/);
  assert.equal(await readFile(join(folder, '.levain/adopt/replaced', kept[0]!), 'utf8'), 'mine');
});

test('where one file cannot be written, none is', async () => {
  const folder = tempDir();
  await mkdir(join(folder, 'features.py'));
  await assert.rejects(
    writeFiles(folder, [file('levain.yaml', 'name: a'), file('features.py', 'x')]),
    /nothing was changed/,
  );
  await chmod(folder, 0o755);
  assert.deepEqual(await readdir(folder), ['features.py']);
});

test('a file that stands as it should is not touched', async () => {
  const folder = tempDir();
  await writeFiles(folder, [file('levain.yaml', 'a', 'a')]);
  assert.deepEqual(await readdir(folder), []);
});
