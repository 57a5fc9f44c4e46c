import type { CountedWindow } from '../serving/index.ts';
import { iso } from './incidents/incidents.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Endpoints younger than this are shown by the hour, for as long. */
const YOUNG_MS = 2 * DAY_MS;
const SHOWN_MS = 14 * DAY_MS;

/** Requests over the last days of event time, for a small chart. */
export interface Traffic {
  readonly from: string;
  readonly stepMs: number;
  /** A number a step; null before the endpoint answered anything. */
  readonly requests: readonly (number | null)[];
  readonly total: number;
}

/** By 24 hours back from now over two weeks; by the hour over two days where there is no more. null where nothing was asked. */
export function trafficOf(counted: readonly CountedWindow[], clock: number): Traffic | null {
  const since = Math.min(...counted.map(({ windowStart }) => windowStart));
  if (!Number.isFinite(since)) return null;
  const end = Math.floor(clock / HOUR_MS) * HOUR_MS + HOUR_MS;
  const isYoung = end - since <= YOUNG_MS;
  const [shownMs, stepMs] = isYoung ? [YOUNG_MS, HOUR_MS] : [SHOWN_MS, DAY_MS];
  const from = end - shownMs;
  const requests: (number | null)[] = Array.from({ length: shownMs / stepMs }, (_, i) =>
    from + (i + 1) * stepMs <= since ? null : 0,
  );
  for (const { windowStart, counters } of counted) {
    const step = Math.floor((windowStart - from) / stepMs);
    if (step >= 0 && step < requests.length) requests[step] = (requests[step] ?? 0) + counters.requests;
  }
  return { from: iso(from)!, stepMs, requests, total: requests.reduce<number>((sum, n) => sum + (n ?? 0), 0) };
}
