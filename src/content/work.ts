import { messageOf } from '../kernel/errors.ts';
import type { Clock, Log } from '../ports/system.ts';
import type { Content } from './content.ts';

export interface ContentWorkDeps {
  readonly content: Pick<Content, 'collect'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Not right after a start, when there is more to do than to tidy. */
const EVERY_MS = 3_600_000;

/** Collects every hour until stopped; `stop` waits for a collection under way. */
export function startContentWork({ content, clock, log }: ContentWorkDeps): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const loop = async (): Promise<void> => {
    for (;;) {
      await clock.sleep(EVERY_MS, stopping.signal);
      if (stopping.signal.aborted) return;
      try {
        const { deleted, orphans } = await content.collect(clock.now());
        if (deleted + orphans > 0) log.info('content was collected', { deleted, orphans });
      } catch (error) {
        log.error('content could not be collected', { error: messageOf(error) });
      }
    }
  };
  const ended = loop();
  return {
    async stop() {
      stopping.abort();
      await ended;
    },
  };
}
