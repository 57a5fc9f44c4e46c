const POOL_IDS = 1_024;
const RANDOM_BYTES = 10;
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Makes UUIDv7s of a given time, the same as `uuidv7` of the kernel but from a pool of random bytes: an id costs no allocation but its text. */
export function createIds(fill: (bytes: Uint8Array) => void): (timeMs: number) => string {
  const pool = new Uint8Array(POOL_IDS * RANDOM_BYTES);
  let at = pool.length;
  let prefixMs = Number.NaN;
  let prefix = '';
  return (timeMs) => {
    if (at === pool.length) {
      fill(pool);
      at = 0;
    }
    if (timeMs !== prefixMs) {
      prefixMs = timeMs;
      prefix = timePrefix(timeMs);
    }
    const b = pool;
    const i = at;
    at += RANDOM_BYTES;
    const version = HEX[0x70 | (b[i]! & 0x0f)]! + HEX[b[i + 1]!]!;
    const variant = HEX[0x80 | (b[i + 2]! & 0x3f)]! + HEX[b[i + 3]!]!;
    const node =
      HEX[b[i + 4]!]! + HEX[b[i + 5]!]! + HEX[b[i + 6]!]! + HEX[b[i + 7]!]! + HEX[b[i + 8]!]! + HEX[b[i + 9]!]!;
    return `${prefix}${version}-${variant}-${node}`;
  };
}

function timePrefix(timeMs: number): string {
  const hex = Math.max(0, Math.floor(timeMs)).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-`;
}
