/**
 * A one-sided sequential test of "errors are no more likely in the canary than beside it". For every error event that happened
 * while a share `w` of the units was in the canary, the wealth of each alternative r (the canary errs r times as often) is
 * multiplied by r/(wr+1-w) where the error came from the canary, else by 1/(wr+1-w). The mean wealth over a grid of r is a
 * test martingale under the null, so by Ville's inequality it reaches 1/alpha with probability at most alpha, however often
 * one looks, whatever the traffic, and also while `w` changes. (Howard, Ramdas et al.; Shafer, "Testing by betting".)
 *
 * Plain JSON, so that it can be stored between looks.
 *
 * @example
 * const e = createRateRatio();
 * for (let i = 0; i < 8; i++) addRateEvent(e, true, 0.05);
 * eValue(e) > 20; // eight errors, all of them from the 5 % in the canary
 */
export interface RateRatio {
  /** Natural logarithm of the wealth, one an alternative. */
  readonly logWealth: number[];
  /** Largest logarithm of the mean wealth so far. */
  peak: number;
  events: number;
  fromCanary: number;
}

const GRID_SIZE = 16;
const SMALLEST_RATIO = 1.1;
const LARGEST_RATIO = 30;

/** Alternatives, evenly spaced in their logarithm. */
export const RATE_RATIOS: readonly number[] = Array.from(
  { length: GRID_SIZE },
  (_, i) => SMALLEST_RATIO * (LARGEST_RATIO / SMALLEST_RATIO) ** (i / (GRID_SIZE - 1)),
);

export const createRateRatio = (): RateRatio => ({
  logWealth: RATE_RATIOS.map(() => 0),
  peak: 0,
  events: 0,
  fromCanary: 0,
});

/** Counts one error event. `share` is the probability, before it was seen, that its unit is in the canary. */
export function addRateEvent(state: RateRatio, fromCanary: boolean, share: number): void {
  if (share <= 0 || share >= 1) return;
  state.events += 1;
  if (fromCanary) state.fromCanary += 1;
  for (let i = 0; i < RATE_RATIOS.length; i++) {
    const ratio = RATE_RATIOS[i]!;
    state.logWealth[i]! += Math.log((fromCanary ? ratio : 1) / (share * ratio + 1 - share));
  }
  state.peak = Math.max(state.peak, logMeanExp(state.logWealth));
}

/** The evidence now: 1 is none, 20 is enough at a false alarm rate of 5 %. */
export const eValue = (state: RateRatio): number => Math.exp(Math.min(700, logMeanExp(state.logWealth)));

/** True once the evidence has ever reached 1/alpha. */
export const isRejected = (state: RateRatio, alpha: number): boolean => state.peak >= -Math.log(alpha);

function logMeanExp(values: readonly number[]): number {
  const largest = Math.max(...values);
  return largest + Math.log(values.reduce((sum, value) => sum + Math.exp(value - largest), 0) / values.length);
}
