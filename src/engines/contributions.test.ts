import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runPython, SKLEARN, testPython } from '../../test/support/python.ts';
import { createPythonWorkers } from '../adapters/python-worker/index.ts';
import { systemClock } from '../adapters/system/index.ts';
import { makeForest, seeded } from '../gateway/testing/models.ts';
import type { Frame } from '../kernel/frame.ts';
import { sha256 } from '../kernel/hash.ts';
import type { Log } from '../ports/system.ts';
import { exactShapley, type Mixed } from '../stats/shapley.ts';
import { explainByMixtures, openExplainer } from './contributions.ts';
import { additiveModelOf } from './contributions-additive.ts';
import { convertBytes } from './convert.ts';
import { readEngine } from './engine-file.ts';
import { ENGINE_FORMAT, type EngineModel } from './model.ts';
import { compileModel } from './predictor.ts';
import { loadServable } from './servable.ts';
import type { ServableIo, ServableSpec } from './types.ts';

/** One model with what the shap package says of it, beside the same background rows. Written by test/support/explain_models.py. */
interface Explained {
  readonly name: string;
  readonly file: string;
  readonly scale: string;
  readonly columns: readonly string[];
  readonly background: readonly (readonly number[])[];
  readonly rows: readonly (readonly number[])[];
  readonly predict: readonly (number | string)[];
  readonly base: readonly number[];
  /** rows × columns, or rows × columns × classes. */
  readonly values: readonly (readonly (number | readonly number[])[])[];
}

const python = await testPython([...SKLEARN, 'shap']);
const skip = python ? false : 'no Python environment with shap could be built';
const folder = await mkdtemp(join(tmpdir(), 'levain-explained-'));
after(() => rm(folder, { recursive: true, force: true }));

async function run(executable: string, script: string): Promise<void> {
  await runPython(executable, [fileURLToPath(new URL(`../../test/support/${script}`, import.meta.url)), folder]);
}

if (python) await run(python, 'explain_models.py');
const models: Explained[] = python ? JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')) : [];

const frameOf = (columns: readonly string[], rows: readonly (readonly number[])[]): Frame => ({
  rowCount: rows.length,
  columns: columns.map((name, j) => ({ name, values: Float64Array.from(rows, (row) => row[j]!) })),
});

async function engineOf(file: string): Promise<EngineModel> {
  const converted = convertBytes(await readFile(join(folder, file)));
  assert.ok(converted.engine === 'levain', file);
  return readEngine(converted.bytes);
}

/** Relative to the larger of the number and the output that it is a part of: shap weighs in float32. */
const close = (a: number, b: number, whole = 1): boolean =>
  Math.abs(a - b) <= 1e-6 * Math.max(1, Math.abs(b), Math.abs(whole) / 10);

test('models were explained by shap', { skip }, () => assert.ok(models.length >= 19));

for (const model of models) {
  test(`contributions of ${model.name} are shap's, and add up to the output`, async () => {
    const explained = additiveModelOf(await engineOf(model.file), new Set())!;
    const others = frameOf(model.columns, model.background);
    for (const [i, row] of model.rows.entries()) {
      const own = frameOf(model.columns, [row]);
      // shap's single column of a binary margin speaks of the second class.
      const classes = Array.isArray(model.values[0]![0]) ? model.base.map((_, k) => k) : [1];
      for (const index of classes) {
        const found = (await explained.explain(own, others, { index, background: others.rowCount }))!;
        const told = `${model.name} row ${i} class ${index}`;
        assert.equal(found.scale, model.scale, told);
        const base = model.base.length === 1 ? model.base[0]! : model.base[index]!;
        assert.ok(close(found.base, base), `${told}: base ${found.base}, shap ${base}`);
        for (const [j, value] of model.values[i]!.entries()) {
          const theirs = typeof value === 'number' ? value : value[index]!;
          assert.ok(
            close(found.values[j]!, theirs, base),
            `${told} ${model.columns[j]}: ${found.values[j]}, shap ${theirs}`,
          );
        }
        const sum = found.values.reduce((a, b) => a + b, found.base);
        assert.ok(close(sum, found.output), `${told}: ${sum} is not ${found.output}`);
      }
    }
  });
}

test('the output that contributions add up to is the answer itself', { skip }, async () => {
  for (const model of models) {
    const engine = await engineOf(model.file);
    const own = frameOf(model.columns, [model.rows[0]!]);
    const answer = compileModel(engine)(own);
    const others = frameOf(model.columns, model.background);
    const found = (await additiveModelOf(engine, new Set())!.explain(own, others, { index: 1, background: 40 }))!;
    const p = answer.probabilities?.[1]?.[0] ?? answer.scores[0]!;
    const expected = found.scale === 'logit' ? Math.log(p / (1 - p)) : p;
    if (found.scale !== 'score')
      assert.ok(close(found.output, expected), `${model.name}: ${found.output}, ${expected}`);
  }
});

interface Fitted {
  readonly name: string;
  readonly files: readonly string[];
  readonly columns: readonly { readonly name: string; readonly values: readonly (number | string | null)[] }[];
}

/** The background by hand: mixtures of cells, answered by the compiled model. */
function mixtures(engine: EngineModel, { columns }: Fitted, row: number, scale: string) {
  const predict = compileModel(engine);
  return async (rows: readonly Mixed[]): Promise<Float64Array> => {
    const frame: Frame = {
      rowCount: rows.length,
      columns: columns.map(({ name, values }, j) => ({
        name,
        values: rows.map(({ own, other }) => values[own.includes(j) ? row : other] ?? null),
      })),
    };
    const { probabilities, scores } = predict(frame);
    const p = probabilities?.[1] ?? scores;
    return scale === 'logit' ? p.map((x) => Math.log(x / (1 - x))) : scale === 'log' ? p.map(Math.log) : p;
  };
}

test('with missing values, categories and everything that stands before a model, they are those of all mixtures of raw columns', {
  skip,
}, async () => {
  await run(python!, 'fit_models.py');
  const fitted: Fitted[] = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8'));
  let checked = 0;
  for (const model of fitted) {
    if (model.columns.length > 10) continue;
    const engine = await engineOf(model.files[0]!);
    const additive = additiveModelOf(engine, new Set());
    if (!additive) continue;
    const pick = (from: number, to: number): Frame => ({
      rowCount: to - from,
      columns: model.columns.map(({ name, values }) => ({ name, values: values.slice(from, to) })),
    });
    for (const row of [10, 23]) {
      const found = await additive.explain(pick(row, row + 1), pick(0, 4), { index: 1, background: 4 });
      if (!found || found.scale === 'score' || found.background < 4) continue;
      const ask = mixtures(engine, model, row, found.scale);
      const all = await exactShapley(model.columns.length, { background: 4 }, ask);
      if (all.counted < 4 || all.values.some((x) => !Number.isFinite(x))) continue;
      for (const [j, value] of all.values.entries())
        assert.ok(close(found.values[j]!, value), `${model.name} ${row} ${j}: ${found.values[j]}, ${value}`);
      checked += 1;
    }
  }
  assert.ok(checked > 10, String(checked));
});

async function specOf(model: Explained, more: Partial<ServableSpec> = {}): Promise<ServableSpec> {
  const converted = convertBytes(await readFile(join(folder, model.file)));
  assert.ok(converted.engine === 'levain');
  const digest = await kept(converted.bytes);
  return {
    model: model.name,
    version: 1,
    versionId: model.name,
    task: converted.classes ? (converted.classes.length === 2 ? 'binary' : 'multiclass') : 'regression',
    signature: { inputs: model.columns.map((name) => ({ name, type: 'double', required: true })), outputs: [] },
    ...(converted.classes && { classes: converted.classes }),
    engine: { kind: 'levain', digest, format: ENGINE_FORMAT },
    ...more,
  };
}

async function kept(bytes: Uint8Array): Promise<string> {
  const digest = sha256(bytes);
  await writeFile(join(folder, digest), bytes);
  return digest;
}

const quiet = (): void => {};
const log: Log = { debug: quiet, info: quiet, warn: quiet, error: quiet, child: () => log };
const pythonPath = fileURLToPath(new URL('../../python', import.meta.url));
const workers = createPythonWorkers({ clock: systemClock, log, pythonPath });
after(() => workers.close());
const io: ServableIo = { localPath: async (digest) => join(folder, digest), workers };

test('the columns of a version are named with their values, the one that mattered most first', { skip }, async () => {
  const model = models.find(({ name }) => name === 'forest-three')!;
  const explainer = await openExplainer(await specOf(model), io);
  const row = frameOf(model.columns, [model.rows[0]!]);
  const found = await explainer.explain(row, frameOf(model.columns, model.background));
  assert.deepEqual([found.method, found.scale, found.of], ['exact', 'probability', model.predict[0]]);
  const index = [0, 1, 2].indexOf(Number(found.of));
  for (const { name, value, contribution } of found.features) {
    const j = model.columns.indexOf(name);
    assert.equal(value, model.rows[0]![j]);
    assert.ok(close(contribution, (model.values[0]![j] as readonly number[])[index]!), name);
  }
  await explainer.close();
});

test('chance orders over a servable come within their error of the exact values', { skip }, async () => {
  const model = models.find(({ name }) => name === 'forest')!;
  const servable = await loadServable(await specOf(model), io);
  const own = frameOf(model.columns, [model.rows[1]!]);
  const others = frameOf(model.columns, model.background);
  const asked = { own, others, target: { index: 1, label: 1, isRegression: false } };
  const exact = await explainByMixtures(servable, asked);
  const sampled = await explainByMixtures(servable, asked, { exactColumns: 3 });
  assert.deepEqual([exact.method, sampled.method], ['exact', 'sampled']);
  for (const { name, contribution } of exact.features)
    assert.ok(close(contribution, (model.values[1]![model.columns.indexOf(name)] as readonly number[])[1]!), name);
  for (const { name, contribution, error } of sampled.features) {
    const theirs = exact.features.find((feature) => feature.name === name)!.contribution;
    assert.ok(Math.abs(contribution - theirs) <= 5 * error! + 1e-9, `${name}: ${contribution} ± ${error}, ${theirs}`);
  }
  const sum = sampled.features.reduce((total, { contribution }) => total + contribution, sampled.base);
  assert.ok(close(sum, sampled.output));
  await servable.close();
});

test('where features.py stands before a model, the columns are the raw ones', { skip }, async () => {
  const model = models.find(({ name }) => name === 'ridge')!;
  const features = await kept(
    Buffer.from(
      'def features(df):\n    out = df.copy()\n    out["age"] = out["years"] / 10\n    return out.drop(columns=["years"])\n',
    ),
  );
  const raw = model.columns.map((name) => (name === 'age' ? 'years' : name));
  const times = (rows: readonly (readonly number[])[]) =>
    rows.map((row) => row.map((x, j) => (raw[j] === 'years' ? x * 10 : x)));
  const spec = await specOf(model, {
    signature: { inputs: raw.map((name) => ({ name, type: 'double', required: true })), outputs: [] },
    features: { digest: features },
    python: { envDigest: 'test', executable: python! },
  });
  const explainer = await openExplainer(spec, io);
  const found = await explainer.explain(frameOf(raw, times([model.rows[0]!])), frameOf(raw, times(model.background)));
  assert.deepEqual([found.method, found.scale, found.background], ['exact', 'response', 40]);
  for (const { name, contribution } of found.features)
    assert.ok(close(contribution, model.values[0]![raw.indexOf(name)] as number, 100), name);
  await explainer.close();
});

test('a forest that is too deep for all background rows is asked beside fewer, and still adds up', async () => {
  const made = makeForest({ version: 1, trees: 300, depth: 11, columns: 12 });
  assert.ok(made.spec.engine.kind === 'levain');
  const engine = readEngine(made.contents.get(made.spec.engine.digest)!);
  const draw = (n: number, seed: number): Frame => {
    const random = seeded(seed);
    const rows = Array.from({ length: n }, () => Array.from({ length: 12 }, random));
    return frameOf(
      rows[0]!.map((_, j) => `x${j}`),
      rows,
    );
  };
  const found = (await additiveModelOf(engine, new Set())!.explain(draw(1, 1), draw(3_000, 2), {
    index: 1,
    background: 3_000,
  }))!;
  assert.ok(found.background >= 20 && found.background < 3_000, String(found.background));
  const sum = found.values.reduce((a, b) => a + b, found.base);
  assert.ok(close(sum, found.output));
});
