import { mergeWindow, type NumericProfile, type WindowCounters } from '../../stats/profile.ts';
import { findUnitChange, looksScaled, type UnitChange } from '../../stats/unit-change.ts';
import { grouped } from '../labels/labels.ts';
import { type Finding, finding, type WindowFacts } from './rules.ts';

/** Hours whose factors lie so close are one change. */
const SAME_FACTOR = 0.05;

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

function changeOf(feature: NumericProfile, i: number, { counters, hours, start }: WindowFacts): Found | undefined {
  const whole = findUnitChange(feature, counters.features[i]!);
  const first = hours.find((hour) => hour.counters.rows > 0)?.start ?? start;
  if (whole) return { ...whole, name: feature.name, since: first };
  return lastHours(feature, i, hours);
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
