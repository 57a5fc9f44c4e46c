/**
 * Confidence sequences: intervals that hold at all sample sizes at once, so that one may look after every row and stop when
 * one likes. Wider than a fixed interval by a logarithm, and honest.
 */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** Where the asymptotic sequence is tightest: about 500 units. */
const DEFAULT_RHO_SQUARED = 1 / 500;

/**
 * Half-width around the mean of `n` units with standard deviation `sd` (Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas,
 * "Time-uniform central limit theory", theorem 2.2): sd · sqrt(2(nρ²+1)/(n²ρ²) · ln(sqrt(nρ²+1)/alpha)).
 *
 * @example asymptoticHalfWidth(500, 1, 0.05) // 0.164..., where a fixed 95 % interval has 0.088
 */
export function asymptoticHalfWidth(n: number, sd: number, alpha: number, rhoSquared = DEFAULT_RHO_SQUARED): number {
  if (n <= 0) return Number.POSITIVE_INFINITY;
  const v = n * rhoSquared + 1;
  return sd * Math.sqrt(((2 * v) / (n * n * rhoSquared)) * Math.log(Math.sqrt(v) / alpha));
}

/** The asymptotic sequence around the mean of units, from their count, sum and sum of squares. */
export function meanInterval(n: number, sum: number, sumSquares: number, alpha: number): Interval {
  if (n < 2) return { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };
  const mean = sum / n;
  const variance = Math.max(0, (sumSquares - n * mean * mean) / (n - 1));
  const half = asymptoticHalfWidth(n, Math.sqrt(variance), alpha);
  return { low: mean - half, high: mean + half };
}

/** Prior of the mixture: tightest for rare events, the case that matters for errors. */
const PRIOR_EVENTS = 0.5;
const PRIOR_OTHERS = 10;
const BISECTIONS = 60;

/**
 * Exact for every n: the p that a beta-binomial mixture martingale has not yet refuted (Robbins 1970), after `events` in `n`
 * units. Wealth against p: B(a+k, b+n-k) / (B(a, b) p^k (1-p)^(n-k)); refuted at 1/alpha.
 *
 * @example rateInterval(0, 1000, 0.05).high // 0.0053: no error in a thousand
 */
export function rateInterval(events: number, n: number, alpha: number): Interval {
  if (n <= 0) return { low: 0, high: 1 };
  const mixture =
    logBeta(PRIOR_EVENTS + events, PRIOR_OTHERS + n - events) - logBeta(PRIOR_EVENTS, PRIOR_OTHERS) + Math.log(alpha);
  const isRefuted = (p: number): boolean => mixture >= times(events, Math.log(p)) + times(n - events, Math.log1p(-p));
  const rate = events / n;
  return {
    low: events === 0 ? 0 : bisect(rate, 0, isRefuted),
    high: events === n ? 1 : bisect(rate, 1, isRefuted),
  };
}

/** The point nearest to `outside` that is still inside; `inside` is not refuted, `outside` is. */
function bisect(inside: number, outside: number, isRefuted: (p: number) => boolean): number {
  let near = inside;
  let far = outside;
  for (let i = 0; i < BISECTIONS; i++) {
    const middle = (near + far) / 2;
    if (isRefuted(middle)) far = middle;
    else near = middle;
  }
  return far;
}

/** 0 · -Infinity is 0 here: no event of probability zero happened. */
const times = (count: number, logarithm: number): number => (count === 0 ? 0 : count * logarithm);

/**
 * Half-width of a band around an empirical distribution function, at all n at once (Howard & Ramdas, "Sequential estimation of
 * quantiles"): 0.85 · sqrt((ln ln(e·n) + 0.8 · ln(1612/alpha)) / n).
 */
export const dkwHalfWidth = (n: number, alpha: number): number =>
  n <= 0 ? 1 : Math.min(1, 0.85 * Math.sqrt((Math.log(Math.log(Math.E * n)) + 0.8 * Math.log(1612 / alpha)) / n));

const logBeta = (a: number, b: number): number => logGamma(a) + logGamma(b) - logGamma(a + b);

const LANCZOS = [
  676.5203681218851, -1259.1392167224028, 771.3234287776531, -176.6150291621406, 12.507343278686905,
  -0.13857109526572012, 9.984369578019572e-6, 1.5056327351493116e-7,
];

/** ln Γ(x) for x > 0 (Lanczos, g = 7). @example logGamma(5) // ln 24 */
export function logGamma(x: number): number {
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x);
  const shifted = x - 1;
  const t = shifted + 7.5;
  const series = LANCZOS.reduce((sum, c, i) => sum + c / (shifted + i + 1), 0.99999999999980993);
  return 0.5 * Math.log(2 * Math.PI) + (shifted + 0.5) * Math.log(t) - t + Math.log(series);
}
