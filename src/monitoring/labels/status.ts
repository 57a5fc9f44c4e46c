import { countersOf } from '../../serving/index.ts';
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
  const endpoint = await endpointFor(deps, actor, name);
  const { projectId } = actor;
  const clock = clockOf(endpoint);
  const end = startOfWindow(clock ?? 0) + WINDOW_MS;
  const from = Math.max(0, end - days * WINDOW_MS);
  const counters = await countersOf(deps.serving, { projectId, endpoint: endpoint.name, from, to: end });
  const rows = new Map<number, number>();
  for (const { windowStart, counters: c } of counters) {
    const start = startOfWindow(windowStart);
    rows.set(start, (rows.get(start) ?? 0) + c.rows);
  }
  const found = await deps.db.read(async (tx) => {
    const perDay: { start: number; labels: number }[] = [];
    for (const start of [...rows.keys()].sort((a, b) => a - b))
      perDay.push({
        start,
        labels: await store.countLabels(tx, { projectId, endpoint: endpoint.name, from: start, to: start + WINDOW_MS }),
      });
    return { perDay, pending: await store.countPending(tx, projectId, endpoint.name) };
  });
  const predictions = [...rows.values()].reduce((a, b) => a + b, 0);
  const labels = found.perDay.reduce((sum, day) => sum + day.labels, 0);
  return {
    endpoint: endpoint.name,
    model: endpoint.model,
    eventClock: endpoint.eventClock,
    labels,
    predictions,
    coverage: predictions === 0 ? null : labels / predictions,
    pending: found.pending,
    days: found.perDay.map(({ start, labels }) => ({
      day: new Date(start).toISOString().slice(0, 10),
      predictions: rows.get(start) ?? 0,
      labels,
    })),
  };
}
