import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseProjectFile } from '../project-file/index.ts';
import { cachedReason, cacheKeyOf, datasetsOf, type KeyInput, keyPartsOf, rerunReason } from './keys.ts';
import { notebookCodeOf } from './notebook-code.ts';
import { matchesPath } from './paths.ts';

const YAML = `
name: churn
data: { churn: { from: churn.csv, key: id }, outcomes: { from: outcomes.csv, key: id } }
params: { rate: 1 }
steps:
  prepare: { run: python prepare.py, in: [data:churn, prepare.py, lib/], out: [clean.csv] }
  train: { notebook: train.ipynb }
model: { from: train.clf, target: { column: churned } }
monitor: { labels: { data: outcomes, column: churned } }
`;
const file = parseProjectFile(YAML, 'levain.yaml');
const entry = (path: string, digest = path) => ({ path, digest, sizeBytes: 1, executable: false });
const snapshot = ['levain.yaml', 'lib/a.py', 'lib/b.py', 'prepare.py', 'requirements.lock', 'train.ipynb'].map((path) =>
  entry(path),
);

const input = (name: 'prepare' | 'train', more: Partial<KeyInput> = {}): KeyInput => ({
  name,
  section: file.steps[name]!,
  file,
  params: file.params,
  snapshot,
  notebookCode: name === 'train' ? 'code' : null,
  dataCuts: { churn: 'cut' },
  upstream: {},
  envDigest: 'env',
  platform: 'linux-x64',
  ...more,
});
const names = (parts: readonly { readonly name: string }[]) => parts.map((part) => part.name);

test('a step with `in` depends on what it names, without it on the whole snapshot but the file and the lock', () => {
  assert.deepEqual(names(keyPartsOf(input('prepare'))), [
    'command',
    'data:churn',
    'env',
    'file:lib/a.py',
    'file:lib/b.py',
    'file:prepare.py',
    'param:rate',
    'platform',
    'step',
  ]);
  const train = names(keyPartsOf(input('train')));
  assert.ok(train.includes('notebook:train.ipynb') && train.includes('file:prepare.py'));
  assert.ok(
    !train.includes('file:levain.yaml') &&
      !train.includes('file:requirements.lock') &&
      !train.includes('file:train.ipynb'),
  );
});

test('the dataset of labels is not seen by a step that does not name it', () => {
  assert.deepEqual(datasetsOf(file, file.steps['train']!), ['churn']);
});

test('each part changes the key, and the reason names it', () => {
  const base = keyPartsOf(input('prepare'));
  const reason = (more: Partial<KeyInput>) => rerunReason(keyPartsOf(input('prepare', more)), base);
  const changed = snapshot.map((one) => (one.path === 'lib/b.py' ? entry('lib/b.py', 'other') : one));
  assert.equal(reason({ snapshot: changed }), 're-ran because lib/b.py changed');
  assert.equal(reason({ dataCuts: { churn: 'new' } }), 're-ran because data churn changed');
  assert.equal(
    reason({ params: { rate: 2 }, envDigest: 'x' }),
    're-ran because the environment, parameter rate changed',
  );
  assert.equal(
    reason({ snapshot: snapshot.filter(({ path }) => path !== 'lib/a.py') }),
    're-ran because lib/a.py (gone) changed',
  );
  assert.equal(
    reason({ upstream: { first: [{ path: 'x', digest: 'd', sizeBytes: 1 }] } }),
    're-ran because what first puts out changed',
  );
  assert.equal(rerunReason(base, undefined), 'first run');
  assert.notEqual(cacheKeyOf(keyPartsOf(input('prepare', { platform: 'other' }))), cacheKeyOf(base));
  assert.equal(cacheKeyOf(keyPartsOf(input('prepare'))), cacheKeyOf(base));
});

test('what is asked of the notebook afterwards is part of its key', () => {
  const other = parseProjectFile(YAML.replace('train.clf', 'train.model'), 'levain.yaml');
  assert.equal(
    rerunReason(keyPartsOf(input('train', { file: other })), keyPartsOf(input('train'))),
    're-ran because its entry in levain.yaml changed',
  );
});

test('a cached step says of which run and why', () => {
  assert.equal(
    cachedReason(keyPartsOf(input('train')), { id: 'run-0001234' }),
    'cached from run 0001234: same notebook, data, code, environment',
  );
  const adopted = { kind: 'adopt', key: 'k', asOf: null } as const;
  assert.equal(
    cachedReason(keyPartsOf(input('train')), { id: 'run-1', trigger: adopted, finishedAt: Date.UTC(2026, 2, 1, 9, 5) }),
    'cached, adopt ran it at 2026-03-01 09:05 UTC: same notebook, data, code, environment',
  );
});

test('running a notebook by hand does not make it stale; an edited cell does', () => {
  const book = (source: string | string[], more: object = {}, prose = 'a') =>
    JSON.stringify({
      cells: [
        { cell_type: 'markdown', source: prose },
        { cell_type: 'code', source, metadata: {}, ...more },
      ],
    });
  const code = notebookCodeOf(book('x = 1'), 'a.ipynb');
  assert.deepEqual(notebookCodeOf(book(['x', ' = 1'], { outputs: [1], execution_count: 3 }, 'b'), 'a.ipynb'), code);
  assert.notDeepEqual(notebookCodeOf(book('x = 2'), 'a.ipynb'), code);
});

test('paths match as files, folders and globs', () => {
  const cases: readonly [string, string, boolean][] = [
    ['lib/a.py', 'lib/', true],
    ['lib/a.py', 'lib/*.py', true],
    ['lib/x/a.py', 'lib/*.py', false],
    ['lib/x/a.py', '**/*.py', true],
    ['a.py', '**/*.py', true],
    ['library/a.py', 'lib', false],
    ['a.py', './a.py', true],
  ];
  for (const [path, pattern, expected] of cases)
    assert.equal(matchesPath(path, pattern), expected, `${path} ${pattern}`);
});
