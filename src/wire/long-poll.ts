import { z } from 'zod';

/** How often is looked: a local read each time, soon enough for eyes. */
const POLL_MS = 250;
const MAX_WAIT_SECONDS = 25;

/** For how many seconds at the most an answer may wait for news. */
export const WaitSeconds = z.coerce.number().min(0).max(MAX_WAIT_SECONDS).default(0);

interface LongPoll<T> {
  readonly clock: { now(): number; sleep(ms: number, signal?: AbortSignal): Promise<void> };
  readonly waitSeconds: number;
  readonly signal: AbortSignal;
  readonly read: () => Promise<T>;
  readonly isNews: (answer: T) => boolean;
}

/** Answers as soon as there is news, else with what there is when the time is over or the caller has gone. */
export async function longPoll<T>({ clock, waitSeconds, signal, read, isNews }: LongPoll<T>): Promise<T> {
  const until = clock.now() + waitSeconds * 1_000;
  for (;;) {
    const answer = await read();
    if (isNews(answer) || clock.now() >= until || signal.aborted) return answer;
    await clock.sleep(POLL_MS, signal);
  }
}
