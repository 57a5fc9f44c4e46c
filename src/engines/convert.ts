import { readdir, readFile, stat } from 'node:fs/promises';
import { isAbsolute, join, normalize } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { parse as parseYaml } from 'yaml';
import { AppError } from '../kernel/errors.ts';
import type { Cell } from '../kernel/frame.ts';
import { writeEngine } from './engine-file.ts';
import { boosterFormat } from './readers/formats.ts';
import type { ModelGraph } from './readers/graph.ts';
import { LIMITS, NeedsPython, refuse } from './readers/limits.ts';
import { dangerousGlobals, readModelFile } from './readers/open.ts';
import { convertSklearn, READER_VERSION } from './readers/sklearn/convert.ts';
import type { Task } from './types.ts';

/**
 * `allowed`: a Python worker may load these files, be it to serve or to compute golden rows: nothing was seen that no model needs
 * and that would run when loaded. `dangers` names what was seen, for example `os.system`.
 */
export type Conversion = { readonly allowed: boolean; readonly dangers: readonly string[] } & (
  | {
      readonly engine: 'levain';
      /** An engine file. */
      readonly bytes: Uint8Array<ArrayBuffer>;
      readonly task: Task;
      readonly classes?: readonly Cell[];
      /** Columns the model wants by name; empty where it takes them by position. */
      readonly inputs: readonly string[];
      /** `skops/1`: part of the key of converted models. */
      readonly reader: string;
      readonly library: string;
    }
  /** Only Python can run it, and why. */
  | { readonly engine: 'python'; readonly reason: string }
);

export { READER_VERSION };

/**
 * An MLflow model folder, or one skops, pickle or joblib file, as an engine; or why only Python can run it. Nothing in the file
 * is executed. Throws `invalid` with a `reason` where the file is malformed or beyond a limit.
 */
export async function convertModel(folder: string): Promise<Conversion> {
  const found = await findModelFile(folder);
  if (found.file === undefined) return pythonOnly(found.reason, await scanFolder(folder));
  const { size } = await stat(found.file);
  if (size > LIMITS.fileBytes)
    throw refuse(`limit fileBytes (${LIMITS.fileBytes}) exceeded by ${size}`, { limit: 'fileBytes' });
  const bytes = await readFile(found.file);
  const booster = boosterFormat(bytes, found.file);
  if (booster) return pythonOnly(`the format of ${booster.format}`, []);
  const work = conversionOf(bytes);
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
    await setImmediate();
  }
}

/** The same for the bytes of one model file, at once. */
export function convertBytes(bytes: Uint8Array): Conversion {
  const work = conversionOf(bytes);
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
  }
}

/** Reads, converts and writes, with a pause between. */
function* conversionOf(bytes: Uint8Array): Generator<void, Conversion, void> {
  let graph: ModelGraph | undefined;
  try {
    graph = readModelFile(bytes);
    yield;
    // A model that converts is inert here, whatever else the file names: only a worker would run it.
    const model = convertSklearn(graph);
    yield;
    const dangers = dangerousGlobals(graph.globals);
    const { task, classes, inputs, reader, library } = model;
    return {
      engine: 'levain',
      bytes: writeEngine(model),
      task,
      ...(classes && { classes }),
      inputs: inputs.names ?? [],
      reader,
      library,
      allowed: dangers.length === 0,
      dangers,
    };
  } catch (error) {
    if (error instanceof NeedsPython)
      return pythonOnly(error.message, dangerousGlobals(graph?.globals ?? error.globals));
    if (error instanceof TypeError || error instanceof RangeError) throw refuse(`it is malformed (${error.message})`);
    throw error;
  }
}

function pythonOnly(why: string, dangers: readonly string[]): Conversion {
  if (dangers.length === 0) return { engine: 'python', reason: why, allowed: true, dangers };
  const seen = dangers.slice(0, 3).join(', ');
  return { engine: 'python', reason: `${why}; the file would run ${seen} when loaded`, allowed: false, dangers };
}

const MAX_SCANNED_FILES = 1000;
const PICKLES = /\.(pkl|pickle|joblib|skops|cloudpickle)$/;

/** What the pickles of a folder that no converter reads would run. */
async function scanFolder(folder: string): Promise<string[]> {
  const names = (await readdir(folder, { recursive: true })).filter((name) => PICKLES.test(name));
  if (names.length > MAX_SCANNED_FILES)
    throw refuse(`${names.length} pickles in one model; at most ${MAX_SCANNED_FILES} are read`);
  const dangers: string[] = [];
  for (const name of names) {
    const { size } = await stat(join(folder, name));
    if (size > LIMITS.fileBytes)
      throw refuse(`limit fileBytes (${LIMITS.fileBytes}) exceeded by ${size}`, { limit: 'fileBytes' });
    try {
      dangers.push(...dangerousGlobals(readModelFile(await readFile(join(folder, name))).globals));
    } catch (error) {
      if (!(error instanceof NeedsPython)) throw error;
      dangers.push(...dangerousGlobals(error.globals));
    }
  }
  return dangers;
}

type Found = { readonly file: string } | { readonly file: undefined; readonly reason: string };

async function findModelFile(path: string): Promise<Found> {
  const info = await stat(path).catch(() => undefined);
  if (!info) throw new AppError('invalid', `There is no model at "${path}"`);
  if (info.isFile()) return { file: path };
  const text = await readFile(join(path, 'MLmodel'), 'utf8').catch(() => undefined);
  if (text === undefined)
    throw new AppError('invalid', `The folder "${path}" holds no MLmodel file; log the model with mlflow`);
  return flavorFile(path, parseYaml(text, { maxAliasCount: 0 }));
}

function flavorFile(folder: string, document: unknown): Found {
  const flavors = field(document, 'flavors');
  const file = field(field(flavors, 'sklearn'), 'pickled_model');
  if (typeof file === 'string') return { file: inside(folder, file) };
  const names = typeof flavors === 'object' && flavors !== null ? Object.keys(flavors) : [];
  const reason =
    names.length > 0
      ? `the flavor ${names.filter((n) => n !== 'python_function')[0] ?? 'python_function'}`
      : 'a model without flavors';
  return { file: undefined, reason };
}

const field = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? Object.entries(value).find(([k]) => k === name)?.[1]
    : undefined;

/** A path of the MLmodel file, which must stay in its folder. */
function inside(folder: string, path: string): string {
  const clean = normalize(path);
  if (isAbsolute(clean) || clean.startsWith('..'))
    throw new AppError('invalid', `The MLmodel file points outside its folder: "${path}"`);
  return join(folder, clean);
}
