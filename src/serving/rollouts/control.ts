import { AppError } from '../../kernel/errors.ts';
import { afterCommit } from '../../ports/after-commit.ts';
import type { Tx } from '../../ports/db.ts';
import { findHoldIn } from '../../registry/index.ts';
import type { Actor } from '../../wire/route.ts';
import { findEndpointIn } from '../endpoints.ts';
import { eventClockOf } from '../log/event-clock.ts';
import type { EndpointTable, RolloutTable } from '../tables.ts';
import type { Rollout, RolloutTransition, ServingDeps } from '../types.ts';
import type { EvidenceSummary } from './evidence.ts';
import {
  ALPHA,
  HARM_TOLERANCE,
  MAX_FLIPS,
  MIN_CANARY_UNITS,
  MIN_SHADOW_UNITS,
  SLOWER_MS,
  SLOWER_TIMES,
} from './limits.ts';
import { eventOfStep } from './machine.ts';
import { selectActiveRollout, selectRollout, selectRollouts, selectTransitions } from './rollouts.store.ts';
import { applyIn, nameOf, planOfRow } from './transitions.ts';
import { judgeStep } from './verdict.ts';
import { toRollout, toTransition } from './views.ts';

const MAX_ROLLOUTS = 100;

/** `continue`: to the next step, or back to the one a person paused. `wait`: the same step, with a new deadline. */
export type RolloutAction = 'continue' | 'wait' | 'pause' | 'abort' | 'promote';

export interface RolloutHistory {
  readonly rollout: Rollout;
  readonly transitions: readonly RolloutTransition[];
  /** Requests (or entities) that its step has seen, and needs to go on; null where no live step is under way. */
  readonly need: { readonly have: number; readonly needed: number } | null;
  /** What ends a step, and what would roll it back by itself. */
  readonly limits: {
    readonly harm: number;
    readonly flips: number;
    readonly slowerTimes: number;
    readonly slowerMs: number;
    readonly shadowUnits: number;
    readonly canaryUnits: number;
    readonly shadowErrorsE: number;
    readonly canaryErrorsE: number;
  };
}

/** The running rollout of an endpoint or model, else its last one. Throws `not_found` where there never was one. */
export async function getRollout(
  deps: ServingDeps,
  actor: Pick<Actor, 'projectId'>,
  input: { readonly name: string; readonly id?: string | undefined },
): Promise<RolloutHistory> {
  return deps.db.read(async (tx) => {
    const endpoint = await findEndpointIn(tx, actor.projectId, input.name);
    const row =
      input.id === undefined
        ? ((await selectActiveRollout(tx, actor.projectId, endpoint.name)) ??
          (await selectRollouts(tx, actor.projectId, endpoint.name, 1))[0])
        : await selectRollout(tx, actor.projectId, input.id);
    if (!row)
      throw new AppError(
        'not_found',
        `Endpoint "${endpoint.name}" has had no rollout${input.id ? ` ${input.id}` : ''}`,
      );
    const transitions = await selectTransitions(tx, actor.projectId, row.id);
    return {
      rollout: toRollout(row, eventClockOf(endpoint, deps.clock.now())),
      transitions: transitions.map(toTransition),
      need: needOf(row),
      limits: LIMITS,
    };
  });
}

const LIMITS: RolloutHistory['limits'] = {
  harm: HARM_TOLERANCE,
  flips: MAX_FLIPS,
  slowerTimes: SLOWER_TIMES,
  slowerMs: SLOWER_MS,
  shadowUnits: MIN_SHADOW_UNITS,
  canaryUnits: MIN_CANARY_UNITS,
  shadowErrorsE: 1 / ALPHA.shadowErrors,
  canaryErrorsE: 1 / ALPHA.canaryErrors,
};

const LIVE: readonly string[] = ['shadow', 'canary', 'paused'];

function needOf(row: RolloutTable): RolloutHistory['need'] {
  const step = planOfRow(row).steps[row.step];
  if (!step || step.kind === 'replay' || row.evidence === null || !LIVE.includes(row.state)) return null;
  const evidence = JSON.parse(row.evidence) as EvidenceSummary;
  const verdict = judgeStep(step, evidence, { challenger: '', champion: '', hasLabels: true }, row.step);
  return verdict.kind === 'wait' ? { have: verdict.have, needed: verdict.needed } : null;
}

/** Newest first. */
export async function listRollouts(
  deps: ServingDeps,
  actor: Pick<Actor, 'projectId'>,
  input: { readonly name: string; readonly limit?: number | undefined },
): Promise<readonly Rollout[]> {
  return deps.db.read(async (tx) => {
    const endpoint = await findEndpointIn(tx, actor.projectId, input.name);
    const clock = eventClockOf(endpoint, deps.clock.now());
    const rows = await selectRollouts(tx, actor.projectId, endpoint.name, Math.min(input.limit ?? 20, MAX_ROLLOUTS));
    return rows.map((row) => toRollout(row, clock));
  });
}

/** A person's hand on a running rollout. `promote` skips what is left of it, and is refused while the model is held. */
export async function controlRollout(
  deps: ServingDeps,
  actor: Actor,
  input: {
    readonly name: string;
    readonly action: RolloutAction;
    readonly reason?: string | undefined;
    /** The rollout that the caller means; default: whichever is under way. */
    readonly rollout?: string | undefined;
  },
): Promise<Rollout> {
  return deps.db.write(async (tx) => {
    const endpoint = await findEndpointIn(tx, actor.projectId, input.name);
    const active = await selectActiveRollout(tx, actor.projectId, endpoint.name);
    if (!active)
      throw new AppError(
        'conflict',
        `Endpoint "${endpoint.name}" has no rollout under way; "levain deploy ${endpoint.model}" starts one`,
      );
    if (input.rollout !== undefined && input.rollout !== active.id)
      throw new AppError(
        'conflict',
        `"${endpoint.name}" changed meanwhile: it is ${nameOf(active)} that is ${active.state} now; look again`,
      );
    const next = await ACTIONS[input.action](tx, { deps, actor, endpoint, rollout: active, reason: input.reason });
    afterCommit(tx, () => deps.runtime.work.wake());
    return toRollout(next, eventClockOf(endpoint, deps.clock.now()));
  });
}

/** Finishes the rollout now: all traffic to the new version. */
export const promote = (deps: ServingDeps, actor: Actor, input: { readonly name: string }): Promise<Rollout> =>
  controlRollout(deps, actor, { ...input, action: 'promote' });

interface Act {
  readonly deps: ServingDeps;
  readonly actor: Actor;
  readonly endpoint: EndpointTable;
  readonly rollout: RolloutTable;
  readonly reason: string | undefined;
}

const ACTIONS: Readonly<Record<RolloutAction, (tx: Tx, act: Act) => Promise<RolloutTable>>> = {
  pause: (tx, { deps, actor, rollout, reason }) =>
    applyIn(tx, deps, rollout, {
      event: 'pause',
      sentence: `paused by ${actor.user}${reason ? `: ${reason}` : ''}. continue | wait | abort`,
      by: actor.user,
    }),
  abort: (tx, { deps, actor, rollout, reason }) =>
    applyIn(tx, deps, rollout, {
      event: 'abort',
      sentence: `aborted by ${actor.user}${reason ? `: ${reason}` : ''}`,
      // The end of a rehearsal is no verdict on anything: only a person's word holds a model.
      hold: actor.kind !== 'system',
      by: actor.user,
    }),
  wait: (tx, act) => resumeAt(tx, act, Math.max(0, act.rollout.step), 'waits for more evidence'),
  continue: (tx, act) => {
    const isByPerson = act.rollout.paused_by !== null;
    return resumeAt(tx, act, isByPerson ? Math.max(0, act.rollout.step) : act.rollout.step + 1, 'goes on');
  },
  promote: async (tx, act) => {
    await assertPromotable(tx, act);
    return applyIn(tx, act.deps, act.rollout, {
      event: 'promote',
      sentence: `promoted to all traffic by ${act.actor.user}`,
      step: planOfRow(act.rollout).steps.length,
      by: act.actor.user,
    });
  },
};

async function resumeAt(tx: Tx, act: Act, step: number, what: string): Promise<RolloutTable> {
  const { deps, actor, rollout } = act;
  if (rollout.state !== 'paused')
    throw new AppError(
      'conflict',
      `The rollout of ${nameOf(rollout)} is ${rollout.state}, not paused; there is nothing to continue`,
    );
  const event = eventOfStep(planOfRow(rollout), step);
  if (event === 'promote') await assertPromotable(tx, act);
  return applyIn(tx, deps, rollout, { event, step, sentence: `${what}, said ${actor.user}`, by: actor.user });
}

async function assertPromotable(tx: Tx, { rollout, actor }: Act): Promise<void> {
  if (rollout.rehearsal !== null)
    throw new AppError(
      'conflict',
      `${nameOf(rollout)} is part of the rehearsal ${rollout.rehearsal} and never gets real traffic`,
    );
  const hold = await findHoldIn(tx, actor.projectId, rollout.model);
  if (hold)
    throw new AppError(
      'conflict',
      `${rollout.model} is HELD (${hold.reason}); "levain resume ${rollout.model}" lifts it`,
      {
        hint: `levain resume ${rollout.model}`,
      },
    );
}
