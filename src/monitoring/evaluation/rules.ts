import type { Light } from '../../project-file/index.ts';
import { type AlarmBudget, movingAlpha, persistentAlpha } from '../../stats/false-alarms.ts';
import type { MonitorProfile, WindowCounters } from '../../stats/profile.ts';
import { type LightState, WINDOW_MS } from '../types.ts';

/** What one rule found in one window of one version. */
export interface Finding {
  readonly rule: string;
  readonly light: Light;
  /** Of this window alone; `persistence` makes an alarm of it. */
  readonly state: LightState;
  readonly exceeds: boolean;
  readonly value: number | null;
  readonly threshold: number | null;
  readonly n: number;
  readonly sentence: string;
  readonly details: Readonly<Record<string, unknown>>;
}

export interface WindowFacts {
  readonly start: number;
  readonly end: number;
  readonly counters: WindowCounters;
  /** The same by hour, in order. */
  readonly hours: readonly { readonly start: number; readonly counters: WindowCounters }[];
  /** Hours of the days before, at most a week: what the same hours of the day usually hold. */
  readonly earlier: readonly { readonly start: number; readonly counters: WindowCounters }[];
  readonly profile: MonitorProfile;
  /** This window and the ones before it, at most a week, added up; null where the window is judged alone (rehearsals). */
  readonly trend: { readonly counters: WindowCounters; readonly windows: number } | null;
  readonly budget: AlarmBudget;
  readonly limits: { readonly errorRate: number; readonly latencyP99Ms: number };
}

/** How the one false-alarm budget is split over the tests of an endpoint. Rules that are plain limits take nothing of it. */
export const SHARES = {
  drift: 0.15,
  scores: 0.1,
  quality: 0.15,
  loss: 0.2,
  calibration: 0.3,
  jump: 0.1,
} as const;

/** Rules that alarm only when two of three windows exceed. */
export const PERSISTENT: ReadonlySet<string> = new Set(['data.drift', 'predictions.scores']);

/** A window with fewer rows is not tested: nothing would be found, and chance would be. */
export const MIN_ROWS = 50;
/** Debiased population stability: below the first nobody needs to know, from the second on it is major. */
export const EFFECT = { noted: 0.1, major: 0.25 } as const;

/** Days of a trend: a week holds every weekday once, so that weekends are no drift. */
export const TREND_WINDOWS = 7;

/** What distributions are compared by: the week where there is one, else the day, which must differ more. */
export function basisOf(
  { counters, trend, budget }: WindowFacts,
  share: number,
): { readonly counters: WindowCounters; readonly alpha: number; readonly floor: number; readonly words: string } {
  const alone = { counters, alpha: persistentAlpha(budget, share), words: '' };
  if (trend === null) return { ...alone, floor: EFFECT.noted };
  if (trend.windows < TREND_WINDOWS) return { ...alone, floor: EFFECT.major };
  const alpha = movingAlpha(budget, share, TREND_WINDOWS);
  return { counters: trend.counters, alpha, floor: EFFECT.noted, words: ` over the last ${TREND_WINDOWS} days` };
}

export const budgetOf = (falseAlarms: { readonly count: number; readonly perMs: number }): AlarmBudget => ({
  ...falseAlarms,
  windowMs: WINDOW_MS,
});

export const DEFAULT_BUDGET = { count: 1, perMs: 90 * WINDOW_MS } as const;

export const percent = (share: number): string => {
  const value = share * 100;
  return `${value < 0.1 && value > 0 ? value.toFixed(2) : value < 10 ? value.toFixed(1) : value.toFixed(0)} %`;
};

export const finding = (part: Partial<Finding> & Pick<Finding, 'rule' | 'light' | 'state' | 'sentence'>): Finding => ({
  exceeds: part.state === 'red' || part.state === 'amber',
  value: null,
  threshold: null,
  n: 0,
  details: {},
  ...part,
});
