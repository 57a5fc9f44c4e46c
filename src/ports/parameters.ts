import { assertText } from '../kernel/canonical-json.ts';

/** What a statement may bind on both databases. */
export type SqlValue = null | number | bigint | string | Uint8Array;

/**
 * Refuses what the two databases would store differently or not at all: booleans, dates, `undefined`, objects, NaN, U+0000.
 * These are bugs of the caller, hence plain errors, except text that no database can hold, which is `invalid`.
 */
export function checkParameters(sql: string, values: readonly unknown[]): readonly SqlValue[] {
  for (let i = 0; i < values.length; i++) checkParameter(sql, values[i], i + 1);
  return values as readonly SqlValue[];
}

function checkParameter(sql: string, value: unknown, position: number): void {
  if (typeof value === 'string') assertText(value, 'A text for the database');
  else if (typeof value === 'number') {
    if (Number.isNaN(value)) throw refusal(sql, position, 'NaN', 'store null and a flag');
  } else if (value !== null && typeof value !== 'bigint' && !(value instanceof Uint8Array)) {
    throw refusal(sql, position, nameOf(value), advice(value));
  }
}

const refusal = (sql: string, position: number, got: string, hint: string): TypeError =>
  new TypeError(`Parameter ${position} is ${got}, which no column holds; ${hint} (${sql.slice(0, 200)})`);

const nameOf = (value: unknown): string =>
  typeof value === 'object' ? `a ${(value as object).constructor?.name ?? 'object'}` : `${typeof value}`;

function advice(value: unknown): string {
  if (typeof value === 'boolean') return 'store 0 or 1';
  if (value instanceof Date) return 'store epoch milliseconds';
  if (value === undefined) return 'write null where nothing is meant';
  return 'store canonical JSON text';
}
