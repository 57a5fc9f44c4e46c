import { AppError } from '../kernel/errors.ts';
import { findKnownRun, type KnownRun, rememberRun } from './metric-ingest.ts';
import { findRunRow } from './runs.store.ts';
import type { RunRow } from './tables.ts';
import type { TrackingDeps } from './types.ts';

/** The run, ready to be written to. Throws `not_found`, or `precondition_failed` where it is deleted. */
export async function getWritableRun(
  deps: Pick<TrackingDeps, 'db' | 'clock'>,
  projectId: string,
  runId: string,
): Promise<KnownRun> {
  const known = findKnownRun(deps.db, projectId, runId, deps.clock.now()) ?? (await lookUp(deps, projectId, runId));
  if (known.lifecycle !== 'active') throw notActive(runId);
  return known;
}

async function lookUp(deps: Pick<TrackingDeps, 'db' | 'clock'>, projectId: string, runId: string): Promise<KnownRun> {
  const row = await deps.db.read((tx) => findRunRow(tx, projectId, runId));
  const { experiment_id: experimentId, lifecycle } = assertRun(row, runId);
  return rememberRun(deps.db, { projectId, runId, experimentId, lifecycle, checkedAt: deps.clock.now() });
}

export function assertRun(row: RunRow | undefined, runId: string): RunRow {
  if (!row) throw new AppError('not_found', `Run with id=${runId} not found`);
  return row;
}

/** The row of a run that may be written to. */
export function assertActive(row: RunRow | undefined, runId: string): RunRow {
  if (assertRun(row, runId).lifecycle !== 'active') throw notActive(runId);
  return row!;
}

const notActive = (runId: string): AppError =>
  new AppError('precondition_failed', `The run ${runId} must be in the 'active' state. Current state is deleted.`);
