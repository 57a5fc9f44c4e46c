import { normalQuantileOfTail, normalTail } from './special.ts';

/** `count` false alarms in `perMs`, over windows of `windowMs`: the one number that a user states. */
export interface AlarmBudget {
  readonly count: number;
  readonly perMs: number;
  readonly windowMs: number;
}

export const windowsIn = ({ perMs, windowMs }: AlarmBudget): number => Math.max(1, perMs / windowMs);

/**
 * The p-value below which a window exceeds, for a rule that alarms when a window and one of the two before it exceed: under the
 * null at most two pairs end in each window, so 2·α² ≤ share · count / windows.
 * @example persistentAlpha({ count: 1, perMs: 90 * DAY, windowMs: DAY }, 0.1) // 0.0236
 */
export const persistentAlpha = (budget: AlarmBudget, share: number): number =>
  Math.min(0.05, Math.sqrt((share * budget.count) / windowsIn(budget) / 2));

/** The p-value below which a single window alarms at once. */
export const singleAlpha = (budget: AlarmBudget, share: number): number =>
  Math.min(0.05, (share * budget.count) / windowsIn(budget));

/**
 * The p-value below which a moving mean over `span` windows alarms, so that over the budget's period it does so by chance
 * `share · count` times: a moving mean crosses in clumps, and clumps come at φ(z)·z/span·ν(z·√(2/span)) a window (Siegmund,
 * "Sequential Analysis", 1985; ν(x) ≈ e^(−0.583 x)).
 */
export function movingAlpha(budget: AlarmBudget, share: number, span: number): number {
  const wanted = (share * budget.count) / windowsIn(budget);
  let [low, high] = [0.5, 9];
  for (let i = 0; i < 100; i++) {
    const z = (low + high) / 2;
    const clumps = (density(z) * z * Math.exp(-0.583 * z * Math.sqrt(2 / span))) / span;
    if (clumps > wanted) low = z;
    else high = z;
  }
  return Math.min(0.05, normalTail(high));
}

const density = (z: number): number => Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);

/** The smallest difference of a mean that n and m observations show with 80 % power at this p-value. */
export const detectableShift = (alpha: number, sd: number, n: number, m: number): number =>
  n === 0 || m === 0
    ? Number.POSITIVE_INFINITY
    : (normalQuantileOfTail(alpha / 2) + 0.8416212335729143) * sd * Math.sqrt(1 / n + 1 / m);
