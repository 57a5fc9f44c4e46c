import { messageOf } from '../kernel/errors.ts';
import { announceRest } from './log/ingest.ts';
import { advanceRollout } from './rollouts/advance.ts';
import { forgetEvidence } from './rollouts/evidence-log.ts';
import { selectActiveRollouts } from './rollouts/rollouts.store.ts';
import type { RolloutTable } from './tables.ts';
import type { ServingDeps } from './types.ts';

/** How often one looks without being woken: clocks run on, and other servers do not wake this one. */
const TICK_MS = 1_000;
/** Steps that one rollout takes in one look. */
const MAX_STEPS = 12;

/** Moves rollouts on, woken by rows and reports that come in. Stopping waits for the look that is under way. */
export function startServingWork(deps: ServingDeps): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const running = loop(deps, stopping.signal);
  return {
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

async function loop(deps: ServingDeps, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const seen = deps.runtime.work.count;
    try {
      await announceRest(deps);
      await advanceAll(deps, signal);
    } catch (error) {
      deps.log.error('rollouts could not be looked at', { reason: messageOf(error) });
      await deps.clock.sleep(TICK_MS, signal);
    }
    await deps.runtime.work.wait(deps.clock, seen, TICK_MS, signal);
  }
}

/** One look at every rollout under way, each as far as it goes by now. */
export async function advanceAll(deps: ServingDeps, signal?: AbortSignal): Promise<void> {
  const active = await deps.db.read((tx) => selectActiveRollouts(tx));
  forgetEvidence(deps, new Set(active.map(({ id }) => id)));
  for (const rollout of active) {
    if (signal?.aborted) return;
    try {
      await advanceFar(deps, rollout);
    } catch (error) {
      deps.log.error('a rollout could not be moved on', { rollout: rollout.id, reason: messageOf(error) });
    }
  }
}

async function advanceFar(deps: ServingDeps, start: RolloutTable): Promise<void> {
  let rollout = start;
  for (let i = 0; i < MAX_STEPS; i++) {
    const next = await advanceRollout(deps, rollout);
    if (next.revision === rollout.revision) return;
    rollout = next;
  }
}
