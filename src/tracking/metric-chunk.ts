import { crc32, deflateRawSync, inflateRawSync } from 'node:zlib';
import { AppError } from '../kernel/errors.ts';
import { sha256 } from '../kernel/hash.ts';

/** One measured value. NaN is `isNan` with value 0; infinities are the largest doubles. Times are epoch ms. */
export interface Point {
  readonly step: number;
  readonly ts: number;
  readonly isNan: boolean;
  readonly value: number;
}

export interface Chunk {
  /** From the bytes, so that the same points sealed twice are one row. */
  readonly seq: number;
  readonly minStep: number;
  readonly maxStep: number;
  readonly minTs: number;
  readonly maxTs: number;
  readonly count: number;
  readonly crc: number;
  readonly bytes: Uint8Array;
}

const DEFLATED = 1;
const PLAIN = 2;
/** Below this, deflating costs more than it saves. */
const DEFLATE_FROM = 512;
const MAX_VARINT = 10;
/** Of a point in a chunk: a double, and two short differences. */
const TYPICAL_BYTES = 13;

/**
 * Seals points into bytes: a format byte, then [step deltas | ts deltas | nan bits | doubles], each column at once so that
 * alike bytes stand together, deflated where there are many. Deltas are zigzag varints; points keep their order. At least one.
 */
export function encodeChunk(points: readonly Point[]): Chunk {
  const raw = encodeColumns(points);
  const bytes = points.length < DEFLATE_FROM ? withFormat(PLAIN, raw) : withFormat(DEFLATED, deflateRawSync(raw));
  let [minStep, maxStep, minTs, maxTs] = [Infinity, -Infinity, Infinity, -Infinity];
  for (const { step, ts } of points) {
    if (step < minStep) minStep = step;
    if (step > maxStep) maxStep = step;
    if (ts < minTs) minTs = ts;
    if (ts > maxTs) maxTs = ts;
  }
  const seq = Number.parseInt(sha256(bytes).slice(0, 13), 16);
  return { seq, minStep, maxStep, minTs, maxTs, count: points.length, crc: crc32(bytes), bytes };
}

/** The same points as columns: what is drawn is read by the million, and an object a point would be most of the work. */
export interface PointColumns {
  readonly count: number;
  readonly steps: Float64Array;
  readonly times: Float64Array;
  /** NaN where the point is NaN; infinities are the largest doubles. */
  readonly values: Float64Array;
}

/** The points of a chunk. Throws where the bytes are not what was sealed: that is damage, not input. */
export function decodeChunk(chunk: Pick<Chunk, 'bytes' | 'count' | 'crc'>): readonly Point[] {
  const { steps, times, values, isNan } = decode(chunk);
  return Array.from(steps, (step, i) => ({ step, ts: times[i]!, isNan: isNan(i), value: values[i]! }));
}

/** As `decodeChunk`, by column. */
export function decodeColumns(chunk: Pick<Chunk, 'bytes' | 'count' | 'crc'>): PointColumns {
  const { count, steps, times, values, hasNans, isNan } = decode(chunk);
  if (hasNans) for (let i = 0; i < count; i++) if (isNan(i)) values[i] = Number.NaN;
  return { count, steps, times, values };
}

function decode({ bytes, count, crc }: Pick<Chunk, 'bytes' | 'count' | 'crc'>) {
  if (crc32(bytes) !== crc) throw new AppError('unavailable', 'A metric chunk is damaged; restore a backup');
  const format = bytes[0];
  if (format !== DEFLATED && format !== PLAIN) {
    throw new AppError('unavailable', `A metric chunk has format ${format}; upgrade Levain`);
  }
  const body = Buffer.from(bytes.buffer, bytes.byteOffset + 1, bytes.byteLength - 1);
  // One output buffer: growing it in zlib's usual 16 KB takes longer than inflating.
  const raw = format === DEFLATED ? inflateRawSync(body, { chunkSize: count * TYPICAL_BYTES + 64 }) : body;
  const [steps, times, values] = [new Float64Array(count), new Float64Array(count), new Float64Array(count)];
  const nansAt = decodeDeltas(raw, decodeDeltas(raw, 0, steps), times);
  const doublesAt = nansAt + Math.ceil(count / 8);
  readDoubles(raw, doublesAt, values);
  const isNan = (i: number): boolean => ((raw[nansAt + (i >> 3)]! >> (i & 7)) & 1) === 1;
  const hasNans = raw.subarray(nansAt, doublesAt).some((bits) => bits !== 0);
  return { count, steps, times, values, hasNans, isNan };
}

/** Doubles stand in the chunk as this machine has them in memory, unless it is one of the few that write them the other way round. */
function readDoubles(raw: Buffer, start: number, into: Float64Array): void {
  const bytes = Buffer.from(into.buffer);
  raw.copy(bytes, 0, start, start + bytes.length);
  if (IS_BIG_ENDIAN) bytes.swap64();
}

const IS_BIG_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 0;

function encodeColumns(points: readonly Point[]): Buffer {
  const count = points.length;
  const raw = Buffer.alloc(count * (2 * MAX_VARINT + 8) + Math.ceil(count / 8));
  let at = encodeDeltas(raw, 0, count, (i) => points[i]!.step);
  at = encodeDeltas(raw, at, count, (i) => points[i]!.ts);
  const doublesAt = at + Math.ceil(count / 8);
  for (let i = 0; i < count; i++) {
    const { value, isNan } = points[i]!;
    if (isNan) raw[at + (i >> 3)]! |= 1 << (i & 7);
    raw.writeDoubleLE(value, doublesAt + i * 8);
  }
  return raw.subarray(0, doublesAt + count * 8);
}

const withFormat = (format: number, body: Uint8Array): Uint8Array => Buffer.concat([Uint8Array.of(format), body]);

/** Whole numbers of 53 bits as zigzag varints of their differences; answers where they end. */
function encodeDeltas(raw: Buffer, start: number, count: number, numberAt: (i: number) => number): number {
  let at = start;
  let previous = 0;
  for (let i = 0; i < count; i++) {
    const number = numberAt(i);
    at =
      Math.abs(number) < SMALL && Math.abs(previous) < SMALL
        ? pushSmall(raw, at, number - previous)
        : pushBig(raw, at, BigInt(number) - BigInt(previous));
    previous = number;
  }
  return at;
}

/** Differences of numbers below this are exact, also doubled. */
const SMALL = 2 ** 50;

function pushSmall(raw: Buffer, start: number, delta: number): number {
  let at = start;
  let rest = delta < 0 ? -2 * delta - 1 : 2 * delta;
  while (rest >= 128) {
    raw[at++] = (rest % 128) | 128;
    rest = Math.floor(rest / 128);
  }
  raw[at++] = rest;
  return at;
}

function pushBig(raw: Buffer, start: number, delta: bigint): number {
  let at = start;
  let rest = delta < 0n ? -2n * delta - 1n : 2n * delta;
  while (rest >= 128n) {
    raw[at++] = Number(rest & 127n) | 128;
    rest >>= 7n;
  }
  raw[at++] = Number(rest);
  return at;
}

/** Fills `numbers` and answers where they end in `raw`. Up to seven bytes, 49 bits, are exact as doubles; longer ones are rare. */
function decodeDeltas(raw: Uint8Array, start: number, numbers: Float64Array): number {
  let at = start;
  let previous = 0;
  for (let i = 0; i < numbers.length; i++) {
    const first = raw[at]!;
    if (first < 128 && Math.abs(previous) < SMALL) {
      // Almost all of them: the next step, some milliseconds later.
      previous += (first & 1) === 1 ? -((first + 1) >> 1) : first >> 1;
      numbers[i] = previous;
      at++;
      continue;
    }
    let end = at;
    let rest = 0;
    let unit = 1;
    while (raw[end]! >= 128) {
      rest += (raw[end]! & 127) * unit;
      unit *= 128;
      end++;
    }
    if (end - at < SMALL_BYTES && Math.abs(previous) < SMALL) {
      rest += raw[end]! * unit;
      previous += rest % 2 === 1 ? -(rest + 1) / 2 : rest / 2;
    } else {
      previous = Number(BigInt(previous) + readVarint(raw, at, end));
    }
    numbers[i] = previous;
    at = end + 1;
  }
  return at;
}

const SMALL_BYTES = 7;

function readVarint(raw: Uint8Array, start: number, end: number): bigint {
  let rest = 0n;
  for (let at = end; at >= start; at--) rest = (rest << 7n) | BigInt(raw[at]! & 127);
  return rest & 1n ? -((rest + 1n) / 2n) : rest / 2n;
}
