import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseProjectFile } from '../../project-file/index.ts';
import { type Composed, composeProject } from './compose.ts';

type DataFile = Composed['data'][number];

const file = (more: Partial<DataFile> = {}): DataFile => ({
  name: 'churn',
  role: 'main',
  path: 'churn.csv',
  source: '/home/ann/churn/churn.csv',
  outside: false,
  asWritten: ['churn.csv'],
  digest: '',
  sizeBytes: 1,
  rows: 7043,
  columns: 21,
  key: 'customerID',
  ...more,
});

const result = (model: Partial<Composed['model']> = {}, data: readonly DataFile[] = [file()]): Composed => ({
  data: [...data],
  features: { text: '', statements: 3 },
  run: { skipped: [] },
  source: { path: 'churn.ipynb', digest: '', cells: 9, ranOutOfOrder: false, neverRun: [] },
  environment: {
    sentence: '',
    kind: 'today',
    day: null,
    python: '3.12',
    pythonVersion: '3.12.4',
    digest: '',
    lock: '# python: 3.12\n',
    attempts: [],
  },
  model: {
    variable: 'clf',
    expression: null,
    type: 'sklearn.linear_model.LogisticRegression',
    task: 'binary',
    classes: [0, 1],
    target: 'Churn',
    positive: 'Yes',
    features: null,
    cell: 7,
    score: null,
    evidence: [],
    reason: '',
    chosenBy: 'evidence',
    runsIn: null,
    ...model,
  },
});

test('a notebook with one data file is four lines', () => {
  assert.equal(
    composeProject(result(), 'churn'),
    [
      '# yaml-language-server: $schema=levain.schema.json',
      'name: churn',
      'data: { churn: { from: churn.csv, key: customerID } }',
      'steps: { train: { notebook: churn.ipynb } }',
      'model: { from: train.clf, features: features.py, target: { column: Churn, positive: "Yes" } }',
      '',
    ].join('\n'),
  );
});

test('the task is said where numbers could be taken for another one', () => {
  const modelLine = (model: Partial<Composed['model']>): string =>
    composeProject(result(model), 'm').trimEnd().split('\n').at(-1)!;
  assert.equal(
    modelLine({ task: 'multiclass', target: 'kind', positive: null }),
    'model: { from: train.clf, features: features.py, task: multiclass, target: kind }',
  );
  assert.match(modelLine({ task: 'binary', positive: null }), /task: binary, target: Churn/);
  assert.match(modelLine({ task: 'regression', target: 'price', positive: null }), /features\.py, target: price }$/);
  assert.match(modelLine({ target: null, positive: null }), /task: binary }$/);
  const classes = ['setosa', 'versicolor', 'virginica'];
  assert.match(modelLine({ task: 'classification', classes, positive: null }), /task: multiclass/);
  assert.doesNotMatch(modelLine({ task: 'classification' }), /task/);
});

test('the rows that the model answers come first, and only they have the key', () => {
  const lookup = file({ name: 'zones', role: 'lookup', path: 'zones.csv', key: 'zone' });
  const { data } = parseProjectFile(composeProject(result({}, [lookup, file()]), 'm'), 'levain.yaml');
  assert.deepEqual(
    Object.entries(data).map(([name, { key }]) => [name, key]),
    [
      ['churn', ['customerID']],
      ['zones', []],
    ],
  );
});

test('where paths lead, and which cells may fail, is said for the runs that come', () => {
  const led = file({ asWritten: ['./churn.csv', '/content/drive/My Drive/churn.csv'] });
  const project = composeProject({ ...result({}, [led]), run: { skipped: [{ cell: 2, error: 'no plotly' }] } }, 'm');
  assert.match(
    project,
    /^steps: \{ train: \{ notebook: churn\.ipynb, reads: \{ \/content\/drive\/My Drive\/churn\.csv: churn\.csv \}, may_fail: \[ 2 \] \} \}$/m,
  );
  const below = { ...result({}, [file({ path: 'data/churn.csv', asWritten: ['../data/churn.csv'] })]) };
  const inFolder = composeProject({ ...below, source: { ...below.source, path: 'notebooks/churn.ipynb' } }, 'm');
  assert.doesNotMatch(inFolder, /reads/);
});

test('data from elsewhere stands where the notebook finds it', () => {
  const outside = file({ outside: true, source: '/data/2024/Churn data.csv', path: 'input/churn.csv', key: null });
  const { data } = parseProjectFile(composeProject(result({}, [outside]), 'm'), '/home/ann/churn/levain.yaml');
  assert.deepEqual([data['churn']?.from, data['churn']?.as], ['/data/2024/Churn data.csv', 'input/churn.csv']);
});
