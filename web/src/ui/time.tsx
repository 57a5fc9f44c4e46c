import { useSyncExternalStore } from 'react';
import { localMinute, localTime, MISSING, relativeTime, utcTime } from './format.ts';

const REFRESH_MS = 30_000;

/** One clock for all times on the screen. */
const hearers = new Set<() => void>();
let now = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;

function tick(): void {
  now = Date.now();
  for (const hear of hearers) hear();
}

function subscribe(hear: () => void): () => void {
  if (hearers.size === 0) now = Date.now();
  hearers.add(hear);
  timer ??= setInterval(tick, REFRESH_MS);
  return () => {
    hearers.delete(hear);
    if (hearers.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

/** The time now, moving on twice a minute. */
export const useNow = (): number => useSyncExternalStore(subscribe, () => now);

type At = string | number | null | undefined;

const toMs = (at: At): number => (typeof at === 'string' ? Date.parse(at) : (at ?? Number.NaN));

/** `3 min ago`; local time and UTC on hover. */
export function RelativeTime({ at }: { readonly at: At }) {
  const current = useNow();
  const ms = toMs(at);
  if (Number.isNaN(ms)) return <span>{MISSING}</span>;
  // What just came may be younger than the clock's last tick.
  return <Time ms={ms}>{relativeTime(ms, Math.max(current, ms))}</Time>;
}

/** Time of events: the model's own clock, which may be years away, so always a date. */
export function EventTime({ at }: { readonly at: At }) {
  const ms = toMs(at);
  return Number.isNaN(ms) ? <span>{MISSING}</span> : <Time ms={ms}>{localMinute(ms)}</Time>;
}

function Time({ ms, children }: { readonly ms: number; readonly children: string }) {
  return (
    <time dateTime={new Date(ms).toISOString()} title={`${localTime(ms)}\n${utcTime(ms)}`}>
      {children}
    </time>
  );
}
