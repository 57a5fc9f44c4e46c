import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { tempDir } from '../../test/support/temp.ts';
import { isAppError } from '../kernel/errors.ts';
import { takeSnapshot } from './snapshot.ts';

function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = tempDir();
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

const pathsOf = async (folder: string, without: string[] = []): Promise<string[]> =>
  (await takeSnapshot(folder, without)).sourceManifest.map(({ path }) => path);

const FILES = {
  'levain.yaml': 'name: churn\n',
  'train.py': 'print(1)\n',
  'lib/a.py': '',
  'lib/out.log': 'x',
  'data.csv': 'a,b\n1,2\n',
  'parts/1.csv': '1',
  'parts/readme.txt': 'r',
  '.gitignore': '*.log\n',
  '.levain/db.sqlite': 'x',
  'lib/__pycache__/a.pyc': 'x',
  'notes/big.txt': 'big',
  '.levainignore': 'notes/\n',
};
const KEPT = ['.gitignore', '.levainignore', 'levain.yaml', 'lib/a.py', 'parts/readme.txt', 'train.py'];

test('without Git the folder is walked by its ignore files, less the data', async () => {
  assert.deepEqual(await pathsOf(folderWith(FILES), ['data.csv', './parts/*.csv']), KEPT);
});

test('with Git it is what Git lists and what is untracked, changes included', async () => {
  const folder = folderWith(FILES);
  const git = (...args: string[]): void => void execFileSync('git', ['-C', folder, ...args], { stdio: 'ignore' });
  git('init');
  git('add', 'levain.yaml', 'train.py');
  assert.deepEqual(await pathsOf(folder, ['data.csv', 'parts/*.csv']), KEPT);
  const before = await takeSnapshot(folder, []);
  writeFileSync(join(folder, 'train.py'), 'print(2)\n');
  assert.notEqual((await takeSnapshot(folder, [])).sourceDigest, before.sourceDigest);
});

test('a project in a folder that the repository around it ignores is walked', async () => {
  const around = folderWith({ '.gitignore': 'scratch/\n', 'scratch/trial/train.py': 'print(1)\n' });
  execFileSync('git', ['-C', around, 'init'], { stdio: 'ignore' });
  assert.deepEqual(await pathsOf(join(around, 'scratch', 'trial')), ['train.py']);
});

test('an ignore file in a folder below counts from that folder', async () => {
  const folder = folderWith({ 'a/.gitignore': '/x\n', 'a/x': '1', 'a/b/x': '2', x: '3' });
  assert.deepEqual(await pathsOf(folder), ['a/.gitignore', 'a/b/x', 'x']);
});

test('the same files are the same snapshot, and an executable bit makes another', async () => {
  const one = folderWith({ 'run.sh': 'echo' });
  const two = folderWith({ 'run.sh': 'echo' });
  const digest = async (folder: string): Promise<string> => (await takeSnapshot(folder, [])).sourceDigest;
  assert.equal(await digest(one), await digest(two));
  chmodSync(join(two, 'run.sh'), 0o755);
  assert.notEqual(await digest(one), await digest(two));
});

test('a link is followed inside the folder and left out where it points away', async () => {
  const folder = folderWith({ 'a.txt': 'a' });
  symlinkSync('a.txt', join(folder, 'inside'));
  symlinkSync('/etc/passwd', join(folder, 'outside'));
  assert.deepEqual(await pathsOf(folder), ['a.txt', 'inside']);
});

test('a folder that is too large is refused, naming the largest files', async () => {
  const folder = folderWith({ 'small.py': '', 'models/big.bin': '' });
  truncateSync(join(folder, 'models/big.bin'), 300 * 2 ** 20);
  await assert.rejects(
    takeSnapshot(folder, []),
    (error) => isAppError(error, 'too_large') && /models\/big\.bin \(300 MiB\)/.test(error.message),
  );
});
