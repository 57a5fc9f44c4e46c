import { dirname, join } from 'node:path/posix';
import type { AdoptResult } from '../../adopt/types.ts';
import type { Json } from '../../kernel/canonical-json.ts';
import { writeProjectFile } from '../../project-file/index.ts';

export const STEP = 'train';
export const FEATURES_FILE = 'features.py';
export const LOCK_FILE = 'requirements.lock';

/** What of a result the files are made of. */
export type Composed = Pick<AdoptResult, 'data' | 'model' | 'features' | 'source' | 'environment'> & {
  readonly run: Pick<AdoptResult['run'], 'skipped'>;
};

/** What the defaults would get wrong for this project. */
export interface Needed {
  /** Of the gate. */
  readonly metric?: string | null;
  /** Of the numbers in the main file. */
  readonly decimal?: ',' | null;
  /** Columns of the main file that look like numbers and were read as text. */
  readonly text?: readonly string[];
}

/**
 * The shortest levain.yaml that is true: what the defaults say already is left out. The data whose rows the model answers comes
 * first, for the gate and the monitor stand on the first dataset.
 */
export function composeProject(result: Composed, name: string, { metric = null, ...read }: Needed = {}): string {
  const data = [...result.data].sort((a, b) => Number(b.role === 'main') - Number(a.role === 'main'));
  return writeProjectFile({
    name,
    ...(data.length > 0 && { data: Object.fromEntries(data.map((file) => [file.name, dataOf(file, data, read)])) }),
    steps: { [STEP]: stepOf(result) },
    model: modelOf(result, metric),
  });
}

type DataFile = Composed['data'][number];

/** What the next run of the notebook needs too: where its paths lead, and which cells fail without harm. */
function stepOf({ source, data, run }: Composed): Json {
  const folder = dirname(source.path);
  const reads = data.flatMap(({ asWritten, path }) =>
    asWritten.filter((written) => join(folder, written) !== path).map((written) => [written, path] as const),
  );
  return {
    notebook: source.path,
    ...(reads.length > 0 && { reads: Object.fromEntries(reads) }),
    ...(run.skipped.length > 0 && { may_fail: run.skipped.map(({ cell }) => cell) }),
  };
}

/** A file outside of the project is copied to where the notebook finds it. */
function dataOf(file: DataFile, all: readonly DataFile[], { decimal = null, text = [] }: Needed): Json {
  const isKeyed = file.key !== null && (file.role === 'main' || all.length === 1);
  return {
    from: file.outside ? file.source : file.path,
    ...(file.outside && baseOf(file.source) !== file.path && { as: file.path }),
    ...(decimal !== null && file.role === 'main' && { decimal }),
    ...(text.length > 0 && file.role === 'main' && { text }),
    ...(file.isTable === false && { table: false }),
    ...(isKeyed && { key: file.key }),
  };
}

function modelOf({ model, features }: Composed, metric: string | null): Json {
  const task = taskToSay(model);
  return {
    from: `${STEP}.${model.variable}`,
    ...(features !== null && { features: FEATURES_FILE }),
    ...(task !== null && { task }),
    ...(model.target !== null && { target: targetOf(model.target, model.positive) }),
    ...(metric !== null && { gate: { metric } }),
  };
}

const targetOf = (column: string, positive: Json): Json => (isScalar(positive) ? { column, positive } : column);

/**
 * Said only where it could be taken for another: many classes look like a number where they are numbers, and two like one where no
 * positive class is named.
 */
function taskToSay(model: Composed['model']): string | null {
  const { target, positive } = model;
  const task = taskOf(model);
  if (task === 'multiclass') return task;
  if (task === 'binary') return isScalar(positive) && target !== null ? null : task;
  return null;
}

/** The grammar's word; a classification is told by how many classes it has. */
export function taskOf({
  task,
  classes,
}: {
  readonly task: string | null;
  readonly classes: readonly Json[] | null;
}): string | null {
  if (task !== 'classification') return task;
  if (classes === null) return null;
  return classes.length === 2 ? 'binary' : classes.length > 2 ? 'multiclass' : null;
}

const isScalar = (value: Json): value is string | number | boolean =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';

const baseOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
