import { setImmediate } from 'node:timers/promises';
import { metricNamed, orderBy, type Scored } from './metrics.ts';

/** A mean with its two-sided 95 % interval. */
export interface Interval {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

export interface PairedOptions {
  /** Rows of one cluster are one unit (an entity's rows are not independent). */
  readonly clusters?: readonly string[] | undefined;
  /** Uniform [0, 1), for the bootstrap of rank metrics. */
  readonly random: () => number;
}

const Z95 = 1.959963984540054;
const BOOTSTRAP_ROUNDS = 400;
/** Rank metrics are resampled on at most so many rows. */
const BOOTSTRAP_ROWS = 10_000;

/**
 * How much better the challenger is than the champion on the same rows: positive is better, whatever the metric's direction.
 *
 * For metrics that are means of rows, the mean of the paired differences with a normal interval over units (clusters, else
 * rows); for rmse the difference is of mean squared errors. For rank metrics (auc, f1 …) a paired percentile bootstrap.
 */
export async function pairedDifference(
  metric: string,
  champion: Scored,
  challenger: Scored,
  options: PairedOptions,
): Promise<Interval> {
  const { row, better } = metricNamed(metric, champion.task);
  const sign = better === 'lower' ? 1 : -1;
  if (!row) return bootstrapDifference(metric, champion, challenger, options, -sign);
  const differences = new Float64Array(champion.y.length);
  for (let i = 0; i < differences.length; i++) differences[i] = sign * (row(champion, i) - row(challenger, i));
  return meanInterval(differences, options.clusters);
}

/** Mean and normal 95 % interval; with clusters the ratio estimator's (linearised) standard error. */
export function meanInterval(values: Float64Array, clusters?: readonly string[]): Interval {
  const n = values.length;
  if (n === 0) return { mean: Number.NaN, low: Number.NaN, high: Number.NaN };
  const mean = values.reduce((a, b) => a + b, 0) / n;
  const half = Z95 * Math.sqrt(clusters ? clusteredVariance(values, mean, clusters) : rowVariance(values, mean));
  return { mean, low: mean - half, high: mean + half };
}

function rowVariance(values: Float64Array, mean: number): number {
  const n = values.length;
  if (n < 2) return Number.POSITIVE_INFINITY;
  let sum = 0;
  for (const value of values) sum += (value - mean) ** 2;
  return sum / (n - 1) / n;
}

function clusteredVariance(values: Float64Array, mean: number, clusters: readonly string[]): number {
  const residuals = new Map<string, number>();
  values.forEach((value, i) => {
    residuals.set(clusters[i]!, (residuals.get(clusters[i]!) ?? 0) + value - mean);
  });
  const g = residuals.size;
  if (g < 2) return Number.POSITIVE_INFINITY;
  let sum = 0;
  for (const residual of residuals.values()) sum += residual ** 2;
  return ((g / (g - 1)) * sum) / values.length ** 2;
}

/**
 * Percentile bootstrap over units. Gives the event loop back between rounds. The AUC, whose rows are sorted once, is resampled by
 * weights; other rank metrics by picking rows.
 */
async function bootstrapDifference(
  metric: string,
  champion: Scored,
  challenger: Scored,
  options: PairedOptions,
  sign: number,
): Promise<Interval> {
  const valuer = (scored: Scored) => (metric === 'auc' ? weightedAuc(scored) : pickedValue(metric, scored));
  const [before, after] = [valuer(champion), valuer(challenger)];
  const n = champion.y.length;
  const mean = sign * (after(new Float64Array(n).fill(1)) - before(new Float64Array(n).fill(1)));
  const units = unitsOf(n, options.clusters);
  const size = Math.min(units.length, BOOTSTRAP_ROWS);
  const rounds: number[] = [];
  for (let k = 0; k < BOOTSTRAP_ROUNDS; k++) {
    const weights = resample(units, size, n, options.random);
    const difference = sign * (after(weights) - before(weights));
    if (!Number.isNaN(difference)) rounds.push(difference);
    if (k % 4 === 3) await setImmediate();
  }
  const sorted = Float64Array.from(rounds).sort();
  // The interval of a smaller resample is wider by √(units / size); bring it back to all units.
  const shrink = Math.sqrt(size / Math.max(1, units.length));
  const at = (q: number): number => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
  return { mean, low: mean + (at(0.025) - mean) * shrink, high: mean + (at(0.975) - mean) * shrink };
}

/** The AUC as a function of row weights, in one pass over rows sorted once. NaN with one class. */
function weightedAuc(scored: Scored): (weights: Float64Array) => number {
  const { y, scores } = scored as { y: Float64Array; scores: Float64Array };
  const order = orderBy(scores);
  return (weights) => {
    let [below, pairs, positives] = [0, 0, 0];
    for (let i = 0; i < order.length; ) {
      const score = scores[order[i]!]!;
      let [tiedPositives, tiedNegatives] = [0, 0];
      for (; i < order.length && scores[order[i]!] === score; i++) {
        const row = order[i]!;
        if (y[row] === 1) tiedPositives += weights[row]!;
        else tiedNegatives += weights[row]!;
      }
      pairs += tiedPositives * (below + tiedNegatives / 2);
      positives += tiedPositives;
      below += tiedNegatives;
    }
    return pairs / (positives * below);
  };
}

function pickedValue(metric: string, scored: Scored): (weights: Float64Array) => number {
  const { value } = metricNamed(metric, scored.task);
  return (weights) => {
    const rows: number[] = [];
    for (let i = 0; i < weights.length; i++) for (let k = 0; k < weights[i]!; k++) rows.push(i);
    return value(pick(scored, Uint32Array.from(rows))) ?? Number.NaN;
  };
}

function unitsOf(n: number, clusters?: readonly string[]): readonly (readonly number[])[] {
  if (!clusters) return Array.from({ length: n }, (_, i) => [i]);
  const byCluster = new Map<string, number[]>();
  for (let i = 0; i < n; i++) {
    const members = byCluster.get(clusters[i]!);
    if (members) members.push(i);
    else byCluster.set(clusters[i]!, [i]);
  }
  return [...byCluster.values()];
}

/** How often each row was drawn, drawing `size` units with replacement. */
function resample(
  units: readonly (readonly number[])[],
  size: number,
  rows: number,
  random: () => number,
): Float64Array {
  const weights = new Float64Array(rows);
  for (let k = 0; k < size; k++) for (const row of units[Math.floor(random() * units.length)]!) weights[row]! += 1;
  return weights;
}

function pick(scored: Scored, rows: Uint32Array): Scored {
  const take = (values: Float64Array): Float64Array => Float64Array.from(rows, (i) => values[i]!);
  if (scored.task === 'multiclass')
    return { ...scored, y: take(scored.y), probabilities: scored.probabilities.map(take) };
  return { ...scored, y: take(scored.y), scores: take(scored.scores) };
}
