import { AppError } from '../../kernel/errors.ts';
import { LIMITS } from '../limits.ts';

export interface EventClockSettings {
  readonly mode: 'server' | 'client';
  readonly latenessMs: number;
}

const ISO = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?)?$/;

/**
 * An endpoint's event clock: the largest event time less the allowed lateness. Monotonic. Under `server` it is wall time less the
 * lateness, traffic or none; under `client` only dated requests move it, and an undated one is filed at its present value.
 */
export class EventClock {
  #settings: EventClockSettings;
  #value: number | null;

  constructor(settings: EventClockSettings, stored: number | null) {
    this.#settings = settings;
    this.#value = stored;
  }

  configure(settings: EventClockSettings): void {
    this.#settings = settings;
  }

  /** When a request counts as having happened. Throws `invalid` for a date that is none, too far ahead, or not allowed. */
  timeOf(sent: string | null, now: number): number {
    if (sent === null) return this.#settings.mode === 'server' ? now : (this.#value ?? now);
    if (this.#settings.mode === 'server')
      throw new AppError(
        'invalid',
        'This endpoint dates requests by itself; leave event_time out, or deploy it with "event_time: client"',
      );
    const time = parseTime(sent);
    if (time > now + LIMITS.aheadMs)
      throw new AppError(
        'invalid',
        `event_time ${sent} is ${Math.round((time - now) / 60_000)} minutes ahead; at most ${LIMITS.aheadMs / 60_000} are allowed`,
      );
    return time;
  }

  /** A dated request was answered. */
  observe(eventTime: number): void {
    this.merge(eventTime - this.#settings.latenessMs);
  }

  /** Another gateway, or the store, has come this far. */
  merge(value: number | null): void {
    if (value !== null && (this.#value === null || value > this.#value)) this.#value = value;
  }

  /** What must outlive the process: nothing where wall time says it anyway. */
  stored(): number | null {
    return this.#settings.mode === 'server' ? null : this.#value;
  }

  read(now: number): number | null {
    if (this.#settings.mode === 'server') this.merge(now - this.#settings.latenessMs);
    return this.#value;
  }
}

/** A time without a zone is UTC. */
function parseTime(text: string): number {
  const match = ISO.exec(text);
  const iso = text.replace(' ', 'T');
  const time = match ? Date.parse(text.length > 10 && !match[1] ? `${iso}Z` : iso) : Number.NaN;
  if (Number.isNaN(time) || time < 0)
    throw new AppError(
      'invalid',
      `event_time "${text.slice(0, 60)}" is not a time; write ISO 8601, for example 2026-01-31T08:00:00Z`,
    );
  return time;
}
