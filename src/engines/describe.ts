import type { Cell } from '../kernel/frame.ts';
import { convertBytes } from './convert.ts';
import { boosterFormat } from './readers/formats.ts';
import { type ModelGraph, NdArray, PyDict, PyObject, PyTuple, type PyValue } from './readers/graph.ts';
import { NeedsPython } from './readers/limits.ts';
import { arrayValues, classOf } from './readers/numpy.ts';
import { dangerousGlobals, readModelFile } from './readers/open.ts';
import type { Task } from './types.ts';

/** What a model file is, told from its bytes; nothing in it is run. */
export interface ModelFileFacts {
  /** `pickle`, `skops`, `onnx`, `xgboost`, `lightgbm`, `catboost`, `keras`. */
  readonly format: string;
  /** Class of the object, where the file tells it. */
  readonly type: string | null;
  readonly task: Task | null;
  readonly features: readonly string[] | null;
  readonly classes: readonly Cell[] | null;
  /** Versions of libraries that the file names. */
  readonly libraries: Readonly<Record<string, string>>;
  /** Top-level modules that loading it imports. */
  readonly modules: readonly string[];
  /** `levain` where no Python is needed to answer. */
  readonly engine: 'levain' | 'python';
  /** Why only Python can run it. */
  readonly reason: string | null;
  /** What it would run when loaded that no model needs, for example `os.system`. */
  readonly dangers: readonly string[];
}

/** Throws `invalid` where the bytes are no model file, or are malformed. */
export function describeModelFile(bytes: Uint8Array, name: string): ModelFileFacts {
  const booster = boosterFormat(bytes, name);
  if (booster) {
    const { format, type, features } = booster;
    return { ...EMPTY, format, type, features, modules: [format], reason: `the format of ${format}` };
  }
  const conversion = convertBytes(bytes);
  const graph = graphOf(bytes);
  const found = seek(graph.root);
  const isLevain = conversion.engine === 'levain';
  return {
    format: graph.reader === 'skops' ? 'skops' : 'pickle',
    type: typeOf(graph.root),
    task: isLevain ? conversion.task : null,
    features: isLevain && conversion.inputs.length > 0 ? conversion.inputs : found.features,
    classes: (isLevain ? conversion.classes : null) ?? found.classes,
    libraries: found.libraries,
    modules: [...new Set(graph.globals.map(({ module }) => module.split('.')[0]!))],
    engine: conversion.engine,
    reason: isLevain ? null : conversion.reason,
    dangers: conversion.dangers.length > 0 ? conversion.dangers : dangerousGlobals(graph.globals),
  };
}

const EMPTY: ModelFileFacts = {
  format: '',
  type: null,
  task: null,
  features: null,
  classes: null,
  libraries: {},
  modules: [],
  engine: 'python',
  reason: null,
  dangers: [],
};

/** The graph, or as far as reading came where only Python can go on. */
function graphOf(bytes: Uint8Array): Partial<ModelGraph> & Pick<ModelGraph, 'globals'> {
  try {
    return readModelFile(bytes);
  } catch (error) {
    if (error instanceof NeedsPython) return { globals: error.globals };
    throw error;
  }
}

function typeOf(root: PyValue): string | null {
  if (root instanceof PyDict) return 'dict';
  const type = root instanceof PyObject ? classOf(root) : undefined;
  return type ? `${type.module}.${type.name}` : null;
}

interface Seen {
  readonly libraries: Record<string, string>;
  features: readonly string[] | null;
  classes: readonly Cell[] | null;
}

const MAX_VISITED = 200_000;

/** The outermost names of columns, classes and versions that any object of the file keeps. */
function seek(root: PyValue): Seen {
  const found: Seen = { libraries: {}, features: null, classes: null };
  const seen = new Set<object>();
  const queue: PyValue[] = [root];
  for (let at = 0; at < queue.length && at < MAX_VISITED; at++) {
    const value = queue[at];
    if (typeof value !== 'object' || value === null || seen.has(value)) continue;
    seen.add(value);
    if (value instanceof PyDict) {
      note(found, value);
      for (const [, each] of value.entries) queue.push(each);
    } else if (value instanceof PyObject) queue.push(value.state, value.args, ...value.appended);
    else if (value instanceof PyTuple || 'items' in value)
      queue.push(...((value as { items?: readonly PyValue[] }).items ?? []));
  }
  return found;
}

function note(found: Seen, state: PyDict): void {
  const version = state.get('_sklearn_version');
  if (typeof version === 'string') found.libraries['scikit-learn'] ??= version;
  found.features ??= texts(state.get('feature_names_in_'));
  found.classes ??= cells(state.get('classes_'));
}

function texts(value: PyValue): readonly string[] | null {
  const list = cells(value);
  return list?.every((cell) => typeof cell === 'string') && list.length > 0 ? (list as string[]) : null;
}

function cells(value: PyValue): readonly Cell[] | null {
  if (!(value instanceof NdArray) || value.shape.length !== 1) return null;
  try {
    return [...arrayValues(value)].map((cell) => (typeof cell === 'bigint' ? Number(cell) : (cell as Cell)));
  } catch {
    return null;
  }
}
