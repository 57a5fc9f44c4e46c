import { canonicalJson } from '../../kernel/canonical-json.ts';
import { AppError, isAppError } from '../../kernel/errors.ts';
import { uuidv7 } from '../../kernel/ids.ts';
import { afterCommit } from '../../ports/after-commit.ts';
import type { Tx } from '../../ports/db.ts';
import type { DeploySection } from '../../project-file/index.ts';
import {
  assertDeployable,
  findHold,
  findHoldIn,
  getVersion,
  listVersions,
  type ModelVersion,
  resume,
} from '../../registry/index.ts';
import type { Actor } from '../../wire/route.ts';
import { bumpDesired } from '../desired.ts';
import { selectEndpoint } from '../endpoints.store.ts';
import { ensureEndpointIn } from '../endpoints.ts';
import { eventClockOf } from '../log/event-clock.ts';
import type { EndpointTable, RolloutTable } from '../tables.ts';
import { type DeployInput, type Deployment, deploySchema, type ServingDeps } from '../types.ts';
import { planOf, type RolloutPlan } from './machine.ts';
import { insertRollout, selectActiveRollout } from './rollouts.store.ts';
import { applyIn, nameOf, recordStart } from './transitions.ts';
import { toRollout } from './views.ts';

const AUTO: DeploySection = {
  rollout: { kind: 'auto', atMostMs: 86_400_000 },
  eventTime: 'server',
  abortOn: {},
  fallback: null,
};
const SEARCHED_VERSIONS = 200;

interface Wanted {
  readonly actor: Actor;
  readonly version: ModelVersion;
  readonly endpoint: string;
  readonly section: DeploySection;
  readonly rehearsal: string | null;
}

/**
 * Puts a version behind an endpoint: the first one directly, later ones by a rollout. Throws `conflict` where the model is
 * held (unless `resume`), the version is not approved or a draft, or a rollout is under way.
 */
export async function deploy(deps: ServingDeps, actor: Actor, input: DeployInput): Promise<Deployment> {
  const { model, resume: lift, dryRun, ...wanted } = deploySchema.parse(input);
  const version = await versionToDeploy(deps, actor, model, wanted.version, wanted.rehearsal);
  const endpoint = wanted.endpoint ?? (await defaultEndpoint(deps, actor.projectId, model));
  const section = (await deps.appliedFile(actor.projectId, model))?.file.deploy[endpoint] ?? AUTO;
  const held = wanted.rehearsal ? undefined : await findHold(deps.registry, actor.projectId, model);
  const request: Wanted = {
    actor,
    version,
    endpoint,
    section: wanted.rollout ? { ...section, rollout: wanted.rollout } : section,
    rehearsal: wanted.rehearsal ?? null,
  };
  const row = await deps.db.read((tx) => selectEndpoint(tx, actor.projectId, endpoint));
  const plan = planFor(request, row);
  const told = {
    endpoint,
    model,
    version: version.version,
    fromVersion: row?.champion ?? null,
    plan,
    held: held?.reason ?? null,
  };
  const sentence = tellPlan(request, row?.champion ?? null, plan);
  if (dryRun) return { ...told, sentence, rollout: null };
  if (held && !lift) throw heldError(model, held.reason);
  if (held) await resume(deps.registry, actor, { model });
  const started = await deps.db.write((tx) => startIn(tx, deps, request));
  return { ...told, held: null, sentence, rollout: toRollout(started, started.started_event) };
}

/** Starts the rollout of a version, with a section of levain.yaml. What `deploy` and approvals end in. */
export async function startRollout(
  deps: ServingDeps,
  actor: Actor,
  input: {
    readonly version: ModelVersion;
    readonly endpoint: string;
    readonly section: DeploySection;
    readonly rehearsal?: string | null;
  },
): Promise<ReturnType<typeof toRollout>> {
  const row = await deps.db.write((tx) => startIn(tx, deps, { ...input, actor, rehearsal: input.rehearsal ?? null }));
  return toRollout(row, row.started_event);
}

async function startIn(tx: Tx, deps: ServingDeps, wanted: Wanted): Promise<RolloutTable> {
  const { actor, version, section, rehearsal } = wanted;
  const { projectId } = actor;
  const hold = rehearsal ? undefined : await findHoldIn(tx, projectId, version.model);
  if (hold) throw heldError(version.model, hold.reason);
  const endpoint = rehearsal
    ? await endpointOfRehearsal(tx, wanted)
    : await ensureEndpointIn(tx, deps, {
        projectId,
        name: wanted.endpoint,
        model: version.model,
        entity: version.facts.section?.entity ?? null,
        eventTime: section.eventTime,
      });
  if (!version.spec)
    throw new AppError(
      'precondition_failed',
      `${version.model}@v${version.version} has no servable form: it was registered by a client and not by a pipeline run`,
    );
  if (endpoint.champion_id === version.id)
    throw new AppError(
      'conflict',
      `${version.model}@v${version.version} already answers "${endpoint.name}" with all traffic`,
    );
  await makeWay(tx, deps, endpoint, wanted);
  const row = newRollout(deps, wanted, endpoint, await bumpDesired(tx, deps));
  await insertRollout(tx, row);
  await recordStart(tx, deps, row, actor.user);
  afterCommit(tx, () => deps.runtime.work.wake());
  return row;
}

async function endpointOfRehearsal(tx: Tx, { actor, endpoint, version }: Wanted): Promise<EndpointTable> {
  const row = await selectEndpoint(tx, actor.projectId, endpoint);
  if (row?.champion_id) return row;
  throw new AppError(
    'conflict',
    `Endpoint "${endpoint}" has no version yet; deploy ${version.model} before rehearsing`,
  );
}

/** A version in its bake is done when the next one comes; a person or the newer version ends what is still being tried. */
async function makeWay(tx: Tx, deps: ServingDeps, endpoint: EndpointTable, wanted: Wanted): Promise<void> {
  const active = await selectActiveRollout(tx, endpoint.project_id, endpoint.name);
  if (!active) return;
  if (active.state === 'baking') {
    await applyIn(tx, deps, active, { event: 'finish', sentence: `is done: v${wanted.version.version} comes next` });
    return;
  }
  const what = `A rollout of ${nameOf(active)} is ${active.state}`;
  const passes = active.state === 'promoting' || active.state === 'aborting';
  if (passes || (wanted.actor.kind === 'system' && active.rehearsal !== null))
    throw new AppError('unavailable', `${what}; try again when it is over`, {
      rollout: active.id,
      state: active.state,
    });
  const isSuperseded =
    wanted.actor.kind === 'system' && active.rehearsal === null && active.version < wanted.version.version;
  const canEnd = ['preflight', 'shadow', 'canary', 'paused'].includes(active.state);
  if (!isSuperseded || !canEnd)
    throw new AppError('conflict', `${what}; "levain rollout ${active.model} --abort" ends it`, {
      rollout: active.id,
      state: active.state,
    });
  const aborting = await applyIn(tx, deps, active, {
    event: 'abort',
    sentence: `gave way to v${wanted.version.version}`,
  });
  await applyIn(tx, deps, aborting, { event: 'close', sentence: `is aborted: v${wanted.version.version} came` });
}

function newRollout(deps: ServingDeps, wanted: Wanted, endpoint: EndpointTable, generation: number): RolloutTable {
  const now = deps.clock.now();
  const clock = eventClockOf(endpoint, now);
  const { version, rehearsal, actor } = wanted;
  const plan = planFor(wanted, endpoint);
  return {
    project_id: endpoint.project_id,
    id: uuidv7(now, deps.random.fill),
    endpoint: endpoint.name,
    model: version.model,
    version: version.version,
    version_id: version.id,
    from_version: endpoint.champion,
    from_version_id: endpoint.champion_id,
    revision: 1,
    state: 'preflight',
    plan: canonicalJson(plan),
    step: -1,
    weight: 0,
    shadow: 0,
    rehearsal,
    requested_by: actor.user,
    generation,
    sentence: tellPlan(wanted, endpoint.champion, plan),
    reason: null,
    paused_by: null,
    evidence: null,
    replay: null,
    evaluated_ingest: null,
    started_at: now,
    started_event: clock,
    step_started_at: now,
    step_started_event: clock,
    deadline_event: null,
    finished_at: null,
  };
}

/** A rehearsal always goes through the steps that would find the fault. */
function planFor(wanted: Wanted, endpoint: EndpointTable | undefined): RolloutPlan {
  const first = (endpoint?.champion_id ?? null) === null;
  if (wanted.rehearsal === null) return planOf(wanted.section.rollout, { first });
  const { rollout } = wanted.section;
  const isGradual = rollout.kind === 'auto' || rollout.kind === 'canary';
  return planOf(isGradual ? rollout : AUTO.rollout, { first: false });
}

function tellPlan(wanted: Wanted, from: number | null, plan: RolloutPlan): string {
  const steps = plan.steps.map((step) => (step.kind === 'canary' ? `${Math.round(step.weight * 100)} %` : step.kind));
  const way = [...steps, wanted.rehearsal ? 'end of the rehearsal' : '100 %'].join(' → ');
  const tag = wanted.rehearsal ? `REHEARSAL ${wanted.rehearsal}: ` : '';
  const where =
    from === null ? `as the first version of "${wanted.endpoint}"` : `against v${from} on "${wanted.endpoint}"`;
  return `${tag}is rolled out ${where}: ${way}`;
}

async function versionToDeploy(
  deps: ServingDeps,
  actor: Actor,
  model: string,
  wanted: number | string | undefined,
  rehearsal: string | undefined,
): Promise<ModelVersion> {
  const version = wanted ?? (await newestApproved(deps, actor, model));
  if (rehearsal === undefined) {
    const found = await getVersion(deps.registry, actor, { model, version });
    if (found.rehearsal !== null)
      throw new AppError(
        'conflict',
        `${model}@v${found.version} was made for the rehearsal ${found.rehearsal} and never answers real traffic`,
      );
    return assertDeployable(deps.registry, actor, { model, version });
  }
  const found = await getVersion(deps.registry, actor, { model, version });
  if (found.rehearsal === rehearsal) return found;
  throw new AppError('conflict', `${model}@v${found.version} was not made for the rehearsal ${rehearsal}`);
}

async function newestApproved(deps: ServingDeps, actor: Actor, model: string): Promise<number> {
  const { items } = await listVersions(deps.registry, actor, { model, limit: SEARCHED_VERSIONS });
  const found = items.find((v) => v.approval === 'approved' && !v.draft && v.rehearsal === null);
  if (found) return found.version;
  const waiting = items.find((v) => v.approval === 'waiting');
  throw new AppError(
    'precondition_failed',
    waiting
      ? `${model}@v${waiting.version} waits for approval; approve it, then deploy`
      : `Model "${model}" has no approved version`,
    waiting
      ? { hint: `levain approve ${model}@v${waiting.version}`, exitCode: 8 }
      : { hint: `levain models show ${model}` },
  );
}

/** The file's only endpoint, else the one named like the model. */
async function defaultEndpoint(deps: ServingDeps, projectId: string, model: string): Promise<string> {
  const names = Object.keys((await deps.appliedFile(projectId, model))?.file.deploy ?? {});
  return names.length === 1 ? names[0]! : model;
}

const heldError = (model: string, reason: string): AppError =>
  new AppError(
    'conflict',
    `${model} is HELD (${reason}): nothing is promoted until "levain resume ${model}" or "levain deploy ${model} --resume"`,
    {
      hint: `levain resume ${model}`,
      held: true,
    },
  );

export const isHeldError = (error: unknown): boolean =>
  isAppError(error, 'conflict') && error.details?.['held'] === true;
