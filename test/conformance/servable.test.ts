import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createPythonWorkers } from '../../src/adapters/python-worker/index.ts';
import {
  compareGolden,
  computeGolden,
  convertModel,
  decodeGolden,
  ENGINE_FORMAT,
  encodeGolden,
  inferSignature,
  loadServable,
  PARITY_TOLERANCE,
  type ServableSpec,
} from '../../src/engines/index.ts';
import { isAppError } from '../../src/kernel/errors.ts';
import { type Frame, takeRows } from '../../src/kernel/frame.ts';
import { sha256 } from '../../src/kernel/hash.ts';
import type { PythonWorkers } from '../../src/ports/python-worker.ts';
import type { Clock, Log } from '../../src/ports/system.ts';
import { runPython, SKLEARN, testPython } from '../support/python.ts';

const python = await testPython([...SKLEARN, 'mlflow-skinny']);
const skip = python ? false : 'no Python environment could be built (uv and a package index are needed)';

/** A model as a user makes it: features.py on raw rows, a pipeline, logged by mlflow; and one that only Python can run. */
const TRAIN = `
import json, sys
import numpy as np, pandas as pd, mlflow.sklearn
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OrdinalEncoder
out = sys.argv[1]
rng = np.random.default_rng(0)
n = 600
raw = pd.DataFrame({
  "origin": rng.choice(["ATL", "ORD", "JFK"], n), "destination": rng.choice(["SEA", "BOS"], n),
  "date": pd.Timestamp("2001-01-01") + pd.to_timedelta(rng.integers(0, 60 * 24 * 60, n), "min"),
  "distance": rng.integers(100, 2800, n),
})
sys.path.insert(0, out)
from features import features
X = features(raw)
y = np.where((X.hour > 14) & (raw.origin == "ORD") | (rng.random(n) < 0.1), "late", "fine")
columns = ColumnTransformer([
  ("places", OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), ["origin", "destination"]),
  ("numbers", "passthrough", ["hour", "weekday", "distance"]),
])
model = Pipeline([("columns", columns), ("model", HistGradientBoostingClassifier(categorical_features=[0, 1], max_iter=30))]).fit(X, y)
mlflow.sklearn.save_model(model, out + "/boosting", serialization_format="cloudpickle", pip_requirements=[])
knn = make_pipeline(columns, KNeighborsClassifier()).fit(X, y)
mlflow.sklearn.save_model(knn, out + "/neighbours", serialization_format="cloudpickle", pip_requirements=[])
rows = raw.head(100).assign(date=raw.date.head(100).dt.strftime("%Y-%m-%dT%H:%M:%S"))
json.dump({"rowCount": 100, "columns": [{"name": c, "values": rows[c].tolist()} for c in rows]}, open(out + "/rows.json", "w"))
json.dump(model.predict_proba(X.head(100))[:, list(model.classes_).index("late")].tolist(), open(out + "/scores.json", "w"))
`;

const FEATURES = `
import pandas as pd

def features(df):
    if (df["distance"] == 666).any():
        raise ValueError("no such distance")
    return pd.DataFrame({
        "origin": df["origin"], "destination": df["destination"],
        "hour": df["date"].dt.hour, "weekday": df["date"].dt.dayofweek, "distance": df["distance"],
    })
`;

const log: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {}, child: () => log };
const clock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      signal?.addEventListener('abort', () => {
        clearTimeout(timer);
        resolve();
      });
    }),
};

const pythonPath = fileURLToPath(new URL('../../python', import.meta.url));
let folder: string;
let workers: PythonWorkers;
let rows: Frame;
const content = new Map<string, string>();
const io = () => ({ localPath: async (digest: string) => content.get(digest) ?? `/missing/${digest}`, workers, clock });

async function store(path: string, bytes?: Uint8Array): Promise<{ path: string; digest: string; sizeBytes: number }> {
  if (bytes) await writeFile(path, bytes);
  const data = await readFile(path);
  const digest = sha256(data);
  content.set(digest, path);
  return { path, digest, sizeBytes: data.length };
}

before(async () => {
  if (!python) return;
  folder = await mkdtemp(join(tmpdir(), 'levain-servable-'));
  await writeFile(join(folder, 'features.py'), FEATURES);
  await writeFile(join(folder, 'train.py'), TRAIN);
  await runPython(python, [join(folder, 'train.py'), folder]);
  rows = JSON.parse(await readFile(join(folder, 'rows.json'), 'utf8')) as Frame;
  workers = createPythonWorkers({ clock, log, pythonPath, limits: { backoffMs: 1 } });
});

after(async () => {
  if (!python) return;
  await workers.close();
  await rm(folder, { recursive: true });
});

async function boosting(changes: Partial<ServableSpec> = {}): Promise<ServableSpec> {
  const converted = await convertModel(join(folder, 'boosting'));
  assert.ok(converted.engine === 'levain');
  const engine = await store(join(folder, 'engine'), converted.bytes);
  const features = await store(join(folder, 'features.py'));
  return {
    model: 'flights',
    version: 1,
    versionId: 'v',
    task: converted.task,
    signature: inferSignature(rows, { date: 'datetime' }),
    classes: converted.classes!,
    positive: 'late',
    engine: { kind: 'levain', digest: engine.digest, format: ENGINE_FORMAT },
    features: { digest: features.digest },
    python: { envDigest: 'e', executable: python! },
    ...changes,
  };
}

async function neighbours(): Promise<ServableSpec> {
  const files = [];
  for (const name of ['MLmodel', 'model.pkl'])
    files.push({ ...(await store(join(folder, 'neighbours', name))), path: name });
  return { ...(await boosting()), engine: { kind: 'python', files } };
}

test('raw rows go through features.py and the engine and come out as in the notebook', { skip }, async () => {
  const servable = await loadServable(await boosting(), io());
  assert.equal(servable.predictSync, undefined);
  const outputs = await servable.predict(rows);
  const scores = JSON.parse(await readFile(join(folder, 'scores.json'), 'utf8')) as number[];
  for (const [i, score] of scores.entries()) assert.ok(Math.abs(score - outputs.scores[i]!) < 1e-12);
  await servable.close();
});

test('golden rows of the training environment are met by the engine', { skip }, async () => {
  const spec = await boosting();
  const model = {
    featuresPath: join(folder, 'features.py'),
    modelPath: join(folder, 'boosting'),
    types: Object.fromEntries(spec.signature.inputs.map(({ name, type }) => [name, type])),
  };
  const golden = await computeGolden(workers, {
    python: python!,
    model,
    rows: checkedRows(spec),
    task: 'binary',
    classes: spec.classes!,
  });
  assert.match(golden.libraries['scikit-learn'] ?? '', /^1\./);
  const copy = decodeGolden(encodeGolden(golden));
  assert.deepEqual(copy, golden);
  const servable = await loadServable(spec, io());
  const parity = await compareGolden(servable, copy);
  assert.ok(
    parity.maxDifference <= PARITY_TOLERANCE && parity.flips === 0 && parity.rows === 100,
    JSON.stringify(parity),
  );
  await servable.close();
});

/** Datetimes as the signature check leaves them. */
const checkedRows = (spec: ServableSpec): Frame => ({
  rowCount: rows.rowCount,
  columns: rows.columns.map(({ name, values }) => {
    const type = spec.signature.inputs.find((c) => c.name === name)?.type;
    return type === 'datetime'
      ? { name, values: Float64Array.from(values, (v) => Date.parse(`${v}Z`)) }
      : { name, values };
  }),
});

test('parity sees a model that answers otherwise', { skip }, async () => {
  const spec = await boosting();
  const model = {
    featuresPath: join(folder, 'features.py'),
    modelPath: join(folder, 'neighbours'),
    types: { date: 'datetime' },
  };
  const golden = await computeGolden(workers, {
    python: python!,
    model,
    rows: checkedRows(spec),
    task: 'binary',
    classes: spec.classes!,
  });
  const servable = await loadServable(spec, io());
  const parity = await compareGolden(servable, golden);
  assert.ok(parity.maxDifference > PARITY_TOLERANCE && parity.flips > 0);
  await servable.close();
});

test('a model that only Python can run is served by the worker, with features', { skip }, async () => {
  const converted = await convertModel(join(folder, 'neighbours'));
  assert.ok(converted.engine === 'python' && converted.allowed && /KNeighborsClassifier/.test(converted.reason));
  const servable = await loadServable(await neighbours(), io());
  const outputs = await servable.predict(rows);
  assert.equal(outputs.probabilities?.length, 2);
  assert.ok(outputs.labels.every((label) => label === 'late' || label === 'fine'));
  const late = servable.spec.classes!.indexOf('late');
  assert.deepEqual(outputs.scores, outputs.probabilities![late]);
  await servable.close();
});

test('a row that fails in features.py is an error of that row', { skip }, async () => {
  const servable = await loadServable(await boosting(), io());
  const few = takeRows(rows, [0, 1, 2]);
  const broken = {
    ...few,
    columns: few.columns.map((c) => (c.name === 'distance' ? { ...c, values: [c.values[0]!, 666, c.values[2]!] } : c)),
  };
  const outputs = await servable.predict(broken);
  assert.deepEqual(outputs.errors, [{ row: 1, message: 'no such distance' }]);
  assert.equal(outputs.labels[1], null);
  assert.deepEqual(
    [outputs.scores[0], outputs.scores[2]],
    [...(await servable.predict(takeRows(rows, [0, 2]))).scores],
  );
  await servable.close();
});

test('rows that break the signature are refused before anything runs', { skip }, async () => {
  const servable = await loadServable(await boosting(), io());
  const short = { rowCount: 1, columns: takeRows(rows, [0]).columns.filter((c) => c.name !== 'distance') };
  await assert.rejects(
    servable.predict(short),
    (e) => isAppError(e, 'invalid') && e.message === 'Column "distance" is missing; expected long',
  );
  await servable.close();
});

test('content that does not match its digest is refused', { skip }, async () => {
  const spec = await boosting();
  const wrong = await store(join(folder, 'other'), Buffer.from('other'));
  content.set('a'.repeat(64), wrong.path);
  const engine = { kind: 'levain' as const, digest: 'a'.repeat(64), format: ENGINE_FORMAT };
  await assert.rejects(
    loadServable({ ...spec, engine }, io()),
    (e) => isAppError(e, 'invalid') && /other bytes/.test(e.message),
  );
});

test('a threshold moves labels and leaves scores alone', { skip }, async () => {
  const plain = await loadServable(await boosting(), io());
  const strict = await loadServable(await boosting({ threshold: 0.9 }), io());
  const [a, b] = await Promise.all([plain.predict(rows), strict.predict(rows)]);
  assert.deepEqual(a.scores, b.scores);
  assert.deepEqual(
    b.labels,
    Array.from(b.scores, (s) => (s >= 0.9 ? 'late' : 'fine')),
  );
  await plain.close();
  await strict.close();
});

test('faults do what a rehearsal asks', { skip }, async () => {
  const constant = await loadServable(await boosting({ fault: { kind: 'constant', value: 0.9 } }), io());
  const outputs = await constant.predict(rows);
  assert.ok(outputs.scores.every((s) => s === 0.9) && outputs.labels.every((label) => label === 'late'));
  await constant.close();
  let drawn = 0;
  const random = { next: () => (drawn++ % 4) / 4, fill: () => undefined };
  const errors = await loadServable(await boosting({ fault: { kind: 'errors', share: 0.25 } }), { ...io(), random });
  assert.equal((await errors.predict(rows)).errors?.length, 25);
  await errors.close();
  const slept: number[] = [];
  const sleep = async (ms: number): Promise<void> => void slept.push(ms);
  const slow = await loadServable(await boosting({ fault: { kind: 'slow', ms: 50 } }), { ...io(), clock: { sleep } });
  await slow.predict(rows);
  assert.deepEqual(slept, [50]);
  await slow.close();
});

test('the golden command writes what decodeGolden reads', { skip }, async () => {
  const out = join(folder, 'golden.json');
  const features = ['--features', join(folder, 'features.py'), '--types', JSON.stringify({ date: 'datetime' })];
  const spec = await boosting();
  const raw = join(folder, 'raw.json');
  const { columns, rowCount } = checkedRows(spec);
  await writeFile(raw, JSON.stringify({ rowCount, columns: columns.map((c) => ({ ...c, values: [...c.values] })) }));
  const args = [
    '-m',
    'levain_runtime.golden',
    '--model',
    join(folder, 'boosting'),
    ...features,
    '--rows',
    raw,
    '--out',
    out,
  ];
  await runPython(python!, args, { PYTHONPATH: pythonPath });
  const golden = decodeGolden(await readFile(out));
  const servable = await loadServable(spec, io());
  const parity = await compareGolden(servable, golden);
  assert.ok(parity.maxDifference <= PARITY_TOLERANCE && parity.flips === 0);
  await servable.close();
});
