import type { ProjectFile } from '../../project-file/index.ts';
import { findHold } from '../../registry/index.ts';
import type { Endpoint } from '../../serving/index.ts';
import { selectEvaluations } from '../evaluation/evaluations.store.ts';
import type { EvaluationTable, IncidentTable } from '../tables.ts';
import { type MonitoringDeps, WINDOW_MS } from '../types.ts';
import { alarmsOf, CAUSES, type CauseRule, INHIBITED_BY_BROKEN, wasJudged } from './causes.ts';
import * as store from './incidents.store.ts';
import { openIn, resolveIn } from './incidents.ts';
import { verdictOf } from './verdict.ts';

export interface Judging {
  readonly projectId: string;
  readonly endpoint: Endpoint;
  readonly clock: number;
  readonly file: ProjectFile | undefined;
}

const PAGED = ['service', 'data', 'performance'];

/** Opens, continues and ends incidents by what the windows of the version that answers now say, window by window. */
export async function judgeWindows(deps: MonitoringDeps, judging: Judging, windows: readonly number[]): Promise<void> {
  await resolveOutdated(deps, judging);
  const { championId } = judging.endpoint;
  if (championId === null) return;
  for (const start of windows) {
    const range = { projectId: judging.projectId, endpoint: judging.endpoint.name, from: start, to: start + WINDOW_MS };
    const rows = await deps.db.read((tx) => selectEvaluations(tx, range, championId));
    if (rows.length > 0) await judgeRows(deps, judging, start, rows, null);
  }
}

/** Judges the rows of one window. With `rehearsal`, its incidents are marked and apart from real ones. */
export async function judgeRows(
  deps: MonitoringDeps,
  judging: Judging,
  start: number,
  rows: readonly EvaluationTable[],
  rehearsal: string | null,
): Promise<readonly number[]> {
  const numbers: number[] = [];
  for (const rule of CAUSES) {
    const open = await openOf(deps, judging, rule, rehearsal);
    const alarms = alarmsOf(rule, rows);
    if (alarms.length === 0) {
      if (open && wasJudged(rule, rows)) await countGood(deps, judging, open, rule, start);
      continue;
    }
    const broken = INHIBITED_BY_BROKEN.has(rule.cause) ? await openOf(deps, judging, CAUSES[1]!, rehearsal) : undefined;
    if (broken) await addAlerts(deps, broken, alarms, true);
    else if (open) await goOn(deps, open, alarms, start);
    else numbers.push(...(await openNew(deps, judging, rule, alarms, rows, rehearsal)));
  }
  return numbers;
}

const fingerprintOf = ({ endpoint }: Judging, rule: CauseRule, rehearsal: string | null): string =>
  `${endpoint.name}/${rule.cause}/${rehearsal ?? ''}`;

async function openOf(
  deps: MonitoringDeps,
  judging: Judging,
  rule: CauseRule,
  rehearsal: string | null,
): Promise<IncidentTable | undefined> {
  const print = fingerprintOf(judging, rule, rehearsal);
  const found = await deps.db.read((tx) => store.findByFingerprint(tx, judging.projectId, print));
  return found && found.state !== 'resolved' ? found : undefined;
}

async function openNew(
  deps: MonitoringDeps,
  judging: Judging,
  rule: CauseRule,
  alarms: readonly EvaluationTable[],
  rows: readonly EvaluationTable[],
  rehearsal: string | null,
): Promise<readonly number[]> {
  const { projectId, endpoint, clock, file } = judging;
  const verdict = await verdictOf(deps, { projectId, endpoint, rule, alarms, others: rows, rehearsal });
  const pages = file?.monitor?.page ?? PAGED;
  const severity = !rule.ticketOnly && (pages as readonly string[]).includes(rule.light) ? 'page' : 'ticket';
  const lastWindow = Math.max(...alarms.map((row) => row.window_start));
  return deps.db.write(async (tx) => {
    const { number, isNew } = await openIn(tx, deps, {
      project_id: projectId,
      model: endpoint.model,
      endpoint: endpoint.name,
      light: rule.light,
      cause: rule.cause,
      fingerprint: fingerprintOf(judging, rule, rehearsal),
      rehearsal,
      severity,
      version_id: endpoint.championId,
      version: endpoint.champion,
      since: verdict.since,
      last_window: lastWindow,
      opened_event: clock,
      lines: verdict.lines,
      details: verdict.details,
    });
    await store.insertAlerts(tx, alertsOf(projectId, number, alarms, false));
    return isNew ? [number] : [];
  });
}

async function goOn(
  deps: MonitoringDeps,
  incident: IncidentTable,
  alarms: readonly EvaluationTable[],
  start: number,
): Promise<void> {
  await addAlerts(deps, incident, alarms, false);
  if (start < incident.last_window) return;
  await deps.db.write((tx) =>
    store.updateIncident(tx, incident.project_id, incident.number, { good_windows: 0, last_window: start }),
  );
}

const addAlerts = (
  deps: MonitoringDeps,
  incident: IncidentTable,
  alarms: readonly EvaluationTable[],
  inhibited: boolean,
): Promise<unknown> =>
  deps.db.write((tx) => store.insertAlerts(tx, alertsOf(incident.project_id, incident.number, alarms, inhibited)));

const alertsOf = (projectId: string, number: number, alarms: readonly EvaluationTable[], inhibited: boolean) =>
  alarms.map((row) => ({
    project_id: projectId,
    number,
    rule: row.rule,
    window_start: row.window_start,
    light: row.light,
    inhibited: inhibited ? 1 : 0,
    sentence: row.sentence,
  }));

/** Hysteresis: only so many good windows in a row end what windows began. */
async function countGood(
  deps: MonitoringDeps,
  { clock }: Judging,
  incident: IncidentTable,
  rule: CauseRule,
  start: number,
): Promise<void> {
  if (start <= incident.last_window) return;
  const good = incident.good_windows + 1;
  await deps.db.write(async (tx) => {
    await store.updateIncident(tx, incident.project_id, incident.number, { good_windows: good, last_window: start });
    if (good < rule.goodWindows) return;
    const resolution = good === 1 ? 'the next window is as usual' : `${good} windows in a row are as usual`;
    await resolveIn(tx, deps, incident, { by: 'levain', resolution, eventAt: clock });
  });
}

/** About a version that no longer answers, or a hold that was lifted. */
async function resolveOutdated(deps: MonitoringDeps, { projectId, endpoint, clock }: Judging): Promise<void> {
  const open = await deps.db.read((tx) => store.selectOpen(tx, projectId, endpoint.name));
  for (const incident of open) {
    const resolution = await whyOutdated(deps, endpoint, incident);
    if (resolution === null) continue;
    await deps.db.write((tx) => resolveIn(tx, deps, incident, { by: 'levain', resolution, eventAt: clock }));
  }
}

async function whyOutdated(deps: MonitoringDeps, endpoint: Endpoint, incident: IncidentTable): Promise<string | null> {
  if (incident.cause === 'rolled_back') {
    const hold = await findHold(deps.registry, incident.project_id, incident.model);
    return hold ? null : `${incident.model} was resumed`;
  }
  const isAboutVersion = ['performance', 'scores', 'drift'].includes(incident.cause) && incident.rehearsal === null;
  if (!isAboutVersion || incident.version_id === endpoint.championId) return null;
  return `v${endpoint.champion} answers instead of v${incident.version}`;
}
