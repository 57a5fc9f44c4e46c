/**
 * Shiryaev–Roberts e-detector for a mean that must not rise above `baseline` (Shin, Ramdas and Rinaldo, "E-detectors", 2024), for
 * losses in [0, 1]. For each k: M ← (1 + M)(1 + λ_k (x − μ0)); an alarm where the mean of the M reaches `threshold`. The expected
 * number of observations before a false alarm is at least `threshold`, without independence, as long as E[x | past] ≤ μ0: so
 * `baseline` is an upper bound (wilsonUpper), never a bare estimate.
 */
export interface EDetectorState {
  readonly m: readonly number[];
  /** Observations since the last reset. */
  readonly n: number;
}

const FACTORS = [1.25, 1.5, 2, 3] as const;
/** Beyond this an alarm stands anyway; keeps the numbers finite. */
const CEILING = 1e200;

export const newEDetector = (): EDetectorState => ({ m: FACTORS.map(() => 0), n: 0 });

/** The state after more observations, in order, and the index of the first one that alarms, or null. */
export function detect(
  state: EDetectorState,
  losses: Iterable<number>,
  { baseline, threshold }: { readonly baseline: number; readonly threshold: number },
): { readonly state: EDetectorState; readonly alarmAt: number | null } {
  const mu = Math.min(0.999, Math.max(1e-6, baseline));
  const lambdas = FACTORS.map((k) => Math.min((k * mu - mu) / (mu * (1 - mu)), 0.9 / mu));
  const m = [...state.m];
  let { n } = state;
  let alarmAt: number | null = null;
  for (const x of losses) {
    n += 1;
    let sum = 0;
    for (let k = 0; k < m.length; k++) {
      m[k] = Math.min(CEILING, (1 + m[k]!) * (1 + lambdas[k]! * (x - mu)));
      sum += m[k]!;
    }
    if (alarmAt === null && sum / m.length >= threshold) alarmAt = n;
  }
  return { state: { m, n }, alarmAt };
}
