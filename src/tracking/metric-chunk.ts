import { crc32, deflateRawSync, inflateRawSync } from 'node:zlib';
import { AppError } from '../kernel/errors.ts';

/** One measured value. NaN is `isNan` with value 0; infinities are the largest doubles. Times are epoch ms. */
export interface Point {
  readonly step: number;
  readonly ts: number;
  readonly isNan: boolean;
  readonly value: number;
}

export interface Chunk {
  readonly minStep: number;
  readonly maxStep: number;
  readonly minTs: number;
  readonly maxTs: number;
  readonly count: number;
  readonly crc: number;
  readonly bytes: Uint8Array;
}

const FORMAT = 1;

/**
 * Seals points into bytes: a format byte, then deflated [step deltas | ts deltas | nan bits | doubles], each column at once so
 * that alike bytes stand together. Deltas are zigzag varints; points keep their order. At least one point.
 */
export function encodeChunk(points: readonly Point[]): Chunk {
  const steps = points.map(({ step }) => step);
  const times = points.map(({ ts }) => ts);
  const values = new DataView(new ArrayBuffer(points.length * 8));
  const nans = new Uint8Array(Math.ceil(points.length / 8));
  for (const [i, { value, isNan }] of points.entries()) {
    values.setFloat64(i * 8, value, true);
    if (isNan) nans[i >> 3]! |= 1 << (i & 7);
  }
  const raw = Buffer.concat([encodeDeltas(steps), encodeDeltas(times), nans, new Uint8Array(values.buffer)]);
  const bytes = Buffer.concat([Uint8Array.of(FORMAT), deflateRawSync(raw, { level: 6 })]);
  return {
    minStep: Math.min(...steps),
    maxStep: Math.max(...steps),
    minTs: Math.min(...times),
    maxTs: Math.max(...times),
    count: points.length,
    crc: crc32(bytes),
    bytes,
  };
}

/** The points of a chunk. Throws where the bytes are not what was sealed: that is damage, not input. */
export function decodeChunk({ bytes, count, crc }: Pick<Chunk, 'bytes' | 'count' | 'crc'>): readonly Point[] {
  if (crc32(bytes) !== crc) throw new AppError('unavailable', 'A metric chunk is damaged; restore a backup');
  if (bytes[0] !== FORMAT) throw new AppError('unavailable', `A metric chunk has format ${bytes[0]}; upgrade Levain`);
  const raw = inflateRawSync(bytes.subarray(1));
  const steps = decodeDeltas(raw, 0, count);
  const times = decodeDeltas(raw, steps.end, count);
  const doublesAt = times.end + Math.ceil(count / 8);
  return steps.values.map((step, i) => ({
    step,
    ts: times.values[i]!,
    isNan: (raw[times.end + (i >> 3)]! & (1 << (i & 7))) !== 0,
    value: raw.readDoubleLE(doublesAt + i * 8),
  }));
}

/** 53-bit whole numbers as zigzag varints of their differences; arithmetic, because bit operators stop at 32 bits. */
function encodeDeltas(numbers: readonly number[]): Uint8Array {
  const bytes: number[] = [];
  let previous = 0n;
  for (const number of numbers) {
    const delta = BigInt(number) - previous;
    previous = BigInt(number);
    let rest = delta < 0n ? -2n * delta - 1n : 2n * delta;
    while (rest >= 128n) {
      bytes.push(Number(rest & 127n) | 128);
      rest >>= 7n;
    }
    bytes.push(Number(rest));
  }
  return Uint8Array.from(bytes);
}

function decodeDeltas(raw: Uint8Array, start: number, count: number): { values: number[]; end: number } {
  const values: number[] = [];
  let at = start;
  let previous = 0n;
  for (let i = 0; i < count; i++) {
    let rest = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = raw[at++]!;
      rest |= BigInt(byte & 127) << shift;
      if (byte < 128) break;
    }
    previous += rest & 1n ? -((rest + 1n) / 2n) : rest / 2n;
    values.push(Number(previous));
  }
  return { values, end: at };
}
