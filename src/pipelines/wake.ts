import { afterCommit } from '../ports/after-commit.ts';
import type { Db, Tx } from '../ports/db.ts';

const sleepers = new WeakMap<Db, Set<() => void>>();

/** Calls `wake` whenever a run of this database may have something to do, in this process. Answers what ends it. */
export function onWake(db: Db, wake: () => void): () => void {
  const known = sleepers.get(db) ?? new Set();
  sleepers.set(db, known.add(wake));
  return () => known.delete(wake);
}

/** A hint only: engines of other processes, and a lost hint, are found by polling. */
export function wakeEngines(db: Db): void {
  for (const wake of sleepers.get(db) ?? []) wake();
}

/** A run of which something changed: its state, or that of a step. */
export interface RunChanged {
  readonly projectId: string;
  readonly runId: string;
}

const hearers = new Set<(change: RunChanged) => void>();

/** Hears of every run that this process changes. A hint for pages that show it: nothing may depend on it. Answers what ends it. */
export function onRunChanged(hear: (change: RunChanged) => void): () => void {
  hearers.add(hear);
  return () => hearers.delete(hear);
}

export function tellRunChanged(tx: Tx, { projectId, runId }: RunChanged): void {
  afterCommit(tx, () => {
    for (const hear of hearers) hear({ projectId, runId });
  });
}
