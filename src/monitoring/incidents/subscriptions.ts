import type { DomainEvent } from '../../kernel/events.ts';
import type { NotifyTarget } from '../../ports/system.ts';
import { eventClock, getEndpoint, getRollout } from '../../serving/index.ts';
import { startOfWindow } from '../labels/labels.ts';
import type { MonitoringDeps } from '../types.ts';
import { findByFingerprint } from './incidents.store.ts';
import { getIncident, openIn } from './incidents.ts';

/** A version was rolled back: one incident, open until the hold is lifted. Once an event, however often it is told. */
export async function onRolledBack(deps: MonitoringDeps, event: DomainEvent<'serving.rolled_back'>): Promise<void> {
  const { projectId } = event;
  const { endpoint: name, model, from, to, rolloutId, reason } = event.payload;
  const fingerprint = `${name}/rolled_back/${event.id}`;
  const clock = await eventClock(deps.serving, { projectId, endpoint: name });
  const endpoint = await getEndpoint(deps.serving, { projectId }, name);
  const rollout = rolloutId === null ? undefined : await rolloutOf(deps, projectId, name, rolloutId);
  const rehearsal = rollout?.rehearsal ?? null;
  const back = to === null ? 'no version' : `v${to}`;
  const mark = rehearsal === null ? '' : ' REHEARSAL.';
  await deps.db.write(async (tx) => {
    if (await findByFingerprint(tx, projectId, fingerprint)) return;
    await openIn(tx, deps, {
      project_id: projectId,
      model,
      endpoint: name,
      light: 'service',
      cause: 'rolled_back',
      fingerprint,
      rehearsal,
      severity: 'page',
      version_id: endpoint.championId,
      version: from,
      since: clock ?? deps.clock.now(),
      last_window: startOfWindow(clock ?? deps.clock.now()),
      opened_event: clock,
      lines: [
        `MODEL v${from} was rolled back to ${back}.${mark} ${back} answers.`,
        `${reason}. Data and labels are as they were.`,
        `${model} is HELD: no retraining or promotion until resume. Not undone: answers given, running batches.`,
        `Safe: levain rollout ${name} · levain resume ${model}`,
      ],
      details: { from, to, rolloutId, reason },
    });
  });
  deps.runtime.wake();
}

async function rolloutOf(deps: MonitoringDeps, projectId: string, name: string, id: string) {
  const actor = { projectId, user: 'levain', kind: 'system' as const };
  return (await getRollout(deps.serving, actor, { name, id })).rollout;
}

/** Pages and tickets, once an incident opens and once it is over. */
export async function onIncidentChanged(
  deps: MonitoringDeps,
  event: DomainEvent<'monitoring.incident_changed'>,
): Promise<void> {
  const { model, incident: number, state } = event.payload;
  if (state === 'acknowledged') return;
  const incident = await getIncident(deps, event, number);
  // A message that comes late tells what is, not what was.
  if (state === 'open' && incident.state !== 'open') return;
  const severity = incident.rehearsal !== null || state === 'resolved' ? 'info' : incident.severity;
  const mark = incident.rehearsal === null ? '' : 'REHEARSAL: ';
  await deps.notifier.send(await targetOf(deps, event.projectId, model, incident.severity), {
    key: `${event.projectId}/incident/${number}`,
    severity,
    title:
      state === 'resolved'
        ? `${mark}${model}: incident ${number} is resolved: ${incident.resolution}`
        : `${mark}${model} ${incident.sentence}`,
    text: incident.verdict,
    url: `${deps.serverUrl()}/i/${number}`,
  });
}

/** What `monitor.to` names, with its secret; the log by default. */
async function targetOf(
  deps: MonitoringDeps,
  projectId: string,
  model: string,
  severity: 'page' | 'ticket',
): Promise<NotifyTarget> {
  const file = (await deps.serving.appliedFile(projectId, model))?.file;
  const name = file?.monitor?.to?.[severity];
  const section = name ? file?.notify[name] : undefined;
  if (!section) return { kind: 'log', address: 'log' };
  const secret = section.address.startsWith('$') ? section.address.slice(1) : null;
  if (secret === null) return section;
  const address = await deps.secrets.find(secret);
  if (address !== undefined) return { ...section, address };
  deps.log.warn('a message goes to the log: its secret is not set', { target: name, secret });
  return { kind: 'log', address: 'log' };
}
