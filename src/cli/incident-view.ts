import type { IncidentView } from '../monitoring/index.ts';
import { usage } from './command.ts';

/** An incident as lines: head, verdict, alerts, actions. */
export function incidentText(incident: IncidentView): string {
  const rehearsal = incident.rehearsal === null ? '' : ', REHEARSAL';
  const alerts = incident.alerts.map(
    (alert) =>
      `  ${alert.window.slice(0, 10)} ${alert.rule}: ${alert.sentence}${alert.inhibited ? ' (inhibited)' : ''}`,
  );
  const actions = incident.actions.map(
    (action) => `  ${action.eventAt.slice(0, 16).replace('T', ' ')} retraining ${action.decision}: ${action.why}`,
  );
  return [
    `Incident ${incident.number} of ${incident.model}: ${incident.light}, ${incident.state}${rehearsal}`,
    incident.verdict,
    ...(alerts.length > 0 ? ['Alerts:', ...alerts] : []),
    ...(actions.length > 0 ? ['Actions:', ...actions] : []),
    ...(incident.resolution === null ? [] : [`Resolved by ${incident.resolvedBy}: ${incident.resolution}`]),
  ].join('\n');
}

/** The number of an incident as people type it: 12 or #12. */
export function incidentNumber(text: unknown): number {
  const match = /^#?(\d{1,12})$/.exec(String(text));
  if (match) return Number(match[1]);
  throw usage(`"${String(text)}" is not an incident; write its number, as "levain alerts" shows it`, 'levain alerts');
}
