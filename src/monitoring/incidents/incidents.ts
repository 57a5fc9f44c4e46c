import { recordActivity } from '../../identity/index.ts';
import { canonicalJson } from '../../kernel/canonical-json.ts';
import { AppError } from '../../kernel/errors.ts';
import type { Page } from '../../kernel/pages.ts';
import { type Transitions, transition } from '../../kernel/state-machine.ts';
import { publish } from '../../outbox/index.ts';
import type { Tx } from '../../ports/db.ts';
import type { Light } from '../../project-file/index.ts';
import type { Actor } from '../../wire/route.ts';
import type { ActionTable, IncidentTable } from '../tables.ts';
import type { ActionView, IncidentDetails, IncidentView, MonitoringDeps } from '../types.ts';
import * as store from './incidents.store.ts';

export type IncidentState = IncidentView['state'];
type IncidentEvent = 'acknowledge' | 'resolve';

export const INCIDENT_STATES: Transitions<IncidentState, IncidentEvent> = {
  open: { acknowledge: 'acknowledged', resolve: 'resolved' },
  acknowledged: { acknowledge: null, resolve: 'resolved' },
  resolved: { acknowledge: null, resolve: null },
};

type Deps = Pick<MonitoringDeps, 'clock' | 'random' | 'outbox' | 'identity'>;

export type NewIncident = Pick<
  IncidentTable,
  | 'project_id'
  | 'model'
  | 'endpoint'
  | 'light'
  | 'cause'
  | 'fingerprint'
  | 'rehearsal'
  | 'severity'
  | 'version_id'
  | 'version'
  | 'since'
  | 'last_window'
  | 'opened_event'
> & { readonly lines: readonly string[]; readonly details: Readonly<Record<string, unknown>> };

/** Opens an incident, unless one with its fingerprint is open. Answers the number, and whether it is new. */
export async function openIn(
  tx: Tx,
  deps: Deps,
  { lines, details, ...incident }: NewIncident,
): Promise<{ readonly number: number; readonly isNew: boolean }> {
  const before = await store.findByFingerprint(tx, incident.project_id, incident.fingerprint);
  if (before && before.state !== 'resolved') return { number: before.number, isNew: false };
  // A window that was part of an incident does not open another one.
  if (before && before.last_window >= incident.last_window) return { number: before.number, isNew: false };
  const number = await store.takeNumber(tx);
  const now = deps.clock.now();
  await store.insertIncident(tx, {
    ...incident,
    number,
    state: 'open',
    verdict: [...lines.slice(0, -1), `${lines.at(-1)} · levain ack ${number} · levain why ${number}`].join('\n'),
    details: canonicalJson(details as never),
    good_windows: 0,
    opened_at: now,
    acknowledged_by: null,
    acknowledged_at: null,
    resolved_by: null,
    resolved_at: null,
    resolved_event: null,
    resolution: null,
  });
  const tag = incident.rehearsal === null ? '' : 'REHEARSAL ';
  await recordActivity(tx, deps.identity, {
    projectId: incident.project_id,
    at: now,
    eventAt: incident.opened_event,
    kind: 'incident',
    subject: incident.model,
    sentence: `${tag}Incident ${number}: ${incident.model} ${lines[0]} ${lines[1]}`.slice(0, 1_900),
    command: `levain why ${number}`,
  });
  await changedIn(tx, deps, { ...incident, number }, 'open');
  return { number, isNew: true };
}

const changedIn = (
  tx: Tx,
  deps: Deps,
  incident: Pick<IncidentTable, 'project_id' | 'model' | 'number'>,
  state: IncidentState,
): Promise<void> =>
  publish(
    tx,
    {
      topic: 'monitoring.incident_changed',
      projectId: incident.project_id,
      key: `${incident.number}/${state}`,
      payload: { model: incident.model, incident: incident.number, state },
    },
    deps,
  );

/** Ends an incident, by itself or by a person. */
export async function resolveIn(
  tx: Tx,
  deps: Deps,
  incident: IncidentTable,
  { by, resolution, eventAt }: { readonly by: string; readonly resolution: string; readonly eventAt: number | null },
): Promise<void> {
  const state = transition(INCIDENT_STATES, 'incident', incident.state as IncidentState, 'resolve');
  const now = deps.clock.now();
  await store.updateIncident(tx, incident.project_id, incident.number, {
    state,
    resolved_by: by,
    resolved_at: now,
    resolved_event: eventAt,
    resolution,
  });
  await recordActivity(tx, deps.identity, {
    projectId: incident.project_id,
    at: now,
    eventAt,
    kind: 'incident',
    subject: incident.model,
    sentence: `${incident.rehearsal === null ? '' : 'REHEARSAL '}Incident ${incident.number} of ${incident.model} is resolved: ${resolution}`,
    command: `levain why ${incident.number}`,
    actor: by,
  });
  await changedIn(tx, deps, incident, state);
}

/** Somebody looks at it: nobody else is called. */
export async function acknowledge(deps: MonitoringDeps, actor: Actor, number: number): Promise<IncidentView> {
  await deps.db.write(async (tx) => {
    const incident = await getRow(tx, actor.projectId, number);
    const state = transition(INCIDENT_STATES, 'incident', incident.state as IncidentState, 'acknowledge');
    await store.updateIncident(tx, actor.projectId, number, {
      state,
      acknowledged_by: actor.user,
      acknowledged_at: deps.clock.now(),
    });
    await recordActivity(tx, deps.identity, {
      projectId: actor.projectId,
      at: deps.clock.now(),
      kind: 'incident',
      subject: incident.model,
      sentence: `${actor.user} acknowledged incident ${number} of ${incident.model}`,
      command: `levain why ${number}`,
      actor: actor.user,
    });
    await changedIn(tx, deps, incident, state);
  });
  return getIncident(deps, actor, number);
}

export async function resolveIncident(
  deps: MonitoringDeps,
  actor: Actor,
  input: { readonly number: number; readonly reason?: string | undefined },
): Promise<IncidentView> {
  await deps.db.write(async (tx) => {
    const incident = await getRow(tx, actor.projectId, input.number);
    const resolution = input.reason ?? `by ${actor.user}`;
    await resolveIn(tx, deps, incident, { by: actor.user, resolution, eventAt: null });
  });
  return getIncident(deps, actor, input.number);
}

export async function getRow(tx: Tx, projectId: string, number: number): Promise<IncidentTable> {
  const row = await store.findIncident(tx, projectId, number);
  if (row) return row;
  throw new AppError('not_found', `There is no incident ${number}; "levain alerts" lists them`, {
    hint: 'levain alerts',
  });
}

const ALERTS_SHOWN = 100;
const ACTIONS_SHOWN = 50;

export async function getIncident(
  deps: Pick<MonitoringDeps, 'db'>,
  actor: Pick<Actor, 'projectId'>,
  number: number,
): Promise<IncidentView> {
  return deps.db.read(async (tx) => toView(tx, await getRow(tx, actor.projectId, number)));
}

export async function listIncidents(
  deps: Pick<MonitoringDeps, 'db'>,
  actor: Pick<Actor, 'projectId'>,
  input: {
    readonly limit: number;
    readonly after?: string | undefined;
    readonly model?: string | undefined;
    readonly state?: IncidentState | undefined;
  },
): Promise<Page<IncidentView>> {
  const below = input.after === undefined ? Number.MAX_SAFE_INTEGER : Number(input.after);
  if (!Number.isSafeInteger(below))
    throw new AppError('invalid', `"${input.after}" is not a page of ours; start from the first one`);
  return deps.db.read(async (tx) => {
    const { projectId } = actor;
    const rows = await store.selectIncidents(tx, { ...input, projectId, below, limit: input.limit + 1 });
    const items: IncidentView[] = [];
    for (const row of rows.slice(0, input.limit)) items.push(await toView(tx, row));
    return rows.length > input.limit ? { items, next: String(items.at(-1)!.number) } : { items };
  });
}

async function toView(tx: Tx, row: IncidentTable): Promise<IncidentView> {
  const alerts = await store.selectAlerts(tx, row.project_id, row.number, ALERTS_SHOWN);
  const actions = await store.selectActions(tx, {
    projectId: row.project_id,
    endpoint: row.endpoint,
    incident: row.number,
    limit: ACTIONS_SHOWN,
  });
  return {
    number: row.number,
    model: row.model,
    endpoint: row.endpoint,
    light: row.light as Light,
    cause: row.cause,
    severity: row.severity as IncidentView['severity'],
    state: row.state as IncidentState,
    rehearsal: row.rehearsal,
    version: row.version,
    verdict: row.verdict,
    sentence: row.verdict.split('\n')[0]!,
    since: iso(row.since)!,
    openedAt: iso(row.opened_at)!,
    openedEvent: iso(row.opened_event),
    acknowledgedBy: row.acknowledged_by,
    acknowledgedAt: iso(row.acknowledged_at),
    resolvedBy: row.resolved_by,
    resolvedAt: iso(row.resolved_at),
    resolvedEvent: iso(row.resolved_event),
    resolution: row.resolution,
    details: JSON.parse(row.details) as IncidentDetails,
    alerts: alerts.map((alert) => ({
      rule: alert.rule,
      light: alert.light,
      window: iso(alert.window_start)!,
      inhibited: alert.inhibited === 1,
      sentence: alert.sentence,
    })),
    actions: actions.map(toAction),
  };
}

export const toAction = (row: ActionTable): ActionView => ({
  incident: row.incident,
  light: row.light,
  decision: row.decision as ActionView['decision'],
  guard: row.guard,
  why: row.why,
  at: iso(row.at)!,
  eventAt: iso(row.event_at)!,
});

export const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());
