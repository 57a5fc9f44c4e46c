import type { Transitions } from '../../kernel/state-machine.ts';
import type { RolloutSection } from '../../project-file/index.ts';

export const ROLLOUT_STATES = [
  'preflight',
  'shadow',
  'canary',
  'baking',
  'paused',
  'promoting',
  'aborting',
  'done',
  'aborted',
] as const;
export type RolloutState = (typeof ROLLOUT_STATES)[number];

/**
 * `shadow`, `canary`: to that step of the plan. `promote`: all traffic to the new version. `bake`, `finish`: the gateways
 * applied it. `pause`: waits for a person. `abort`: back to where it started. `close`: the gateways applied that.
 */
export const ROLLOUT_EVENTS = ['shadow', 'canary', 'promote', 'bake', 'pause', 'abort', 'finish', 'close'] as const;
export type RolloutEvent = (typeof ROLLOUT_EVENTS)[number];

const NONE: Readonly<Record<RolloutEvent, null>> = {
  shadow: null,
  canary: null,
  promote: null,
  bake: null,
  pause: null,
  abort: null,
  finish: null,
  close: null,
};

/** `promoting` and `aborting` last until every living gateway has applied what was decided. */
export const ROLLOUT_TABLE: Transitions<RolloutState, RolloutEvent> = {
  preflight: { ...NONE, shadow: 'shadow', canary: 'canary', promote: 'promoting', abort: 'aborting' },
  shadow: { ...NONE, shadow: 'shadow', canary: 'canary', promote: 'promoting', pause: 'paused', abort: 'aborting' },
  canary: { ...NONE, canary: 'canary', promote: 'promoting', pause: 'paused', abort: 'aborting' },
  paused: { ...NONE, shadow: 'shadow', canary: 'canary', promote: 'promoting', abort: 'aborting' },
  promoting: { ...NONE, bake: 'baking', abort: 'aborting', finish: 'done' },
  baking: { ...NONE, abort: 'aborting', finish: 'done' },
  aborting: { ...NONE, close: 'aborted' },
  done: NONE,
  aborted: NONE,
};

export const isFinished = (state: RolloutState): boolean => state === 'done' || state === 'aborted';

export type PlanStep =
  /** The last logged requests, scored again by the new version in the control plane. */
  | { readonly kind: 'replay' }
  /** The gateway scores every request with both; the champion answers. */
  | { readonly kind: 'shadow' }
  | { readonly kind: 'canary'; readonly weight: number };

/** What a rollout will do, decided when it starts. */
export interface RolloutPlan {
  readonly strategy: RolloutSection['kind'];
  readonly steps: readonly PlanStep[];
  /** How long the previous version stands by after the promotion, by the event clock. */
  readonly bakeMs: number;
  /** Without enough evidence after so long, by the event clock, it pauses; null: it waits. */
  readonly atMostMs: number | null;
}

export const REPLAY_ROWS = 1_000;
const AUTO_STEPS = [0.05, 0.25, 0.5];
const BAKE_MS = 3_600_000;

/**
 * The first version of an endpoint goes direct, since there is nothing to compare with; but a rehearsal never does.
 * A canary and a blue/green switch look at the replay first too: it takes seconds and no traffic.
 */
export function planOf(rollout: RolloutSection, options: { readonly first: boolean }): RolloutPlan {
  const { kind } = rollout;
  if (options.first || kind === 'direct') return { strategy: 'direct', steps: [], bakeMs: 0, atMostMs: null };
  const replay: PlanStep = { kind: 'replay' };
  if (kind === 'blue_green') return { strategy: kind, steps: [replay], bakeMs: BAKE_MS, atMostMs: null };
  const canaries = (kind === 'auto' ? AUTO_STEPS : rollout.steps).map((weight) => ({
    kind: 'canary' as const,
    weight,
  }));
  const steps = kind === 'auto' ? [replay, { kind: 'shadow' as const }, ...canaries] : [replay, ...canaries];
  return { strategy: kind, steps, bakeMs: BAKE_MS, atMostMs: kind === 'auto' ? rollout.atMostMs : null };
}

/** The event that enters step `index` of the plan; past the last one, the promotion. */
export function eventOfStep(plan: RolloutPlan, index: number): 'shadow' | 'canary' | 'promote' {
  const step = plan.steps[index];
  if (!step) return 'promote';
  return step.kind === 'canary' ? 'canary' : 'shadow';
}

/** The challenger's share of the traffic in a step. */
export const weightOfStep = (plan: RolloutPlan, index: number): number => {
  const step = plan.steps[index];
  return step?.kind === 'canary' ? step.weight : 0;
};
