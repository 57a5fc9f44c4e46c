import { AppError } from '../kernel/errors.ts';
import { type Cell, cellAt, type Frame, findColumn } from '../kernel/frame.ts';
import type { Outputs, RowError, ServableSpec, Task } from './types.ts';

interface Meaning {
  readonly task: Task;
  readonly classes: readonly Cell[] | null;
  readonly positive: number;
}

/** What a Python model answered (`predict`, `predict_proba:<class>`) as outputs. */
export function outputsFromPython(frame: Frame, { task, classes, positive }: Meaning): Outputs {
  const predicted = findColumn(frame, 'predict');
  if (!predicted) throw new AppError('invalid', 'The Python model answered no column "predict"');
  const { rowCount } = frame;
  const labels = Array.from({ length: rowCount }, (_, i) => cellAt(predicted.values, i));
  const parts = frame.columns
    .filter(({ name }) => name.startsWith('predict_proba:'))
    .map(({ values }) => toFloats(values));
  if (task === 'regression' || parts.length === 0)
    return { rowCount, labels, scores: scoresOfLabels(labels, { task, classes, positive }) };
  if (parts.length === 2)
    return { rowCount, labels, scores: Float64Array.from(parts[positive]!), probabilities: parts };
  const scores = Float64Array.from(labels, (label, i) => {
    const k = classes?.indexOf(label) ?? -1;
    return k >= 0 ? parts[k]![i]! : parts.reduce((top, part) => Math.max(top, part[i]!), Number.NEGATIVE_INFINITY);
  });
  return { rowCount, labels, scores, probabilities: parts };
}

/** Labels that are numbers are their own scores; of words the positive one scores 1, and where there are several each does. */
function scoresOfLabels(labels: readonly Cell[], { task, classes, positive }: Meaning): Float64Array {
  if (task === 'regression' || !labels.some((label) => typeof label === 'string')) return toFloats(labels);
  const wanted = task === 'binary' ? (classes?.[positive] ?? null) : null;
  return Float64Array.from(labels, (label) =>
    label === null ? Number.NaN : Number(wanted === null || label === wanted),
  );
}

const toFloats = (values: Float64Array | readonly Cell[]): Float64Array =>
  values instanceof Float64Array
    ? values
    : Float64Array.from(values, (v) => (typeof v === 'number' ? v : typeof v === 'boolean' ? Number(v) : Number.NaN));

/** Outputs with these rows marked as failed: label null, score NaN. */
export function withRowErrors(outputs: Outputs, errors: readonly RowError[] | undefined): Outputs {
  if (!errors || errors.length === 0) return outputs;
  const labels = [...outputs.labels];
  const scores = Float64Array.from(outputs.scores);
  const probabilities = outputs.probabilities?.map((part) => Float64Array.from(part));
  for (const { row } of errors) {
    labels[row] = null;
    scores[row] = Number.NaN;
    for (const part of probabilities ?? []) part[row] = Number.NaN;
  }
  // What failed first is the cause: a row without features fails in the model too.
  const known = new Set(errors.map(({ row }) => row));
  const all = [...errors, ...(outputs.errors ?? []).filter(({ row }) => !known.has(row))].sort((a, b) => a.row - b.row);
  return { rowCount: outputs.rowCount, labels, scores, ...(probabilities && { probabilities }), errors: all };
}

/** Labels of two classes by `score >= threshold`, where the spec sets one. */
export function withThreshold(
  outputs: Outputs,
  spec: Pick<ServableSpec, 'task' | 'threshold'>,
  classes: readonly Cell[] | null,
  positive: number,
): Outputs {
  const { threshold } = spec;
  if (threshold === undefined || spec.task !== 'binary' || !classes || classes.length !== 2 || !outputs.probabilities)
    return outputs;
  const labels = outputs.labels.slice();
  for (let i = 0; i < labels.length; i++) {
    const score = outputs.scores[i]!;
    if (!Number.isNaN(score)) labels[i] = classes[score >= threshold ? positive : 1 - positive]!;
  }
  return { ...outputs, labels };
}

/** Where the positive class stands; the second one unless the spec names another. */
export function positiveIndex(spec: Pick<ServableSpec, 'task' | 'positive'>, classes: readonly Cell[] | null): number {
  if (spec.task !== 'binary' || spec.positive === undefined || !classes) return 1;
  const at = classes.findIndex((cell) => sameCell(cell, spec.positive!));
  if (at < 0)
    throw new AppError(
      'invalid',
      `The positive class ${JSON.stringify(spec.positive)} is none of the model's: ${JSON.stringify(classes)}`,
    );
  return at;
}

/** Python's equality: true is 1. */
const sameCell = (a: Cell, b: Cell): boolean =>
  a === b || (typeof a !== 'string' && typeof b !== 'string' && Number(a) === Number(b));
