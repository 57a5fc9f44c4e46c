import { AppError } from '../kernel/errors.ts';
import type { Page } from '../kernel/pages.ts';

/**
 * Pages of searches whose order is the caller's own: a token is MLflow's, base64 of `{"offset": N}`. Anything else is refused,
 * because a client that restarts at 0 by mistake would read for ever.
 */
export function offsetOf(token: string | undefined): number {
  if (!token) return 0;
  const text = Buffer.from(token, 'base64').toString('utf8');
  try {
    const { offset } = JSON.parse(text) as { offset?: unknown };
    if (typeof offset === 'number' && Number.isSafeInteger(offset) && offset > 0) return offset;
  } catch {}
  throw new AppError('invalid', 'Invalid page token, could not base64-decode');
}

/** `items` holds one more than `limit` where there is another page. */
export function toOffsetPage<T>(items: readonly T[], limit: number, offset: number): Page<T> {
  if (items.length <= limit) return { items };
  return { items: items.slice(0, limit), next: toOffsetToken(offset + limit) };
}

export const toOffsetToken = (offset: number): string => Buffer.from(`{"offset": ${offset}}`).toString('base64');
