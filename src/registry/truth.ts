import type { Outputs, ServableSpec } from '../engines/types.ts';
import { AppError } from '../kernel/errors.ts';
import { type Cell, cellAt, type Frame, findColumn } from '../kernel/frame.ts';
import type { ModelSection, Positive } from '../project-file/index.ts';
import type { Scored } from '../stats/metrics.ts';
import { type CodingRule, coded, isPositive } from './coding.ts';

/** Which values of the target column mean what to a model. */
export interface TruthRule {
  readonly task: ServableSpec['task'];
  readonly positive: Positive | null;
  readonly classes: readonly Cell[] | undefined;
  /** How the model's notebook writes the target; null: as the data does. */
  readonly coding: CodingRule | null;
}

/** Where the coding is known the positive class is the model's own; else what the file says of the data's words. */
export const truthRule = (
  spec: Pick<ServableSpec, 'task' | 'positive' | 'classes'>,
  target: ModelSection['target'],
  coding: CodingRule | null = null,
): TruthRule => ({
  task: spec.task,
  positive: coding === null ? (target?.positive ?? spec.positive ?? null) : (spec.positive ?? target?.positive ?? null),
  classes: spec.classes,
  coding,
});

/** The target as numbers: 0/1, the class's index, or the value. NaN where it is missing or no class of the model. */
export function truthOf(written: Cell, rule: TruthRule): number {
  const value = coded(written, rule.coding);
  if (value === null) return Number.NaN;
  if (rule.task === 'regression') return typeof value === 'number' ? value : Number.NaN;
  if (rule.task === 'multiclass') {
    const index = rule.classes?.findIndex((c) => c === value || String(c) === String(value)) ?? -1;
    return index === -1 ? Number.NaN : index;
  }
  if (rule.positive === null) return Number.NaN;
  const positive = isPositive(value, rule.positive);
  return positive === null ? Number.NaN : Number(positive);
}

/** The truth of every row of a frame that holds the target column. */
export function truthColumn(frame: Frame, column: string, rule: TruthRule): Float64Array {
  const found = findColumn(frame, column);
  if (!found)
    throw new AppError(
      'invalid',
      `The target column "${column}" is not in the data; it has ${frame.columns.map((c) => c.name).join(', ')}`,
    );
  const truth = new Float64Array(frame.rowCount);
  for (let i = 0; i < truth.length; i++) truth[i] = truthOf(cellAt(found.values, i), rule);
  return truth;
}

/** Answers beside the truth, for `stats/metrics`; `rows` are those that count. */
export function toScored(outputs: Outputs, y: Float64Array, rows: readonly number[], threshold: number): Scored {
  const take = (values: Float64Array): Float64Array => takeNumbers(values, rows);
  if (outputs.probabilities && outputs.probabilities.length > 2)
    return { task: 'multiclass', y: take(y), probabilities: outputs.probabilities.map(take) };
  return { task: 'binary', y: take(y), scores: take(outputs.scores), threshold };
}

export const toRegression = (outputs: Outputs, y: Float64Array, rows: readonly number[]): Scored => ({
  task: 'regression',
  y: takeNumbers(y, rows),
  scores: takeNumbers(outputs.scores, rows),
});

/** A loop: `Float64Array.from` walks an iterator, ten times slower. */
export function takeNumbers(values: Float64Array, rows: readonly number[]): Float64Array {
  const taken = new Float64Array(rows.length);
  for (let i = 0; i < taken.length; i++) taken[i] = values[rows[i]!]!;
  return taken;
}
