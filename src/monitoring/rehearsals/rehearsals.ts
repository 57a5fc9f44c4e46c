import { AppError } from '../../kernel/errors.ts';
import { digestOf } from '../../kernel/hash.ts';
import { longPoll } from '../../wire/long-poll.ts';
import type { Actor } from '../../wire/route.ts';
import { iso } from '../incidents/incidents.ts';
import type { RehearsalTable } from '../tables.ts';
import type { MonitoringDeps, RehearsalKind } from '../types.ts';
import * as store from './rehearsals.store.ts';

/** When the alarm came, what it said, what acted, and what it cost. */
export interface RehearsalReport {
  /** What goes on, and in the end how it went, in one sentence. */
  readonly sentence: string;
  readonly requests: number;
  readonly rows: number;
  /** Requests until the alarm; null where none came. */
  readonly alarmAfterRequests: number | null;
  readonly alarmAfterRows: number | null;
  /** Event time from the first row to the alarm, where rows are dated by it. */
  readonly alarmAfterEventMs?: number | null;
  readonly alarm: string | null;
  /** What acted, or was held back, in sentences. */
  readonly acted: readonly string[];
  /** Real windows, incidents and traffic: what the rehearsal did to them. */
  readonly cost: string | null;
  readonly column?: string;
  readonly factor?: number;
  readonly version?: number;
  readonly rollbackReason?: string | null;
}

export interface RehearsalView {
  readonly id: string;
  readonly model: string;
  readonly endpoint: string;
  readonly kind: RehearsalKind;
  /** `planned` under `dryRun`: nothing is stored under this id. */
  readonly state: 'planned' | 'running' | 'done' | 'failed';
  readonly incident: number | null;
  readonly rollout: string | null;
  readonly report: RehearsalReport & { readonly lines: readonly string[] };
  readonly startedBy: string;
  readonly startedAt: string;
  readonly finishedAt: string | null;
  /** Another one means that something changed. */
  readonly stamp: string;
}

export async function getRehearsal(
  deps: Pick<MonitoringDeps, 'db'>,
  actor: Pick<Actor, 'projectId'>,
  id: string,
): Promise<RehearsalView> {
  const row = await deps.db.read((tx) => store.findRehearsal(tx, actor.projectId, id));
  if (!row) throw new AppError('not_found', `There is no rehearsal "${id}"`, { hint: 'levain rehearse' });
  return toView(row);
}

/** The rehearsal as soon as its stamp is another one than `since`, at the latest after `wait` seconds. */
export async function followRehearsal(
  deps: Pick<MonitoringDeps, 'db' | 'clock'>,
  actor: Pick<Actor, 'projectId'>,
  input: {
    readonly id: string;
    readonly since?: string | undefined;
    readonly wait: number;
    readonly signal: AbortSignal;
  },
): Promise<RehearsalView> {
  return longPoll({
    clock: deps.clock,
    waitSeconds: input.wait,
    signal: input.signal,
    read: () => getRehearsal(deps, actor, input.id),
    isNews: ({ stamp }) => stamp !== input.since,
  });
}

export async function listRehearsals(
  deps: Pick<MonitoringDeps, 'db'>,
  actor: Pick<Actor, 'projectId'>,
  limit: number,
): Promise<readonly RehearsalView[]> {
  return (await deps.db.read((tx) => store.selectRehearsals(tx, actor.projectId, limit))).map(toView);
}

export const toView = (row: RehearsalTable): RehearsalView => ({
  id: row.id,
  model: row.model,
  endpoint: row.endpoint,
  kind: row.kind as RehearsalKind,
  state: row.state as RehearsalView['state'],
  incident: row.incident,
  rollout: row.rollout_id,
  report: withLines(JSON.parse(row.report) as RehearsalReport),
  startedBy: row.started_by,
  startedAt: iso(row.started_at)!,
  finishedAt: iso(row.finished_at),
  stamp: digestOf([row.state, row.report, row.incident, row.rollout_id]).slice(0, 16),
});

/** The report for people. */
const withLines = (report: RehearsalReport): RehearsalView['report'] => ({
  ...report,
  lines: [report.sentence, ...report.acted, ...(report.cost === null ? [] : [report.cost])],
});
