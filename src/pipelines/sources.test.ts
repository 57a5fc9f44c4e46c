import assert from 'node:assert/strict';
import { text as textOf } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { testDb } from '../../test/support/db.ts';
import { applyFolder, closePipelines, pipelinesDeps, projectFolder } from '../../test/support/pipelines.ts';
import { LOCAL } from '../../test/support/tracking.ts';
import type { PipelinesDeps } from './index.ts';
import { diffSources, getSource, openSourceFile } from './sources.ts';

const YAML = 'name: one\npython: { lock: env.lock }\nsteps: { a: { notebook: a.ipynb } }\n';
const notebook = (source: string, output: string): string =>
  JSON.stringify({
    nbformat: 4,
    cells: [
      { cell_type: 'markdown', source: 'prose' },
      { cell_type: 'code', source: ['x = 1\n', source], outputs: [output] },
    ],
  });
const BEFORE = {
  'levain.yaml': YAML,
  'env.lock': '# python: 3.11\nnumpy==2.0.0\n',
  'a.ipynb': notebook('y = 2', 'one'),
  'gone.py': 'gone\n',
  'same.py': 'same\n',
};

let deps: PipelinesDeps;
before(async () => {
  deps = await pipelinesDeps(await testDb());
});
after(async () => {
  await closePipelines(deps);
  await deps.db.close();
});

const snapshotOf = async (files: Readonly<Record<string, string>>): Promise<string> =>
  (await applyFolder(deps, await projectFolder(files))).sourceDigest;

test('a snapshot tells its files, its lock, and the bytes of each', async () => {
  const digest = await snapshotOf(BEFORE);
  const source = await getSource(deps, LOCAL, digest);
  assert.equal(source.lock, 'env.lock');
  assert.deepEqual(
    source.files.map(({ path }) => path),
    Object.keys(BEFORE).sort(),
  );
  const { body, sizeBytes } = await openSourceFile(deps, LOCAL, { digest, path: 'env.lock' });
  assert.equal(await textOf(body), BEFORE['env.lock']);
  assert.equal(sizeBytes, BEFORE['env.lock'].length);
  await assert.rejects(openSourceFile(deps, LOCAL, { digest, path: '../env.lock' }), { code: 'not_found' });
  await assert.rejects(getSource(deps, LOCAL, '0'.repeat(64)), { code: 'not_found' });
});

test('only what differs between two snapshots is told, of notebooks the code', async () => {
  const { 'gone.py': _gone, ...kept } = BEFORE;
  const from = await snapshotOf(BEFORE);
  const to = await snapshotOf({
    ...kept,
    'a.ipynb': notebook('y = 3', 'two'),
    'env.lock': '# python: 3.11\nnumpy==2.1.0\n',
    'new.bin': 'a\0b',
  });
  const { files } = await diffSources(deps, LOCAL, { from, to });
  assert.deepEqual(
    files.map(({ path, change, note }) => [path, change, note]),
    [
      ['a.ipynb', 'changed', null],
      ['env.lock', 'changed', null],
      ['gone.py', 'removed', null],
      ['new.bin', 'added', 'not a text, or too long to compare by line'],
    ],
  );
  assert.deepEqual(files[0]!.hunks[0]!.lines, [
    { kind: 'same', text: '# cell 1' },
    { kind: 'same', text: 'x = 1' },
    { kind: 'removed', text: 'y = 2' },
    { kind: 'added', text: 'y = 3' },
  ]);
  assert.deepEqual((await diffSources(deps, LOCAL, { from, to: from })).files, []);
});

test('a notebook that was only run again has no line that differs, and says so', async () => {
  const from = await snapshotOf(BEFORE);
  const to = await snapshotOf({ ...BEFORE, 'a.ipynb': notebook('y = 2', 'another output') });
  const { files } = await diffSources(deps, LOCAL, { from, to });
  assert.deepEqual(files, [
    {
      path: 'a.ipynb',
      change: 'changed',
      hunks: [],
      note: 'its code is the same; outputs, notes or line ends differ',
    },
  ]);
});
