import { activeRuns } from '../pipelines/index.ts';
import type { Light } from '../project-file/index.ts';
import { listModels, type RegisteredModel } from '../registry/index.ts';
import { type Endpoint, isRolloutSettled, listEndpoints, listRollouts, type Rollout } from '../serving/index.ts';
import type { Actor } from '../wire/route.ts';
import { countUndelivered, findProgress } from './evaluation/evaluations.store.ts';
import { selectOpen } from './incidents/incidents.store.ts';
import { iso } from './incidents/incidents.ts';
import { selectChangedDays } from './labels/labels.store.ts';
import { clockOf, endpointFor, startOfWindow } from './labels/labels.ts';
import { labelDays, recentCounters } from './labels/status.ts';
import { lightsOf, notDeployed } from './lights.ts';
import { monitorEndpoint } from './monitor.ts';
import { type Need, needsOf } from './needs.ts';
import type { IncidentTable } from './tables.ts';
import { type Traffic, trafficOf } from './traffic.ts';
import type { IncidentView, Lights, MonitoringDeps } from './types.ts';

export interface ModelStatus {
  readonly name: string;
  readonly endpoint: string | null;
  /** The champion's number; null before the first deployment. */
  readonly version: number | null;
  readonly live: readonly { readonly version: number; readonly share: number }[];
  readonly lights: Lights;
  readonly hold: { readonly reason: string; readonly setBy: string; readonly setAt: string } | null;
  readonly held: string | null;
  /** Versions that wait for approval. */
  readonly waiting: readonly number[];
  readonly rollout: Pick<Rollout, 'id' | 'version' | 'state' | 'sentence' | 'reason' | 'weight'> | null;
  /** Those that are not resolved, the oldest first. */
  readonly incidents: readonly Pick<
    IncidentView,
    'number' | 'light' | 'severity' | 'state' | 'rehearsal' | 'sentence' | 'openedAt' | 'acknowledgedBy'
  >[];
  /** The fallback answers instead of the version. */
  readonly fallback: boolean;
  readonly traffic: Traffic | null;
  readonly labelCoverage: number | null;
  readonly eventClock: string | null;
  readonly lastDeploy: { readonly version: number; readonly state: string; readonly at: string } | null;
  /** False for the further endpoints of a model, which stand in rows of their own. */
  readonly isFirst: boolean;
}

export interface Status {
  readonly models: readonly ModelStatus[];
  /** What waits for a person. */
  readonly needsYou: readonly Need[];
}

/** What `levain status` shows: every model of the project, and what needs somebody. */
export async function getStatus(deps: MonitoringDeps, actor: Actor): Promise<Status> {
  const endpoints = await listEndpoints(deps.serving, actor);
  const models: ModelStatus[] = [];
  for (const model of await listModels(deps.registry, actor)) {
    const own = endpoints.filter((endpoint) => endpoint.model === model.name);
    if (own.length === 0) models.push(await modelStatus(deps, actor, model, undefined));
    for (const endpoint of own) models.push(await modelStatus(deps, actor, model, endpoint, endpoint === own[0]));
  }
  return { models, needsYou: await needsOf(deps, actor, models) };
}

async function modelStatus(
  deps: MonitoringDeps,
  actor: Actor,
  model: RegisteredModel,
  endpoint: Endpoint | undefined,
  isFirst = true,
): Promise<ModelStatus> {
  const { projectId } = actor;
  const open = endpoint ? await deps.db.read((tx) => selectOpen(tx, projectId, endpoint.name)) : [];
  const [last] = endpoint ? await listRollouts(deps.serving, actor, { name: endpoint.name, limit: 1 }) : [];
  const rollout = endpoint?.rollout ?? null;
  const counted = endpoint?.eventClock ? await recentCounters(deps, projectId, endpoint) : [];
  return {
    name: model.name,
    endpoint: endpoint?.name ?? null,
    version: endpoint?.champion ?? null,
    live: endpoint ? liveOf(endpoint) : [],
    lights: endpoint ? await lightsOf(deps, projectId, endpoint) : notDeployed(),
    hold: model.hold ? { reason: model.hold.reason, setBy: model.hold.setBy, setAt: iso(model.hold.setAt)! } : null,
    held: model.hold?.reason ?? null,
    waiting: model.waiting,
    rollout: rollout && {
      id: rollout.id,
      version: rollout.version,
      state: rollout.state,
      sentence: rollout.sentence,
      reason: rollout.reason,
      weight: rollout.weight,
    },
    incidents: open.map(toOpen),
    fallback: endpoint?.fallback.active ?? false,
    traffic: endpoint?.eventClock ? trafficOf(counted, clockOf(endpoint)!) : null,
    labelCoverage: endpoint?.eventClock ? (await labelDays(deps, projectId, endpoint, counted)).coverage : null,
    eventClock: endpoint?.eventClock ?? null,
    lastDeploy: last ? { version: last.version, state: last.state, at: last.startedAt } : null,
    isFirst,
  };
}

const toOpen = (row: IncidentTable): ModelStatus['incidents'][number] => ({
  number: row.number,
  light: row.light as Light,
  severity: row.severity as 'page' | 'ticket',
  state: row.state as IncidentView['state'],
  rehearsal: row.rehearsal,
  sentence: row.verdict.split('\n')[0]!,
  openedAt: iso(row.opened_at)!,
  acknowledgedBy: row.acknowledged_by,
});

function liveOf({ champion, rollout }: Endpoint): ModelStatus['live'] {
  if (champion === null) return [];
  const share = rollout && rollout.rehearsal === null && rollout.version !== champion ? rollout.weight : 0;
  const first = { version: champion, share: 1 - share };
  return share > 0 ? [first, { version: rollout!.version, share }] : [first];
}

export interface Watermark {
  readonly endpoint: string;
  readonly eventClock: string | null;
  /** Windows that ended at or before this are evaluated and judged, with the labels that are there. */
  readonly evaluatedTo: string | null;
  /** Events on their way, runs, and a rollout that moves without more traffic. 0: it is your turn. */
  readonly actionsInFlight: number;
  readonly runs: readonly { readonly id: string; readonly state: string; readonly trigger: string }[];
  readonly rollout: Rollout | null;
}

/** For replays in lock-step: looks at the endpoint now, then says how far everything is. */
export async function getWatermark(deps: MonitoringDeps, actor: Actor, name: string): Promise<Watermark> {
  const { projectId } = actor;
  const { name: endpoint, model } = await endpointFor(deps, actor, name);
  await monitorEndpoint(deps, { projectId, endpoint });
  const now = await endpointFor(deps, actor, endpoint);
  const clock = clockOf(now);
  const { settled, rollout } = await isRolloutSettled(deps.serving, { projectId, endpoint });
  const runs = await activeRuns(deps.pipelines, projectId, model);
  const { progress, changed, undelivered } = await deps.db.read(async (tx) => ({
    progress: await findProgress(tx, projectId, endpoint),
    changed: clock === null ? [] : await selectChangedDays(tx, projectId, endpoint, startOfWindow(clock)),
    undelivered: await countUndelivered(tx, projectId, [endpoint, model]),
  }));
  const behind = changed.filter((day) => clock !== null && day.due_at <= clock).map((day) => day.window_start);
  const isCurrent = clock !== null && progress?.evaluated_to === startOfWindow(clock);
  const evaluatedTo = isCurrent ? Math.min(clock, ...behind) : (progress?.evaluated_to ?? null);
  return {
    endpoint,
    eventClock: now.eventClock,
    evaluatedTo: iso(evaluatedTo),
    actionsInFlight: undelivered + runs.length + (settled ? 0 : 1),
    runs: runs.map(({ id, state, trigger }) => ({ id, state, trigger: trigger.kind })),
    rollout,
  };
}
