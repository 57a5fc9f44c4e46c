import { countersOf, type Endpoint } from '../../serving/index.ts';
import { countLabels } from '../labels/labels.store.ts';
import { grouped, startOfWindow } from '../labels/labels.ts';
import { type MonitoringDeps, WINDOW_MS } from '../types.ts';
import { selectEvaluations } from './evaluations.store.ts';
import { type Finding, finding, MIN_ROWS } from './rules.ts';

export const COVERAGE_RULE = 'performance.coverage';
/** A day has its labels when so many of its predictions have one. */
const COVERED_SHARE = 0.05;
/** Windows that must have been looked at before it is known how late labels usually are, and how far back that is learned. */
const MIN_HISTORY = 5;
const HISTORY_MS = 45 * WINDOW_MS;
/** Days beyond the usual that labels may be late before it is said. */
export const GRACE_DAYS = 2;
const MAX_DAYS = 60;

export interface Coverage {
  /** Days with traffic, newest first, before one that has labels. */
  readonly lag: number;
  /** The newest day that has labels, epoch ms; null where none has. */
  readonly reaches: number | null;
  /** Predictions of the days without labels. */
  readonly waiting: number;
}

/**
 * Whether labels still come. How late they are is learned: the most days that they were behind while all was well. Silence is told once they are `GRACE_DAYS` more behind:
 * without labels nobody sees that a model gets worse.
 */
export function coverageFinding({ lag, reaches, waiting }: Coverage, usual: number | null): Finding {
  const base = { rule: COVERAGE_RULE, light: 'performance', value: lag, n: waiting } as const;
  const details = { lag, reaches, waiting, usual };
  if (reaches === null) return finding({ ...base, state: 'grey', exceeds: false, sentence: 'no labels yet', details });
  const upTo = `labels reach to ${new Date(reaches).toISOString().slice(0, 10)}, ${days(lag)} behind`;
  if (usual === null)
    return finding({
      ...base,
      state: 'green',
      exceeds: false,
      sentence: `${upTo} (how late is usual is being learned)`,
      details,
    });
  const limit = usual + GRACE_DAYS;
  if (lag <= limit)
    return finding({
      ...base,
      threshold: limit,
      state: 'green',
      exceeds: false,
      sentence: `${upTo}, as usual`,
      details,
    });
  return finding({
    ...base,
    threshold: limit,
    state: 'amber',
    sentence: `labels stopped: ${upTo}, usually ${usual === 0 ? 'none' : `at most ${days(usual)}`}; ${grouped(waiting)} predictions since then have none, so performance is not judged`,
    details: { ...details, since: reaches + WINDOW_MS },
  });
}

export const days = (n: number): string => `${n} ${n === 1 ? 'day' : 'days'}`;

/** How far labels reach at an endpoint by its event clock. */
export async function coverageOf(
  deps: MonitoringDeps,
  { projectId, endpoint, end }: { readonly projectId: string; readonly endpoint: string; readonly end: number },
): Promise<Coverage> {
  const from = Math.max(0, end - MAX_DAYS * WINDOW_MS);
  const rows = new Map<number, number>();
  for (const { windowStart, counters } of await countersOf(deps.serving, { projectId, endpoint, from, to: end })) {
    const day = startOfWindow(windowStart);
    rows.set(day, (rows.get(day) ?? 0) + counters.rows);
  }
  const busy = [...rows].filter(([, n]) => n >= MIN_ROWS).sort(([a], [b]) => b - a);
  let waiting = 0;
  for (const [lag, [start, n]] of busy.entries()) {
    const range = { projectId, endpoint, from: start, to: start + WINDOW_MS };
    const labels = await deps.db.read((tx) => countLabels(tx, range));
    if (labels >= n * COVERED_SHARE) return { lag, reaches: start, waiting };
    waiting += n;
  }
  return { lag: busy.length, reaches: null, waiting };
}

/** The most days behind that labels were before they came after all; null while too little is known of it. */
export async function usualLag(
  deps: MonitoringDeps,
  { projectId, endpoint, end }: { readonly projectId: string; readonly endpoint: string; readonly end: number },
): Promise<number | null> {
  const range = { projectId, endpoint, from: end - HISTORY_MS, to: end };
  const rows = await deps.db.read((tx) => selectEvaluations(tx, range, undefined, COVERAGE_RULE));
  return usualOf(rows.filter(({ state }) => state !== 'grey').map(({ value }) => value ?? 0));
}

/** A lag that has only grown since says nothing of what is usual, or silence would become usual day by day. */
export function usualOf(lags: readonly number[]): number | null {
  const ended = lags.filter((lag, i) => lags.slice(i + 1).some((later) => later <= lag));
  return ended.length < MIN_HISTORY ? null : Math.max(...ended);
}

/** The finding for the window that ended last. */
export async function lastCoverage(
  deps: MonitoringDeps,
  scope: { readonly projectId: string; readonly endpoint: Endpoint; readonly clock: number },
): Promise<{ readonly start: number; readonly finding: Finding; readonly revision: string }> {
  const end = startOfWindow(scope.clock);
  const at = { projectId: scope.projectId, endpoint: scope.endpoint.name, end };
  const coverage = await coverageOf(deps, at);
  const usual = await usualLag(deps, { ...at, end: end - WINDOW_MS });
  return {
    start: end - WINDOW_MS,
    finding: coverageFinding(coverage, usual),
    revision: `${coverage.lag}.${coverage.waiting}.${coverage.reaches ?? ''}`,
  };
}
