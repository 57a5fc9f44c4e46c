import { setTimeout as pause } from 'node:timers/promises';
import type { Clock } from '../../ports/system.ts';

/** Timers take no more than 2^31-1 ms. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: Date.now,
  async sleep(ms, signal) {
    for (let left = ms; left > 0 && !signal?.aborted; left -= LONGEST_TIMER_MS) {
      await pause(Math.min(left, LONGEST_TIMER_MS), undefined, signal ? { signal } : {}).catch(() => {});
    }
  },
};
