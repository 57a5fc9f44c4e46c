/** Distribution functions of monitoring, right in both tails and at large degrees of freedom; checked against scipy 1.17. */

const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
] as const;

/** ln Γ(x) for x > 0 (Lanczos, g = 7): relative error below 1e-14. */
export function logGamma(x: number): number {
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x);
  const z = x - 1;
  let sum: number = LANCZOS[0];
  for (let i = 1; i < LANCZOS.length; i++) sum += LANCZOS[i]! / (z + i);
  const t = z + 7.5;
  return 0.5 * Math.log(2 * Math.PI) + (z + 0.5) * Math.log(t) - t + Math.log(sum);
}

const MAX_TERMS = 20_000;
const TINY = 1e-300;

/** Regularised upper incomplete gamma Q(a, x): series below a + 1, Lentz's continued fraction above. */
export function upperGamma(a: number, x: number): number {
  if (x <= 0) return 1;
  const front = Math.exp(a * Math.log(x) - x - logGamma(a));
  if (x < a + 1) {
    let term = 1 / a;
    let sum = term;
    for (let n = 1; n < MAX_TERMS && Math.abs(term) > Math.abs(sum) * 1e-17; n++) {
      term *= x / (a + n);
      sum += term;
    }
    return 1 - front * sum;
  }
  let b = x + 1 - a;
  let c = 1 / TINY;
  let d = 1 / b;
  let h = d;
  for (let i = 1; i < MAX_TERMS; i++) {
    const an = -i * (i - a);
    b += 2;
    d = 1 / nonZero(an * d + b);
    c = nonZero(b + an / c);
    const step = d * c;
    h *= step;
    if (Math.abs(step - 1) < 1e-16) break;
  }
  return front * h;
}

const nonZero = (x: number): number => (Math.abs(x) < TINY ? TINY : x);

/** P(χ²_df > x). @example chiSquareTail(100, 5) // 5.285e-20 */
export const chiSquareTail = (x: number, df: number): number => (df <= 0 ? 1 : upperGamma(df / 2, x / 2));

/** P(Z > z) of the standard normal. @example normalTail(5) // 2.8665e-7 */
export function normalTail(z: number): number {
  return z < 0 ? 1 - upperGamma(0.5, (z * z) / 2) / 2 : upperGamma(0.5, (z * z) / 2) / 2;
}

/** Two-sided p-value of a standard normal statistic. */
export const twoSided = (z: number): number => upperGamma(0.5, (z * z) / 2);

/** z with P(Z > z) = p, for 0 < p < 1, by Newton steps on the log of the tail. */
export function normalQuantileOfTail(p: number): number {
  if (!(p > 0 && p < 1)) throw new RangeError(`A tail probability lies between 0 and 1; got ${p}`);
  if (p > 0.5) return -normalQuantileOfTail(1 - p);
  let z = p > 0.1 ? (0.5 - p) * 2.5 : Math.sqrt(-2 * Math.log(p));
  for (let i = 0; i < 60; i++) {
    const tail = normalTail(z);
    const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
    const step = ((Math.log(tail) - Math.log(p)) * tail) / density;
    z += step;
    if (Math.abs(step) < 1e-14 * Math.max(1, Math.abs(z))) break;
  }
  return z;
}

/** x with P(χ²_df > x) = p, by bisection. @example chiSquareQuantileOfTail(0.01, 9) // 21.666 */
export function chiSquareQuantileOfTail(p: number, df: number): number {
  let [low, high] = [0, df + 10];
  while (chiSquareTail(high, df) > p) high *= 2;
  for (let i = 0; i < 200 && high - low > 1e-12 * high; i++) {
    const mid = (low + high) / 2;
    if (chiSquareTail(mid, df) > p) low = mid;
    else high = mid;
  }
  return (low + high) / 2;
}

/** Upper end of the one-sided 95 % Wilson interval of a share (Wilson 1927). */
export function wilsonUpper(hits: number, n: number, z = 1.6448536269514722): number {
  if (n === 0) return 1;
  const p = hits / n;
  const centre = p + (z * z) / (2 * n);
  const half = z * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n));
  return Math.min(1, (centre + half) / (1 + (z * z) / n));
}
