import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ColumnType, inferSignature, type Signature, signatureFromMlmodel } from '../engines/signature.ts';
import { AppError } from '../kernel/errors.ts';
import { type Frame, findColumn, takeRows } from '../kernel/frame.ts';
import type { LoadedPythonModel, PythonResult } from '../ports/python-worker.ts';
import type { Candidate, RegistryDeps } from './types.ts';

const PROBE_ROWS = 20;

/**
 * The signature of raw rows. Without features.py it is the model's own. With it: the data's columns that features.py needs, found by
 * leaving out one at a time; whole numbers are `double`, so that a caller may send 12.5 where the training file held 12.
 */
export async function rawSignature(
  deps: RegistryDeps,
  candidate: Candidate,
  paths: { readonly modelPath: string; readonly featuresPath: string | undefined },
  training: Frame,
): Promise<Signature> {
  const target = candidate.section.target?.column;
  const raw: Frame = { ...training, columns: training.columns.filter(({ name }) => name !== target) };
  const own = await modelSignature(paths.modelPath);
  const types = await columnTypes(candidate, raw);
  if (!paths.featuresPath) {
    const inputs = own?.inputs ?? inferSignature(raw, types).inputs;
    return { inputs: inputs.filter(({ name }) => name !== target), outputs: own?.outputs ?? [] };
  }
  const needed = await columnsNeeded(deps, candidate.python, paths.featuresPath, raw);
  const columns = raw.columns.filter(({ name }) => needed.has(name));
  return { inputs: inferSignature({ ...raw, columns }, types).inputs, outputs: own?.outputs ?? [] };
}

async function modelSignature(modelPath: string): Promise<Signature | undefined> {
  const text = await readFile(join(modelPath, 'MLmodel'), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : signatureFromMlmodel(text);
}

async function columnTypes(candidate: Candidate, raw: Frame): Promise<Record<string, ColumnType>> {
  const times = new Set(candidate.data.map((cut) => cut.section.time));
  const types: Record<string, ColumnType> = {};
  for (const { name, values } of raw.columns) {
    if (times.has(name)) types[name] = 'datetime';
    else if (values instanceof Float64Array || values.every((v) => v === null || typeof v === 'number'))
      types[name] = 'double';
  }
  return types;
}

async function columnsNeeded(
  deps: RegistryDeps,
  python: string,
  featuresPath: string,
  raw: Frame,
): Promise<Set<string>> {
  const features = await deps.workers.load(python, { featuresPath });
  try {
    const rows = takeRows(
      raw,
      Array.from({ length: Math.min(PROBE_ROWS, raw.rowCount) }, (_, i) => i),
    );
    const whole = await features.run('features', rows);
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
  const without = await features.run('features', { ...rows, columns: rows.columns.filter((c) => c.name !== name) });
  if (!without.ok) return true;
  return whole.frame.columns.some((column) => !findColumn(without.frame, column.name));
}
