import { type CountedWindow, countersOf, type Endpoint } from '../../serving/index.ts';
import type { Actor } from '../../wire/route.ts';
import { type MonitoringDeps, WINDOW_MS } from '../types.ts';
import * as store from './labels.store.ts';
import { clockOf, endpointFor, startOfWindow } from './labels.ts';

export interface LabelStatus {
  readonly endpoint: string;
  readonly model: string;
  readonly eventClock: string | null;
  readonly labels: number;
  readonly predictions: number;
  /** Labels for each prediction of the days below; null without predictions. */
  readonly coverage: number | null;
  readonly pending: number;
  readonly days: readonly { readonly day: string; readonly predictions: number; readonly labels: number }[];
}

const DAYS = 14;

/** How many of the last days' predictions have labels. */
export async function labelStatus(
  deps: MonitoringDeps,
  actor: Pick<Actor, 'projectId'>,
  name: string | undefined,
  days = DAYS,
): Promise<LabelStatus> {
  const { projectId } = actor;
  const endpoint = await endpointFor(deps, actor, name);
  const counted = await recentCounters(deps, projectId, endpoint, days);
  return {
    endpoint: endpoint.name,
    model: endpoint.model,
    eventClock: endpoint.eventClock,
    ...(await labelDays(deps, projectId, endpoint, counted)),
    pending: await deps.db.read((tx) => store.countPending(tx, projectId, endpoint.name)),
  };
}

/** What was counted by the hour over the last days of the endpoint's event time. */
export function recentCounters(
  deps: MonitoringDeps,
  projectId: string,
  endpoint: Endpoint,
  days = DAYS,
): Promise<readonly CountedWindow[]> {
  const end = startOfWindow(clockOf(endpoint) ?? 0) + WINDOW_MS;
  const range = { projectId, endpoint: endpoint.name, from: Math.max(0, end - days * WINDOW_MS), to: end };
  return countersOf(deps.serving, range);
}

/** Of the days that were counted, how many predictions have labels. */
export async function labelDays(
  deps: Pick<MonitoringDeps, 'db'>,
  projectId: string,
  { name }: Pick<Endpoint, 'name'>,
  counted: readonly CountedWindow[],
): Promise<Pick<LabelStatus, 'labels' | 'predictions' | 'coverage' | 'days'>> {
  const rows = new Map<number, number>();
  for (const { windowStart, counters } of counted) {
    const start = startOfWindow(windowStart);
    rows.set(start, (rows.get(start) ?? 0) + counters.rows);
  }
  const starts = [...rows.keys()].sort((a, b) => a - b);
  const counts = await deps.db.read((tx) =>
    Promise.all(starts.map((from) => store.countLabels(tx, { projectId, endpoint: name, from, to: from + WINDOW_MS }))),
  );
  const predictions = [...rows.values()].reduce((a, b) => a + b, 0);
  const labels = counts.reduce((a, b) => a + b, 0);
  return {
    labels,
    predictions,
    coverage: predictions === 0 ? null : labels / predictions,
    days: starts.map((start, i) => ({
      day: new Date(start).toISOString().slice(0, 10),
      predictions: rows.get(start) ?? 0,
      labels: counts[i]!,
    })),
  };
}
