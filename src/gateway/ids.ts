const POOL_IDS = 1_024;
const RANDOM_BYTES = 10;
const DIGITS = Buffer.from('0123456789abcdef', 'latin1');
/** `tttttttt-tttt-7rrr-vrrr-rrrrrrrrrrrr` */
const ID_LENGTH = 36;
const VERSION_AT = 14;
const VARIANT_AT = 19;
const NODE_AT = 24;

/**
 * Makes UUIDv7s of a given time, the same as `uuidv7` of the kernel but from a pool of random bytes: an id costs its text, made in one piece, for a text
 * put together from parts is kept as its parts until somebody reads it.
 */
export function createIds(fill: (bytes: Uint8Array) => void): (timeMs: number) => string {
  const pool = new Uint8Array(POOL_IDS * RANDOM_BYTES);
  const text = Buffer.alloc(ID_LENGTH, '-');
  let at = pool.length;
  let writtenMs = Number.NaN;
  return (timeMs) => {
    if (at === pool.length) {
      fill(pool);
      at = 0;
    }
    if (timeMs !== writtenMs) {
      writtenMs = timeMs;
      writeTime(text, timeMs);
    }
    writeByte(text, VERSION_AT, 0x70 | (pool[at]! & 0x0f));
    writeByte(text, VERSION_AT + 2, pool[at + 1]!);
    writeByte(text, VARIANT_AT, 0x80 | (pool[at + 2]! & 0x3f));
    writeByte(text, VARIANT_AT + 2, pool[at + 3]!);
    for (let i = 4; i < RANDOM_BYTES; i++) writeByte(text, NODE_AT + 2 * (i - 4), pool[at + i]!);
    at += RANDOM_BYTES;
    return text.toString('latin1');
  };
}

function writeByte(text: Buffer, at: number, byte: number): void {
  text[at] = DIGITS[byte >> 4]!;
  text[at + 1] = DIGITS[byte & 0x0f]!;
}

function writeTime(text: Buffer, timeMs: number): void {
  const hex = Math.max(0, Math.floor(timeMs)).toString(16).padStart(12, '0');
  text.write(hex.slice(0, 8), 0, 'latin1');
  text.write(hex.slice(8), 9, 'latin1');
}
