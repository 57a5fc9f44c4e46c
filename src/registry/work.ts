import { messageOf } from '../kernel/errors.ts';
import { settleOverdue } from './approvals.ts';
import type { RegistryDeps } from './types.ts';

const SETTLE_EVERY_MS = 30_000;

/** Settles approvals whose time is over. */
export function startRegistryWork(deps: RegistryDeps): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const done = loop(deps, stopping.signal);
  return {
    async stop() {
      stopping.abort();
      await done;
    },
  };
}

async function loop(deps: RegistryDeps, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await settleOverdue(deps).catch((error: unknown) =>
      deps.log.error('overdue approvals could not be settled', { error: messageOf(error) }),
    );
    await deps.clock.sleep(SETTLE_EVERY_MS, signal);
  }
}
