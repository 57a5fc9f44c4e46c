import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { notebookSpecIn } from '../../test/support/notebook-spec.ts';
import { NOTEBOOK_REQUIREMENTS, pythonEnvironment } from '../../test/support/python-environment.ts';
import { createKernels } from '../adapters/jupyter/index.ts';
import { runNotebook } from './run.ts';

let python = '';
let root = '';
before(async () => {
  python = (await pythonEnvironment(NOTEBOOK_REQUIREMENTS)).environment.python;
  root = await mkdtemp(join(tmpdir(), 'levain-watch-'));
});
after(() => rm(root, { recursive: true, force: true }));

const ROWS = 200;

/** Rows of which many are alike: two numbers of few values, a town, a price, and who stays. */
function csv(): string {
  let seed = 3;
  const draw = (n: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((seed / 2 ** 31) * n);
  };
  const lines = Array.from({ length: ROWS }, (_, i) => {
    const [rooms, floor, town] = [1 + draw(3), draw(3), ['Bern', 'Ulm'][draw(2)]];
    return `${i},${rooms},${floor},${town},${(100 + 50 * rooms + draw(40)).toFixed(2)},${draw(3) < rooms ? 'stay' : 'go'}`;
  });
  return `id,rooms,floor,town,price,left\n${lines.join('\n')}\n`;
}

interface Told {
  readonly rows: readonly number[];
  readonly matched: number;
  readonly of: number;
  readonly reason: string | null;
  readonly fileRows: number;
  readonly target: { readonly column: string; readonly rule: Record<string, unknown> } | null;
}

/** Runs these cells and answers what was told of the test rows of `clf`, and the positions that the notebook says itself. */
async function told(
  target: string,
  cells: readonly string[],
): Promise<Told & { readonly truth: readonly number[] | null }> {
  const folder = await mkdtemp(join(root, 'step-'));
  const head =
    'import json\nimport numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import LinearRegression, LogisticRegression\nfrom sklearn.model_selection import GridSearchCV, train_test_split\ndf = pd.read_csv("homes.csv")';
  const sources = [head, ...cells];
  const notebook = {
    nbformat: 4,
    nbformat_minor: 5,
    metadata: {},
    cells: sources.map((source, i) => ({
      cell_type: 'code',
      id: `c${i}`,
      source,
      metadata: {},
      outputs: [],
      execution_count: null,
    })),
  };
  await writeFile(join(folder, 'a.ipynb'), JSON.stringify(notebook));
  await writeFile(join(folder, 'homes.csv'), csv());
  const model = join(folder, 'model');
  const spec = notebookSpecIn(folder, python, {
    exports: [{ variable: 'clf', folder: model, facts: join(folder, 'facts.json') }],
    watch: {
      features: null,
      target,
      dataset: {
        path: join(folder, 'homes.csv'),
        name: 'homes.csv',
        format: 'csv',
        delimiter: ',',
        decimal: '.',
        quote: '"',
        texts: ['town', 'left'],
      },
    },
  });
  const env = { ...process.env, PYTHONPATH: fileURLToPath(new URL('../../python', import.meta.url)) };
  let log = '';
  const result = await runNotebook(
    { kernels: createKernels(), clock: Date, env: env as Record<string, string>, say: (text) => (log += text) },
    spec,
  );
  assert.equal(result.status, 'ok', `${log}\n${JSON.stringify(result)}`);
  const found = JSON.parse(await readFile(join(model, 'levain/notebook_rows.json'), 'utf8')) as Told;
  const truth = await readFile(join(folder, 'truth.json'), 'utf8').catch(() => 'null');
  return { ...found, truth: JSON.parse(truth) as readonly number[] | null };
}

/** The cell in which a notebook tells the positions of its test rows, by the column of ids that its model does not get. */
const TELL = 'json.dump(sorted(int(i) for i in ids_test), open("truth.json", "w"))';

test('rows that are alike are told apart by label, and words are learned with their codes', async () => {
  const { rows, truth, target, reason, fileRows } = await told('left', [
    'X, y = df[["rooms", "floor"]], (df.left == "go").astype(int)',
    'X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)\nids_test = df.id[X_test.index]',
    'clf = LogisticRegression().fit(X_train, y_train)\nclf.score(X_test, y_test)\nclf.predict(X_train)\nclf.predict([[3, 1]])',
    TELL,
  ]);
  assert.equal(reason, null);
  assert.deepEqual(rows, truth);
  assert.equal(fileRows, ROWS);
  assert.deepEqual(target, {
    column: 'left',
    rule: {
      kind: 'map',
      pairs: [
        ['go', 1],
        ['stay', 0],
      ],
    },
  });
});

test('rows that were reset, filtered and made an array are found by value, the target among them', async () => {
  const { rows, truth, target, reason } = await told('price', [
    'df = df[df.price > 160].sample(frac=1, random_state=5).reset_index(drop=True)',
    'X, y = df[["price", "floor", "rooms"]].values, np.log1p(df.price.values)',
    'X_train, X_test, y_train, y_test, _, ids_test = train_test_split(X, y, df.id.values, random_state=0)',
    'clf = LinearRegression()\nclf.fit(X_train, y_train)\nfrom sklearn.metrics import mean_squared_error\nprint(mean_squared_error(y_test, clf.predict(X_test)))',
    TELL,
  ]);
  assert.match(
    reason ?? '',
    /share no column|not in the file/,
    'columns without names in another order are not guessed',
  );
  assert.deepEqual([rows, truth === null], [[], false]);
  assert.equal(target, null);
});

test('a target on a log scale is told as such, also where a search holds the model', async () => {
  const { rows, truth, target, reason } = await told('price', [
    'df = df[df.price > 160].sample(frac=1, random_state=5).reset_index(drop=True)\ndf["y"] = np.log1p(df.pop("price"))',
    'X_train, X_test, y_train, y_test = train_test_split(df[["id", "rooms", "floor"]], df["y"], random_state=0)\nids_test = X_test.id',
    'search = GridSearchCV(LinearRegression(), {"fit_intercept": [True, False]}).fit(X_train, y_train)',
    'clf = search.best_estimator_\npred = search.predict(X_test)\nfrom sklearn.metrics import r2_score\nprint(r2_score(y_test, pred))',
    TELL,
  ]);
  assert.equal(reason, null);
  assert.deepEqual(rows, truth);
  assert.deepEqual(target, { column: 'price', rule: { kind: 'log1p' } });
});

test('a model that is fitted on everything in the end has no test rows, but its coding is known', async () => {
  const { rows, target, reason } = await told('left', [
    'X, y = df[["id", "rooms", "floor"]], df.left.map({"go": 1, "stay": 2})\nX_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)',
    'clf = LogisticRegression().fit(X_train, y_train)\nprint(clf.score(X_test, y_test))',
    'clf.fit(X, y)',
  ]);
  assert.deepEqual(rows, []);
  assert.match(reason ?? '', /fitted on 50 of its 50 test rows/);
  assert.equal(target?.rule['kind'], 'map');
});

test('a notebook that measures nothing says so, and one that writes over its data is read as it was', async () => {
  const { rows, reason } = await told('left', [
    'clf = LogisticRegression().fit(df[["rooms", "floor"]], df.left)\ndf.to_csv("homes.csv")',
  ]);
  assert.deepEqual(rows, []);
  assert.match(reason ?? '', /measures its model on no rows of its own/);
  const second = await told('left', [
    'X_train, X_test, y_train, y_test = train_test_split(df[["id", "rooms"]], df.left, random_state=0)\nids_test = X_test.id',
    'def evaluate(model):\n    print(model.score(X_test, y_test))\n    return model\nclf = evaluate(LogisticRegression().fit(X_train, y_train))',
    'df[:10].to_csv("homes.csv")',
    'import pickle\npickle.dump(clf, open("m.pkl", "wb"))\nclf = pickle.load(open("m.pkl", "rb"))',
    TELL,
  ]);
  assert.equal(second.reason, null);
  assert.deepEqual(second.rows, second.truth);
  assert.deepEqual(second.target?.rule, { kind: 'same' });
});
