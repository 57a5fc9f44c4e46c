import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { type FoundData, findData } from './data.ts';
import { partsOf } from './written-path.ts';

let root = '';
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'levain-data-'));
});
after(() => rm(root, { recursive: true, force: true }));

async function project(files: readonly string[]): Promise<string> {
  const folder = await mkdtemp(join(root, 'p-'));
  for (const file of files) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), 'a\n1\n');
  }
  return folder;
}

interface Asked {
  readonly files: readonly string[];
  readonly given?: readonly string[];
  readonly inner?: string;
}

async function find(written: readonly string[], asked: Asked): Promise<FoundData & { asked: string[] }> {
  const folder = await project(asked.files);
  const reads = written.map((path, index) => ({ cell: index + 1, line: 1, path }));
  const questions: string[] = [];
  const given = (asked.given ?? []).map((path) => join(folder, path));
  const beside = join(folder, asked.inner ?? '');
  const found = await findData(reads, { beside, root: folder, given }, async (_, files) => {
    questions.push(...files);
    return files[0]!;
  });
  return { ...found, asked: questions };
}

const FORMS = [
  '/kaggle/input/telco-churn/Telco.csv',
  'C:\\Users\\me\\Desktop\\data\\telco.csv',
  'C:/Users/me/telco.csv',
  '/content/drive/My Drive/Colab Notebooks/telco.csv',
  'https://raw.githubusercontent.com/me/repo/master/data/telco.csv?raw=true',
  '../input/telco.csv',
  '~/Downloads/telco.csv',
  'file:///home/me/telco.csv',
];

test('paths of other machines lead to the file of that name, wherever it lies beside the notebook', async () => {
  const { redirects, missing } = await find(FORMS, { files: ['data/raw/telco.csv', 'other.csv'] });
  assert.deepEqual(missing, []);
  assert.deepEqual(
    Object.values(redirects),
    FORMS.map(() => 'data/raw/telco.csv'),
  );
});

test('a file that is where the notebook says needs no redirect, also one folder up', async () => {
  const found = await find(['../data/a.csv', 'b.csv'], { files: ['data/a.csv', 'nb/b.csv'], inner: 'nb' });
  assert.deepEqual(found.redirects, {});
  assert.deepEqual(
    found.files.map(({ at }) => at),
    ['data/a.csv', 'nb/b.csv'],
  );
});

test('of files of one name the longest common path wins; equal ones are asked for', async () => {
  const files = ['2019/train.csv', '2020/train.csv', 'x/2020/test.csv'];
  assert.deepEqual((await find(['/data/2020/train.csv'], { files })).redirects, {
    '/data/2020/train.csv': '2020/train.csv',
  });
  const asked = await find(['/data/train.csv'], { files });
  assert.equal(asked.asked.length, 2);
});

test('what is given with --data comes first, and may have another name where one is missing', async () => {
  const files = ['old/sales.csv', 'given/sales.csv', 'given/2024.csv'];
  assert.equal(
    (await find(['/x/sales.csv'], { files, given: ['given'] })).redirects['/x/sales.csv'],
    'given/sales.csv',
  );
  const renamed = await find(['/x/export.csv'], { files, given: ['given/2024.csv'] });
  assert.deepEqual(renamed.redirects, { '/x/export.csv': 'given/2024.csv' });
});

test('a table is met inside an archive that bears its name', async () => {
  const { files } = await find(['a.csv', 'b.csv'], { files: ['a.csv.zip', 'in/b.zip'] });
  assert.deepEqual(
    files.map(({ at, member }) => [at, member]),
    [
      ['a.csv', 'a.csv'],
      ['in/b.csv', 'b.csv'],
    ],
  );
});

test('what is nowhere is missing, with its cell', async () => {
  const { missing } = await find(['a.csv', 'b.csv'], { files: ['a.csv'] });
  assert.deepEqual(missing, [{ cell: 2, line: 1, path: 'b.csv' }]);
});

test('names are taken apart as they were meant', () => {
  assert.deepEqual(partsOf('C:\\Users\\me\\my%20data.csv'), ['Users', 'me', 'my data.csv']);
  assert.deepEqual(partsOf('./../data//x.csv'), ['data', 'x.csv']);
  assert.deepEqual(partsOf('https://a.org/b/c.csv?x=1#y'), ['a.org', 'b', 'c.csv']);
});
