import { mergeWindow, type NumericProfile, type WindowCounters } from '../../stats/profile.ts';
import {
  findUnitChange,
  looksScaled,
  nameFactor,
  SMALLEST_LOG_FACTOR,
  type UnitChange,
} from '../../stats/unit-change.ts';
import { grouped } from '../labels/labels.ts';
import { type Finding, finding, type WindowFacts } from './rules.ts';

/** Hours whose factors lie so close are one change. */
const SAME_FACTOR = 0.05;

/** Fewer rows do not say what an hour usually holds. */
const MIN_USUAL_ROWS = 100;
/** Beyond three times no hour of the day differs from another; on fewer rows than these a smaller factor is chance. */
const PLAIN_LOG_FACTOR = Math.log(3);
const MIN_MODEST_ROWS = 100;
/** How many standard errors of the ratio's logarithm a change lies from none. */
const SURE = 3;
/** How far a ratio of means over a few hours may lie from a known factor, in logarithms. */
const SAME_HOURS_SNAP = 0.12;

interface Found extends UnitChange {
  readonly name: string;
  readonly since: number;
}

/** Columns that arrive multiplied by a constant, in the whole window or in its last hours, and since when. */
export function unitFinding(facts: WindowFacts): Finding {
  const found: Found[] = [];
  facts.profile.features.forEach((feature, i) => {
    if (feature.kind !== 'numeric') return;
    const change = changeOf(feature, i, facts);
    if (change) found.push(change);
  });
  const base = { rule: 'data.units', light: 'data', n: facts.counters.rows } as const;
  if (found.length === 0) return finding({ ...base, state: 'green', sentence: 'units as in training' });
  const sentences = found.map(
    ({ name, factor, rows, since, known }) =>
      `${name} ×${showFactor(factor)} in all ${grouped(rows)} rows since ${timeOf(since)}${known ? ` (${known}?)` : ''}`,
  );
  return finding({
    ...base,
    state: 'red',
    value: found[0]!.factor,
    sentence: sentences.join('; '),
    details: { columns: found, column: found[0]!.name, factor: found[0]!.factor, since: found[0]!.since },
  });
}

function changeOf(feature: NumericProfile, i: number, facts: WindowFacts): Found | undefined {
  const { counters, hours, start } = facts;
  const whole = findUnitChange(feature, counters.features[i]!);
  const first = hours.find((hour) => hour.counters.rows > 0)?.start ?? start;
  const found = whole ? { ...whole, name: feature.name, since: first } : lastHours(feature, i, hours);
  return found && besideSameHours(found, facts);
}

/**
 * Nights and mornings have rows of their own: what looks like a factor against all of training may be how the same hours always
 * are. Where the days before hold enough of these hours, the factor is the ratio of means against them, and a ratio that is no
 * factor is no change. Undefined then.
 */
function besideSameHours(found: Found, { hours, earlier }: WindowFacts): Found | undefined {
  if (Math.abs(Math.log(found.factor)) >= PLAIN_LOG_FACTOR) return found;
  if (found.rows < MIN_MODEST_ROWS) return undefined;
  const seen = hours.filter(({ start, counters }) => start >= found.since && counters.rows > 0);
  const clockHours = new Set(seen.map(({ start }) => clockHour(start)));
  const usual = meanOf(
    found.name,
    earlier.filter(({ start }) => clockHours.has(clockHour(start))),
  );
  const now = meanOf(found.name, seen);
  if (usual.rows < MIN_USUAL_ROWS || usual.mean === 0) return found;
  const ratio = now.mean / usual.mean;
  const error = usual.variation * Math.sqrt(1 / now.rows + 1 / usual.rows);
  if (!(ratio > 0) || Math.abs(Math.log(ratio)) < Math.max(SMALLEST_LOG_FACTOR, SURE * error)) return undefined;
  return { ...found, ...nameFactor(ratio, SAME_HOURS_SNAP) };
}

const clockHour = (start: number): number => new Date(start).getUTCHours();

/** Mean of a column over hours, and its standard deviation as a share of it. */
function meanOf(name: string, hours: WindowFacts['hours']): { rows: number; mean: number; variation: number } {
  let [rows, sum, squares] = [0, 0, 0];
  for (const { counters } of hours) {
    const feature = counters.features.find((each) => each.name === name);
    if (!feature) continue;
    rows += feature.bins.reduce((a, b) => a + b, 0);
    sum += feature.sum;
    squares += feature.sumSquares;
  }
  if (rows === 0 || sum === 0) return { rows, mean: 0, variation: 0 };
  const mean = sum / rows;
  return { rows, mean, variation: Math.sqrt(Math.max(0, squares / rows - mean ** 2)) / Math.abs(mean) };
}

/** The longest run of hours at the window's end that together show one factor, each hour that can show it by itself agreeing. */
function lastHours(feature: NumericProfile, i: number, hours: WindowFacts['hours']): Found | undefined {
  let merged: WindowCounters | undefined;
  let best: Found | undefined;
  for (const { start, counters } of [...hours].reverse()) {
    if (counters.rows === 0) continue;
    if (best && !looksScaled(feature, counters.features[i]!, best.factor)) break;
    merged = merged ? mergeWindow(merged, counters) : structuredClone(counters);
    const change = findUnitChange(feature, merged.features[i]!);
    const isSame = !best || !change || Math.abs(change.factor / best.factor - 1) < SAME_FACTOR;
    if (change && isSame) best = { ...change, name: feature.name, since: start };
    else if (best) break;
  }
  return best;
}

export const showFactor = (factor: number): string =>
  factor >= 100 ? String(Math.round(factor)) : String(Number(factor.toPrecision(3)));

export const timeOf = (ms: number): string => new Date(ms).toISOString().slice(0, 16).replace('T', ' ');
