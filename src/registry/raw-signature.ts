import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ColumnKind, getVersion as getDatasetVersion } from '../data/index.ts';
import { signatureFromMlmodel } from '../engines/mlmodel.ts';
import { type ColumnType, inferSignature, type Signature } from '../engines/signature.ts';
import { AppError, isAppError } from '../kernel/errors.ts';
import { type Frame, findColumn, takeRows } from '../kernel/frame.ts';
import type { LoadedPythonModel, PythonModel, PythonResult } from '../ports/python-worker.ts';
import type { Actor } from '../wire/route.ts';
import type { Candidate, RegistryDeps } from './types.ts';

const PROBE_ROWS = 20;
/** features.py over so few rows is done in milliseconds; what takes longer never ends. */
const PROBE_MS = 60_000;

/** A signature, and whether nothing said which columns the model takes: then it is all that could be meant. */
export interface RawSignature {
  readonly signature: Signature;
  readonly isGuess: boolean;
}

/**
 * The signature of raw rows. Without features.py it is the model's own, else the columns by whose names it was fitted, else all but
 * target and entity. With features.py: the data's columns that it needs, found by leaving out one at a time.
 */
export async function rawSignature(
  deps: RegistryDeps,
  actor: Actor,
  candidate: Candidate,
  paths: { readonly modelPath: string; readonly featuresPath: string | undefined },
  training: Frame,
  fittedOn: readonly string[],
): Promise<RawSignature> {
  const target = candidate.section.target?.column;
  const raw: Frame = { ...training, columns: training.columns.filter(({ name }) => name !== target) };
  const own = await modelSignature(paths.modelPath);
  const inData = await typesInData(deps, actor, candidate);
  const types = paths.featuresPath ? asRead(inData, await readFile(paths.featuresPath, 'utf8')) : inData;
  if (!paths.featuresPath) {
    const inputs = own?.inputs ?? inferSignature(columnsOf(candidate, raw, fittedOn), types).inputs;
    const signature = { inputs: inputs.filter(({ name }) => name !== target), outputs: own?.outputs ?? [] };
    return { signature, isGuess: !own && fittedOn.length === 0 };
  }
  const needed = await columnsNeeded(deps, candidate.python, { featuresPath: paths.featuresPath, types }, raw);
  const columns = raw.columns.filter(({ name }) => needed.has(name));
  const signature = { inputs: inferSignature({ ...raw, columns }, types).inputs, outputs: own?.outputs ?? [] };
  return { signature, isGuess: false };
}

/** Throws `invalid` where the model was fitted on columns that the data does not have: they were made on the way. */
function columnsOf({ section }: Candidate, raw: Frame, fittedOn: readonly string[]): Frame {
  if (fittedOn.length === 0) return { ...raw, columns: raw.columns.filter(({ name }) => name !== section.entity) };
  const columns = fittedOn.map((name) => {
    const column = findColumn(raw, name);
    if (column) return column;
    throw new AppError(
      'invalid',
      `The model was fitted on the column "${name}", which the data does not have; make it in features.py and name that under model.features`,
    );
  });
  return { ...raw, columns };
}

async function modelSignature(modelPath: string): Promise<Signature | undefined> {
  const text = await readFile(join(modelPath, 'MLmodel'), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : signatureFromMlmodel(text);
}

const TYPE_OF_KIND: Readonly<Record<ColumnKind, ColumnType | undefined>> = {
  integer: 'double',
  number: 'double',
  boolean: 'boolean',
  string: 'string',
  date: 'datetime',
  timestamp: 'datetime',
  other: undefined,
};

/** Types as the data holds them; whole numbers are `double`, so that a caller may send 12.5 where the training file held 12. */
async function typesInData(
  deps: RegistryDeps,
  actor: Actor,
  candidate: Candidate,
): Promise<Record<string, ColumnType>> {
  const types: Record<string, ColumnType> = {};
  for (const { versionId } of candidate.data) {
    const { schema } = await getDatasetVersion(deps.data, actor, { id: versionId });
    for (const { name, kind } of schema) {
      const type = TYPE_OF_KIND[kind];
      if (type !== undefined) types[name] ??= type;
    }
  }
  return types;
}

/** A line of RAW, which `levain adopt` writes into features.py: `'Year': 'object?',`. */
const RAW_LINE = /^\s+(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"): '(\w+)[^']*',?$/gm;
const TEXTS = ['object', 'str', 'string'];

/**
 * The types as the notebook read them: pandas leaves the dates of a CSV file text, and what follows takes them apart as text. A
 * features.py without RAW gets what the data says.
 */
export function asRead(types: Readonly<Record<string, ColumnType>>, features: string): Record<string, ColumnType> {
  const raw = /^RAW = \{\n([\s\S]*?)^\}/m.exec(features)?.[1] ?? '';
  const texts = [...raw.matchAll(RAW_LINE)].flatMap(([, single, double, type]) =>
    TEXTS.includes(type!) ? [(single ?? double ?? '').replace(/\\(.)/g, '$1')] : [],
  );
  const isDate = (name: string): boolean => types[name] === 'datetime';
  return { ...types, ...Object.fromEntries(texts.filter(isDate).map((name) => [name, 'string' as const])) };
}

async function columnsNeeded(deps: RegistryDeps, python: string, model: PythonModel, raw: Frame): Promise<Set<string>> {
  const features = await deps.workers.load(python, model);
  try {
    const rows = takeRows(
      raw,
      Array.from({ length: Math.min(PROBE_ROWS, raw.rowCount) }, (_, i) => i),
    );
    const whole = await probe(features, rows);
    if (!whole.ok)
      throw new AppError('invalid', `features.py fails on the training rows: ${whole.kind}: ${whole.message}`);
    const needed = new Set<string>();
    for (const { name } of rows.columns) if (await isNeeded(features, rows, name, whole)) needed.add(name);
    return needed;
  } finally {
    await features.close();
  }
}

/** Needed: without the column features.py fails, or gives other columns than with it. */
async function isNeeded(
  features: LoadedPythonModel,
  rows: Frame,
  name: string,
  whole: Extract<PythonResult, { ok: true }>,
): Promise<boolean> {
  const without = await probe(features, { ...rows, columns: rows.columns.filter((c) => c.name !== name) });
  if (!without.ok) return true;
  return whole.frame.columns.some((column) => !findColumn(without.frame, column.name));
}

async function probe(features: LoadedPythonModel, rows: Frame): Promise<PythonResult> {
  try {
    return await features.run('features', rows, { deadlineMs: PROBE_MS });
  } catch (error) {
    if (!isAppError(error, 'unavailable')) throw error;
    throw new AppError(
      'invalid',
      `features.py did not answer ${rows.rowCount} rows within ${PROBE_MS / 1000} s, or its process died: ${error.message}`,
      undefined,
      error,
    );
  }
}
