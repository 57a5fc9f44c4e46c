import { recordActivity } from '../identity/index.ts';
import { AppError, messageOf } from '../kernel/errors.ts';
import { afterCommit } from '../ports/after-commit.ts';
import type { Tx } from '../ports/db.ts';
import { findVersionById } from '../registry/index.ts';
import type { Actor } from '../wire/route.ts';
import { bumpDesired } from './desired.ts';
import { findEndpointIn } from './endpoints.ts';
import { eventClockOf } from './log/event-clock.ts';
import { lastRequests } from './log/reads.ts';
import { answersOf } from './rollouts/replay.ts';
import { selectActiveRollout } from './rollouts/rollouts.store.ts';
import { applyIn, restoreIn, rolledBackIn } from './rollouts/transitions.ts';
import type { EndpointTable, RolloutTable } from './tables.ts';
import { type Rollback, type RollbackInput, rollbackSchema, type ServingDeps } from './types.ts';

/** Requests that a rollback is compared on. */
export const COMPARED_REQUESTS = 500;

interface Way {
  readonly endpoint: EndpointTable;
  readonly rollout: RolloutTable | undefined;
  readonly from: number;
  readonly fromId: string;
  readonly to: number | null;
  readonly toId: string | null;
}

/**
 * Goes back to the version before, at once, and holds the model. A rollout under way is aborted instead; one that was just
 * promoted goes back to what it replaced. With `dryRun` it only says what would happen.
 */
export async function rollback(deps: ServingDeps, actor: Actor, input: RollbackInput): Promise<Rollback> {
  const { name, reason, from, dryRun } = rollbackSchema.parse(input);
  const way = await deps.db.read((tx) => findWay(tx, actor.projectId, name));
  if (from !== undefined && from !== way.from) throw changedError(name, way);
  const compared = await compare(deps, way);
  const told = { endpoint: way.endpoint.name, model: way.endpoint.model, from: way.from, to: way.to, compared };
  const sentence = tell(way, compared);
  if (dryRun) return { ...told, sentence, done: false };
  const why = reason ?? `by ${actor.user}`;
  await deps.db.write(async (tx) => {
    const now = await findWay(tx, actor.projectId, name);
    if (now.fromId !== way.fromId || now.toId !== way.toId) throw changedError(name, now);
    await goBackIn(tx, deps, now, { by: actor.user, why });
    afterCommit(tx, () => deps.runtime.work.wake());
  });
  return { ...told, sentence, done: true };
}

const changedError = (name: string, { from, to }: Way): AppError =>
  new AppError('conflict', `"${name}" changed meanwhile: it would go from v${from} to ${versionName(to)}; look again`);

async function findWay(tx: Tx, projectId: string, name: string): Promise<Way> {
  const endpoint = await findEndpointIn(tx, projectId, name);
  const rollout = await selectActiveRollout(tx, projectId, endpoint.name);
  if (rollout && rollout.state !== 'aborting' && rollout.rehearsal === null)
    return {
      endpoint,
      rollout,
      from: rollout.version,
      fromId: rollout.version_id,
      to: rollout.from_version,
      toId: rollout.from_version_id,
    };
  if (endpoint.champion === null || endpoint.champion_id === null)
    throw new AppError('conflict', `Endpoint "${endpoint.name}" has no version to roll back from`);
  if (endpoint.previous === null)
    throw new AppError(
      'conflict',
      `v${endpoint.champion} is the only version that "${endpoint.name}" had; "levain fallback ${endpoint.name}" answers without it`,
      {
        hint: `levain fallback ${endpoint.name}`,
      },
    );
  const { champion, champion_id: fromId, previous, previous_id: toId } = endpoint;
  return { endpoint, rollout: undefined, from: champion, fromId, to: previous, toId };
}

async function goBackIn(
  tx: Tx,
  deps: ServingDeps,
  way: Way,
  { by, why }: { readonly by: string; readonly why: string },
): Promise<void> {
  const { endpoint, rollout } = way;
  if (rollout) {
    const sentence = `rolled back by ${by}: ${why}`;
    await applyIn(tx, deps, rollout, { event: 'abort', sentence, reason: why, hold: true, by });
    return;
  }
  const now = deps.clock.now();
  await restoreIn(tx, deps, endpoint, way.to, way.toId);
  await bumpDesired(tx, deps);
  await recordActivity(tx, deps.identity, {
    projectId: endpoint.project_id,
    at: now,
    eventAt: eventClockOf(endpoint, now),
    kind: 'rollout',
    subject: `${endpoint.model}@v${way.from}`,
    sentence: `${endpoint.name} was rolled back from v${way.from} to ${versionName(way.to)} by ${by}: ${why}`,
    command: `levain rollout ${endpoint.model}`,
    actor: by,
  });
  await rolledBackIn(tx, deps, endpoint, { rollout: undefined, from: way.from, to: way.to, reason: why, by });
}

/** How many of the last requests the version that comes back answers with another label (or, for a number, another value). */
async function compare(deps: ServingDeps, way: Way): Promise<Rollback['compared']> {
  if (way.toId === null) return null;
  const { project_id: projectId, name } = way.endpoint;
  const { rows, features } = await lastRequests(deps, { projectId, endpoint: name, n: COMPARED_REQUESTS });
  if (rows.rowCount === 0) return { requests: 0, differing: 0 };
  try {
    const isNumber = (await findVersionById(deps.registry, way.toId))?.spec?.task === 'regression';
    const before = await answersOf(deps, way.fromId, features);
    const after = await answersOf(deps, way.toId, features);
    const differing = before.filter((answer, row) => {
      const other = after[row]!;
      if (answer.failed !== other.failed) return true;
      return isNumber ? Math.abs(answer.score - other.score) > 1e-9 : answer.label !== other.label;
    }).length;
    return { requests: rows.rowCount, differing };
  } catch (error) {
    deps.log.warn('a rollback could not be compared', { endpoint: name, reason: messageOf(error) });
    return null;
  }
}

function tell(way: Way, compared: Rollback['compared']): string {
  const { model } = way.endpoint;
  const warm = way.rollout && way.rollout.state !== 'baking' && way.rollout.state !== 'promoting';
  const back =
    way.to === null ? 'no version (it was the first)' : `v${way.to} (${warm ? 'champion' : 'last at 100 %'}, warm)`;
  const differing =
    compared === null
      ? 'The answers could not be compared.'
      : compared.requests === 0
        ? 'No request was logged to compare on.'
        : `On the last ${compared.requests.toLocaleString('en')} requests ${compared.differing.toLocaleString('en')} answers differ.`;
  return `v${way.from} → ${back}. ${differing} Not undone: data, labels, answers given, running batches. ${model} is HELD: no retraining or promotion until resume.`;
}

const versionName = (version: number | null): string => (version === null ? 'no version' : `v${version}`);
