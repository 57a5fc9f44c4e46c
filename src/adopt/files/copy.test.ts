import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { copyProject } from './copy.ts';
import type { FoundFile } from './data.ts';
import { listFiles } from './listing.ts';

let root = '';
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'levain-copy-'));
});
after(() => rm(root, { recursive: true, force: true }));

const FILES = [
  'nb/a.ipynb',
  'nb/helper.py',
  'data/x.csv',
  '.git/config',
  '.levain/db',
  'venv/lib/y.py',
  'own/pyvenv.cfg',
  'own/z.py',
];

async function project(): Promise<string> {
  const folder = await mkdtemp(join(root, 'p-'));
  for (const file of FILES) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), file);
  }
  return folder;
}

const plain = (source: string, at: string): FoundFile => ({ source, at, isFolder: false, member: null });
const unpack = async () => assert.fail('nothing is packed');

test('code and data are copied; environments, versions and our own records are not', async () => {
  const folder = await project();
  const target = join(root, 'copy');
  await copyProject({ root: folder, beside: join(folder, 'nb'), target, files: [], unpack });
  const { files } = await listFiles(target);
  assert.deepEqual(files.map(({ path }) => path).sort(), ['data/x.csv', 'nb/a.ipynb', 'nb/helper.py']);
});

test('a file from elsewhere stands where the run looks for it, can be written there, and is not touched itself', async () => {
  const folder = await project();
  const given = join(root, 'given.csv');
  await writeFile(given, 'original');
  await chmod(given, 0o400);
  const target = join(root, 'copy2');
  const files = [plain(given, 'nb/given.csv')];
  await copyProject({ root: folder, beside: join(folder, 'nb'), target, files, unpack });
  const copy = join(target, 'nb/given.csv');
  assert.equal((await stat(copy)).mode & 0o600, 0o600);
  await writeFile(copy, 'spoiled');
  assert.equal(await readFile(given, 'utf8'), 'original');
});
