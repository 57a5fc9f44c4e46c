import { recordActivity } from '../../identity/index.ts';
import { uuidv7 } from '../../kernel/ids.ts';
import { publish } from '../../outbox/index.ts';
import { activeRuns, listRuns } from '../../pipelines/index.ts';
import { findHold } from '../../registry/index.ts';
import { countersOf } from '../../serving/index.ts';
import { timeOf } from '../evaluation/unit-rule.ts';
import { countLabels } from '../labels/labels.store.ts';
import { grouped } from '../labels/labels.ts';
import type { ActionTable, IncidentTable } from '../tables.ts';
import type { MonitoringDeps } from '../types.ts';
import * as store from './incidents.store.ts';
import type { Judging } from './judge.ts';

const COOL_DOWN_MS = 24 * 3_600_000;
const LONGEST_COOL_DOWN_MS = 32 * COOL_DOWN_MS;
const ENOUGH_LABELS = 1_000;
const ENOUGH_COVERAGE = 0.3;
const FEWEST_LABELS = 100;

/** Broken data and missing labels are nothing to train on; a rollback has decided already. */
const NEVER_ASKING: ReadonlySet<string> = new Set(['broken', 'labels', 'rolled_back']);

/** Why nothing is done now: which guard, and its sentence. */
export interface Refusal {
  readonly guard: 'data_incident' | 'held' | 'run_in_flight' | 'rollout' | 'cool_down' | 'circuit_breaker' | 'labels';
  readonly why: string;
}

/** Open incidents whose light the applied file names as a trigger: retraining is asked for, or refused with the guard that stands in the way. */
export async function actOnIncidents(deps: MonitoringDeps, judging: Judging): Promise<void> {
  const { projectId, endpoint, file } = judging;
  const lights = new Set(
    (file?.triggers ?? []).flatMap((trigger) => (trigger.kind === 'alert' ? [trigger.light] : [])),
  );
  if (lights.size === 0) return;
  const open = await deps.db.read((tx) => store.selectOpen(tx, projectId, endpoint.name));
  for (const incident of open) {
    const isAsking = incident.rehearsal === null && !NEVER_ASKING.has(incident.cause);
    if (isAsking && (lights as ReadonlySet<string>).has(incident.light)) await act(deps, judging, incident, open);
  }
}

async function act(
  deps: MonitoringDeps,
  judging: Judging,
  incident: IncidentTable,
  open: readonly IncidentTable[],
): Promise<void> {
  const { projectId, endpoint, clock } = judging;
  const filter = { projectId, endpoint: endpoint.name };
  const [lastFired, lastOfThis] = await deps.db.read(async (tx) => [
    (await store.selectActions(tx, { ...filter, decision: 'fired', limit: 1 }))[0],
    (await store.selectActions(tx, { ...filter, incident: incident.number, limit: 1 }))[0],
  ]);
  const labels = await newLabels(deps, judging, lastFired?.event_at ?? 0);
  const refusal = await findRefusal(deps, judging, { open, lastFired, labels });
  // The same guard says the same thing once.
  if (refusal && lastOfThis?.decision === 'refused' && lastOfThis.guard === refusal.guard) return;
  const why = refusal?.why ?? `incident ${incident.number} (${incident.light}) and ${grouped(labels.count)} new labels`;
  await deps.db.write(async (tx) => {
    await store.insertAction(tx, {
      project_id: projectId,
      id: uuidv7(deps.clock.now(), deps.random.fill),
      model: endpoint.model,
      endpoint: endpoint.name,
      incident: incident.number,
      light: incident.light,
      decision: refusal ? 'refused' : 'fired',
      guard: refusal?.guard ?? null,
      why,
      at: deps.clock.now(),
      event_at: clock,
      labels: labels.count,
    });
    await recordActivity(tx, deps.identity, {
      projectId,
      at: deps.clock.now(),
      eventAt: clock,
      kind: 'incident',
      subject: endpoint.model,
      sentence: refusal
        ? `Retraining of ${endpoint.model} is held back: ${why}`
        : `Retraining of ${endpoint.model} starts: ${why}`,
      command: `levain why ${incident.number}`,
    });
    if (refusal) return;
    await publish(
      tx,
      {
        topic: 'monitoring.alert_fired',
        projectId,
        key: `${incident.number}/${clock}`,
        payload: {
          model: endpoint.model,
          endpoint: endpoint.name,
          incident: incident.number,
          light: incident.light,
          asOf: clock,
        },
      },
      deps,
    );
  });
}

/** Records, with the incident, that retraining would be refused now, and by what; null where nothing stands in the way. */
export async function heldBackBy(deps: MonitoringDeps, judging: Judging, incident: number): Promise<string | null> {
  const { projectId, endpoint, clock } = judging;
  const open = await deps.db.read((tx) => store.selectOpen(tx, projectId, endpoint.name));
  const labels = { count: Number.POSITIVE_INFINITY, coverage: 1 };
  const refusal = await findRefusal(deps, judging, { open, lastFired: undefined, labels });
  if (!refusal) return null;
  await deps.db.write(async (tx) => {
    await store.insertAction(tx, {
      project_id: projectId,
      id: uuidv7(deps.clock.now(), deps.random.fill),
      model: endpoint.model,
      endpoint: endpoint.name,
      incident,
      light: 'data',
      decision: 'refused',
      guard: refusal.guard,
      why: refusal.why,
      at: deps.clock.now(),
      event_at: clock,
      labels: 0,
    });
    await recordActivity(tx, deps.identity, {
      projectId,
      at: deps.clock.now(),
      eventAt: clock,
      kind: 'rehearsal',
      subject: endpoint.model,
      sentence: `Retraining of ${endpoint.model} is held back: ${refusal.why}`,
      command: `levain why ${incident}`,
    });
  });
  return refusal.why;
}

interface Situation {
  readonly open: readonly IncidentTable[];
  readonly lastFired: ActionTable | undefined;
  readonly labels: { readonly count: number; readonly coverage: number };
}

/** The first guard that stands in the way, in the order in which people would want to know. */
async function findRefusal(
  deps: MonitoringDeps,
  { projectId, endpoint, clock }: Judging,
  { open, lastFired, labels }: Situation,
): Promise<Refusal | null> {
  const broken = open.find((incident) => incident.cause === 'broken');
  if (broken) {
    const what = broken.rehearsal === null ? 'incident' : 'rehearsal incident';
    return { guard: 'data_incident', why: `data ${what} ${broken.number} is open, and broken rows are not trained on` };
  }
  const hold = await findHold(deps.registry, projectId, endpoint.model);
  if (hold) return { guard: 'held', why: `${endpoint.model} is HELD (${hold.reason})` };
  const running = await activeRuns(deps.pipelines, projectId, endpoint.model);
  if (running.length > 0) return { guard: 'run_in_flight', why: `a run of ${endpoint.model} is under way` };
  if (endpoint.rollout && endpoint.rollout.rehearsal === null && endpoint.rollout.state !== 'baking')
    return { guard: 'rollout', why: `v${endpoint.rollout.version} is being rolled out` };
  const refused = await refusedChallengers(deps, projectId, endpoint.model);
  const coolDownMs = Math.min(LONGEST_COOL_DOWN_MS, COOL_DOWN_MS * 2 ** Math.max(0, refused - 1));
  const until = (lastFired?.event_at ?? Number.NEGATIVE_INFINITY) + coolDownMs;
  if (clock < until)
    return refused >= 2
      ? {
          guard: 'circuit_breaker',
          why: `the last ${refused} challengers were refused, so the cool-down doubled to ${coolDownMs / 3_600_000} h, until ${timeOf(until)}`,
        }
      : { guard: 'cool_down', why: `it was retrained within 24 h; not again before ${timeOf(until)}` };
  const isEnough =
    labels.count >= ENOUGH_LABELS || (labels.count >= FEWEST_LABELS && labels.coverage >= ENOUGH_COVERAGE);
  if (!isEnough)
    return {
      guard: 'labels',
      why: `${grouped(labels.count)} labels are new since the last training; ${grouped(ENOUGH_LABELS)} or ${ENOUGH_COVERAGE * 100} % of the predictions are needed`,
    };
  return null;
}

/** Labels of predictions since the last training that an alert asked for, and their share of those predictions. */
async function newLabels(
  deps: MonitoringDeps,
  { projectId, endpoint, clock }: Judging,
  since: number,
): Promise<{ readonly count: number; readonly coverage: number }> {
  const range = { projectId, endpoint: endpoint.name, from: since, to: clock };
  const count = await deps.db.read((tx) => countLabels(tx, range));
  if (count >= ENOUGH_LABELS || count < FEWEST_LABELS) return { count, coverage: 0 };
  const rows = (await countersOf(deps.serving, range)).reduce((sum, { counters }) => sum + counters.rows, 0);
  return { count, coverage: rows === 0 ? 0 : count / rows };
}

const RUNS_LOOKED_AT = 50;

/** Challengers of alerts that the gate refused, one after another, since the last one that passed. */
export async function refusedChallengers(deps: MonitoringDeps, projectId: string, model: string): Promise<number> {
  const { items } = await listRuns(deps.pipelines, projectId, { pipeline: model, limit: RUNS_LOOKED_AT });
  let refused = 0;
  for (const run of items) {
    if (run.trigger.kind !== 'alert' || run.draft) continue;
    if (run.state === 'gate_failed' || run.state === 'failed' || run.state === 'refused') refused += 1;
    else if (run.state === 'succeeded' || run.state === 'waiting') break;
  }
  return refused;
}
