import { benjaminiHochberg, categoryDrift, jensenShannon, orderedDrift, psi } from '../../stats/drift.ts';
import { singleAlpha } from '../../stats/false-alarms.ts';
import type { FeatureCounters, FeatureProfile, WindowCounters } from '../../stats/profile.ts';
import { normalTail } from '../../stats/special.ts';
import { grouped } from '../labels/labels.ts';
import { basisOf, EFFECT, type Finding, finding, MIN_ROWS, percent, SHARES, type WindowFacts } from './rules.ts';
import { unitFinding } from './unit-rule.ts';

/** A column is broken where so many of its values are; a tenth of it is worth a look. */
const BROKEN_SHARE = 0.05;
const NOTED_SHARE = 0.01;
/** Fewer refused rows than these are an accident, whatever share of a quiet day they are. */
const MIN_REFUSED = 5;

/** The data light: what does not fit the training data, column by column. */
export function dataFindings(facts: WindowFacts): Finding[] {
  if (facts.counters.rows < MIN_ROWS) {
    const sentence = `${grouped(facts.counters.rows)} rows: too few to judge the data`;
    return [refused(facts), finding({ rule: 'data.drift', light: 'data', state: 'grey', sentence })];
  }
  const units = unitFinding(facts);
  return [refused(facts), ...qualityFindings(facts), units, driftFinding(facts, units)];
}

/** Rows that break the signature never reach the model. */
function refused({ counters }: WindowFacts): Finding {
  const all = counters.rows + counters.refused;
  const share = all === 0 ? 0 : counters.refused / all;
  const isBroken = share >= BROKEN_SHARE && counters.refused >= MIN_REFUSED;
  const state = all < 20 ? 'grey' : isBroken ? 'red' : share >= NOTED_SHARE ? 'amber' : 'green';
  return finding({
    rule: 'data.refused',
    light: 'data',
    state,
    exceeds: state === 'red',
    value: share,
    threshold: BROKEN_SHARE,
    n: all,
    sentence: `${grouped(counters.refused)} of ${grouped(all)} rows were refused, by the signature or by features.py (${percent(share)})`,
  });
}

interface Check {
  readonly rule: string;
  readonly what: string;
  readonly count: (feature: FeatureCounters) => number;
  /** Share of the reference where that is so. */
  readonly reference: (profile: FeatureProfile) => number;
}

const CHECKS: readonly Check[] = [
  { rule: 'data.types', what: 'ill-typed', count: (f) => f.typeErrors, reference: () => 0 },
  {
    rule: 'data.nulls',
    what: 'missing',
    count: (f) => f.nulls,
    reference: (p) => p.nulls / Math.max(1, p.nulls + p.counts.reduce((a, b) => a + b, 0)),
  },
  { rule: 'data.range', what: 'outside the training range', count: (f) => f.below + f.above, reference: () => 0 },
  { rule: 'data.unseen', what: 'never seen in training', count: (f) => f.unseen, reference: () => 0 },
];

function qualityFindings({ counters, profile, budget, hours }: WindowFacts): Finding[] {
  const alpha = singleAlpha(budget, SHARES.quality) / (CHECKS.length * Math.max(1, profile.features.length));
  return CHECKS.map(({ rule, what, count, reference }) => {
    const columns = counters.features.map((feature, i) => {
      const expected = reference(profile.features[i]!);
      const n = count(feature);
      const share = n / counters.rows;
      return { name: feature.name, n, share, expected, isMore: isMore(n, counters.rows, expected, alpha) };
    });
    const worst = columns.reduce((a, b) => (b.share - b.expected > a.share - a.expected ? b : a), columns[0]!);
    if (!worst) return finding({ rule, light: 'data', state: 'green', sentence: `no column is ${what}` });
    const excess = worst.share - worst.expected;
    const state = !worst.isMore || excess < NOTED_SHARE ? 'green' : excess >= BROKEN_SHARE ? 'red' : 'amber';
    const before = worst.expected > 0 ? `, ${percent(worst.expected)} in training` : '';
    return finding({
      rule,
      light: 'data',
      state,
      exceeds: state === 'red',
      value: worst.share,
      threshold: worst.expected + BROKEN_SHARE,
      n: counters.rows,
      sentence:
        state === 'green'
          ? `values ${what}: at most ${percent(worst.share)} of a column`
          : `${worst.name}: ${grouped(worst.n)} of ${grouped(counters.rows)} values ${what} (${percent(worst.share)}${before})`,
      details: {
        column: worst.name,
        since: sinceOf(hours, worst.name, count, worst.expected + excess / 2),
        columns: columns.filter((column) => column.n > 0).slice(0, 50),
      },
    });
  });
}

/** One-sided: more than the reference's share, by a normal bound (Poisson-like where the reference has none). */
function isMore(n: number, rows: number, expected: number, alpha: number): boolean {
  if (n === 0) return false;
  const p = Math.max(expected, 1 / rows);
  return normalTail((n - rows * p) / Math.sqrt(rows * p * (1 - p))) < alpha || n / rows >= BROKEN_SHARE + expected;
}

/** The first hour from which on the share stays above half of the window's excess. */
function sinceOf(
  hours: WindowFacts['hours'],
  name: string,
  count: (feature: FeatureCounters) => number,
  above: number,
): number | null {
  let since: number | null = null;
  for (const { start, counters } of hours) {
    const feature = counters.features.find((f) => f.name === name);
    if (!feature || counters.rows === 0) continue;
    if (count(feature) / counters.rows > above) since ??= start;
    else since = null;
  }
  return since;
}

export interface ColumnDrift {
  readonly name: string;
  readonly p: number;
  readonly effect: number;
  readonly psi: number;
  readonly jensenShannon: number;
  readonly importance: number | null;
}

/** Every column against its profile; Benjamini–Hochberg over the columns, and an effect that matters. */
function driftFinding(facts: WindowFacts, units: Finding): Finding {
  const { profile } = facts;
  const { counters, alpha, floor, words } = basisOf(facts, SHARES.drift);
  const columns = driftOf(counters, profile.features, profile.importance);
  const adjusted = benjaminiHochberg(columns.map(({ p }) => p));
  const drifted = columns
    .map((column, i) => ({ ...column, adjusted: adjusted[i]! }))
    .filter((column) => column.adjusted < alpha && column.effect >= floor)
    .sort((a, b) => b.effect - a.effect);
  const largest = columns.reduce((max, { effect }) => Math.max(max, effect), 0);
  const isExplained = units.state === 'red';
  const state = drifted.length === 0 || isExplained ? 'green' : drifted[0]!.effect >= EFFECT.major ? 'red' : 'amber';
  const names = drifted.slice(0, 3).map((c) => `${c.name} (effect ${c.effect.toFixed(2)})`);
  return finding({
    rule: 'data.drift',
    light: 'data',
    state,
    exceeds: state !== 'green',
    value: largest,
    threshold: floor,
    n: counters.rows,
    sentence:
      state === 'green'
        ? `${columns.length} columns as in training${words} (largest effect ${largest.toFixed(3)}, noted from ${floor})`
        : `${drifted.length} of ${columns.length} columns drifted${words}: ${names.join(', ')}`,
    details: { alpha, columns: columns.slice(0, 200) },
  });
}

export function driftOf(
  counters: WindowCounters,
  features: readonly FeatureProfile[],
  importance: Readonly<Record<string, number>> | undefined,
): ColumnDrift[] {
  return features.map((feature, i) => {
    const current = counters.features[i]!.bins;
    const reference = feature.kind === 'numeric' ? feature.counts : [...feature.counts, feature.other];
    const test = feature.kind === 'numeric' ? orderedDrift(reference, current) : categoryDrift(reference, current);
    return {
      name: feature.name,
      p: test.p,
      effect: test.effect,
      psi: psi(reference, current),
      jensenShannon: jensenShannon(reference, current),
      importance: importance?.[feature.name] ?? null,
    };
  });
}
