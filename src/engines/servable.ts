import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { AppError, isAppError } from '../kernel/errors.ts';
import type { Cell, Frame } from '../kernel/frame.ts';
import { sha256 } from '../kernel/hash.ts';
import type { LoadedPythonModel, PythonResult, PythonRowError } from '../ports/python-worker.ts';
import { readEngine } from './engine-file.ts';
import { withFault } from './fault.ts';
import { outputsFromPython, positiveIndex, withRowErrors, withThreshold } from './outputs.ts';
import { compileModel } from './predictor.ts';
import { layOutFiles } from './python-files.ts';
import { checkRows, columnTypes } from './signature.ts';
import { runInTurns } from './turns.ts';
import type { Outputs, RowError, Servable, ServableIo, ServableSpec } from './types.ts';

/**
 * Makes a version ready to answer: reads and verifies its engine file, starts its Python worker where `features.py` or the engine
 * need one. What gate, batch, parity and gateway all run. Throws `invalid` where content does not match its digest, where the
 * engine has another format, or where the Python code does not load.
 *
 * @example (await loadServable(spec, io)).predict(rows)
 */
export async function loadServable(spec: ServableSpec, io: ServableIo): Promise<Servable> {
  const model = spec.engine.kind === 'levain' ? await loadEngine(spec, io) : await loadPython(spec, io);
  const servable: Servable = {
    spec,
    predict: async (rows, options) => model.predict(checkRows(spec.signature, rows).frame, options?.deadlineMs),
    ...(model.predictSync && {
      predictSync: (rows: Frame) => model.predictSync!(checkRows(spec.signature, rows).frame),
    }),
    close: model.close,
  };
  const sleep = io.clock ? (ms: number) => io.clock!.sleep(ms) : (ms: number) => pause(ms);
  return spec.fault ? withFault(servable, spec.fault, { random: io.random, sleep }) : servable;
}

interface Runnable {
  predict(rows: Frame, deadlineMs: number | undefined): Promise<Outputs>;
  predictSync?(rows: Frame): Outputs;
  close(): Promise<void>;
}

/** The content of a digest. Bytes that hash to something else are refused before anything reads them. */
export async function readContent(digest: string, io: ServableIo): Promise<Uint8Array> {
  const bytes = await readFile(await io.localPath(digest));
  const actual = sha256(bytes);
  if (actual !== digest)
    throw new AppError(
      'invalid',
      `Content ${digest.slice(0, 12)} holds other bytes (${actual.slice(0, 12)}); fetch it again`,
      { digest, actual },
    );
  return bytes;
}

async function loadEngine(spec: ServableSpec, io: ServableIo): Promise<Runnable> {
  if (spec.engine.kind !== 'levain') throw new AppError('invalid', 'The version has no engine file');
  const model = readEngine(await readContent(spec.engine.digest, io));
  const singles = new Set(
    spec.features ? [] : spec.signature.inputs.filter((c) => c.type === 'float').map((c) => c.name),
  );
  const positive = positiveIndex(spec, model.classes);
  const run = compileModel(model, { singles, positive });
  const finish = (outputs: Outputs): Outputs => withThreshold(outputs, spec, model.classes, positive);
  if (!spec.features) {
    const predictSync = (rows: Frame): Outputs => finish(run(rows));
    return { predict: (rows) => runInTurns(predictSync, rows), predictSync, close: async () => undefined };
  }
  const features = await loadFeatures(spec, io);
  return {
    predict: async (rows, deadlineMs) => {
      if (rows.rowCount === 0)
        return finish(run({ rowCount: 0, columns: emptyInputs(model.inputs.names ?? [], model.inputs.count) }));
      const result = await features.run('features', rows, options(deadlineMs));
      if (!result.ok) return allFailed(spec, rows.rowCount, result);
      return finish(withRowErrors(await runOnFeatures(run, result.frame, spec), rowErrors(result.errors)));
    },
    close: () => features.close(),
  };
}

/** Columns that features.py should have made and did not are the version's fault, not the caller's. */
async function runOnFeatures(run: (frame: Frame) => Outputs, frame: Frame, spec: ServableSpec): Promise<Outputs> {
  try {
    return await runInTurns(run, frame);
  } catch (error) {
    if (!isAppError(error)) throw error;
    return failed(spec, frame.rowCount, `features.py: ${error.message}`);
  }
}

const options = (deadlineMs: number | undefined) => (deadlineMs === undefined ? {} : { deadlineMs });

const emptyInputs = (names: readonly string[], count: number) =>
  Array.from({ length: count }, (_, i) => ({ name: names[i] ?? `x${i}`, values: new Float64Array(0) }));

async function loadFeatures(spec: ServableSpec, io: ServableIo): Promise<LoadedPythonModel> {
  await readContent(spec.features!.digest, io);
  const featuresPath = await io.localPath(spec.features!.digest);
  return io.workers.load(executable(spec), { featuresPath, types: columnTypes(spec.signature) });
}

async function loadPython(spec: ServableSpec, io: ServableIo): Promise<Runnable> {
  if (spec.engine.kind !== 'python') throw new AppError('invalid', 'The version has no model files');
  if (spec.features) await readContent(spec.features.digest, io);
  const files = await layOutFiles(spec.engine.files, (digest) => readContent(digest, io));
  try {
    const featuresPath = spec.features && (await io.localPath(spec.features.digest));
    const loaded = await io.workers.load(executable(spec), {
      modelPath: files.modelPath,
      types: columnTypes(spec.signature),
      ...(featuresPath && { featuresPath }),
    });
    return pythonRunnable(spec, loaded, files.remove);
  } catch (error) {
    await files.remove();
    throw error;
  }
}

function pythonRunnable(spec: ServableSpec, loaded: LoadedPythonModel, remove: () => Promise<void>): Runnable {
  const classes = spec.classes ?? loaded.classes ?? null;
  const positive = positiveIndex(spec, classes);
  return {
    predict: async (rows, deadlineMs) => {
      if (rows.rowCount === 0) return failed(spec, 0, '');
      const result = await loaded.run(spec.features ? 'both' : 'model', rows, options(deadlineMs));
      if (!result.ok) return allFailed(spec, rows.rowCount, result);
      const outputs = outputsFromPython(result.frame, { task: spec.task, classes, positive });
      return withThreshold(withRowErrors(outputs, rowErrors(result.errors)), spec, classes, positive);
    },
    close: async () => {
      await loaded.close();
      await remove();
    },
  };
}

function executable(spec: ServableSpec): string {
  if (!spec.python)
    throw new AppError('invalid', `${spec.model} v${spec.version} needs Python, but names no environment`);
  return spec.python.executable;
}

/** The kind of an error that says: the row, not the code, is what is wrong. */
const ROWS_REFUSED = 'RowsRefused';

/** What Python said of rows; those that the code refuses are no failures of it. */
const rowErrors = (errors: readonly PythonRowError[] | undefined): readonly RowError[] | undefined =>
  errors?.map(({ row, kind, message }) => ({ row, message, ...(kind === ROWS_REFUSED && { refused: true }) }));

/** No row was answered: each has its own reason where the worker told them. */
function allFailed(spec: ServableSpec, rowCount: number, result: Extract<PythonResult, { ok: false }>): Outputs {
  const whole = failed(spec, rowCount, `${result.kind}: ${result.message}`);
  const isRefusal = result.errors?.some(({ kind }) => kind === ROWS_REFUSED) === true;
  return isRefusal ? { ...whole, errors: rowErrors(result.errors)! } : whole;
}

/** Every row failed for the same reason. */
function failed(spec: ServableSpec, rowCount: number, message: string): Outputs {
  const nan = (): Float64Array => new Float64Array(rowCount).fill(Number.NaN);
  return {
    rowCount,
    labels: new Array<Cell>(rowCount).fill(null),
    scores: nan(),
    ...(spec.classes && { probabilities: spec.classes.map(nan) }),
    ...(rowCount > 0 && { errors: Array.from({ length: rowCount }, (_, row) => ({ row, message })) }),
  };
}
