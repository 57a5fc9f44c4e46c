import { getRandomValues } from 'node:crypto';

/**
 * UUID version 7 (RFC 9562): 48 bits of epoch milliseconds, then randomness. Sorts by time as text.
 * `fill` defaults to the system's generator; the gateway passes event times, tests pass a seeded one.
 */
export function uuidv7(timeMs: number, fill: (bytes: Uint8Array) => void = getRandomValues): string {
  const b = new Uint8Array(16);
  fill(b);
  const time = Math.max(0, Math.floor(timeMs));
  b[0] = Math.floor(time / 2 ** 40) & 0xff;
  b[1] = Math.floor(time / 2 ** 32) & 0xff;
  b[2] = Math.floor(time / 2 ** 24) & 0xff;
  b[3] = Math.floor(time / 2 ** 16) & 0xff;
  b[4] = Math.floor(time / 2 ** 8) & 0xff;
  b[5] = time & 0xff;
  b[6] = 0x70 | (b[6]! & 0x0f);
  b[8] = 0x80 | (b[8]! & 0x3f);
  const hex = Buffer.from(b).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** Epoch milliseconds inside a UUIDv7. @example timeOfUuidv7(uuidv7(5)) === 5 */
export const timeOfUuidv7 = (id: string): number => Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);

/** The last seven characters: how ids are shown to people (the first of a UUIDv7 are time). */
export const shortId = (id: string): string => id.slice(-7);

/** The project `main`, which every instance has. */
export const DEFAULT_PROJECT_ID = '00000000-0000-7000-8000-000000000000';
