import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runPython, testPython } from '../../test/support/python.ts';
import { isAppError } from '../kernel/errors.ts';
import type { Cell, Frame } from '../kernel/frame.ts';
import { convertBytes } from './convert.ts';
import { readEngine, writeEngine } from './engine-file.ts';
import { toNumberRow } from './number-row.ts';
import { compileModel } from './predictor.ts';
import type { Signature } from './signature.ts';
import type { Outputs } from './types.ts';

/** One fitted model: its files, rows, and what scikit-learn says of them. Written by test/support/fit_models.py. */
interface Fitted {
  readonly name: string;
  readonly files: readonly string[];
  readonly rowCount: number;
  readonly columns: readonly { readonly name: string; readonly values: readonly Cell[] }[];
  readonly predict: readonly Cell[];
  readonly classes?: readonly Cell[];
  readonly probabilities?: readonly (readonly number[])[];
}

const python = await testPython();
const folder = await mkdtemp(join(tmpdir(), 'levain-models-'));
const models = python ? await fit(python) : [];
after(() => rm(folder, { recursive: true, force: true }));

async function fit(executable: string): Promise<Fitted[]> {
  await runPython(executable, [fileURLToPath(new URL('../../test/support/fit_models.py', import.meta.url)), folder]);
  return JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')) as Fitted[];
}

/** The table of what conversion may cost, as |d| / max(1, |y|). Trees are exact. */
const TOLERANCES: readonly [RegExp, number][] = [
  [/^(tree|forest|extra|selector|no-names|boosting-regressor|hist-regressor)/, 0],
  [/^(boosting|hist|flights|remainder|calibrated-hist|calibrated-isotonic)/, 3.4e-16],
  [/./, 1e-12],
];
const tolerance = (name: string): number => TOLERANCES.find(([pattern]) => pattern.test(name))![1];

const frameOf = ({ rowCount, columns }: Fitted): Frame => ({ rowCount, columns });

function worstDifference(model: Fitted, outputs: Outputs): number {
  const pairs: [number, number][] = [];
  if (!model.classes) for (const [i, value] of model.predict.entries()) pairs.push([Number(value), outputs.scores[i]!]);
  for (const [k, part] of model.probabilities?.entries() ?? [])
    for (const [i, p] of part.entries()) pairs.push([p, outputs.probabilities![k]![i]!]);
  return pairs.reduce(
    (worst, [theirs, ours]) => Math.max(worst, Math.abs(theirs - ours) / Math.max(1, Math.abs(theirs))),
    0,
  );
}

for (const model of models) {
  test(`${model.name} answers as scikit-learn does, from each of ${model.files.length} files`, async () => {
    for (const file of model.files) {
      const converted = convertBytes(await readFile(join(folder, file)));
      assert.ok(converted.engine === 'levain', `${file}: ${JSON.stringify(converted)}`);
      const outputs = compileModel(readEngine(converted.bytes))(frameOf(model));
      assert.equal(outputs.errors, undefined, `${file}: ${JSON.stringify(outputs.errors?.[0])}`);
      if (model.classes) assert.deepEqual(outputs.labels, model.predict, file);
      const worst = worstDifference(model, outputs);
      assert.ok(worst <= tolerance(model.name), `${file} differs by ${worst}`);
    }
  });
}

test('models were fitted', { skip: python ? false : 'no Python environment could be built' }, () => {
  assert.ok(models.length > 40);
});

const load = async (name: string) => {
  const model = models.find((m) => m.name === name)!;
  const converted = convertBytes(await readFile(join(folder, model.files[0]!)));
  assert.ok(converted.engine === 'levain');
  return { model, converted, engine: readEngine(converted.bytes) };
};

test('one row answers as it does among many, as cells and as numbers in any order', { skip: !python }, async () => {
  let numeric = 0;
  for (const { name } of models) {
    const { model, engine } = await load(name);
    const predict = compileModel(engine);
    const all = predict(frameOf(model));
    const backwards: Signature = {
      inputs: model.columns.map((c) => ({ name: c.name, type: 'double' as const, required: true })).reverse(),
      outputs: [],
    };
    for (const i of [0, 7, 50]) {
      const columns = model.columns.map((c) => ({ name: c.name, values: [c.values[i]!] }));
      const forms: Frame[] = [{ rowCount: 1, columns }];
      const cells = columns.map(({ values }) => values[0] ?? Number.NaN).reverse();
      if (engine.inputs.names && cells.every((cell) => typeof cell === 'number'))
        numeric += forms.push(toNumberRow(backwards, null, Float64Array.from(cells))!);
      for (const one of forms.map((form) => predict(form))) {
        assert.deepEqual([one.labels[0], one.scores[0]], [all.labels[i], all.scores[i]], name);
        assert.deepEqual(
          one.probabilities?.map((p) => p[0]),
          all.probabilities?.map((p) => p[i]),
          name,
        );
      }
    }
  }
  assert.ok(numeric > 0);
});

test('columns that a pipeline selects by name may come in any order, others may be absent or extra', {
  skip: !python,
}, async () => {
  const { model, converted, engine } = await load('flights');
  assert.deepEqual(converted.inputs, ['origin', 'destination', 'hour', 'weekday', 'distance']);
  const predict = compileModel(engine);
  const shuffled = {
    rowCount: model.rowCount,
    columns: [{ name: 'id', values: model.predict }, ...[...model.columns].reverse()],
  };
  assert.deepEqual(predict(shuffled).scores, predict(frameOf(model)).scores);
  const short = { rowCount: model.rowCount, columns: model.columns.slice(1) };
  assert.throws(
    () => predict(short),
    (error) => isAppError(error, 'invalid') && /"origin" is missing/.test(error.message),
  );
});

test('a row that the model refuses is an error of that row alone', { skip: !python }, async () => {
  const { model, engine } = await load('logistic');
  const columns = model.columns.map((c, j) => ({
    name: c.name,
    values: c.values.map((v, i) => (j === 2 && i === 4 ? null : v)),
  }));
  const predict = compileModel(engine);
  const outputs = predict({ rowCount: model.rowCount, columns });
  assert.deepEqual(outputs.errors, [{ row: 4, message: 'Input X contains NaN' }]);
  assert.equal(outputs.labels[4], null);
  assert.ok(Number.isNaN(outputs.scores[4]));
  assert.equal(outputs.labels[5], model.predict[5]);
});

test('an unknown category is an error where the encoder says so', { skip: !python }, async () => {
  const { model, engine } = await load('onehot-drop');
  const columns = model.columns.map((c) => ({ name: c.name, values: c.values.slice(0, 2) }));
  columns[0] = { name: 'plan', values: ['basic', 'gold'] };
  const { errors } = compileModel(engine)({ rowCount: 2, columns });
  assert.match(errors?.[0]?.message ?? '', /unknown category "gold"/);
  assert.equal(errors?.length, 1);
});

test('the same model gives the same engine bytes from every container', { skip: !python }, async () => {
  const model = models.find((m) => m.name === 'flights')!;
  const engines = new Set<string>();
  for (const file of model.files) {
    const converted = convertBytes(await readFile(join(folder, file)));
    assert.ok(converted.engine === 'levain');
    const { reader, ...rest } = readEngine(converted.bytes);
    assert.match(reader, /^(pickle|joblib|skops)\/1$/);
    engines.add(Buffer.from(writeEngine({ ...rest, reader: '' })).toString('base64'));
  }
  assert.equal(engines.size, 1);
});

test('a damaged engine file is refused, and so is another format', { skip: !python }, async () => {
  const { converted } = await load('linear');
  const damaged = new Uint8Array(converted.bytes);
  damaged[40]! ^= 1;
  assert.throws(() => readEngine(damaged), /checksum/);
  const newer = new Uint8Array(converted.bytes);
  newer[8] = 99;
  assert.throws(() => readEngine(newer), /format 99/);
  assert.throws(() => readEngine(converted.bytes.subarray(0, 30)), /not a Levain engine file/);
});

test('changed bytes are refused, sent to Python or read, but never crash or hang', { skip: !python }, async () => {
  let seed = 1;
  const random = (n: number): number => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return Math.floor((seed / 2 ** 32) * n);
  };
  for (const file of ['no-names.p5.pkl', 'flights.p2.pkl', 'onehot.skops', 'tree.joblib', 'onehot.p0.pkl']) {
    const original = await readFile(join(folder, file));
    for (let i = 0; i < 150; i++) {
      const bytes = Buffer.from(original);
      for (let k = 0; k <= i % 3; k++) bytes[random(bytes.length)] = random(256);
      try {
        convertBytes(i % 10 === 0 ? bytes.subarray(0, random(bytes.length)) : bytes);
      } catch (error) {
        assert.ok(isAppError(error, 'invalid'), `${file} ${i}: ${error instanceof Error ? error.stack : error}`);
      }
    }
  }
});
