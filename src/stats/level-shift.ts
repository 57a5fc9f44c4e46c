import { studentTail } from './student.ts';

/** What a few days in a row say about a level that should be `reference`. */
export interface LevelShift {
  readonly days: number;
  readonly mean: number;
  /** mean − reference. */
  readonly shift: number;
  /** Standard error of the shift, by how much the days differ among themselves. */
  readonly se: number;
  readonly t: number;
  /** One-sided: how probable days so high are without a shift. */
  readonly pHigher: number;
  readonly pLower: number;
  /** Lag-1 autocorrelation that the standard error allows for. */
  readonly autocorrelation: number;
}

/** Fewer days say nothing about how much days differ. */
export const MIN_DAYS = 5;
/** Beyond it a few days are one long day, and no test of days helps. */
const MAX_AUTOCORRELATION = 0.5;

/**
 * Whether the mean of daily values lies off its reference, where days differ by more than their rows explain (weather, weekday,
 * campaigns): the day is the unit. The variance is that of the days around their own mean, never below the sampling variance; with
 * lag-1 autocorrelation ρ in [0, 0.5] the variance of the mean grows by (1+ρ)/(1−ρ). Student's t with days−1 degrees of freedom.
 * `referenceDays`: the reference is itself the mean of so many such days (Infinity: it is known).
 */
export function levelShift(
  values: readonly number[],
  reference: number,
  { samplingVariance = 0, referenceDays = Number.POSITIVE_INFINITY } = {},
): LevelShift | null {
  const n = values.length;
  if (n < MIN_DAYS) return null;
  const mean = values.reduce((a, b) => a + b, 0) / n;
  const squares = values.reduce((sum, x) => sum + (x - mean) ** 2, 0);
  const autocorrelation = Math.min(MAX_AUTOCORRELATION, Math.max(0, lagOne(values, mean, squares)));
  const variance = Math.max(squares / (n - 1), samplingVariance);
  const inflation = (1 + autocorrelation) / (1 - autocorrelation);
  const se = Math.sqrt(variance * (inflation / n + 1 / referenceDays));
  const shift = mean - reference;
  const t = se === 0 ? (shift === 0 ? 0 : Math.sign(shift) * Number.MAX_VALUE) : shift / se;
  return {
    days: n,
    mean,
    shift,
    se,
    t,
    pHigher: studentTail(t, n - 1),
    pLower: studentTail(-t, n - 1),
    autocorrelation,
  };
}

function lagOne(values: readonly number[], mean: number, squares: number): number {
  if (squares === 0) return 0;
  let sum = 0;
  for (let i = 1; i < values.length; i++) sum += (values[i]! - mean) * (values[i - 1]! - mean);
  return sum / squares;
}
