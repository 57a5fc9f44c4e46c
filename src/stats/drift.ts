import { chiSquareTail, twoSided } from './special.ts';

/** Two sets of counts over the same bins: the reference's and the window's. */
export interface DriftTest {
  /** Smallest of the sub-tests' p-values, times their number. */
  readonly p: number;
  /** Debiased population stability: max(0, (χ² − df)·(1/n + 1/m)); 0 in expectation without drift. */
  readonly effect: number;
  readonly chiSquare: number;
  readonly df: number;
  /** Mid-rank statistics of location and spread; null for categories. */
  readonly zLocation: number | null;
  readonly zSpread: number | null;
}

const total = (counts: readonly number[]): number => counts.reduce((a, b) => a + b, 0);

/** χ² of homogeneity of two samples; df = bins that hold anything, less one. */
export function homogeneity(
  reference: readonly number[],
  current: readonly number[],
): { chiSquare: number; df: number; p: number } {
  const [n, m] = [total(reference), total(current)];
  const all = n + m;
  let chiSquare = 0;
  let bins = 0;
  if (n === 0 || m === 0) return { chiSquare: 0, df: 0, p: 1 };
  for (let i = 0; i < reference.length; i++) {
    const t = reference[i]! + current[i]!;
    if (t === 0) continue;
    bins += 1;
    chiSquare +=
      (reference[i]! - (t * n) / all) ** 2 / ((t * n) / all) + (current[i]! - (t * m) / all) ** 2 / ((t * m) / all);
  }
  const df = Math.max(0, bins - 1);
  return { chiSquare, df, p: chiSquareTail(chiSquare, df) };
}

/** Neighbouring bins joined until the window expects at least `atLeast` in each: what χ² needs to be χ². */
export function mergeSparse(
  reference: readonly number[],
  current: readonly number[],
  atLeast = 5,
): readonly [number[], number[]] {
  const [n, m] = [total(reference), total(current)];
  const merged: [number[], number[]] = [[], []];
  let [a, b] = [0, 0];
  for (let i = 0; i < reference.length; i++) {
    a += reference[i]!;
    b += current[i]!;
    const share = (a + b) / (n + m);
    if (share * Math.min(n, m) < atLeast) continue;
    merged[0].push(a);
    merged[1].push(b);
    [a, b] = [0, 0];
  }
  if (a + b > 0) {
    const last = merged[0].length - 1;
    if (last < 0) return [[a], [b]];
    merged[0][last]! += a;
    merged[1][last]! += b;
  }
  return merged;
}

/**
 * Ordered bins (numbers): χ² with a location and a spread statistic of mid-ranks, Bonferroni over the three. Works on counts that
 * add up over gateways and windows, and knows ties.
 */
export function orderedDrift(reference: readonly number[], current: readonly number[]): DriftTest {
  const [n, m] = [total(reference), total(current)];
  if (n === 0 || m === 0) return { p: 1, effect: 0, chiSquare: 0, df: 0, zLocation: 0, zSpread: 0 };
  const ranks = midRanks(reference, current, n + m);
  const zLocation = scoreStatistic(reference, current, ranks);
  const zSpread = scoreStatistic(
    reference,
    current,
    ranks.map((r) => (r - 0.5) ** 2),
  );
  const { chiSquare, df, p } = homogeneity(...mergeSparse(reference, current));
  const smallest = Math.min(twoSided(zLocation), twoSided(zSpread), p);
  return { p: Math.min(1, 3 * smallest), effect: effectOf(chiSquare, df, n, m), chiSquare, df, zLocation, zSpread };
}

/** Bins without an order (categories): χ² alone. */
export function categoryDrift(reference: readonly number[], current: readonly number[]): DriftTest {
  const [n, m] = [total(reference), total(current)];
  const order = reference.map((_, i) => i).sort((a, b) => reference[b]! + current[b]! - reference[a]! - current[a]!);
  const sorted = [order.map((i) => reference[i]!), order.map((i) => current[i]!)] as const;
  const { chiSquare, df, p } = homogeneity(...mergeSparse(...sorted));
  return { p, effect: effectOf(chiSquare, df, n, m), chiSquare, df, zLocation: null, zSpread: null };
}

const effectOf = (chiSquare: number, df: number, n: number, m: number): number =>
  n === 0 || m === 0 ? 0 : Math.max(0, (chiSquare - df) * (1 / n + 1 / m));

function midRanks(reference: readonly number[], current: readonly number[], all: number): number[] {
  let below = 0;
  return reference.map((a, i) => {
    const t = a + current[i]!;
    const rank = (below + t / 2) / all;
    below += t;
    return rank;
  });
}

/** Difference of mean scores over its standard deviation under "no drift"; 0 where the scores do not vary. */
function scoreStatistic(reference: readonly number[], current: readonly number[], scores: readonly number[]): number {
  const [n, m] = [total(reference), total(current)];
  const mean = (counts: readonly number[], size: number) =>
    counts.reduce((sum, c, i) => sum + c * scores[i]!, 0) / size;
  const pooled = reference.map((a, i) => a + current[i]!);
  const centre = mean(pooled, n + m);
  const variance = pooled.reduce((sum, t, i) => sum + t * (scores[i]! - centre) ** 2, 0) / (n + m);
  const deviation = Math.sqrt(variance * (1 / m + 1 / n));
  return deviation === 0 ? 0 : (mean(current, m) - mean(reference, n)) / deviation;
}

/** Population stability index with half a count added to every bin (Jeffreys): Σ (p − q) ln(p / q). */
export function psi(reference: readonly number[], current: readonly number[]): number {
  const bins = reference.length;
  const [n, m] = [total(reference), total(current)];
  return reference.reduce((sum, a, i) => {
    const p = (a + 0.5) / (n + 0.5 * bins);
    const q = (current[i]! + 0.5) / (m + 0.5 * bins);
    return sum + (p - q) * Math.log(p / q);
  }, 0);
}

/** Jensen–Shannon distance, base 2: 0 for equal shares, 1 for disjoint ones. */
export function jensenShannon(reference: readonly number[], current: readonly number[]): number {
  const [n, m] = [total(reference), total(current)];
  if (n === 0 || m === 0) return Number.NaN;
  let divergence = 0;
  for (let i = 0; i < reference.length; i++) {
    const [p, q] = [reference[i]! / n, current[i]! / m];
    const middle = (p + q) / 2;
    if (p > 0) divergence += (p / 2) * Math.log2(p / middle);
    if (q > 0) divergence += (q / 2) * Math.log2(q / middle);
  }
  return Math.sqrt(Math.max(0, divergence));
}

/** Benjamini–Hochberg adjusted p-values, in the order given. */
export function benjaminiHochberg(pValues: readonly number[]): number[] {
  const order = pValues.map((_, i) => i).sort((a, b) => pValues[b]! - pValues[a]!);
  const adjusted = new Array<number>(pValues.length);
  let smallest = 1;
  order.forEach((i, k) => {
    smallest = Math.min(smallest, (pValues[i]! * pValues.length) / (pValues.length - k));
    adjusted[i] = smallest;
  });
  return adjusted;
}
