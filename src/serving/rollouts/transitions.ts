import { recordActivity } from '../../identity/index.ts';
import { canonicalJson } from '../../kernel/canonical-json.ts';
import { AppError } from '../../kernel/errors.ts';
import { transition } from '../../kernel/state-machine.ts';
import { publish } from '../../outbox/index.ts';
import type { Tx } from '../../ports/db.ts';
import { clearChampionIn, setChampionIn, setHoldIn } from '../../registry/index.ts';
import { bumpDesired } from '../desired.ts';
import { selectEndpoint, updateEndpoint } from '../endpoints.store.ts';
import { eventClockOf } from '../log/event-clock.ts';
import type { EndpointTable, RolloutTable } from '../tables.ts';
import type { ServingDeps } from '../types.ts';
import type { EvidenceSummary } from './evidence.ts';
import {
  isFinished,
  ROLLOUT_TABLE,
  type RolloutEvent,
  type RolloutPlan,
  type RolloutState,
  weightOfStep,
} from './machine.ts';
import { insertTransition, selectPromotionOf, selectRollout, updateRollout } from './rollouts.store.ts';

export interface Change {
  readonly event: RolloutEvent;
  /** What people read: what happened, with numbers. */
  readonly sentence: string;
  readonly step?: number;
  readonly reason?: string;
  /** Sets a hold and publishes `serving.rolled_back`. */
  readonly hold?: boolean;
  readonly by?: string;
  readonly evidence?: EvidenceSummary | null;
}

/**
 * One transition, in the caller's transaction: the state under its fence, the record, what it means for champion and traffic, a
 * line of the timeline and the event. Throws `conflict` where the table refuses it or somebody else was faster.
 */
export async function applyIn(tx: Tx, deps: ServingDeps, rollout: RolloutTable, change: Change): Promise<RolloutTable> {
  const from = rollout.state as RolloutState;
  const state = transition(ROLLOUT_TABLE, 'rollout', from, change.event);
  const endpoint = await selectEndpoint(tx, rollout.project_id, rollout.endpoint);
  if (!endpoint) throw new AppError('not_found', `There is no endpoint "${rollout.endpoint}"`);
  const now = deps.clock.now();
  const clock = eventClockOf(endpoint, now);
  const next: RolloutTable = {
    ...rollout,
    ...trafficOf(rollout, state, change),
    revision: rollout.revision + 1,
    state,
    generation: await bumpDesired(tx, deps),
    sentence: change.sentence,
    reason: change.reason ?? (state === 'paused' || state === 'aborting' ? change.sentence : rollout.reason),
    paused_by: state === 'paused' ? (change.by ?? null) : null,
    evidence: change.evidence ? canonicalJson(change.evidence) : rollout.evidence,
    step_started_at: now,
    step_started_event: clock,
    deadline_event: deadlineOf(rollout, from, clock),
    finished_at: isFinished(state) ? now : null,
  };
  // A replay under way writes its summary under the same revision: what was read before it must not take it back.
  const { replay: _, ...written } = next;
  if (!(await updateRollout(tx, rollout, written)))
    throw new AppError('conflict', `The rollout of ${nameOf(rollout)} changed meanwhile; look again`);
  await record(tx, deps, rollout, next, change, clock);
  if (state === 'promoting') await promoteIn(tx, deps, rollout, endpoint);
  if (state === 'aborting') await retreatIn(tx, deps, rollout, endpoint, change);
  return (await selectRollout(tx, rollout.project_id, rollout.id)) ?? next;
}

/** Records how a rollout began, as its first revision. */
export const recordStart = (tx: Tx, deps: ServingDeps, rollout: RolloutTable, by: string): Promise<void> =>
  record(tx, deps, undefined, rollout, { event: 'shadow', sentence: rollout.sentence, by }, rollout.started_event);

export const nameOf = (rollout: Pick<RolloutTable, 'model' | 'version'>): string =>
  `${rollout.model}@v${rollout.version}`;

export const planOfRow = (rollout: RolloutTable): RolloutPlan => JSON.parse(rollout.plan) as RolloutPlan;

function trafficOf(
  rollout: RolloutTable,
  state: RolloutState,
  change: Change,
): Pick<RolloutTable, 'step' | 'weight' | 'shadow'> {
  const step = change.step ?? rollout.step;
  if (state === 'paused') return { step, weight: rollout.weight, shadow: rollout.shadow };
  if (state !== 'shadow' && state !== 'canary') return { step, weight: 0, shadow: 0 };
  const plan = planOfRow(rollout);
  return { step, weight: weightOfStep(plan, step), shadow: plan.steps[step]?.kind === 'shadow' ? 1 : 0 };
}

/** `at_most` counts from the first live step, and anew when a person lets it go on. */
function deadlineOf(rollout: RolloutTable, from: RolloutState, clock: number | null): number | null {
  const { atMostMs } = planOfRow(rollout);
  if (atMostMs === null || clock === null) return null;
  if (from === 'paused' || rollout.deadline_event === null) return clock + atMostMs;
  return rollout.deadline_event;
}

async function record(
  tx: Tx,
  deps: ServingDeps,
  before: RolloutTable | undefined,
  after: RolloutTable,
  change: Change,
  clock: number | null,
): Promise<void> {
  await insertTransition(tx, {
    project_id: after.project_id,
    rollout_id: after.id,
    revision: after.revision,
    from_state: before?.state ?? null,
    event: before ? change.event : 'start',
    to_state: after.state,
    step: after.step,
    weight: after.weight,
    at: deps.clock.now(),
    event_at: clock,
    sentence: change.sentence,
    evidence: change.evidence ? canonicalJson(change.evidence) : null,
  });
  await recordActivity(tx, deps.identity, {
    projectId: after.project_id,
    at: deps.clock.now(),
    eventAt: clock,
    kind: after.rehearsal === null ? 'rollout' : 'rehearsal',
    subject: nameOf(after),
    sentence: `${nameOf(after)} ${change.sentence}`,
    command: `levain rollout ${after.model}`,
    actor: change.by,
  });
  const payload = {
    endpoint: after.endpoint,
    model: after.model,
    rolloutId: after.id,
    version: after.version,
    state: after.state,
  };
  const { project_id: projectId, id, revision } = after;
  await publish(tx, { topic: 'serving.rollout_changed', projectId, key: `${id}/${revision}`, payload }, deps);
}

/** All traffic to the new version, the alias with it, and the version before stays warm: one write. */
async function promoteIn(tx: Tx, deps: ServingDeps, rollout: RolloutTable, endpoint: EndpointTable): Promise<void> {
  if (rollout.rehearsal !== null) throw new AppError('conflict', `A rehearsal never promotes ${nameOf(rollout)}`);
  const { project_id: projectId, model, version } = rollout;
  await setChampionIn(tx, deps.registry, { projectId, model, version });
  await updateEndpoint(tx, projectId, endpoint.name, {
    champion: version,
    champion_id: rollout.version_id,
    previous: endpoint.champion,
    previous_id: endpoint.champion_id,
    updated_at: deps.clock.now(),
  });
}

/** Back to where the rollout started; where it had promoted already, the champion goes back too. */
async function retreatIn(
  tx: Tx,
  deps: ServingDeps,
  rollout: RolloutTable,
  endpoint: EndpointTable,
  change: Change,
): Promise<void> {
  const wasPromoted = rollout.state === 'promoting' || rollout.state === 'baking';
  if (wasPromoted) await restoreIn(tx, deps, endpoint, rollout.from_version, rollout.from_version_id);
  if (!change.hold) return;
  const reason = change.reason ?? change.sentence;
  await rolledBackIn(tx, deps, endpoint, {
    rollout,
    from: rollout.version,
    to: rollout.from_version,
    reason,
    by: change.by,
  });
}

/** Makes `version` the champion again, or none where there was none. */
export async function restoreIn(
  tx: Tx,
  deps: ServingDeps,
  endpoint: EndpointTable,
  version: number | null,
  versionId: string | null,
): Promise<void> {
  const { project_id: projectId, model, name } = endpoint;
  if (version === null) await clearChampionIn(tx, projectId, model);
  else await setChampionIn(tx, deps.registry, { projectId, model, version });
  const before = versionId === null ? undefined : await selectPromotionOf(tx, projectId, name, versionId);
  await updateEndpoint(tx, projectId, name, {
    champion: version,
    champion_id: versionId,
    previous: before?.from_version ?? null,
    previous_id: before?.from_version_id ?? null,
    updated_at: deps.clock.now(),
  });
}

/** What every way back has in common: the hold and the event. */
export async function rolledBackIn(
  tx: Tx,
  deps: ServingDeps,
  endpoint: EndpointTable,
  back: {
    readonly rollout: RolloutTable | undefined;
    readonly from: number;
    readonly to: number | null;
    readonly reason: string;
    readonly by: string | undefined;
  },
): Promise<void> {
  const { project_id: projectId, name, model } = endpoint;
  const reason = `v${back.from} was rolled back: ${back.reason}`;
  await setHoldIn(tx, deps.registry, { projectId, model, reason, by: back.by ?? 'levain' });
  const payload = {
    endpoint: name,
    model,
    from: back.from,
    to: back.to,
    rolloutId: back.rollout?.id ?? null,
    reason: back.reason,
  };
  const key = back.rollout?.id ?? `${name}/${back.from}/${deps.clock.now()}`;
  await publish(tx, { topic: 'serving.rolled_back', projectId, key, payload }, deps);
}
