import { AppError } from '../kernel/errors.ts';

/** Answers beside the truth. `y` is 0/1 for binary, the class's index for multiclass, the value for regression. */
export type Scored =
  | { readonly task: 'binary'; readonly y: Float64Array; readonly scores: Float64Array; readonly threshold: number }
  | { readonly task: 'multiclass'; readonly y: Float64Array; readonly probabilities: readonly Float64Array[] }
  | { readonly task: 'regression'; readonly y: Float64Array; readonly scores: Float64Array };

export type Direction = 'lower' | 'higher';

interface MetricDefinition {
  readonly better: Direction;
  readonly tasks: readonly Scored['task'][];
  /** The value on all rows; null where it is not defined (one class only, nothing predicted positive). */
  readonly value: (scored: Scored) => number | null;
  /** One row's contribution to the metric's mean, where the metric is a mean (of squares for rmse): what pairing needs. */
  readonly row?: (scored: Scored, i: number) => number;
}

/** Probabilities are clipped to [2^-52, 1 - 2^-52] before the logarithm, as scikit-learn does for float64. */
const EPSILON = 2 ** -52;
const clip = (p: number): number => Math.min(1 - EPSILON, Math.max(EPSILON, p));

const meanOf = (row: (scored: Scored, i: number) => number) => (scored: Scored) => {
  const n = scored.y.length;
  if (n === 0) return null;
  let sum = 0;
  for (let i = 0; i < n; i++) sum += row(scored, i);
  return sum / n;
};

function logLossRow(scored: Scored, i: number): number {
  if (scored.task === 'multiclass') return -Math.log(clip(scored.probabilities[scored.y[i]!]?.[i] ?? 0));
  const p = clip((scored as { scores: Float64Array }).scores[i]!);
  return scored.y[i] === 1 ? -Math.log(p) : -Math.log(1 - p);
}

const errorOf = (scored: Scored, i: number): number => (scored as { scores: Float64Array }).scores[i]! - scored.y[i]!;
const squaredRow = (scored: Scored, i: number): number => errorOf(scored, i) ** 2;
const absoluteRow = (scored: Scored, i: number): number => Math.abs(errorOf(scored, i));
const correctRow = (scored: Scored, i: number): number => Number(predictedClass(scored, i) === scored.y[i]);

/** The class answered for a row: by threshold, or the first largest probability. */
function predictedClass(scored: Scored, i: number): number {
  if (scored.task === 'binary') return Number(scored.scores[i]! >= scored.threshold);
  if (scored.task === 'regression') return Number.NaN;
  let best = 0;
  for (let k = 1; k < scored.probabilities.length; k++)
    if (scored.probabilities[k]![i]! > scored.probabilities[best]![i]!) best = k;
  return best;
}

const METRICS: Readonly<Record<string, MetricDefinition>> = {
  log_loss: { better: 'lower', tasks: ['binary', 'multiclass'], value: meanOf(logLossRow), row: logLossRow },
  brier: { better: 'lower', tasks: ['binary'], value: meanOf(squaredRow), row: squaredRow },
  accuracy: { better: 'higher', tasks: ['binary', 'multiclass'], value: meanOf(correctRow), row: correctRow },
  auc: { better: 'higher', tasks: ['binary'], value: (s) => auc(s.y, (s as { scores: Float64Array }).scores) },
  precision: { better: 'higher', tasks: ['binary'], value: (s) => ratio(confusion(s), 'tp', 'fp') },
  recall: { better: 'higher', tasks: ['binary'], value: (s) => ratio(confusion(s), 'tp', 'fn') },
  f1: { better: 'higher', tasks: ['binary'], value: f1 },
  ece: { better: 'lower', tasks: ['binary'], value: (s) => ece(s.y, (s as { scores: Float64Array }).scores) },
  mse: { better: 'lower', tasks: ['regression'], value: meanOf(squaredRow), row: squaredRow },
  rmse: {
    better: 'lower',
    tasks: ['regression'],
    value: (s) => {
      const mse = meanOf(squaredRow)(s);
      return mse === null ? null : Math.sqrt(mse);
    },
    row: squaredRow,
  },
  mae: { better: 'lower', tasks: ['regression'], value: meanOf(absoluteRow), row: absoluteRow },
  r2: { better: 'higher', tasks: ['regression'], value: (s) => r2(s.y, (s as { scores: Float64Array }).scores) },
};

export const METRIC_NAMES: readonly string[] = Object.keys(METRICS);

/** Log loss for classes, rmse for numbers. */
export const defaultMetric = (task: Scored['task']): string => (task === 'regression' ? 'rmse' : 'log_loss');

/** The metric's definition, or `invalid` naming those that fit the task. */
export function metricNamed(name: string, task: Scored['task']): MetricDefinition {
  const metric = Object.hasOwn(METRICS, name) ? METRICS[name] : undefined;
  if (metric?.tasks.includes(task)) return metric;
  const fitting = METRIC_NAMES.filter((other) => METRICS[other]!.tasks.includes(task)).join(', ');
  throw new AppError('invalid', `The metric "${name}" is not one for a ${task} model; take one of ${fitting}`);
}

export const metricValue = (name: string, scored: Scored): number | null =>
  metricNamed(name, scored.task).value(scored);

/**
 * Area under the ROC curve by mid-ranks: ties count half. null with one class only.
 * @example auc(Float64Array.of(0, 0, 1, 1, 1), Float64Array.of(0.1, 0.5, 0.5, 0.5, 0.9)) // 0.8333…
 */
export function auc(y: Float64Array, scores: Float64Array): number | null {
  // Two sorts of plain numbers are ten times faster than one of row numbers by score.
  const [positives, negatives] = bothSides(y, scores);
  let [below, upTo, pairs] = [0, 0, 0];
  for (const score of positives) {
    while (below < negatives.length && negatives[below]! < score) below++;
    upTo = Math.max(upTo, below);
    while (upTo < negatives.length && negatives[upTo]! === score) upTo++;
    pairs += (below + upTo) / 2;
  }
  const all = positives.length * negatives.length;
  return all === 0 ? null : pairs / all;
}

/** Ascending scores of the rows with y = 1 and of the others. */
function bothSides(y: Float64Array, scores: Float64Array): [Float64Array, Float64Array] {
  const split = new Float64Array(scores.length);
  let [first, last] = [0, scores.length];
  for (let i = 0; i < scores.length; i++) split[y[i] === 1 ? first++ : --last] = scores[i]!;
  return [split.subarray(0, first).sort(), split.subarray(first).sort()];
}

/** Row numbers by ascending score. */
export const orderBy = (scores: Float64Array): Uint32Array =>
  Uint32Array.from(scores, (_, i) => i).sort((a, b) => scores[a]! - scores[b]!);

/** Expected calibration error over `bins` equal-width bins of the score: Σ n_b/n · |mean score − share of positives|. */
export function ece(y: Float64Array, scores: Float64Array, bins = 10): number | null {
  if (y.length === 0) return null;
  const counts = new Float64Array(bins);
  const gaps = new Float64Array(bins);
  for (let i = 0; i < y.length; i++) {
    const bin = Math.min(bins - 1, Math.floor(scores[i]! * bins));
    counts[bin]! += 1;
    gaps[bin]! += scores[i]! - y[i]!;
  }
  return gaps.reduce((sum, gap) => sum + Math.abs(gap), 0) / y.length;
}

/** Coefficient of determination; for a constant truth 1 where it is met exactly, else 0 (scikit-learn's rule). */
export function r2(y: Float64Array, predicted: Float64Array): number | null {
  if (y.length === 0) return null;
  const mean = y.reduce((a, b) => a + b, 0) / y.length;
  let residual = 0;
  let total = 0;
  for (let i = 0; i < y.length; i++) {
    residual += (y[i]! - predicted[i]!) ** 2;
    total += (y[i]! - mean) ** 2;
  }
  if (total === 0) return residual === 0 ? 1 : 0;
  return 1 - residual / total;
}

interface Confusion {
  readonly tp: number;
  readonly fp: number;
  readonly fn: number;
  readonly tn: number;
}

export function confusion(scored: Scored): Confusion {
  let [tp, fp, fn, tn] = [0, 0, 0, 0];
  for (let i = 0; i < scored.y.length; i++) {
    const predicted = predictedClass(scored, i);
    if (scored.y[i] === 1) predicted === 1 ? tp++ : fn++;
    else predicted === 1 ? fp++ : tn++;
  }
  return { tp, fp, fn, tn };
}

const ratio = (c: Confusion, hit: 'tp', miss: 'fp' | 'fn'): number | null =>
  c[hit] + c[miss] === 0 ? null : c[hit] / (c[hit] + c[miss]);

function f1(scored: Scored): number | null {
  const { tp, fp, fn } = confusion(scored);
  return 2 * tp + fp + fn === 0 ? null : (2 * tp) / (2 * tp + fp + fn);
}
