import type { Tx } from './db.ts';

const hooks = new WeakMap<Tx, (() => void)[]>();

/**
 * Runs `hook` in this process once the transaction is committed, and never where it is rolled back or run again. For hints
 * (wake a poll, tell the UI) only: a crash in between loses it, so nothing may depend on it. It must not throw.
 */
export function afterCommit(tx: Tx, hook: () => void): void {
  const known = hooks.get(tx);
  if (known) known.push(hook);
  else hooks.set(tx, [hook]);
}

/** For adapters: runs what `afterCommit` collected. */
export function runAfterCommit(tx: Tx): void {
  for (const hook of hooks.get(tx) ?? []) hook();
  hooks.delete(tx);
}
