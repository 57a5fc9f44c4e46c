import type { EndpointTable } from '../tables.ts';

/** How late a row may come: how far the event clock stays behind the newest event. */
export const SERVER_LATENESS_MS = 10_000;
export const CLIENT_LATENESS_MS = 5 * 60_000;

export const latenessOf = (eventTime: 'server' | 'client'): number =>
  eventTime === 'client' ? CLIENT_LATENESS_MS : SERVER_LATENESS_MS;

type Clocked = Pick<EndpointTable, 'event_time' | 'lateness_ms' | 'event_clock'>;

/**
 * The endpoint's event clock, epoch ms; null before the first dated row. Under `server` it is wall time less the lateness,
 * traffic or none; under `client` the largest event time less the lateness. It never goes back.
 */
export function eventClockOf(endpoint: Clocked, now: number): number | null {
  if (endpoint.event_time !== 'server') return endpoint.event_clock;
  return Math.max(endpoint.event_clock ?? 0, now - endpoint.lateness_ms);
}

/** The stored clock after rows whose newest event is `newestEvent`. */
export function advanceClock(endpoint: Clocked, newestEvent: number | null, now: number): number | null {
  const clock = eventClockOf(endpoint, now);
  if (endpoint.event_time === 'server' || newestEvent === null) return clock;
  return Math.max(clock ?? 0, newestEvent - endpoint.lateness_ms);
}
