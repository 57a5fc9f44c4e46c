import type { FeatureCounters, NumericProfile } from './profile.ts';

/** A numeric feature that arrives multiplied by a constant. */
export interface UnitChange {
  readonly factor: number;
  /** `miles → kilometres`, where the factor is a known one. */
  readonly known: string | null;
  readonly rows: number;
  /** Largest distance of the cumulative shares: as it is, and with the factor taken out. */
  readonly distance: number;
  readonly explained: number;
}

const KNOWN: readonly (readonly [number, string])[] = [
  [1.609344, 'miles → kilometres'],
  [1 / 1.609344, 'kilometres → miles'],
  [0.45359237, 'pounds → kilograms'],
  [1 / 0.45359237, 'kilograms → pounds'],
  [0.3048, 'feet → metres'],
  [1 / 0.3048, 'metres → feet'],
  [2.54, 'inches → centimetres'],
  [1 / 2.54, 'centimetres → inches'],
  [60, 'minutes → seconds or hours → minutes'],
  [1 / 60, 'seconds → minutes or minutes → hours'],
  [3600, 'hours → seconds'],
  [1 / 3600, 'seconds → hours'],
  [100, 'a hundredth of the unit, such as cents'],
  [0.01, 'a hundred times the unit, or a share for per cent'],
  [1000, 'a thousandth of the unit'],
  [0.001, 'a thousand times the unit'],
  [1e6, 'a millionth of the unit'],
  [1e-6, 'a million times the unit'],
];
const SNAP = 0.025;
/** Smaller factors than about 1.35 are how the world moves, not how units differ. */
export const SMALLEST_LOG_FACTOR = 0.3;
const MIN_ROWS = 30;

/**
 * Whether the window's values are the reference's times a constant: the cumulative shares at the bins' edges agree with the
 * reference's once the factor is taken out (as close as chance and the bins allow), and clearly do not before. Candidates come from
 * the ratio of means and of root mean squares, which need no bins and so also find factors that push everything beyond them.
 */
export function findUnitChange(profile: NumericProfile, window: FeatureCounters): UnitChange | null {
  const rows = window.bins.reduce((a, b) => a + b, 0);
  const total = profile.counts.reduce((a, b) => a + b, 0);
  if (rows < MIN_ROWS || total < MIN_ROWS || profile.edges.length < 3) return null;
  const noise = Math.sqrt(1 / rows + 1 / total);
  const distance = distanceAt(profile, window, rows, 1);
  if (distance < 0.1 + 1.3 * noise) return null;
  const fits = (factor: number): { readonly factor: number; readonly explained: number } => ({
    factor,
    explained: distanceAt(profile, window, rows, factor),
  });
  const limit = Math.min(0.04 + 1.1 * noise, distance / 2);
  const estimated = estimates(profile, window, rows)
    .map(fits)
    .sort((a, b) => a.explained - b.explained)[0];
  if (!estimated || estimated.explained > limit) return null;
  // A known factor explains as much as the estimate, within chance: then it is the one that people recognise.
  const near = KNOWN.filter(
    ([factor]) => Math.abs(Math.log(estimated.factor / factor)) < SNAP + 3 * spreadOf(profile) * noise,
  )
    .map(([factor, known]) => ({ ...fits(factor), known }))
    .filter(({ explained }) => explained <= Math.min(limit, estimated.explained + noise))
    .sort((a, b) => a.explained - b.explained)[0];
  const { factor, explained } = near ?? estimated;
  return { factor, known: near?.known ?? null, rows, distance, explained };
}

/** The known factor that lies within `snap` (in logarithms) of this one, else the factor itself. @example nameFactor(1.6, 0.05) */
export function nameFactor(factor: number, snap: number): Pick<UnitChange, 'factor' | 'known'> {
  const near = KNOWN.map(([known, name]) => ({ factor: known, known: name, off: Math.abs(Math.log(factor / known)) }))
    .filter(({ off }) => off < snap)
    .sort((a, b) => a.off - b.off)[0];
  return near ? { factor: near.factor, known: near.known } : { factor, known: null };
}

/** Whether these values are likelier as the reference's times `factor` than as the reference's: for few rows too. */
export function looksScaled(profile: NumericProfile, window: FeatureCounters, factor: number): boolean {
  const tiny = 1e-3;
  let [before, scaledBefore, likelihood] = [0, 0, 0];
  window.bins.forEach((n, i) => {
    const edge = profile.edges[i] ?? Number.POSITIVE_INFINITY;
    const [share, scaled] = [referenceShare(profile, edge), referenceShare(profile, edge / factor)];
    likelihood += n * Math.log((scaled - scaledBefore + tiny) / (share - before + tiny));
    [before, scaledBefore] = [share, scaled];
  });
  return likelihood > 0;
}

/** Standard deviation over mean: how fast a ratio of means becomes sure. */
const spreadOf = ({ mean, sd }: NumericProfile): number => (mean === 0 ? 1 : Math.min(1, sd / Math.abs(mean)));

/** Around the ratios of means and of root mean squares, for bins say nothing about what lies beyond them. */
function estimates(profile: NumericProfile, window: FeatureCounters, rows: number): number[] {
  const byMean = window.sum / rows / profile.mean;
  const byPower = Math.sqrt(window.sumSquares / rows / (profile.mean ** 2 + profile.sd ** 2));
  return [byMean, byPower, Math.sqrt(byMean * byPower)]
    .filter((factor) => Number.isFinite(factor) && factor > 0)
    .flatMap((factor) => [factor * 0.98, factor, factor * 1.02])
    .filter((factor) => Math.abs(Math.log(factor)) >= SMALLEST_LOG_FACTOR);
}

/** Largest difference of the window's and the reference's cumulative shares, the reference's values taken times `factor`. */
function distanceAt(profile: NumericProfile, window: FeatureCounters, rows: number, factor: number): number {
  let below = 0;
  let largest = 0;
  profile.edges.forEach((edge, i) => {
    below += window.bins[i]!;
    largest = Math.max(largest, Math.abs(below / rows - referenceShare(profile, edge / factor)));
  });
  // What lies outside the reference's range is counted exactly.
  const inside = [
    [window.below / rows, referenceShare(profile, profile.min / factor)],
    [1 - window.above / rows, referenceShare(profile, profile.max / factor)],
  ] as const;
  for (const [share, expected] of inside) largest = Math.max(largest, Math.abs(share - expected));
  return largest;
}

/** Share of the reference below x, linear within its bins. */
function referenceShare({ edges, counts, min, max }: NumericProfile, x: number): number {
  const total = counts.reduce((a, b) => a + b, 0);
  if (x <= min) return 0;
  if (x >= max) return 1;
  let below = 0;
  for (let i = 0; i < counts.length; i++) {
    const low = i === 0 ? min : edges[i - 1]!;
    const high = i === edges.length ? max : edges[i]!;
    if (x < high) return (below + (high > low ? ((x - low) / (high - low)) * counts[i]! : 0)) / total;
    below += counts[i]!;
  }
  return 1;
}
