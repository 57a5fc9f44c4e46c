import { AppError } from '../../kernel/errors.ts';
import { suggestion } from '../../project-file/index.ts';
import { countersOf } from '../../serving/index.ts';
import { categoryDrift, type DriftTest, jensenShannon, orderedDrift, psi } from '../../stats/drift.ts';
import {
  emptyWindow,
  type FeatureCounters,
  type FeatureProfile,
  type MonitorProfile,
  mergeWindow,
  type WindowCounters,
} from '../../stats/profile.ts';
import type { Actor } from '../../wire/route.ts';
import { judgedBy } from '../evaluation/versions.ts';
import { startOfWindow } from '../labels/labels.ts';
import { type MonitoringDeps, WINDOW_MS } from '../types.ts';
import { isoOf, spanOf } from './span.ts';

export const SCORE = 'score';
const QUANTILES = [0.05, 0.25, 0.5, 0.75, 0.95] as const;

export interface Side {
  readonly rows: number;
  readonly nulls: number;
  readonly mean: number | null;
  readonly sd: number | null;
  /** p5, p25, p50, p75, p95, from the bins by straight lines; null for categories. */
  readonly quantiles: readonly number[] | null;
}

/** One column, or the score, of one version: what it was trained on beside what came, in the same bins. */
export interface DistributionView {
  readonly column: string | null;
  readonly kind: 'numeric' | 'category';
  readonly version: number;
  readonly from: string;
  readonly to: string;
  readonly bins: readonly {
    readonly label: string;
    /** Numbers: from `low` to below `high`; null where the bin has no end. */
    readonly low: number | null;
    readonly high: number | null;
    readonly reference: number;
    readonly live: number;
  }[];
  readonly reference: Side;
  readonly live: Side & {
    readonly typeErrors: number;
    readonly below: number;
    readonly above: number;
    readonly unseen: number;
  };
  readonly range: { readonly min: number; readonly max: number } | null;
  /** null where nothing came. */
  readonly test:
    | (Pick<DriftTest, 'p' | 'effect' | 'chiSquare' | 'df'> & {
        readonly psi: number;
        readonly jensenShannon: number;
      })
    | null;
}

export interface DistributionInput {
  readonly model: string;
  /** A watched column; without one: the score. */
  readonly column?: string | undefined;
  /** Days of event time, both included. */
  readonly from: number;
  readonly to: number;
  /** Default: the version that answered most rows of the span. */
  readonly version?: number | undefined;
}

/** The reference against what came in a span of days. Throws `not_found` where the column is not watched or nothing answered. */
export async function getDistribution(
  deps: MonitoringDeps,
  actor: Actor,
  input: DistributionInput,
): Promise<DistributionView> {
  const { endpoint, projectId } = await spanOf(deps, actor, { model: input.model, days: 1 });
  const [from, to] = [startOfWindow(input.from), startOfWindow(input.to) + WINDOW_MS];
  const hours = await countersOf(deps.serving, { projectId, endpoint: endpoint.name, from, to });
  const versionId = await versionIn(deps, hours, input.version, endpoint.championId);
  const judged = versionId === null ? undefined : await judgedBy(deps, versionId);
  const profile = judged?.profile;
  if (!judged || !profile)
    throw new AppError('not_found', `No version that is watched answered at "${endpoint.name}" in those days`);
  const counters = hours
    .filter((hour) => hour.versionId === versionId)
    .reduce((sum, hour) => mergeWindow(sum, hour.counters), emptyWindow(profile));
  const head = { version: judged.version.version, from: isoOf(from), to: isoOf(to) };
  if (input.column === undefined) return { ...head, ...scoreSides(profile, counters) };
  const at = profile.features.findIndex(({ name }) => name === input.column);
  if (at < 0) throw unknownColumn(input.column, profile);
  return { ...head, ...columnSides(profile.features[at]!, counters.features[at]!, counters.rows) };
}

const unknownColumn = (column: string, { features }: MonitorProfile): AppError =>
  new AppError(
    'not_found',
    `"${column}" is not a watched column${suggestion(
      column,
      features.map(({ name }) => name),
    )}`,
  );

async function versionIn(
  deps: MonitoringDeps,
  hours: readonly { readonly versionId: string; readonly counters: WindowCounters }[],
  wanted: number | undefined,
  champion: string | null,
): Promise<string | null> {
  const rows = new Map<string, number>();
  for (const { versionId, counters } of hours) rows.set(versionId, (rows.get(versionId) ?? 0) + counters.rows);
  const ids = [...rows].sort(([, a], [, b]) => b - a).map(([id]) => id);
  if (wanted === undefined) return ids[0] ?? champion;
  for (const id of ids) if ((await judgedBy(deps, id))?.version.version === wanted) return id;
  return null;
}

type Sides = Omit<DistributionView, 'version' | 'from' | 'to'>;

function scoreSides({ score }: MonitorProfile, counters: WindowCounters): Sides {
  const n = sum(counters.scoreBins);
  const mean = n === 0 ? null : counters.scoreSum / n;
  const ends = { min: score.edges[0] ?? 0, max: score.edges.at(-1) ?? 1 };
  return {
    column: null,
    kind: 'numeric',
    bins: numericBins(score.edges, score.counts, counters.scoreBins),
    reference: {
      rows: sum(score.counts),
      nulls: 0,
      mean: null,
      sd: null,
      quantiles: quantilesOf(score.edges, score.counts, ends),
    },
    live: {
      rows: n,
      nulls: 0,
      mean,
      sd: mean === null ? null : Math.sqrt(Math.max(0, counters.scoreSumSquares / n - mean ** 2)),
      quantiles: n === 0 ? null : quantilesOf(score.edges, counters.scoreBins, ends),
      typeErrors: 0,
      below: 0,
      above: 0,
      unseen: 0,
    },
    range: null,
    test: testOf(score.counts, counters.scoreBins, orderedDrift),
  };
}

function columnSides(feature: FeatureProfile, live: FeatureCounters, rows: number): Sides {
  const n = sum(live.bins);
  const isNumeric = feature.kind === 'numeric';
  const mean = !isNumeric || n === 0 ? null : live.sum / n;
  const counted = isNumeric ? feature.counts : [...feature.counts, feature.other];
  const more = { typeErrors: live.typeErrors, below: live.below, above: live.above, unseen: live.unseen };
  return {
    column: feature.name,
    kind: feature.kind,
    bins: isNumeric
      ? numericBins(feature.edges, feature.counts, live.bins)
      : [...feature.values, 'all others'].map((label, i) => ({
          label,
          low: null,
          high: null,
          reference: counted[i]!,
          live: live.bins[i]!,
        })),
    reference: {
      rows: sum(counted) + feature.nulls,
      nulls: feature.nulls,
      mean: isNumeric ? feature.mean : null,
      sd: isNumeric ? feature.sd : null,
      quantiles: isNumeric ? quantilesOf(feature.edges, feature.counts, feature) : null,
    },
    live: {
      rows,
      nulls: live.nulls,
      mean,
      sd: mean === null ? null : Math.sqrt(Math.max(0, live.sumSquares / n - mean ** 2)),
      quantiles: isNumeric && n > 0 ? quantilesOf(feature.edges, live.bins, feature) : null,
      ...more,
    },
    range: isNumeric ? { min: feature.min, max: feature.max } : null,
    test: testOf(counted, live.bins, isNumeric ? orderedDrift : categoryDrift),
  };
}

function testOf(
  reference: readonly number[],
  live: readonly number[],
  test: (a: readonly number[], b: readonly number[]) => DriftTest,
): DistributionView['test'] {
  if (sum(live) === 0 || sum(reference) === 0) return null;
  const { p, effect, chiSquare, df } = test(reference, live);
  return { p, effect, chiSquare, df, psi: psi(reference, live), jensenShannon: jensenShannon(reference, live) };
}

const short = (value: number): string => String(Number(value.toPrecision(4)));

function numericBins(
  edges: readonly number[],
  reference: readonly number[],
  live: readonly number[],
): DistributionView['bins'] {
  return reference.map((count, i) => {
    const [low, high] = [edges[i - 1] ?? null, edges[i] ?? null];
    const label =
      low === null && high === null
        ? 'all'
        : low === null
          ? `below ${short(high!)}`
          : high === null
            ? `${short(low)} and more`
            : `${short(low)} to ${short(high)}`;
    return { label, low, high, reference: count, live: live[i]! };
  });
}

/** Quantiles as if values lay evenly in their bin; bins without an end stop at the reference's range. @example the median of [0, 10) with 4 rows is 5 */
export function quantilesOf(
  edges: readonly number[],
  counts: readonly number[],
  { min, max }: { readonly min: number; readonly max: number },
): number[] {
  const total = sum(counts);
  return QUANTILES.map((q) => {
    let before = 0;
    for (let i = 0; i < counts.length; i++) {
      const count = counts[i]!;
      if (count > 0 && before + count >= q * total) {
        const low = edges[i - 1] ?? Math.min(min, edges[i] ?? min);
        const high = edges[i] ?? Math.max(max, low);
        return low + (high - low) * ((q * total - before) / count);
      }
      before += count;
    }
    return max;
  });
}

const sum = (counts: readonly number[]): number => counts.reduce((a, b) => a + b, 0);
