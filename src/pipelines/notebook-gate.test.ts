import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { applyFolder, notebookWorld, projectFolder, runToEnd, writeProjectFile } from '../../test/support/pipelines.ts';
import { LOCAL } from '../../test/support/tracking.ts';
import { getVersion, openServable } from '../registry/index.ts';
import type { PipelinesDeps } from './index.ts';

let deps: PipelinesDeps;
let lock = '';
let stop: () => Promise<void>;
before(async () => {
  ({ deps, lock, stop } = await notebookWorld());
});
after(() => stop());

/** Rows in which usage tells who leaves; ids go on where the last ones ended. */
function churnCsv(rows: number): string {
  let seed = 7;
  const random = () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return seed / 2 ** 31;
  };
  const lines = Array.from({ length: rows }, (_, i) => {
    const [age, usage] = [Math.round(20 + 50 * random()), Math.round(1000 * random()) / 10];
    const plan = ['basic', 'gold', 'team'][Math.floor(3 * random())];
    return `c${i},${age},${usage},${plan},${usage + 20 * (random() - 0.5) < 45 ? 'Yes' : 'No'}`;
  });
  return `id,age,usage,plan,churned\n${lines.join('\n')}\n`;
}

const YAML = `name: NAME
data: { churn: { from: churn.csv, key: id } }
steps: { train: { notebook: train.ipynb } }
model:
  from: train.clf
  target: { column: churned, positive: "Yes" }
  approve: { first: auto }
`;

const PIPELINE = [
  'import pandas as pd\nfrom sklearn.compose import make_column_transformer\nfrom sklearn.linear_model import LogisticRegression\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.pipeline import make_pipeline\nfrom sklearn.preprocessing import OneHotEncoder, StandardScaler',
  'df = pd.read_csv("churn.csv")\nprint(len(df), "rows")\nX = df[["age", "usage", "plan"]]\ny = df["churned"].map({"Yes": 1, "No": 0})',
  'X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=1)',
  'clf = make_pipeline(make_column_transformer((StandardScaler(), ["age", "usage"]), (OneHotEncoder(), ["plan"])), LogisticRegression())\nclf.fit(X_train, y_train)',
  'print(clf.score(X_test, y_test))\nclf.predict(X_train)',
];

const project = (name: string, cells: readonly string[], rows: number, more: Record<string, string> = {}) =>
  projectFolder({
    'levain.yaml': YAML.replace('NAME', name),
    'requirements.lock': lock,
    'train.ipynb': cells,
    'churn.csv': churnCsv(rows),
    ...more,
  });

test("a first version is measured on its notebook's own test rows, and no later step sees them", async () => {
  const folder = await project('own', PIPELINE, 600);
  await applyFolder(deps, folder, ['churn.csv']);
  const first = await runToEnd(deps, { pipeline: 'own' });
  assert.equal(first.run.state, 'succeeded', JSON.stringify(first.run.failure ?? first.steps['train']));
  const v1 = await getVersion(deps.registry, LOCAL, { model: 'own', version: 1 });
  assert.equal(v1.gate?.outcome, 'passed', v1.gate?.sentence);
  assert.equal(v1.gate?.rows, 150, v1.gate?.sentence);
  assert.match(v1.gate?.sentence ?? '', /the notebook's own test rows, which count as not trained on/);
  assert.deepEqual([v1.spec?.classes, v1.spec?.words, v1.spec?.positive], [[0, 1], ['No', 'Yes'], 1]);
  assert.equal(v1.facts.trainingRows, 450);

  const again = await runToEnd(deps, { pipeline: 'own' });
  assert.equal(again.steps['train']?.state, 'cached', again.steps['train']?.reason ?? '');
  assert.equal(again.run.version, 1);

  await writeFile(join(folder, 'churn.csv'), churnCsv(1000));
  const later = await runToEnd(deps, { pipeline: 'own', dataMode: 'latest' });
  assert.equal(later.run.state, 'succeeded', JSON.stringify(later.run.failure));
  const v2 = await getVersion(deps.registry, LOCAL, { model: 'own', version: 2 });
  const total = v2.gate!.totalRows;
  assert.ok(total > 150 + 50 && total < 150 + 110, `${total} rows of the gate: 150, and about 80 of 400 new ones`);
  assert.equal(v2.gate?.overlap, 0, v2.gate?.sentence);
  assert.ok(['passed', 'failed'].includes(v2.gate!.outcome), v2.gate?.sentence);
  const log = later.steps['train']?.outputs?.notebook?.digest ?? '';
  const executed = Buffer.from(await deps.content.bytes(log, 1e6)).toString();
  assert.match(executed, new RegExp(`${1000 - total} rows`), 'the step saw all but the rows of the gate');

  await writeProjectFile(folder, 'train.ipynb', [...PIPELINE, 'clf.fit(X, y)']);
  await applyFolder(deps, folder, ['churn.csv']);
  const changed = await runToEnd(deps, { pipeline: 'own' });
  const v3 = await getVersion(deps.registry, LOCAL, { model: 'own', version: 3 });
  assert.equal(changed.run.version, 3, JSON.stringify(changed.run.failure));
  assert.deepEqual([v3.gate?.totalRows, v3.gate?.overlap], [total, 0], v3.gate?.sentence);
});

/** Preparation outside of the model: a mean of training rows, dummies, a scaler in another variable, rows that are left out. */
const BY_HAND = [
  'import pandas as pd\nfrom sklearn.linear_model import LogisticRegression\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import StandardScaler',
  'df = pd.read_csv("churn.csv")\ndf = df[df["age"] > 21]\ndf["age"] = df["age"].fillna(df["age"].mean())\ndf["churned"] = (df["churned"] == "Yes").astype(int)',
  'X = pd.get_dummies(df.drop(columns=["id", "churned"]))\ny = df["churned"].values\nX_train, X_test, y_train, y_test = train_test_split(X, y, random_state=3)',
  '%%time\nscaler = StandardScaler()\nX_train = scaler.fit_transform(X_train)\nX_test = scaler.transform(X_test)',
  'from sklearn.metrics import accuracy_score\nclf = LogisticRegression().fit(X_train, y_train)\npred = clf.predict(X_test)\nprint(accuracy_score(y_test, pred))',
];

const FEATURES = `import numpy as np
import pandas as pd

SITES = {
    "age_mean": (2, 'df["age"].mean()', 0),
    "dummies": (3, 'pd.get_dummies(df.drop(columns=["id", "churned"]))', 0),
    "scaler": (4, "scaler.fit_transform(X_train)", 0),
}
LEARNED = {"age_mean": [1.0], "dummies": None, "scaler": None}
TEST_ROWS = (5, "clf.predict(X_test)", 0)


class RowsRefused(ValueError):
    def __init__(self, rows):
        super().__init__("; ".join(rows.values()))
        self.rows = rows


def features(df):
    known = LEARNED["dummies"][0]["plan"]
    bad = ~df["plan"].isin(known)
    if bad.any():
        raise RowsRefused({int(at): "plan is %r, which training did not have" % (df["plan"].iloc[at],) for at in np.flatnonzero(bad)})
    rows = df[["age", "usage", "plan"]].copy()
    rows["age"] = rows["age"].fillna(LEARNED["age_mean"][0])
    rows["plan"] = pd.Categorical(rows["plan"], categories=known)
    return LEARNED["scaler"][0].transform(pd.get_dummies(rows))
`;

test('what features.py learns comes out of each run, and a row that it refuses is refused with its reason', async () => {
  const yaml = YAML.replace('from: train.clf', 'from: train.clf\n  features: features.py').replace('NAME', 'hand');
  const folder = await project('hand', BY_HAND, 600, { 'levain.yaml': yaml, 'features.py': FEATURES });
  await applyFolder(deps, folder, ['churn.csv']);
  const first = await runToEnd(deps, { pipeline: 'hand' });
  assert.equal(
    first.run.state,
    'succeeded',
    JSON.stringify(first.run.failure ?? first.steps['train']?.outputs?.exports),
  );
  const v1 = await getVersion(deps.registry, LOCAL, { model: 'hand', version: 1 });
  assert.equal(v1.gate?.outcome, 'passed', v1.gate?.sentence);
  assert.ok(v1.gate!.rows > 100, v1.gate?.sentence);
  assert.deepEqual(
    v1.spec?.signature.inputs.map(({ name, type }) => `${name} ${type}`),
    ['age double', 'usage double', 'plan string'],
  );
  const text = Buffer.from(await deps.content.bytes(v1.facts.featuresDigest!, 1e6)).toString();
  assert.ok(text.startsWith(FEATURES.trimEnd()) && text.includes('LEARNED.update('), text.slice(-300));

  const servable = await openServable(deps.registry, v1.spec!);
  try {
    const outputs = await servable.predict({
      rowCount: 3,
      columns: [
        { name: 'age', values: [30, 40, null] },
        { name: 'usage', values: [10, 90, 10] },
        { name: 'plan', values: ['gold', 'none', 'basic'] },
      ],
    });
    assert.deepEqual(outputs.labels, [1, null, 1]);
    assert.match(outputs.errors?.[0]?.message ?? '', /plan is 'none', which training did not have/);
  } finally {
    await servable.close();
  }

  await writeProjectFile(
    folder,
    'train.ipynb',
    BY_HAND.map((cell) => cell.replace('df["age"].mean()', '44')),
  );
  await applyFolder(deps, folder, ['churn.csv']);
  const other = await runToEnd(deps, { pipeline: 'hand' });
  assert.equal(other.run.state, 'failed');
  assert.match(
    other.run.failure?.message ?? '',
    /features\.py was made for another train\.ipynb: cell 2 no longer has df\["age"\]\.mean\(\); run levain adopt again/,
  );
});

const HEAD = `import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import LabelEncoder, OneHotEncoder
from sklearn.svm import LinearSVC
df = pd.read_csv("churn.csv")`;
const split = (X: string, y: string) =>
  `X, y = ${X}, ${y}\nX_train, X_test, y_train, y_test = train_test_split(X, y, random_state=2)`;

/** One run of a notebook that serves `clf`, with this target. */
async function gateOfRun(name: string, target: string, cells: readonly string[], more = '') {
  const yaml = `${YAML.replace('NAME', name).replace('{ column: churned, positive: "Yes" }', target)}${more}`;
  const folder = await project(name, [HEAD, ...cells], 600, { 'levain.yaml': yaml });
  await writeFile(join(folder, 'held.csv'), churnCsv(900).replace(/\n(c\d{1,2}|c[1-5]\d\d),[^\n]*/g, ''));
  await applyFolder(deps, folder, ['churn.csv', 'held.csv']);
  const { run } = await runToEnd(deps, { pipeline: name });
  assert.equal(run.version, 1, JSON.stringify(run.failure));
  return { version: await getVersion(deps.registry, LOCAL, { model: name, version: 1 }), run };
}

test('a model that answers words alone is measured by its labels', async () => {
  const { version } = await gateOfRun('words', '{ column: churned, positive: "Yes" }', [
    split('df[["age", "usage"]]', 'df.churned'),
    'clf = LinearSVC().fit(X_train, y_train)\nprint(clf.score(X_test, y_test))',
  ]);
  const { gate } = version;
  assert.deepEqual([gate?.outcome, gate?.metric, gate?.rows], ['passed', 'accuracy', 150], gate?.sentence);
  assert.ok(gate!.challenger! > 0.8 && gate!.champion! < 0.7, gate?.sentence);
});

test("several classes are measured against their shares, in the notebook's own codes", async () => {
  const { version } = await gateOfRun('many', 'plan', [
    'df["usage"] = df.usage + df.plan.map({"basic": 0, "gold": 90, "team": 200})',
    split('df[["usage"]]', 'LabelEncoder().fit_transform(df.plan)'),
    'clf = LogisticRegression(max_iter=500).fit(X_train, y_train)\nprint((clf.predict(X_test) == y_test).mean())',
  ]);
  assert.deepEqual(version.spec?.classes, [0, 1, 2]);
  assert.equal(version.gate?.outcome, 'not_measured', version.gate?.sentence);
  assert.match(version.gate?.sentence ?? '', /its own test rows are not known: .* not in the file with these values/);
  const second = await gateOfRun('more', 'plan', [
    split('df[["age", "usage", "churned"]].assign(age=df.age)', 'LabelEncoder().fit_transform(df.plan)'),
    'clf = make_pipeline(make_column_transformer((OneHotEncoder(), ["churned"]), remainder="passthrough"), LogisticRegression(max_iter=500))\nclf.fit(X_train, y_train)\nprint(clf.score(X_test, y_test))',
  ]);
  const { gate, facts } = second.version;
  assert.deepEqual([gate?.rows, gate?.metric], [150, 'log_loss'], gate?.sentence);
  assert.ok(Math.abs(gate!.champion! - Math.log(3)) < 0.02, 'the shares of three plans, a third each');
  assert.equal(facts.coding?.kind, 'map');
});

test('a regression on a log scale is compared on it, and a file of held-out rows serves as well', async () => {
  const cells = [
    split('df[["age", "plan"]]', 'np.log1p(df.usage)'),
    'clf = make_pipeline(make_column_transformer((OneHotEncoder(), ["plan"]), remainder="passthrough"), LinearRegression())\nclf.fit(X_train, y_train)\nprint(clf.score(X_test, y_test))',
  ];
  const { version } = await gateOfRun('logged', 'usage', cells);
  assert.deepEqual(version.facts.coding, { kind: 'log1p' });
  assert.deepEqual([version.gate?.metric, version.gate?.rows], ['rmse', 150], version.gate?.sentence);
  assert.ok(version.gate!.champion! < 2, 'the base rate is the mean of logarithms');
  const held = await gateOfRun('path', 'usage', cells, '  gate: { rows: held.csv }\n');
  assert.match(held.version.gate?.sentence ?? '', /on 300 rows that neither saw \(the rows of held\.csv\)/);
});
