import { MIN_ROWS, percent, SHARES } from '../evaluation/rules.ts';
import { grouped } from '../labels/labels.ts';
import type { EvaluationTable } from '../tables.ts';
import { type ColumnFault, WINDOW_MS } from '../types.ts';

/** The rules that would have found a fault, the one that names it first. */
export const RULES_OF: Readonly<Record<ColumnFault, readonly string[]>> = {
  'unit-change': ['data.units', 'data.range', 'data.drift'],
  shift: ['data.drift', 'data.range'],
  nulls: ['data.nulls', 'data.refused', 'data.drift'],
  'new-category': ['data.unseen', 'data.refused', 'data.drift'],
};

/** What each rule asks for before it alarms. */
const NEEDS: Readonly<Record<string, string>> = {
  'data.units': 'a factor is told from 100 rows on, or from a factor of 3',
  'data.range': 'alarms from 5 % of a column on',
  'data.nulls': 'alarms from 5 points above training on',
  'data.unseen': 'alarms from 5 % of a column on',
  'data.refused': 'alarms from 5 % of the rows and 5 rows on',
};

interface Quiet {
  readonly kind: ColumnFault;
  readonly rows: number;
  readonly unanswered: number;
  readonly findings: readonly EvaluationTable[];
  readonly budget: { readonly count: number; readonly perMs: number };
}

/** Why no alarm came: too few rows, or nothing that the stated false-alarm budget lets through. */
export function whyQuiet({ kind, rows, unanswered, findings, budget }: Quiet): string {
  if (rows < MIN_ROWS)
    return `${grouped(rows)} rows are too few: a window is judged from ${MIN_ROWS} rows on, so that chance alarms nobody`;
  if (findings.length === 0)
    return `none of the ${grouped(rows)} rows reached the log in time${unanswered > 0 ? `, and ${grouped(unanswered)} requests had no answer` : ''}`;
  const known = RULES_OF[kind].flatMap((name) => findings.filter((row) => row.rule === name));
  // What is amber was seen at least.
  const rule = known.find((row) => row.state === 'amber') ?? known[0];
  const drift = findings.find((row) => row.rule === 'data.drift');
  const told = rule ? `${rule.sentence}${NEEDS[rule.rule] ? ` (${NEEDS[rule.rule]})` : ''}` : 'no rule looks at it';
  const more = drift && drift !== rule ? `; ${drift.sentence}` : '';
  return `${told}${more}. That is below what the budget of ${budgetWords(budget)} lets through (its share for drift is ${percent(SHARES.drift)}); more rows (--rows) or a larger fault would raise it`;
}

export const budgetWords = ({ count, perMs }: Quiet['budget']): string => {
  const days = perMs / WINDOW_MS;
  return `${count} false ${count === 1 ? 'alarm' : 'alarms'} in ${Number(days.toPrecision(3))} days`;
};
