import type { Cell, ColumnValues, Frame } from '../kernel/frame.ts';

/**
 * What a model's inputs and scores looked like when it was trained, as fixed bins with exact counts. Bins are made once from the
 * reference; every later window only counts into them, so counts add up over gateways and windows and tests cost O(features × bins).
 */
export interface MonitorProfile {
  readonly rows: number;
  readonly features: readonly FeatureProfile[];
  readonly score: { readonly edges: readonly number[]; readonly counts: readonly number[] };
  /** Share of the positive class (binary) or mean of the target (regression) in the reference; null where unknown. */
  readonly labelRate: number | null;
  /** Importance shares by feature, adding up to 1, where known. */
  readonly importance?: Readonly<Record<string, number>>;
}

export type FeatureProfile = NumericProfile | CategoryProfile;

/** `edges` ascending; bin i holds edges[i-1] <= x < edges[i], so there are edges.length + 1 bins. */
export interface NumericProfile {
  readonly name: string;
  readonly kind: 'numeric';
  readonly edges: readonly number[];
  readonly counts: readonly number[];
  readonly nulls: number;
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly sd: number;
}

/** The most frequent values and the count of all others. */
export interface CategoryProfile {
  readonly name: string;
  readonly kind: 'category';
  readonly values: readonly string[];
  readonly counts: readonly number[];
  readonly other: number;
  readonly nulls: number;
}

/** Exact counts of one version in one window. Plain JSON; merging is addition. For categories the last bin is `other`. */
export interface WindowCounters {
  requests: number;
  rows: number;
  errors: number;
  refused: number;
  fallbacks: number;
  readonly features: readonly FeatureCounters[];
  readonly scoreBins: number[];
  scoreSum: number;
  scoreSumSquares: number;
  readonly labels: Record<string, number>;
  /** Requests by latency: bin floor(8·log2(µs)), 0 to LATENCY_BINS-1. */
  readonly latency: number[];
}

export interface FeatureCounters {
  readonly name: string;
  readonly bins: number[];
  nulls: number;
  typeErrors: number;
  below: number;
  above: number;
  unseen: number;
  sum: number;
  sumSquares: number;
}

export const MAX_NUMERIC_BINS = 32;
export const MAX_CATEGORIES = 64;
export const LATENCY_BINS = 208;
const MAX_LABELS = 64;
const SCORE_BINS = 32;

/** What `countRows` needs to know of answers. */
export interface ScoredRows {
  readonly labels: readonly Cell[];
  readonly scores: Float64Array;
}

/** Counters of zero for a profile, with look-ups compiled for counting. */
export class Counters {
  readonly window: WindowCounters;
  readonly #counting: readonly ((values: ColumnValues, rows: number) => void)[];
  readonly #scoreEdges: Float64Array;

  constructor(profile: MonitorProfile) {
    this.window = emptyWindow(profile);
    this.#counting = profile.features.map((feature, i) =>
      feature.kind === 'numeric'
        ? numericCounter(feature, this.window.features[i]!)
        : categoryCounter(feature, this.window.features[i]!),
    );
    this.#scoreEdges = Float64Array.from(profile.score.edges);
  }

  /** Counts one answered request: `frame` holds raw rows, `latencyUs` is the whole request's. A column that is missing counts as nulls. */
  count(frame: Frame, answers: ScoredRows, latencyUs: number): void {
    this.countRequest(latencyUs);
    this.countRows(frame);
    this.countAnswers(answers, frame.rowCount);
  }

  countRequest(latencyUs: number): void {
    this.window.requests += 1;
    this.window.latency[latencyBin(latencyUs)]! += 1;
  }

  /** Rows that reached a model, answered or not. */
  countRows(frame: Frame): void {
    const w = this.window;
    w.rows += frame.rowCount;
    for (let f = 0; f < w.features.length; f++) {
      const name = w.features[f]!.name;
      const hinted = frame.columns[f];
      const column = hinted?.name === name ? hinted : frame.columns.find((c) => c.name === name);
      if (column) this.#counting[f]!(column.values, frame.rowCount);
      else w.features[f]!.nulls += frame.rowCount;
    }
  }

  /** What models said: the first `rows` labels and scores. */
  countAnswers({ labels, scores }: ScoredRows, rows: number): void {
    const w = this.window;
    const seen = new Map<Cell, number>();
    for (let i = 0; i < rows; i++) {
      const score = scores[i]!;
      if (!Number.isNaN(score)) {
        w.scoreBins[binOf(this.#scoreEdges, score)]! += 1;
        w.scoreSum += score;
        w.scoreSumSquares += score * score;
      }
      const label = labels[i] ?? null;
      seen.set(label, (seen.get(label) ?? 0) + 1);
    }
    for (const [label, n] of seen) this.#countLabel(String(label), n);
  }

  #countLabel(key: string, n: number): void {
    const { labels } = this.window;
    if (Object.hasOwn(labels, key)) labels[key]! += n;
    else if (Object.keys(labels).length < MAX_LABELS) labels[key] = n;
  }

  isEmpty(): boolean {
    const w = this.window;
    return w.requests + w.errors + w.refused === 0;
  }
}

/** Zero counts in the shape of a profile. */
export function emptyWindow(profile: MonitorProfile): WindowCounters {
  return {
    requests: 0,
    rows: 0,
    errors: 0,
    refused: 0,
    fallbacks: 0,
    features: profile.features.map((feature) => ({
      name: feature.name,
      bins: new Array<number>(feature.kind === 'numeric' ? feature.edges.length + 1 : feature.values.length + 1).fill(
        0,
      ),
      nulls: 0,
      typeErrors: 0,
      below: 0,
      above: 0,
      unseen: 0,
      sum: 0,
      sumSquares: 0,
    })),
    scoreBins: new Array<number>(profile.score.edges.length + 1).fill(0),
    scoreSum: 0,
    scoreSumSquares: 0,
    labels: {},
    latency: new Array<number>(LATENCY_BINS).fill(0),
  };
}

/** Adds `from` to `into` (same profile). Associative and commutative. */
export function mergeWindow(into: WindowCounters, from: WindowCounters): WindowCounters {
  for (const key of ['requests', 'rows', 'errors', 'refused', 'fallbacks', 'scoreSum', 'scoreSumSquares'] as const)
    into[key] += from[key];
  into.features.forEach((feature, i) => {
    const other = from.features[i];
    if (other?.name !== feature.name) return;
    addInto(feature.bins, other.bins);
    for (const key of ['nulls', 'typeErrors', 'below', 'above', 'unseen', 'sum', 'sumSquares'] as const)
      feature[key] += other[key];
  });
  addInto(into.scoreBins, from.scoreBins);
  addInto(into.latency, from.latency);
  for (const [label, n] of Object.entries(from.labels)) into.labels[label] = (into.labels[label] ?? 0) + n;
  return into;
}

const addInto = (into: number[], from: readonly number[]): void => {
  for (let i = 0; i < into.length; i++) into[i]! += from[i] ?? 0;
};

export const latencyBin = (latencyUs: number): number =>
  latencyUs <= 1 ? 0 : Math.min(LATENCY_BINS - 1, Math.floor(8 * Math.log2(latencyUs)));

/** The latency, in µs, below which a share `q` of the requests stayed (upper edge of its bin, at most 9 % too high); null without requests. */
export function latencyQuantileUs(latency: readonly number[], q: number): number | null {
  const total = latency.reduce((a, b) => a + b, 0);
  let seen = 0;
  for (let i = 0; i < latency.length && total > 0; i++) {
    seen += latency[i]!;
    if (seen >= q * total) return 2 ** ((i + 1) / 8);
  }
  return null;
}

/** Bin of x: number of edges that are <= x. @example binOf(Float64Array.of(1, 2), 1) === 1 */
export function binOf(edges: Float64Array, x: number): number {
  let low = 0;
  let high = edges.length;
  while (low < high) {
    const mid = (low + high) >> 1;
    if (edges[mid]! <= x) low = mid + 1;
    else high = mid;
  }
  return low;
}

function numericCounter(profile: NumericProfile, c: FeatureCounters): (values: ColumnValues, rows: number) => void {
  const edges = Float64Array.from(profile.edges);
  const { min, max } = profile;
  const { bins } = c;
  const countNumbers = (values: Float64Array, rows: number): void => {
    for (let i = 0; i < rows; i++) {
      const x = values[i]!;
      if (Number.isNaN(x)) {
        c.nulls += 1;
        continue;
      }
      bins[binOf(edges, x)]! += 1;
      c.sum += x;
      c.sumSquares += x * x;
      if (x < min) c.below += 1;
      else if (x > max) c.above += 1;
    }
  };
  return (values, rows) => {
    if (values instanceof Float64Array) return countNumbers(values, rows);
    const { numbers, typeErrors } = toNumbers(values, rows);
    c.typeErrors += typeErrors;
    c.nulls -= typeErrors;
    countNumbers(numbers, rows);
  };
}

/** Cells as numbers: booleans are 0 and 1; text, which is no number, is NaN and counted. */
function toNumbers(cells: readonly Cell[], rows: number): { numbers: Float64Array; typeErrors: number } {
  const numbers = new Float64Array(rows).fill(Number.NaN);
  let typeErrors = 0;
  for (let i = 0; i < rows; i++) {
    const value = cells[i] ?? null;
    if (typeof value === 'string') typeErrors += 1;
    else if (value !== null) numbers[i] = Number(value);
  }
  return { numbers, typeErrors };
}

function categoryCounter(profile: CategoryProfile, c: FeatureCounters): (values: ColumnValues, rows: number) => void {
  const index = new Map(profile.values.map((value, i) => [value, i]));
  const other = profile.values.length;
  return (values, rows) => {
    for (let i = 0; i < rows; i++) {
      const value = values[i];
      if (value === null || value === undefined || (typeof value === 'number' && Number.isNaN(value))) {
        c.nulls += 1;
        continue;
      }
      const bin = index.get(typeof value === 'string' ? value : String(value));
      if (bin === undefined) {
        c.bins[other]! += 1;
        if (profile.other === 0) c.unseen += 1;
      } else c.bins[bin]! += 1;
    }
  };
}

/** A feature's profile from its reference values. Numbers get quantile bins, everything else its most frequent values. */
export function profileColumn(name: string, values: ColumnValues): FeatureProfile {
  const present: Cell[] = [];
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value !== null && value !== undefined && !(typeof value === 'number' && Number.isNaN(value)))
      present.push(value);
  }
  const nulls = values.length - present.length;
  if (present.length > 0 && present.every((v) => typeof v === 'number'))
    return numericProfile(name, present as number[], nulls);
  return categoryProfile(name, present.map(String), nulls);
}

function numericProfile(name: string, values: readonly number[], nulls: number): NumericProfile {
  const finite = Float64Array.from(values.filter(Number.isFinite)).sort();
  const n = finite.length;
  const edges = quantileEdges(finite, MAX_NUMERIC_BINS);
  const counts = countInto(edges, values);
  const mean = n === 0 ? 0 : finite.reduce((a, b) => a + b, 0) / n;
  const variance = n === 0 ? 0 : finite.reduce((a, b) => a + (b - mean) ** 2, 0) / n;
  return {
    name,
    kind: 'numeric',
    edges,
    counts,
    nulls,
    min: finite[0] ?? 0,
    max: finite[n - 1] ?? 0,
    mean,
    sd: Math.sqrt(variance),
  };
}

/** Distinct quantiles of sorted values as bin edges: at most `bins` bins, and fewer where values repeat. */
export function quantileEdges(sorted: Float64Array, bins: number): number[] {
  const edges: number[] = [];
  for (let i = 1; i < bins && sorted.length > 0; i++) {
    const edge = sorted[Math.floor((i * sorted.length) / bins)]!;
    if (edge > sorted[0]! && edge !== edges.at(-1)) edges.push(edge);
  }
  return edges;
}

function countInto(edges: readonly number[], values: readonly number[] | Float64Array): number[] {
  const typed = Float64Array.from(edges);
  const counts = new Array<number>(edges.length + 1).fill(0);
  for (const value of values) counts[binOf(typed, value)]! += 1;
  return counts;
}

function categoryProfile(name: string, values: readonly string[], nulls: number): CategoryProfile {
  const tally = new Map<string, number>();
  for (const value of values) tally.set(value, (tally.get(value) ?? 0) + 1);
  const ranked = [...tally].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
  const top = ranked.slice(0, MAX_CATEGORIES);
  const other = ranked.slice(MAX_CATEGORIES).reduce((sum, [, n]) => sum + n, 0);
  return { name, kind: 'category', values: top.map(([v]) => v), counts: top.map(([, n]) => n), other, nulls };
}

/** The profile of a reference: raw rows (only the columns to watch) and the model's scores on the same or other rows. */
export function buildProfile(frame: Frame, scores: Float64Array, labelRate: number | null): MonitorProfile {
  const edges = quantileEdges(Float64Array.from(scores).sort(), SCORE_BINS);
  return {
    rows: frame.rowCount,
    features: frame.columns.map(({ name, values }) => profileColumn(name, values)),
    score: { edges, counts: countInto(edges, scores) },
    labelRate,
  };
}
