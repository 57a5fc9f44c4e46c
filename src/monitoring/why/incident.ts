import { getIncident } from '../incidents/incidents.ts';
import type { IncidentView } from '../types.ts';
import type { Finder } from './types.ts';

export const ofIncident: Finder = async (deps, actor, id) => {
  if (!/^\d{1,12}$/.test(id)) return undefined;
  const incident = await getIncident(deps, actor, Number(id));
  return {
    kind: 'incident',
    id,
    answer: answerOf(incident),
    details: [
      ...incident.alerts.map(
        (alert) => `  ${alert.window.slice(0, 10)} ${alert.rule}: ${alert.sentence}${inhibited(alert)}`,
      ),
      ...incident.actions.map(
        (action) => `  ${action.eventAt.slice(0, 16).replace('T', ' ')} retraining ${action.decision}: ${action.why}`,
      ),
    ],
    next: [
      ...(incident.state === 'open' ? [`levain ack ${incident.number}`] : []),
      ...(incident.version === null ? [] : [`levain why ${incident.model}@v${incident.version}`]),
      ...(incident.rehearsal === null ? [] : [`levain why ${incident.rehearsal}`]),
      `levain monitor ${incident.model}`,
    ],
    links: linksOf(incident),
    data: incident,
  };
};

const inhibited = (alert: { readonly inhibited: boolean }): string =>
  alert.inhibited ? ' (follows from the broken data, so it raises nothing itself)' : '';

const linksOf = ({ number, model }: IncidentView): Record<string, string> => ({
  incident: `/incidents/${number}`,
  monitor: `/models/${encodeURIComponent(model)}/monitor`,
});

/** The page's lines as one paragraph: the cause, what and since when, the impact, and how it stands. */
function answerOf(incident: IncidentView): string {
  const [what, cause, impact, safe] = incident.verdict.split('\n');
  const [first, ...calm] = (cause ?? '').split(/(?<=\.) (?=As before: )/);
  const opened = `Incident ${incident.number} of ${incident.model} opened because ${first || 'of what its alerts say.'}`;
  const ended =
    incident.state === 'resolved'
      ? `It was resolved by ${incident.resolvedBy}: ${incident.resolution}.`
      : `It is ${incident.state}${incident.acknowledgedBy ? ` by ${incident.acknowledgedBy}` : ''}.`;
  return [opened, what, ...calm, impact, ended, ...(incident.state === 'resolved' ? [] : [safe])]
    .filter((line) => line)
    .join(' ');
}

/** `12/data.units`: one rule that raised an incident, or would have. */
export const ofAlert: Finder = async (deps, actor, id) => {
  const match = /^#?(\d{1,12})\/((?:service|data|predictions|performance|business)\.[a-z_]+)$/.exec(id);
  if (!match) return undefined;
  const incident = await getIncident(deps, actor, Number(match[1]));
  const alerts = incident.alerts.filter(({ rule }) => rule === match[2]);
  const [first] = alerts;
  if (!first) return undefined;
  const windows = alerts.map(({ window }) => window.slice(0, 10));
  const span =
    windows.length === 1 ? `on ${windows[0]}` : `in ${windows.length} windows from ${windows.at(-1)} to ${windows[0]}`;
  return {
    kind: 'alert',
    id,
    answer: `The rule ${first.rule} (${first.light} light) raised an alert ${span} because ${first.sentence}; it is part of incident ${incident.number}, ${incident.sentence}${first.inhibited ? ' It raised nothing by itself, since the broken data explain it.' : ''}`,
    details: alerts.slice(1).map((alert) => `  ${alert.window.slice(0, 10)}: ${alert.sentence}`),
    next: [`levain why ${incident.number}`, `levain monitor ${incident.model}`],
    links: linksOf(incident),
    data: { incident: incident.number, alerts },
  };
};
