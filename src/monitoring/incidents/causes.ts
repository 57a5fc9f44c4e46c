import type { Light } from '../../project-file/index.ts';
import type { EvaluationTable } from '../tables.ts';

/** What alerts group into: one cause, one incident. */
export type Cause = 'failing' | 'broken' | 'drift' | 'scores' | 'performance' | 'labels' | 'rolled_back';

export interface CauseRule {
  readonly cause: Cause;
  readonly light: Light;
  readonly rules: readonly string[];
  /** Windows without it, one after another, that resolve the incident. */
  readonly goodWindows: number;
  /** Whether amber is enough. */
  readonly fromAmber: boolean;
  /** Always a ticket, whatever the file pages for. */
  readonly ticketOnly: boolean;
}

/** In the order of judgement: an open `broken` inhibits what may only be its consequence. */
export const CAUSES: readonly CauseRule[] = [
  {
    cause: 'failing',
    light: 'service',
    rules: ['service.errors', 'service.latency'],
    goodWindows: 1,
    fromAmber: false,
    ticketOnly: false,
  },
  {
    cause: 'broken',
    light: 'data',
    rules: ['data.types', 'data.nulls', 'data.range', 'data.unseen', 'data.units', 'data.refused'],
    goodWindows: 1,
    fromAmber: false,
    ticketOnly: false,
  },
  { cause: 'drift', light: 'data', rules: ['data.drift'], goodWindows: 3, fromAmber: true, ticketOnly: true },
  {
    cause: 'scores',
    light: 'predictions',
    rules: ['predictions.scores', 'predictions.constant'],
    goodWindows: 3,
    fromAmber: true,
    ticketOnly: true,
  },
  {
    cause: 'performance',
    light: 'performance',
    rules: ['performance.loss', 'performance.calibration', 'performance.jump'],
    goodWindows: 3,
    fromAmber: false,
    ticketOnly: false,
  },
  {
    cause: 'labels',
    light: 'performance',
    rules: ['performance.coverage'],
    goodWindows: 1,
    fromAmber: true,
    ticketOnly: true,
  },
];

export const INHIBITED_BY_BROKEN: ReadonlySet<Cause> = new Set(['drift', 'scores', 'performance']);

/** The rows of one window that raise the cause; the units of a column come first, for they say most. */
export const alarmsOf = (rule: CauseRule, rows: readonly EvaluationTable[]): readonly EvaluationTable[] =>
  rows
    .filter((row) => rule.rules.includes(row.rule))
    .filter((row) => row.state === 'red' || (rule.fromAmber && row.state === 'amber'))
    .sort((a, b) => Number(b.rule === 'data.units') - Number(a.rule === 'data.units') || (a.rule < b.rule ? -1 : 1));

/** Whether the window was judged by any of the cause's rules. */
export const wasJudged = (rule: CauseRule, rows: readonly EvaluationTable[]): boolean =>
  rows.some((row) => rule.rules.includes(row.rule) && row.state !== 'grey');
