import type { ServableSpec } from '../engines/types.ts';
import { messageOf } from '../kernel/errors.ts';
import { afterCommit } from '../ports/after-commit.ts';
import type { Tx } from '../ports/db.ts';
import type { DeploySection } from '../project-file/index.ts';
import { findVersionById, getVersion, profileOf } from '../registry/index.ts';
import type { MonitorProfile } from '../stats/profile.ts';
import { incrementGeneration, selectAllEndpoints, selectGeneration } from './endpoints.store.ts';
import { eventClockOf } from './log/event-clock.ts';
import { HARD_LIMITS } from './rollouts/limits.ts';
import { selectActiveRollouts } from './rollouts/rollouts.store.ts';
import type { EndpointTable, RolloutTable } from './tables.ts';
import type { FallbackSetting, ServingDeps } from './types.ts';
import {
  type DesiredArm,
  type DesiredDocument,
  type DesiredEndpoint,
  type DesiredFallback,
  type DesiredRollout,
  type FallbackValue,
  LONG_POLL_MS,
} from './wire.ts';

/** How often a waiting poll looks by itself: another server may have changed something. */
const LOOK_EVERY_MS = 1_000;

/** Says that gateways have something new to do, in the transaction that made it so. Answers the new generation. */
export async function bumpDesired(tx: Tx, deps: Pick<ServingDeps, 'runtime'>): Promise<number> {
  const generation = await incrementGeneration(tx);
  afterCommit(tx, () => deps.runtime.desired.wake());
  return generation;
}

/** The whole document, as soon as it is newer than `after`; undefined after `LONG_POLL_MS` or an abort without news. */
export async function pollDesired(
  deps: ServingDeps,
  after: number,
  signal?: AbortSignal,
): Promise<DesiredDocument | undefined> {
  const until = deps.clock.now() + LONG_POLL_MS;
  while (!signal?.aborted) {
    const seen = deps.runtime.desired.count;
    const generation = await deps.db.read((tx) => selectGeneration(tx));
    // A gateway that is ahead has met a restored database: it takes what there is.
    if (generation !== after) return currentDocument(deps);
    const left = until - deps.clock.now();
    if (left <= 0) return undefined;
    await deps.runtime.desired.wait(deps.clock, seen, Math.min(left, LOOK_EVERY_MS), signal);
  }
  return undefined;
}

/** What gateways should be doing now. Built from one snapshot; versions never change, so they are read once. */
export async function currentDocument(deps: ServingDeps): Promise<DesiredDocument> {
  const state = await deps.db.read(async (tx) => ({
    generation: await selectGeneration(tx),
    endpoints: await selectAllEndpoints(tx),
    rollouts: await selectActiveRollouts(tx),
  }));
  const known = deps.runtime.document;
  if (known?.generation === state.generation) return known;
  const endpoints: DesiredEndpoint[] = [];
  for (const row of state.endpoints) {
    const rollout = state.rollouts.find((r) => r.project_id === row.project_id && r.endpoint === row.name);
    const desired = await toDesired(deps, row, rollout);
    if (desired) endpoints.push(desired);
  }
  const document = { generation: state.generation, endpoints };
  deps.runtime.document = document;
  return document;
}

/** Undefined where no version answers: a gateway serves endpoints with exactly one champion. */
async function toDesired(
  deps: ServingDeps,
  row: EndpointTable,
  rollout: RolloutTable | undefined,
): Promise<DesiredEndpoint | undefined> {
  const section = await sectionOf(deps, row);
  const trial = rollout && isTrial(rollout) ? rollout : undefined;
  const fallback = await fallbackOf(deps, row, section);
  const ids = [row.champion_id, trial?.version_id, row.previous_id, fallback && versionIdOf(fallback.value)];
  const loaded = await versionsOf(deps, [...new Set(ids.filter((id): id is string => typeof id === 'string'))]);
  const arms = armsOf(row, trial).filter((arm) => loaded.some(({ spec }) => spec.versionId === arm.versionId));
  if (!arms.some(({ role }) => role === 'champion')) {
    if (row.champion_id !== null)
      deps.log.error('an endpoint has a champion that cannot be served', {
        endpoint: row.name,
        versionId: row.champion_id,
      });
    return undefined;
  }
  return {
    projectId: row.project_id,
    name: row.name,
    model: row.model,
    eventTime: row.event_time as 'server' | 'client',
    latenessMs: row.lateness_ms,
    eventClock: eventClockOf(row, deps.clock.now()),
    entity: row.entity,
    arms,
    rollout: trial && arms.length === 2 ? toDesiredRollout(trial, section) : null,
    fallback,
    versions: loaded.map(({ spec }) => spec),
    profiles: Object.fromEntries(loaded.flatMap(({ spec, profile }) => (profile ? [[spec.versionId, profile]] : []))),
  };
}

/** While the new version is tried beside the champion; from `promoting` on it is the champion, from `aborting` on it is gone. */
const isTrial = (rollout: RolloutTable): boolean => ['preflight', 'shadow', 'canary', 'paused'].includes(rollout.state);

/** The first version of an endpoint stands alone from the start: there is nothing to try it beside. */
function armsOf(row: EndpointTable, rollout: RolloutTable | undefined): DesiredArm[] {
  const weight = rollout?.weight ?? 0;
  if (row.champion_id === null) return rollout ? [{ versionId: rollout.version_id, role: 'champion', weight: 1 }] : [];
  const champion: DesiredArm = { versionId: row.champion_id, role: 'champion', weight: 1 - weight };
  return rollout ? [champion, { versionId: rollout.version_id, role: 'challenger', weight }] : [champion];
}

const toDesiredRollout = (rollout: RolloutTable, section: DeploySection | undefined): DesiredRollout => ({
  id: rollout.id,
  revision: rollout.revision,
  weight: rollout.weight,
  shadow: rollout.shadow === 1,
  rehearsal: rollout.rehearsal,
  limits: { ...HARD_LIMITS, ...section?.abortOn },
});

/** The endpoint's section of the applied file; undefined where it has none. */
export async function sectionOf(
  deps: Pick<ServingDeps, 'appliedFile'>,
  endpoint: Pick<EndpointTable, 'project_id' | 'model' | 'name'>,
): Promise<DeploySection | undefined> {
  const applied = await deps.appliedFile(endpoint.project_id, endpoint.model);
  return applied?.file.deploy[endpoint.name];
}

interface Loaded {
  readonly spec: ServableSpec;
  readonly profile: MonitorProfile | null;
}

async function versionsOf(deps: ServingDeps, ids: readonly string[]): Promise<Loaded[]> {
  const loaded: Loaded[] = [];
  for (const id of ids) {
    const one = await versionOf(deps, id);
    if (one) loaded.push(one);
  }
  return loaded;
}

async function versionOf(deps: ServingDeps, id: string): Promise<Loaded | undefined> {
  const known = deps.runtime.versions.get(id) as Loaded | undefined;
  if (known) return known;
  const version = await findVersionById(deps.registry, id);
  if (!version?.spec) return undefined;
  const ref = { model: version.model, version: version.version };
  const loaded = { spec: version.spec, profile: await profileOf(deps.registry, version.projectId, ref) };
  deps.runtime.versions.set(id, loaded);
  return loaded;
}

const versionIdOf = (value: FallbackValue): string | undefined =>
  value.kind === 'version' ? value.versionId : undefined;

/** What `levain fallback` answers: what was set by hand, else the file's, else the base rate of the champion's training data. */
async function fallbackOf(
  deps: ServingDeps,
  row: EndpointTable,
  section: DeploySection | undefined,
): Promise<DesiredFallback | null> {
  const setting: FallbackSetting = row.fallback
    ? (JSON.parse(row.fallback) as FallbackSetting)
    : (section?.fallback ?? { kind: 'base_rate' });
  const value = await fallbackValueOf(deps, row, setting);
  return value ? { active: row.fallback_active === 1, onFailure: false, value } : null;
}

/** A number is a score, but for several classes, which may be numbers themselves. */
function constantOf(value: number | string | boolean, spec: ServableSpec | undefined): FallbackValue {
  return typeof value === 'number' && spec?.task !== 'multiclass'
    ? { kind: 'score', score: value }
    : { kind: 'label', label: value };
}

async function fallbackValueOf(
  deps: ServingDeps,
  row: EndpointTable,
  setting: FallbackSetting,
): Promise<FallbackValue | undefined> {
  try {
    if (setting.kind === 'constant') {
      const spec = row.champion_id === null ? undefined : (await versionOf(deps, row.champion_id))?.spec;
      return constantOf(setting.value, spec);
    }
    if (setting.kind === 'version') {
      const ref = { model: row.model, version: setting.version };
      const version = await getVersion(deps.registry, { projectId: row.project_id }, ref);
      return { kind: 'version', versionId: version.id };
    }
    const champion = row.champion_id === null ? undefined : await versionOf(deps, row.champion_id);
    const rate = champion?.profile?.labelRate;
    return typeof rate === 'number' ? { kind: 'score', score: rate } : undefined;
  } catch (error) {
    deps.log.warn('an endpoint has no usable fallback', { endpoint: row.name, reason: messageOf(error) });
    return undefined;
  }
}
