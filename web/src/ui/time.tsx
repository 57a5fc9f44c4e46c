import { useEffect, useState } from 'react';
import { localTime, MISSING, relativeTime, utcTime } from './format.ts';

const REFRESH_MS = 30_000;

/** The time now, moving on twice a minute; one timer a component would be many. */
export function useNow(): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), REFRESH_MS);
    return () => clearInterval(timer);
  }, []);
  return now;
}

/** `3 min ago`; local time and UTC on hover. */
export function RelativeTime({ at }: { readonly at: string | number | null | undefined }) {
  const now = useNow();
  const ms = typeof at === 'string' ? Date.parse(at) : at;
  if (ms === null || ms === undefined || Number.isNaN(ms)) return <span>{MISSING}</span>;
  return (
    <time dateTime={new Date(ms).toISOString()} title={`${localTime(ms)}\n${utcTime(ms)}`}>
      {relativeTime(ms, now)}
    </time>
  );
}

/** Time of events: the model's own clock, which may be years away, so always a date. */
export function EventTime({ at }: { readonly at: string | null | undefined }) {
  if (!at) return <span>{MISSING}</span>;
  return (
    <time dateTime={at} title={`${localTime(Date.parse(at))}\n${utcTime(Date.parse(at))}`}>
      {at.slice(0, 16).replace('T', ' ')}
    </time>
  );
}
