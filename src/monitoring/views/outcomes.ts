import { AppError } from '../../kernel/errors.ts';
import type { Cell } from '../../kernel/frame.ts';
import { suggestion } from '../../project-file/index.ts';
import { countersOf } from '../../serving/index.ts';
import type { FeatureProfile } from '../../stats/profile.ts';
import type { Actor } from '../../wire/route.ts';
import { type Joined, joinLabels, summarise } from '../evaluation/performance.ts';
import { type Judged, judgedBy } from '../evaluation/versions.ts';
import { startOfWindow } from '../labels/labels.ts';
import { type MonitoringDeps, WINDOW_MS } from '../types.ts';
import { isoOf, spanOf } from './span.ts';

/** A span of labels is read row by row: so many days at most. */
export const MAX_OUTCOME_DAYS = 62;
const BINS = 10;
const MAX_SLICES = 20;

/** What was predicted and what came true in a span: as a whole, by how sure the model was, and by the values of one raw column. */
export interface OutcomesView {
  readonly version: number;
  readonly task: Judged['task'];
  readonly from: string;
  readonly to: string;
  readonly predictions: number;
  readonly labelled: number;
  readonly lossName: 'log_loss' | 'error' | 'mse';
  readonly loss: number | null;
  /** Sampling variance of the mean loss. */
  readonly lossVariance: number;
  readonly metrics: Readonly<Record<string, number | null>>;
  /** Empty for several classes. */
  readonly reliability: readonly ReliabilityBin[];
  /** Mean |observed − predicted| over the bins, weighted by their rows; null without labels. */
  readonly calibrationError: number | null;
  readonly slices: { readonly column: string; readonly values: readonly SliceOutcome[] } | null;
}

export interface ReliabilityBin {
  readonly low: number;
  readonly high: number;
  readonly rows: number;
  readonly predicted: number;
  readonly observed: number;
  /** Standard error of `observed`. */
  readonly error: number;
}

export interface SliceOutcome {
  readonly value: string;
  readonly labelled: number;
  readonly loss: number | null;
  readonly lossVariance: number;
  readonly observed: number | null;
  readonly predicted: number | null;
}

export interface OutcomesInput {
  readonly model: string;
  /** Days of event time, both included. */
  readonly from: number;
  readonly to: number;
  readonly version?: number | undefined;
  readonly slice?: string | undefined;
}

/** Throws `invalid` for more than `MAX_OUTCOME_DAYS`, `not_found` where no version answered or the column is not watched. */
export async function getOutcomes(deps: MonitoringDeps, actor: Actor, input: OutcomesInput): Promise<OutcomesView> {
  const { projectId, endpoint, clock } = await spanOf(deps, actor, { model: input.model, days: 1 });
  const [start, end] = [startOfWindow(input.from), startOfWindow(input.to) + WINDOW_MS];
  if (end - start > MAX_OUTCOME_DAYS * WINDOW_MS || end <= start)
    throw new AppError('invalid', `Ask for 1 to ${MAX_OUTCOME_DAYS} days; these are ${(end - start) / WINDOW_MS}`);
  const range = { projectId, endpoint: endpoint.name, from: start, to: end };
  const judged = await answering(deps, range, input.version);
  const feature = input.slice === undefined ? null : watched(judged, input.slice);
  const { predictions, ...joined } = await joinLabels(
    deps,
    { projectId, endpoint: endpoint.name, start, end, clock },
    judged,
    input.slice,
  );
  const whole = summarise(judged, joined, predictions, []);
  const reliability = judged.task === 'multiclass' ? [] : reliabilityOf(judged.task, joined);
  return {
    version: judged.version.version,
    task: judged.task,
    from: isoOf(start),
    to: isoOf(end),
    predictions,
    labelled: whole.labelled,
    lossName: whole.lossName,
    loss: whole.loss,
    lossVariance: whole.lossVariance,
    metrics: whole.metrics,
    reliability,
    calibrationError: errorOf(reliability),
    slices: feature && { column: feature.name, values: slicesOf(judged, joined, feature) },
  };
}

async function answering(
  deps: MonitoringDeps,
  range: { readonly projectId: string; readonly endpoint: string; readonly from: number; readonly to: number },
  wanted: number | undefined,
): Promise<Judged> {
  const rows = new Map<string, number>();
  for (const { versionId, counters } of await countersOf(deps.serving, range))
    rows.set(versionId, (rows.get(versionId) ?? 0) + counters.rows);
  for (const [id] of [...rows].sort(([, a], [, b]) => b - a)) {
    const judged = await judgedBy(deps, id);
    if (judged && (wanted === undefined || judged.version.version === wanted)) return judged;
  }
  const who = wanted === undefined ? 'No version' : `v${wanted} never`;
  throw new AppError('not_found', `${who} answered at "${range.endpoint}" in those days`);
}

function watched({ profile }: Judged, column: string): FeatureProfile {
  const features = profile?.features ?? [];
  const found = features.find(({ name }) => name === column);
  if (found) return found;
  const names = features.map(({ name }) => name);
  throw new AppError('not_found', `"${column}" is not a watched column${suggestion(column, names)}`);
}

/** Ten bins of equal width for chances, ten of equal size for numbers. */
export function reliabilityOf(task: 'binary' | 'regression', { y, p }: Pick<Joined, 'y' | 'p'>): ReliabilityBin[] {
  const n = p.length;
  const order = Float64Array.from(p).sort();
  const edges = Array.from({ length: BINS + 1 }, (_, i) =>
    task === 'binary' ? i / BINS : order[Math.min(n - 1, Math.floor((i * n) / BINS))]!,
  );
  const bins = Array.from({ length: BINS }, () => ({ rows: 0, predicted: 0, observed: 0, squares: 0 }));
  for (let i = 0; i < n; i++) {
    let k = 0;
    while (k < BINS - 1 && p[i]! >= edges[k + 1]!) k++;
    const bin = bins[k]!;
    bin.rows += 1;
    bin.predicted += p[i]!;
    bin.observed += y[i]!;
    bin.squares += y[i]! ** 2;
  }
  return bins.flatMap(({ rows, predicted, observed, squares }, k) => {
    if (rows === 0) return [];
    const mean = observed / rows;
    return [
      {
        low: edges[k]!,
        high: edges[k + 1]!,
        rows,
        predicted: predicted / rows,
        observed: mean,
        error: Math.sqrt(Math.max(0, squares / rows - mean ** 2) / rows),
      },
    ];
  });
}

function errorOf(bins: readonly ReliabilityBin[]): number | null {
  const rows = bins.reduce((sum, bin) => sum + bin.rows, 0);
  if (rows === 0) return null;
  return bins.reduce((sum, bin) => sum + bin.rows * Math.abs(bin.observed - bin.predicted), 0) / rows;
}

/** The most frequent values of a category; a number by the quarters of its reference. */
function slicesOf(judged: Judged, joined: Joined, feature: FeatureProfile): SliceOutcome[] {
  const name =
    feature.kind === 'numeric' ? quarterOf(feature) : (cell: Cell) => (cell === null ? 'missing' : String(cell));
  const groups = new Map<string, number[]>();
  joined.slice.forEach((cell, i) => {
    const key = name(cell);
    const rows = groups.get(key);
    if (rows) rows.push(i);
    else groups.set(key, [i]);
  });
  const ranked = [...groups].sort(([, a], [, b]) => b.length - a.length).slice(0, MAX_SLICES);
  return ranked.map(([value, rows]) => {
    const part = {
      y: Float64Array.from(rows, (i) => joined.y[i]!),
      p: Float64Array.from(rows, (i) => joined.p[i]!),
      right: rows.map((i) => joined.right[i]!),
    };
    const { labelled, loss, lossVariance, observed, predicted } = summarise(judged, part, rows.length, []);
    return { value, labelled, loss, lossVariance, observed, predicted };
  });
}

function quarterOf({ edges, counts }: Extract<FeatureProfile, { kind: 'numeric' }>): (cell: Cell) => string {
  const total = counts.reduce((a, b) => a + b, 0);
  const cuts: number[] = [];
  let before = 0;
  counts.forEach((count, i) => {
    before += count;
    const edge = edges[i];
    if (edge !== undefined && before >= ((cuts.length + 1) * total) / 4 && cuts.length < 3) cuts.push(edge);
  });
  const short = (value: number): string => String(Number(value.toPrecision(4)));
  return (cell) => {
    const value = typeof cell === 'boolean' ? Number(cell) : cell;
    if (typeof value !== 'number' || Number.isNaN(value)) return 'missing';
    const k = cuts.findIndex((cut) => value < cut);
    if (cuts.length === 0) return 'all';
    if (k === 0) return `below ${short(cuts[0]!)}`;
    return k < 0 ? `${short(cuts.at(-1)!)} and more` : `${short(cuts[k - 1]!)} to ${short(cuts[k]!)}`;
  };
}
