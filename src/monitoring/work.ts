import { messageOf } from '../kernel/errors.ts';
import { monitorAll } from './monitor.ts';
import { endAbandoned } from './rehearsals/start.ts';
import type { MonitoringDeps } from './types.ts';

/** What nobody announces (wall time that passes, labels from another server) is seen this much later at most. */
const LOOK_EVERY_MS = 2_000;
/** Looks are at least so far apart, however often one is woken. */
const PAUSE_MS = 100;

/** Looks at all endpoints when rows or labels come in, and every two seconds. */
export function startMonitoringWork(deps: MonitoringDeps): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const { signal } = stopping;
  const loop = async (): Promise<void> => {
    await endAbandoned(deps).catch((error) => deps.log.error('monitoring failed', { reason: messageOf(error) }));
    while (!signal.aborted) {
      await monitorAll(deps).catch((error) => deps.log.error('monitoring failed', { reason: messageOf(error) }));
      const over = new AbortController();
      await Promise.race([
        deps.runtime.woken(),
        deps.clock.sleep(LOOK_EVERY_MS, AbortSignal.any([signal, over.signal])),
      ]);
      over.abort();
      await deps.clock.sleep(PAUSE_MS, signal);
    }
  };
  const running = loop();
  return {
    async stop() {
      stopping.abort();
      deps.runtime.wake();
      await Promise.all([running, deps.runtime.stop()]);
    },
  };
}
