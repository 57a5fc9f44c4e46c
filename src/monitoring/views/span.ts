import type { Endpoint } from '../../serving/index.ts';
import type { Actor } from '../../wire/route.ts';
import { selectEvaluations } from '../evaluation/evaluations.store.ts';
import { type Judged, judgedBy } from '../evaluation/versions.ts';
import { clockOf, endpointFor } from '../labels/labels.ts';
import type { EvaluationTable } from '../tables.ts';
import { type MonitoringDeps, WINDOW_MS } from '../types.ts';

/** Days of event time of one endpoint, up to its clock: what every view of the monitor looks at. */
export interface Span {
  readonly projectId: string;
  readonly endpoint: Endpoint;
  readonly clock: number;
  readonly from: number;
  readonly to: number;
}

export async function spanOf(
  deps: MonitoringDeps,
  actor: Pick<Actor, 'projectId'>,
  input: { readonly model: string; readonly days: number },
): Promise<Span> {
  const endpoint = await endpointFor(deps, actor, input.model);
  const clock = clockOf(endpoint) ?? deps.clock.now();
  return {
    projectId: actor.projectId,
    endpoint,
    clock,
    from: Math.max(0, clock - input.days * WINDOW_MS),
    to: clock + 1,
  };
}

export const evaluationsOf = (
  deps: Pick<MonitoringDeps, 'db'>,
  { projectId, endpoint, from, to }: Span,
  rule?: string,
): Promise<EvaluationTable[]> =>
  deps.db.read((tx) => selectEvaluations(tx, { projectId, endpoint: endpoint.name, from, to }, undefined, rule));

/** The versions that rows speak of, by id. */
export async function judgedIn(
  deps: MonitoringDeps,
  ids: Iterable<string>,
): Promise<ReadonlyMap<string, Judged | undefined>> {
  const found = new Map<string, Judged | undefined>();
  for (const id of ids) if (!found.has(id)) found.set(id, await judgedBy(deps, id));
  return found;
}

/** A day that two versions answered counts as that of the one with more rows. */
export function busiest<Row extends { readonly start: number; readonly rows: number }>(rows: readonly Row[]): Row[] {
  const byStart = new Map<number, Row>();
  for (const row of rows) {
    const other = byStart.get(row.start);
    if (!other || other.rows < row.rows) byStart.set(row.start, row);
  }
  return [...byStart.values()].sort((a, b) => a.start - b.start);
}

/** Of rows in the order of their windows, the drift that speaks for now: the champion's newest; before it has one, the endpoint's. */
export const newestDrift = (
  rows: readonly EvaluationTable[],
  championId: string | null,
): EvaluationTable | undefined => {
  const drifts = rows.filter((row) => row.rule === 'data.drift');
  return drifts.findLast((row) => row.version_id === championId) ?? drifts.at(-1);
};

export const isoOf = (ms: number): string => new Date(ms).toISOString();
