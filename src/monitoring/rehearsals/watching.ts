import { countersOf, getEndpoint } from '../../serving/index.ts';
import { factsOf, findingsOf, hoursBefore, storeFindings } from '../evaluation/evaluate.ts';
import { selectEvaluations } from '../evaluation/evaluations.store.ts';
import { TREND_WINDOWS } from '../evaluation/rules.ts';
import type { Judged } from '../evaluation/versions.ts';
import { actOnIncidents, heldBackBy } from '../incidents/actions.ts';
import { findIncident, selectOpen } from '../incidents/incidents.store.ts';
import { resolveIn } from '../incidents/incidents.ts';
import { judgeRows } from '../incidents/judge.ts';
import { startOfWindow } from '../labels/labels.ts';
import type { EvaluationTable } from '../tables.ts';
import { type MonitoringDeps, WINDOW_MS } from '../types.ts';
import { sendAll } from './replay.ts';
import type { Rehearsing } from './start.ts';

/** After the first looks come fewer and fewer: each waits for the log. */
const FIRST_LOOK_REQUESTS = 20;
const LOOKS_GROW = 1.25;
/** How long the log may take to bring in what was sent. */
const INGEST_MS = 20_000;
const LOOK_MS = 100;

export interface Seen {
  readonly incident: number | null;
  readonly afterRequests: number | null;
  readonly afterRows: number | null;
  readonly alarm: string | null;
  readonly heldBack: string | null;
  /** What its windows say by the end. */
  readonly findings: readonly EvaluationTable[];
  /** Requests that the endpoint refused or could not answer. */
  readonly unanswered: number;
}

const NOTHING_SEEN: Seen = {
  incident: null,
  afterRequests: null,
  afterRows: null,
  alarm: null,
  heldBack: null,
  findings: [],
  unanswered: 0,
};

/** Sends a few requests, lets the log bring them in, and looks; after the alarm it goes on to the end. */
export async function sendAndWatch(
  rehearsing: Rehearsing,
  judged: Judged,
  sent: { readonly bodies: readonly unknown[]; readonly rowsPerRequest: number; readonly rows: number },
): Promise<Seen> {
  const { bodies } = sent;
  let seen = NOTHING_SEEN;
  let done = 0;
  // Requests that the log should hold by now; those that it never got are not waited for twice.
  let expected = 0;
  while (done < bodies.length) {
    const part = bodies.slice(done, done + Math.max(FIRST_LOOK_REQUESTS, Math.ceil(done * (LOOKS_GROW - 1))));
    const answers = await sendAll(rehearsing, part);
    done += part.length;
    const unanswered = seen.unanswered + answers.filter(({ ok }) => !ok).length;
    const { hours, arrived } = await waitForRows(
      rehearsing,
      expected + answers.filter(({ status }) => status < 500).length,
    );
    expected = arrived;
    const looked = await look(rehearsing, judged, hours, seen.incident !== null);
    const rows = Math.min(sent.rows, done * sent.rowsPerRequest);
    seen =
      seen.incident === null && looked.incident !== null
        ? { ...looked, afterRequests: done, afterRows: rows, unanswered }
        : { ...seen, findings: looked.findings, unanswered };
    await noteSeen(rehearsing, seen, done, rows);
  }
  return seen;
}

const noteSeen = ({ note }: Rehearsing, seen: Seen, requests: number, rows: number): Promise<unknown> =>
  note(
    {
      requests,
      rows,
      ...(seen.incident !== null && {
        alarm: seen.alarm,
        alarmAfterRequests: seen.afterRequests,
        alarmAfterRows: seen.afterRows,
      }),
    },
    { incident: seen.incident },
  );

/** Judges the rehearsal's own windows as they are now. */
async function look(
  { deps, row }: Rehearsing,
  judged: Judged,
  hours: Awaited<ReturnType<typeof countersOf>>,
  isKnown: boolean,
): Promise<Pick<Seen, 'incident' | 'alarm' | 'heldBack' | 'findings'>> {
  const projectId = row.project_id;
  const mine = hours.filter(({ versionId }) => versionId === judged.version.id);
  if (mine.length === 0) return NOTHING_SEEN;
  const endpoint = await getEndpoint(deps.serving, { projectId }, row.endpoint);
  const file = (await deps.serving.appliedFile(projectId, row.model))?.file;
  const start = startOfWindow(Math.min(...mine.map(({ windowStart }) => windowStart)));
  const real = { projectId, endpoint: row.endpoint, from: start - TREND_WINDOWS * WINDOW_MS, to: start };
  const earlier = hoursBefore(await countersOf(deps.serving, real), start);
  const facts = { ...factsOf({ file, endpoint }, judged.profile!, start, mine), earlier };
  const revision = `${facts.counters.rows}.${facts.counters.refused}`;
  await storeFindings(deps, { projectId, endpoint }, judged, facts, findingsOf(facts), revision, row.id);
  const range = { projectId, endpoint: row.endpoint, rehearsal: row.id, from: start, to: start + WINDOW_MS };
  const findings = await deps.db.read((tx) => selectEvaluations(tx, range, judged.version.id));
  if (isKnown) return { ...NOTHING_SEEN, findings };
  const clock = endpoint.eventClock === null ? deps.clock.now() : Date.parse(endpoint.eventClock);
  const judging = { projectId, endpoint, clock, file };
  const opened = await judgeRows(deps, judging, start, findings, row.id);
  const incident = await incidentToTell(deps, projectId, opened);
  if (!incident) return { ...NOTHING_SEEN, findings };
  await actOnIncidents(deps, judging);
  const heldBack = await heldBackBy(deps, judging, incident.number);
  const alarm = incident.verdict.split('\n').slice(0, 2).join(' ');
  return { findings, incident: incident.number, alarm, heldBack };
}

/** Rows that cannot be answered are a matter of the service too: what the data say is told first. */
async function incidentToTell(deps: MonitoringDeps, projectId: string, numbers: readonly number[]) {
  const found = await deps.db.read(async (tx) => {
    const rows = [];
    for (const number of numbers) rows.push(await findIncident(tx, projectId, number));
    return rows;
  });
  return found.find((incident) => incident?.light === 'data') ?? found[0];
}

async function waitForRows({ deps, row, signal }: Rehearsing, requests: number) {
  const until = deps.clock.now() + INGEST_MS;
  for (;;) {
    signal.throwIfAborted();
    const hours = await countersOf(deps.serving, {
      projectId: row.project_id,
      endpoint: row.endpoint,
      from: 0,
      to: Number.MAX_SAFE_INTEGER,
      rehearsal: row.id,
    });
    const arrived = hours.reduce((sum, { counters: c }) => sum + c.requests + c.refused, 0);
    if (arrived >= requests || deps.clock.now() >= until) return { hours, arrived };
    await deps.clock.sleep(LOOK_MS, signal);
  }
}

/** Rows of real traffic in all windows: what a rehearsal must not move. */
export async function realRows(deps: MonitoringDeps, projectId: string, endpoint: string): Promise<number> {
  const hours = await countersOf(deps.serving, { projectId, endpoint, from: 0, to: Number.MAX_SAFE_INTEGER });
  return hours.reduce((sum, { counters }) => sum + counters.rows, 0);
}

/** Its incidents end with it, or they would hold retraining back for ever. */
export async function resolveItsIncidents(
  deps: MonitoringDeps,
  row: { readonly id: string; readonly project_id: string; readonly endpoint: string },
  resolution: string,
): Promise<void> {
  await deps.db.write(async (tx) => {
    for (const incident of await selectOpen(tx, row.project_id, row.endpoint)) {
      if (incident.rehearsal !== row.id) continue;
      await resolveIn(tx, deps, incident, { by: 'levain', resolution, eventAt: incident.opened_event });
    }
  });
}
