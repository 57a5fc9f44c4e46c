import type { Db } from '../ports/db.ts';

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
