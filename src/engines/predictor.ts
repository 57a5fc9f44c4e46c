import { AppError } from '../kernel/errors.ts';
import { type Cell, type ColumnValues, type Frame, findColumn } from '../kernel/frame.ts';
import { type Answer, compileEstimator } from './estimators.ts';
import type { EngineModel } from './model.ts';
import { compileSteps, type Matrix, RowErrors } from './transform.ts';
import type { Outputs, RowError } from './types.ts';

export interface PredictOptions {
  /** Names of columns that are float32. */
  readonly singles?: ReadonlySet<string>;
  /** Index of the class whose probability is the score of a binary model. */
  readonly positive?: number;
}

/** A converted model as a function of the frame that the model wants. Synchronous; rows fail one by one. */
export function compileModel(model: EngineModel, options: PredictOptions = {}): (frame: Frame) => Outputs {
  const steps = compileSteps(model.steps);
  const run = compileEstimator(model.estimator);
  return (frame) => {
    const errors = new RowErrors();
    const matrix = toMatrix(model, frame, options.singles);
    if (frame.rowCount === 0) return toOutputs(model, { values: new Float64Array(0) }, errors, 0, options);
    return toOutputs(model, run(steps(matrix, errors), errors), errors, frame.rowCount, options);
  };
}

function toMatrix(model: EngineModel, frame: Frame, singles: ReadonlySet<string> | undefined): Matrix {
  const { names, count } = model.inputs;
  if (names === null && frame.columns.length !== count)
    throw new AppError('invalid', `The model wants ${count} columns, got ${frame.columns.length}`);
  const columns = (names ?? frame.columns.map(({ name }) => name)).map((name, i) => {
    const same = frame.columns[i];
    const column = names === null || same?.name === name ? same : findColumn(frame, name);
    if (!column)
      throw new AppError('invalid', `Column "${name}" is missing; the model wants it`, {
        problems: [`Column "${name}" is missing`],
      });
    return { values: column.values as ColumnValues, single: singles?.has(name) ?? false };
  });
  return { rowCount: frame.rowCount, columns };
}

function toOutputs(
  model: EngineModel,
  answer: Answer,
  errors: RowErrors,
  rowCount: number,
  options: PredictOptions,
): Outputs {
  const outputs =
    model.classes === null
      ? { labels: Array.from(answer.values!), scores: answer.values! }
      : classOutputs(model.classes, answer, rowCount, options.positive ?? 1);
  if (errors.messages.size === 0) return { rowCount, ...outputs };
  const failed: RowError[] = Array.from(errors.messages, ([row, message]) => ({ row, message })).sort(
    (a, b) => a.row - b.row,
  );
  return { rowCount, ...blank(outputs, failed), errors: failed };
}

type Parts = Pick<Outputs, 'labels' | 'scores' | 'probabilities'>;

function classOutputs(classes: readonly Cell[], answer: Answer, rowCount: number, positive: number): Parts {
  const { labels, probabilities, decision } = answer;
  if (!labels)
    return { labels: [], scores: new Float64Array(0), probabilities: classes.map(() => new Float64Array(0)) };
  const cells = new Array<Cell>(labels.length);
  for (let i = 0; i < cells.length; i++) cells[i] = classes[labels[i]!]!;
  if (!probabilities) return { labels: cells, scores: decisionScores(decision ?? [], labels, positive, rowCount) };
  const scores =
    classes.length === 2 ? probabilities[positive]! : Float64Array.from(labels, (k, i) => probabilities[k]![i]!);
  return { labels: cells, scores: scores.slice(), probabilities };
}

/** Classifiers without probabilities are scored by their decision function. */
function decisionScores(
  decision: readonly Float64Array[],
  labels: Int32Array,
  positive: number,
  rowCount: number,
): Float64Array {
  if (decision.length === 1) return decision[0]!.map((s) => (positive === 1 ? s : -s));
  return Float64Array.from({ length: rowCount }, (_, i) => decision[labels[i]!]![i]!);
}

function blank({ labels, scores, probabilities }: Parts, failed: readonly RowError[]): Parts {
  const cells = [...labels];
  const numbers = Float64Array.from(scores);
  const parts = probabilities?.map((p) => Float64Array.from(p));
  for (const { row } of failed) {
    cells[row] = null;
    numbers[row] = Number.NaN;
    for (const p of parts ?? []) p[row] = Number.NaN;
  }
  return { labels: cells, scores: numbers, ...(parts && { probabilities: parts }) };
}
