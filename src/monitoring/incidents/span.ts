import { getVersion } from '../../registry/index.ts';
import type { IncidentAlertTable, IncidentTable } from '../tables.ts';
import { type MonitoringDeps, WINDOW_MS } from '../types.ts';
import { selectAlerts } from './incidents.store.ts';

const MAX_ALERTS = 1_000;
/** A version that was rolled back answered no longer than this before. */
const LONGEST_ROLLOUT_MS = 60 * WINDOW_MS;

/** What an incident is about: event time from (inclusive) to (exclusive), of one version, real or a rehearsal's. */
export interface IncidentSpan {
  readonly projectId: string;
  readonly endpoint: string;
  readonly from: number;
  readonly to: number;
  readonly versionId: string | undefined;
  readonly rehearsal: string | null;
  /** Windows that raised it, the oldest first. */
  readonly windows: readonly number[];
}

/** From when it began to the end of the last window that raised it; of a rollback, all that the version answered. */
export async function spanOf(deps: Pick<MonitoringDeps, 'db' | 'registry'>, row: IncidentTable): Promise<IncidentSpan> {
  // Labels that stop are missing from real predictions, rehearsed or not.
  const rehearsal = row.cause === 'labels' ? null : row.rehearsal;
  const base = { projectId: row.project_id, endpoint: row.endpoint, rehearsal };
  const alerts = await deps.db.read((tx) => selectAlerts(tx, row.project_id, row.number, MAX_ALERTS));
  const windows = windowsOf(alerts);
  if (row.cause === 'rolled_back') {
    const versionId = await idOfVersion(deps, row);
    const to = (row.opened_event ?? row.since) + 1;
    return { ...base, from: to - LONGEST_ROLLOUT_MS, to, versionId, windows };
  }
  const to = Math.max(row.since + 1, (windows.at(-1) ?? row.last_window) + WINDOW_MS);
  return { ...base, from: row.since, to, versionId: row.version_id ?? undefined, windows };
}

/** The version that was rolled back is told by its number; the incident's own id is of the one that answers instead. */
async function idOfVersion(deps: Pick<MonitoringDeps, 'registry'>, row: IncidentTable): Promise<string | undefined> {
  if (row.version === null) return undefined;
  const actor = { projectId: row.project_id };
  return (await getVersion(deps.registry, actor, { model: row.model, version: row.version })).id;
}

const windowsOf = (alerts: readonly Pick<IncidentAlertTable, 'window_start' | 'inhibited'>[]): number[] =>
  [...new Set(alerts.filter(({ inhibited }) => inhibited === 0).map((alert) => alert.window_start))].sort(
    (a, b) => a - b,
  );
