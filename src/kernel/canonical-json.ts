import { AppError } from './errors.ts';

/** Anything JSON can say. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/**
 * One text for one value: keys sorted by code unit, no white space, shortest round-trip numbers, `undefined` members left out.
 * Throws `invalid` on NaN, infinities, lone surrogates and U+0000, which no store or digest may hold.
 */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new AppError('invalid', `The number ${value} has no JSON form`);
    return Object.is(value, -0) ? '0' : String(value);
  }
  if (typeof value === 'string') {
    assertText(value);
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${value.map((v) => canonicalJson(v === undefined ? null : v)).join(',')}]`;
  if (typeof value === 'object') {
    const entries = Object.entries(value).filter(([, v]) => v !== undefined);
    entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    return `{${entries.map(([k, v]) => `${canonicalJson(k)}:${canonicalJson(v)}`).join(',')}}`;
  }
  throw new AppError('invalid', `A ${typeof value} has no JSON form`);
}

/** Refuses text that PostgreSQL or a digest cannot hold: U+0000 and lone surrogates. */
export function assertText(text: string, what = 'The text'): string {
  if (text.includes('\u0000')) throw new AppError('invalid', `${what} holds the character U+0000; remove it`);
  if (!text.isWellFormed()) throw new AppError('invalid', `${what} holds a lone surrogate; send well-formed Unicode`);
  return text;
}
