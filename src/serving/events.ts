import { recordActivity } from '../identity/index.ts';
import { isAppError, messageOf } from '../kernel/errors.ts';
import { findHold, getVersion } from '../registry/index.ts';
import { bumpDesired } from './desired.ts';
import { selectEndpoint, selectEndpointsOfModel, updateEndpoint } from './endpoints.store.ts';
import { latenessOf } from './log/event-clock.ts';
import { selectRolloutOf } from './rollouts/rollouts.store.ts';
import { isHeldError, startRollout } from './rollouts/start.ts';
import type { ServingDeps } from './types.ts';

const SYSTEM_USER = 'levain';

/**
 * Subscribes to `registry.version_approved`: starts the rollouts that the applied file asks for. A draft or rehearsal version
 * never; while the model is held, none, and the timeline says so. Idempotent: a version that is live or under way is left alone.
 */
export async function onVersionApproved(
  deps: ServingDeps,
  event: { readonly projectId: string; readonly payload: { readonly model: string; readonly version: number } },
): Promise<void> {
  const { projectId } = event;
  const { model } = event.payload;
  const actor = { projectId, user: SYSTEM_USER, kind: 'system' as const };
  const version = await getVersion(deps.registry, actor, event.payload);
  if (version.draft || version.rehearsal !== null || version.approval !== 'approved') return;
  const applied = await deps.appliedFile(projectId, model);
  if (!applied) return;
  for (const [endpoint, section] of Object.entries(applied.file.deploy)) {
    if (await isKnown(deps, projectId, endpoint, version.id)) continue;
    try {
      await startRollout(deps, actor, { version, endpoint, section });
    } catch (error) {
      if (!isAppError(error, 'conflict')) throw error;
      await tellRefused(deps, { projectId, model, version: version.version, endpoint, error });
    }
  }
}

/** Live, or rolled out to this endpoint before, whatever came of it. */
async function isKnown(deps: ServingDeps, projectId: string, endpoint: string, versionId: string): Promise<boolean> {
  return deps.db.read(async (tx) => {
    const row = await selectEndpoint(tx, projectId, endpoint);
    return row?.champion_id === versionId || (await selectRolloutOf(tx, projectId, endpoint, versionId)) !== undefined;
  });
}

async function tellRefused(
  deps: ServingDeps,
  refused: {
    readonly projectId: string;
    readonly model: string;
    readonly version: number;
    readonly endpoint: string;
    readonly error: unknown;
  },
): Promise<void> {
  const { projectId, model, version, endpoint, error } = refused;
  const hold = isHeldError(error) ? await findHold(deps.registry, projectId, model) : undefined;
  const why = hold ? `${model} is HELD (${hold.reason})` : messageOf(error);
  await deps.db.write((tx) =>
    recordActivity(tx, deps.identity, {
      projectId,
      at: deps.clock.now(),
      kind: 'deploy',
      subject: `${model}@v${version}`,
      sentence: `${model}@v${version} was approved and not rolled out to "${endpoint}": ${why}`,
      command: hold ? `levain resume ${model}` : `levain deploy ${model}@v${version}`,
      actor: SYSTEM_USER,
    }),
  );
}

/** Subscribes to `pipelines.applied`: limits, fallbacks and clocks of the file's endpoints may have changed. */
export async function onApplied(
  deps: ServingDeps,
  event: { readonly projectId: string; readonly payload: { readonly pipeline: string } },
): Promise<void> {
  const { projectId } = event;
  const model = event.payload.pipeline;
  const deploy = (await deps.appliedFile(projectId, model))?.file.deploy ?? {};
  await deps.db.write(async (tx) => {
    const endpoints = await selectEndpointsOfModel(tx, projectId, model);
    for (const { name } of endpoints) {
      const section = deploy[name];
      if (!section) continue;
      const { eventTime } = section;
      const change = { event_time: eventTime, lateness_ms: latenessOf(eventTime), updated_at: deps.clock.now() };
      await updateEndpoint(tx, projectId, name, change);
    }
    if (endpoints.length > 0) await bumpDesired(tx, deps);
  });
}
