import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runPython, testPython } from '../../../test/support/python.ts';
import { tempDir } from '../../../test/support/temp.ts';
import { createUvEnvironments } from '../../adapters/uv/index.ts';
import type { AdoptDeps } from '../deps.ts';
import { toRefused } from '../refusal.ts';
import { AdoptFiles, AdoptSpec, type Question } from '../types.ts';
import { adoptSource } from './index.ts';
import { fromConda, fromPythonEnv } from './requirements.ts';

const python = await testPython();
const skip = python ? false : 'no Python environment could be built (uv and a package index are needed)';

async function folderWith(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = tempDir();
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  return folder;
}

/** Shared, so that an environment is built once. */
const environments = createUvEnvironments({ dataDir: tempDir(), compile: false });

interface Asked {
  readonly questions: Question[];
  answer?: string;
}

/** Kernels are not started for these sources: asking for one is a fault. */
function depsFor(asked: Asked): AdoptDeps {
  return {
    environments,
    kernels: { start: () => Promise.reject(new Error('no kernel is needed here')) },
    clock: Date,
    env: process.env,
    pythonPath: fileURLToPath(new URL('../../../python', import.meta.url)),
    python: 'python3',
    onEnd: () => undefined,
    conversation: {
      progress: () => undefined,
      end: async () => undefined,
      ask: async (question) => {
        asked.questions.push(question);
        return asked.answer ?? question.options[0]!.value;
      },
    },
  };
}

async function adopt(source: string, asked: Asked = { questions: [] }, more: Partial<AdoptSpec> = {}) {
  const spec = AdoptSpec.parse({ source, folder: source, dataDir: tempDir(), work: tempDir(), ...more });
  const result = await adoptSource(depsFor(asked), spec);
  return AdoptFiles.parse(result);
}

const refused = async (work: Promise<unknown>) =>
  work.then(
    () => assert.fail('it was adopted'),
    (error) => toRefused(error),
  );

const DVC = `
stages:
  prepare:
    cmd: python prepare.py data/raw.csv out/prepared
    deps: [data/raw.csv, prepare.py]
    params: [prepare.split]
    outs: [out/prepared]
  train:
    wdir: model
    cmd:
      - python train.py --lr \${train.lr}
    deps: [../out/prepared, train.py]
    outs: [model.pkl, scaler.pkl]
    metrics: [{ metrics.json: { cache: false } }]
`;

test('stages of dvc.yaml become steps, tracked files data, templated values parameters', async () => {
  const folder = await folderWith({
    'dvc.yaml': DVC,
    'params.yaml': 'prepare: { split: 0.2 }\ntrain: { lr: 0.5 }\n',
    'data/raw.csv': 'a\n1\n',
    'data/raw.csv.dvc': 'outs: []\n',
    'prepare.py': '',
    'model/train.py': '',
    'requirements.lock': '# python: 3.11\n',
  });
  const { project, kind, files } = await adopt(folder);
  assert.equal(kind, 'dvc');
  assert.deepEqual(files, []);
  assert.deepEqual(project, {
    data: { raw: { from: 'data/raw.csv' } },
    params: { train_lr: 0.5 },
    steps: {
      prepare: {
        run: 'python prepare.py data/raw.csv out/prepared',
        in: ['data:raw', 'prepare.py', 'params.yaml'],
        out: ['out/prepared'],
      },
      train: {
        run: 'cd model && python train.py --lr "$LEVAIN_PARAM_TRAIN_LR"',
        in: ['out/prepared', 'model/train.py'],
        out: ['model/model.pkl', 'model/scaler.pkl', 'model/metrics.json'],
      },
    },
    model: { from: 'train:model/model.pkl' },
  });
});

test('stages made many times over are refused by name', async () => {
  const folder = await folderWith({ 'dvc.yaml': 'stages: { t: { foreach: [1, 2], do: { cmd: x } } }' });
  assert.match((await refused(adopt(folder))).message, /Stage t of dvc\.yaml is made many times over/);
});

test('the main entry point of MLproject becomes a step with its parameters', async () => {
  const folder = await folderWith({
    MLproject:
      'name: My Churn\nentry_points:\n  main:\n    parameters:\n      data: { type: path, default: churn.csv }\n      c: { type: float, default: 0.5 }\n      out: string\n    command: "python train.py {data} --c {c} {out}"\n  validate: { command: "python v.py" }\n',
    'churn.csv': 'a\n1\n',
    'train.py': 'import mlflow\nmlflow.sklearn.autolog()\n',
    'requirements.lock': '# python: 3.11\n',
  });
  const { project, name, left } = await adopt(folder);
  assert.equal(name, 'my-churn');
  assert.deepEqual(project, {
    data: { churn: { from: 'churn.csv' } },
    params: { data: 'churn.csv', c: 0.5, out: '' },
    steps: { train: { run: 'python train.py "$LEVAIN_PARAM_DATA" --c "$LEVAIN_PARAM_C" "$LEVAIN_PARAM_OUT"' } },
    model: { from: 'train' },
  });
  assert.ok(left.some((line) => /validate/.test(line)) && left.some((line) => /Parameter out/.test(line)));
});

test('conda.yaml and python_env.yaml become lines for a lock', () => {
  const conda = fromConda(
    'dependencies:\n  - python=3.9\n  - pandas=1.3\n  - numpy=1.21.2=py39h\n  - conda-forge::py-xgboost>=1.5\n  - cudatoolkit\n  - pip:\n    - mlflow==2.1\n',
  );
  assert.deepEqual(conda.lines, ['pandas==1.3.*', 'numpy==1.21.2', 'xgboost>=1.5', 'mlflow==2.1']);
  assert.equal(conda.pythonVersion, '3.9');
  assert.match(conda.left[0]!, /cudatoolkit/);
  const env = fromPythonEnv('python: "3.10.4"\nbuild_dependencies: [pip]\ndependencies: [scikit-learn==1.2]\n');
  assert.deepEqual([env.pythonVersion, env.lines], ['3.10', ['scikit-learn==1.2']]);
});

const MODELS = `
import os, pickle, sys, joblib, numpy, pandas
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
folder = sys.argv[1]
rng = numpy.random.RandomState(0)
X = pandas.DataFrame({"age": rng.randint(18, 80, 200), "income": rng.randn(200)})
y = numpy.where(X.income > 0, "yes", "no")
joblib.dump(LogisticRegression().fit(X, y), folder + "/lr.joblib")
pickle.dump(SVC().fit(X, y), open(folder + "/svc.pkl", "wb"))
pickle.dump(StandardScaler().fit(X), open(folder + "/scaler.pkl", "wb"))
X.assign(churn=y).to_csv(folder + "/churn.csv", index=False)
`;

const EVIL =
  'import os, pickle, sys\nclass E:\n    def __reduce__(self):\n        return os.system, ("touch " + sys.argv[2],)\npickle.dump(E(), open(sys.argv[1] + "/model.pkl", "wb"))';

test('a folder of models asks which, and what Python runs is loaded only when that is allowed', { skip }, async () => {
  const folder = tempDir();
  await runPython(python!, ['-c', MODELS, folder]);
  const asked: Asked = { questions: [] };
  const { project, files, found, warnings } = await adopt(folder, asked);
  assert.deepEqual(
    asked.questions.map(({ kind }) => kind),
    ['model'],
  );
  assert.deepEqual(
    asked.questions[0]!.options.map(({ label }) => label),
    ['lr.joblib', 'svc.pkl'],
  );
  assert.deepEqual(project['data'], { churn: { from: 'churn.csv' } });
  assert.deepEqual(project['model'], {
    from: 'take:served/',
    task: 'binary',
    target: { column: 'churn', positive: 'yes' },
  });
  assert.match(files.find(({ path }) => path === 'lr.MLmodel')!.text, /"name": "age"/);
  assert.match(files.find(({ path }) => path === 'requirements.lock')!.text, /^# python: 3/);
  assert.match(found.at(-1)!, /needs no Python to answer.*agree with churn/);
  assert.match(warnings[0]!, /scaler\.pkl is a StandardScaler, which prepares rows/);

  const no = await refused(adopt(folder, { questions: [] }, { model: 'svc' }));
  assert.equal(no.code, 'not_loaded');
  const yes = await adopt(folder, { questions: [], answer: 'yes' }, { model: 'svc' });
  assert.match(yes.found.at(-1)!, /runs in a Python worker/);
});

test('a pickle that would run a command is refused by the command’s name and never loaded', { skip }, async () => {
  const folder = tempDir();
  const mark = join(folder, 'ran');
  await runPython(python!, ['-c', EVIL, folder, mark]);
  const { code, message } = await refused(adopt(folder, { questions: [], answer: 'yes' }));
  assert.equal(code, 'dangerous_model');
  assert.match(message, /model\.pkl would run posix\.system when loaded/);
  assert.equal(existsSync(mark), false);
});

test('a file that is no model is named as such', async () => {
  const folder = await folderWith({ 'model.pkl': 'not a pickle', 'notes.txt': 'tree of life' });
  const { code, message } = await refused(adopt(folder));
  assert.equal(code, 'no_model');
  assert.match(message, /model\.pkl/);
  assert.equal((await readFile(join(folder, 'notes.txt'), 'utf8')).length > 0, true);
});
