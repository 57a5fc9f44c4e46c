import { type ForestKernel, loadForest, type Walk } from './kernel/forest.ts';
import type { CalibratedEstimator, Calibrator, Estimator, LinearEstimator, TreesEstimator } from './model.ts';
import { compileSteps, type Matrix, type RowErrors, toNumbers } from './transform.ts';

/** What an estimator says of each row. Regression has `values`; classification the rest, `labels` being class indices. */
export interface Answer {
  readonly values?: Float64Array;
  readonly probabilities?: readonly Float64Array[];
  readonly labels?: ArrayLike<number>;
  /** scikit-learn's decision_function: one array for two classes, else one a class. */
  readonly decision?: readonly Float64Array[];
}

export type RunEstimator = (matrix: Matrix, errors: RowErrors) => Answer;

export interface CompiledEstimator {
  readonly run: RunEstimator;
  /** The same for one row of numbers, where there is a shorter way; `decision` may be missing where there are probabilities. */
  readonly runRow?: (cells: ArrayLike<number>, errors: RowErrors) => Answer;
}

export function compileEstimator(estimator: Estimator): CompiledEstimator {
  switch (estimator.op) {
    case 'linear':
      return { run: (matrix, errors) => linear(estimator, matrix, errors) };
    case 'trees':
      return compileTrees(estimator);
    case 'calibrated':
      return { run: compileCalibrated(estimator) };
  }
}

const expit = (x: number): number => 1 / (1 + Math.exp(-x));

function linear(model: LinearEstimator, matrix: Matrix, errors: RowErrors): Answer {
  const { rowCount } = matrix;
  const scores = Array.from({ length: model.outputs }, (_, k) => new Float64Array(rowCount).fill(model.intercept[k]!));
  const sums = scores.map(() => new Float64Array(rowCount));
  for (let j = 0; j < model.features; j++) {
    const x = finite(toNumbers(matrix.columns[j]!.values, rowCount, errors), errors);
    for (let k = 0; k < model.outputs; k++) {
      const weight = model.coef[k * model.features + j]!;
      const sum = sums[k]!;
      for (let i = 0; i < rowCount; i++) sum[i] = sum[i]! + x[i]! * weight;
    }
  }
  for (const [k, score] of scores.entries()) for (let i = 0; i < rowCount; i++) score[i] = sums[k]![i]! + score[i]!;
  if (model.link === 'identity') return { values: scores[0]! };
  const labels = model.outputs === 1 ? positive(scores[0]!, false) : argmax(scores);
  const probabilities = linearProbabilities(model, scores);
  return { labels, decision: scores, ...(probabilities && { probabilities }) };
}

/** NaN and infinity are errors of their rows, as scikit-learn refuses them. */
function finite(x: Float64Array, errors: RowErrors): Float64Array {
  for (let i = 0; i < x.length; i++)
    if (!Number.isFinite(x[i]))
      errors.add(i, Number.isNaN(x[i]) ? 'Input X contains NaN' : 'Input X contains infinity');
  return x;
}

function linearProbabilities(model: LinearEstimator, scores: readonly Float64Array[]): Float64Array[] | undefined {
  switch (model.link) {
    case 'expit':
      return twoClasses(scores[0]!.map(expit));
    case 'expit2':
      return twoClasses(scores[0]!.map((s) => expit(2 * s)));
    case 'softmax':
      return softmax(scores);
    case 'ovr':
      return normalise(
        scores.map((s) => s.map(expit)),
        model.uniform,
      );
    case 'huber': {
      const raw = scores.map((s) => s.map((v) => (Math.min(1, Math.max(-1, v)) + 1) / 2));
      return raw.length === 1 ? twoClasses(raw[0]!) : normalise(raw, true);
    }
    default:
      return undefined;
  }
}

const twoClasses = (p: Float64Array): Float64Array[] => [p.map((v) => 1 - v), p];

function softmax(scores: readonly Float64Array[]): Float64Array[] {
  const out = scores.map((s) => new Float64Array(s.length));
  for (let i = 0; i < scores[0]!.length; i++) {
    let top = Number.NEGATIVE_INFINITY;
    for (const s of scores) top = Math.max(top, s[i]!);
    let sum = 0;
    for (const [k, s] of scores.entries()) sum += out[k]![i] = Math.exp(s[i]! - top);
    for (const o of out) o[i] = o[i]! / sum;
  }
  return out;
}

/** Rows divided by their sums; rows of zeros become uniform or stay NaN. */
function normalise(parts: readonly Float64Array[], uniform: boolean): Float64Array[] {
  const out = parts.map((p) => Float64Array.from(p));
  for (let i = 0; i < parts[0]!.length; i++) {
    let sum = 0;
    for (const p of parts) sum += p[i]!;
    for (const o of out) o[i] = sum === 0 && uniform ? 1 / parts.length : o[i]! / sum;
  }
  return out;
}

function positive(raw: Float64Array, zeroIsPositive: boolean): Int32Array {
  const labels = new Int32Array(raw.length);
  for (let i = 0; i < raw.length; i++) labels[i] = raw[i]! > 0 || (zeroIsPositive && raw[i] === 0) ? 1 : 0;
  return labels;
}

function argmax(scores: readonly Float64Array[]): Int32Array {
  const labels = new Int32Array(scores[0]!.length);
  for (let i = 0; i < labels.length; i++) {
    let best = 0;
    for (let k = 1; k < scores.length; k++) if (scores[k]![i]! > scores[best]![i]!) best = k;
    labels[i] = best;
  }
  return labels;
}

function compileTrees(model: TreesEstimator): CompiledEstimator {
  const kernel = loadForest(model);
  const init = model.init && compileEstimator(model.init).run;
  const runRow = (cells: ArrayLike<number>, errors: RowErrors): Answer => {
    walkRow(model, kernel, cells, errors);
    if (model.link === 'expit' && model.divide === 1) return sigmoidOf(kernel.sums[0]!, model.zeroIsPositive);
    return treesAnswer(model, firstSums(model, kernel));
  };
  const run: RunEstimator = (matrix, errors) => {
    if (matrix.rowCount === 1 && !init) {
      walkRow(model, kernel, firstCells(model, matrix, errors), errors);
      return treesAnswer(model, firstSums(model, kernel));
    }
    const raw = Array.from({ length: model.outputs }, () => new Float64Array(matrix.rowCount));
    const start = init && initialScores(model, init, matrix, errors);
    const columns = inputColumns(model, matrix, errors);
    for (let at = 0; at < matrix.rowCount; at += kernel.chunk)
      walkChunk(model, kernel, columns, start, raw, at, Math.min(kernel.chunk, matrix.rowCount - at));
    return treesAnswer(model, raw);
  };
  return init ? { run } : { run, runRow };
}

function firstCells(model: TreesEstimator, { columns }: Matrix, errors: RowErrors): Float64Array {
  const cells = new Float64Array(model.features);
  for (let j = 0; j < cells.length; j++) cells[j] = toNumbers(columns[j]!.values, 1, errors)[0]!;
  return cells;
}

/** One row, straight into the kernel: what a request for one prediction runs. */
function walkRow(model: TreesEstimator, kernel: ForestKernel, cells: ArrayLike<number>, errors: RowErrors): void {
  const { rows, sums } = kernel;
  const { features, outputs, baseline, single } = model;
  let missing = false;
  for (let j = 0; j < features; j++) {
    const value = cells[j]!;
    if ((single || value - value !== 0) && checkCell(model, value, 0, errors)) missing = true;
    rows[j] = single ? Math.fround(value) : value;
  }
  for (let k = 0; k < outputs; k++) sums[k] = baseline[k]!;
  kernel.run(model.leftSets ? 'category' : missing ? 'missing' : 'plain', 1);
}

const firstSums = ({ outputs }: TreesEstimator, { sums }: ForestKernel): Float64Array[] =>
  Array.from({ length: outputs }, (_, k) => sums.slice(k, k + 1));

/** What `treesAnswer` says of one raw score, without the decision and in as few arrays as there can be. */
function sigmoidOf(score: number, zeroIsPositive: boolean): Answer {
  const first = new Float64Array(1);
  const second = new Float64Array(1);
  second[0] = expit(score);
  first[0] = 1 - second[0];
  return { labels: [score > 0 || (zeroIsPositive && score === 0) ? 1 : 0], probabilities: [first, second] };
}

interface InputColumns {
  readonly values: readonly Float64Array[];
  readonly missing: boolean;
}

function inputColumns(model: TreesEstimator, matrix: Matrix, errors: RowErrors): InputColumns {
  let missing = false;
  const values = Array.from({ length: model.features }, (_, j) => {
    const x = toNumbers(matrix.columns[j]!.values, matrix.rowCount, errors);
    if (checkCells(model, x, errors)) missing = true;
    return x;
  });
  return { values, missing };
}

/** Errors of rows that the model refuses; true where a value is missing. */
function checkCells(model: TreesEstimator, x: Float64Array, errors: RowErrors): boolean {
  let missing = false;
  for (let i = 0; i < x.length; i++) if (checkCell(model, x[i]!, i, errors)) missing = true;
  return missing;
}

function checkCell(model: TreesEstimator, value: number, row: number, errors: RowErrors): boolean {
  if (value - value === 0) {
    if (model.single && Math.abs(value) > MAX_FLOAT32 && !Number.isFinite(Math.fround(value)))
      errors.add(row, 'Input X contains a value too large for float32');
    return false;
  }
  if (Number.isNaN(value)) {
    if (!model.missing) errors.add(row, 'Input X contains NaN');
    return true;
  }
  if (!model.infinity) errors.add(row, 'Input X contains infinity');
  return false;
}

const MAX_FLOAT32 = 3.4028234663852886e38;

function walkChunk(
  model: TreesEstimator,
  kernel: ForestKernel,
  { values, missing }: InputColumns,
  start: readonly Float64Array[] | undefined,
  raw: readonly Float64Array[],
  at: number,
  count: number,
): void {
  const stride = model.features + 1;
  const { rows, sums } = kernel;
  for (let j = 0; j < model.features; j++) {
    const column = values[j]!;
    if (model.single) for (let i = 0, to = j; i < count; i++, to += stride) rows[to] = Math.fround(column[at + i]!);
    else for (let i = 0, to = j; i < count; i++, to += stride) rows[to] = column[at + i]!;
  }
  const { outputs, baseline } = model;
  for (let i = 0; i < count; i++)
    for (let k = 0; k < outputs; k++) sums[i * outputs + k] = start ? start[k]![at + i]! : baseline[k]!;
  const walk: Walk = model.leftSets ? 'category' : missing ? 'missing' : 'plain';
  kernel.run(walk, count);
  for (let k = 0; k < outputs; k++) {
    const out = raw[k]!;
    for (let i = 0; i < count; i++) out[at + i] = sums[i * outputs + k]!;
  }
}

function treesAnswer(model: TreesEstimator, raw: readonly Float64Array[]): Answer {
  if (model.divide !== 1)
    for (const column of raw) for (let i = 0; i < column.length; i++) column[i] = column[i]! / model.divide;
  switch (model.link) {
    case 'identity':
      return { values: raw[0]! };
    case 'exp':
      return { values: raw[0]!.map(Math.exp) };
    case 'probabilities':
      return { probabilities: raw, labels: argmax(raw) };
    case 'softmax':
      return { probabilities: softmax(raw), labels: argmax(raw), decision: raw };
    default: {
      const probabilities = sigmoids(raw[0]!, model.link === 'expit2' ? 2 : 1);
      return { probabilities, labels: positive(raw[0]!, model.zeroIsPositive), decision: raw };
    }
  }
}

/** Both classes' probabilities; a loop, for `map` costs more than one row does. */
function sigmoids(scores: Float64Array, factor: number): Float64Array[] {
  const first = new Float64Array(scores.length);
  const second = new Float64Array(scores.length);
  for (let i = 0; i < scores.length; i++) {
    const p = expit(factor * scores[i]!);
    first[i] = 1 - p;
    second[i] = p;
  }
  return [first, second];
}

function initialScores(model: TreesEstimator, init: RunEstimator, matrix: Matrix, errors: RowErrors): Float64Array[] {
  const rounded = {
    rowCount: matrix.rowCount,
    columns: matrix.columns.map((c) => ({
      values: toNumbers(c.values, matrix.rowCount, errors).map(Math.fround),
      single: true,
    })),
  };
  const answer = init(rounded, errors);
  const { kind, epsilon } = model.initLink ?? { kind: 'identity', epsilon: 0 };
  if (kind === 'identity') return [Float64Array.from(answer.values!)];
  const clip = (p: number): number => Math.min(Math.max(p, epsilon), 1 - epsilon);
  const p = answer.probabilities!;
  if (kind === 'logit' || kind === 'half-logit') {
    const half = kind === 'logit' ? 1 : 0.5;
    return [p[1]!.map((v) => half * Math.log(clip(v) / (1 - clip(v))))];
  }
  const logs = p.map((column) => column.map((v) => Math.log(clip(v))));
  if (kind === 'log') return logs;
  const means = logs[0]!.map((_, i) => logs.reduce((sum, column) => sum + column[i]!, 0) / logs.length);
  return logs.map((column) => column.map((v, i) => v - means[i]!));
}

function compileCalibrated(model: CalibratedEstimator): RunEstimator {
  const members = model.members.map(({ estimator, steps, calibrators }) => ({
    steps: compileSteps(steps),
    run: compileEstimator(estimator).run,
    calibrators,
  }));
  return (matrix, errors) => {
    const mean = Array.from({ length: model.outputs }, () => new Float64Array(matrix.rowCount));
    for (const { steps, run, calibrators } of members) {
      const probabilities = calibrate(run(steps(matrix, errors), errors), calibrators, model.outputs, matrix.rowCount);
      for (const [k, p] of probabilities.entries())
        for (let i = 0; i < p.length; i++) mean[k]![i] = mean[k]![i]! + p[i]!;
    }
    for (const p of mean) for (let i = 0; i < p.length; i++) p[i] = p[i]! / members.length;
    return { probabilities: mean, labels: argmax(mean) };
  };
}

function calibrate(
  answer: Answer,
  calibrators: readonly Calibrator[],
  outputs: number,
  rowCount: number,
): Float64Array[] {
  const scores = answer.decision ?? (outputs === 2 ? [answer.probabilities![1]!] : answer.probabilities!);
  const out = Array.from({ length: outputs }, () => new Float64Array(rowCount));
  if (outputs === 2) return twoClasses(scores[0]!.map(calibrator(calibrators[0]!))).map(clampTop);
  for (const [k, c] of calibrators.entries()) out[c.target] = scores[k]!.map(calibrator(c));
  return normalise(out, true).map(clampTop);
}

/** scikit-learn sets what exceeds 1 by rounding to 1. */
const clampTop = (p: Float64Array): Float64Array => p.map((v) => (v > 1 && v <= 1 + 1e-5 ? 1 : v));

function calibrator(c: Calibrator): (score: number) => number {
  if (c.kind === 'sigmoid') return (s) => expit(-(c.ab[0]! * s + c.ab[1]!));
  return (s) => interpolate(c.x, c.y, s);
}

/** Linear between the points, constant outside, in scipy's order of operations. */
function interpolate(x: Float64Array, y: Float64Array, at: number): number {
  if (Number.isNaN(at)) return Number.NaN;
  const last = x.length - 1;
  const value = Math.min(Math.max(at, x[0]!), x[last]!);
  if (last === 0) return y[0]!;
  let low = 0;
  let high = last;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (x[middle]! < value) low = middle;
    else high = middle;
  }
  return ((y[high]! - y[low]!) / (x[high]! - x[low]!)) * (value - x[low]!) + y[low]!;
}
