import { AppError } from '../kernel/errors.ts';
import { type Cell, type ColumnValues, type Frame, findColumn } from '../kernel/frame.ts';
import { type Answer, compileEstimator } from './estimators.ts';
import type { EngineModel } from './model.ts';
import { NumberRow } from './number-row.ts';
import type { Signature } from './signature.ts';
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
  const { run, runRow } = compileEstimator(model.estimator);
  const arrange = runRow && model.steps.length === 0 ? arrangerOf(model) : undefined;
  return (frame) => {
    const errors = new RowErrors();
    const row = frame instanceof NumberRow ? arrange?.(frame) : undefined;
    if (row) return toOutputs(model, runRow!(row, errors), errors, 1, options);
    const matrix = toMatrix(model, frame, options.singles);
    if (frame.rowCount === 0) return toOutputs(model, { values: new Float64Array(0) }, errors, 0, options);
    return toOutputs(model, run(steps(matrix, errors), errors), errors, frame.rowCount, options);
  };
}

/** The cells of a row in the order that the model wants; undefined where they are not all there. */
function arrangerOf({ inputs }: EngineModel): (row: NumberRow) => Float64Array | undefined {
  let known: Signature | undefined;
  let order: readonly number[] = [];
  let isSame = false;
  return ({ signature, cells }) => {
    if (signature !== known) {
      known = signature;
      const names = signature.inputs.map(({ name }) => name);
      order = (inputs.names ?? names).map((name) => names.indexOf(name));
      isSame = order.length === names.length && order.every((from, to) => from === to);
    }
    if (order.length !== inputs.count || order.includes(-1)) return undefined;
    return isSame ? cells : Float64Array.from(order, (from) => cells[from]!);
  };
}

/** The columns that the model wants, in its order. Throws `invalid` where one is missing. */
export function toMatrix(model: EngineModel, frame: Frame, singles: ReadonlySet<string> | undefined): Matrix {
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
  const outputs: Parts =
    model.classes === null
      ? { labels: Array.from(answer.values!), scores: answer.values! }
      : classOutputs(model.classes, answer, rowCount, options.positive ?? 1);
  const failed = errors.list();
  if (failed) return { rowCount, ...blank(outputs, failed), errors: failed };
  const { labels, scores, probabilities } = outputs;
  return probabilities ? { rowCount, labels, scores, probabilities } : { rowCount, labels, scores };
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
  return { labels: cells, scores, probabilities };
}

/** Classifiers without probabilities are scored by their decision function. */
function decisionScores(
  decision: readonly Float64Array[],
  labels: ArrayLike<number>,
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
