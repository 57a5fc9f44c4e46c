import type { Cell, Column, ColumnValues, Frame } from '../../kernel/frame.ts';

/** One column in a message's header; its bytes stand in the body in the same order. See levain_runtime/frames.py. */
export interface WireColumn {
  readonly name: string;
  readonly kind: 'f8' | 'bool' | 'text' | 'words' | 'json';
  readonly bytes: number;
}

export interface WireFrame {
  readonly columns: readonly WireColumn[];
  readonly parts: readonly Uint8Array[];
}

/** Below so many rows a table of words saves nothing. */
const MIN_WORD_ROWS = 32;
/** Beyond these, a new word in every second row says that the text does not repeat. */
const WORDS_AT_FIRST = 256;

export function encodeFrame(frame: Frame): WireFrame {
  const encoded = frame.columns.map(({ name, values }) => ({ name, ...encodeValues(values, frame.rowCount) }));
  return {
    columns: encoded.map(({ name, kind, data }) => ({ name, kind, bytes: data.byteLength })),
    parts: encoded.map(({ data }) => data),
  };
}

interface Encoded {
  readonly kind: WireColumn['kind'];
  readonly data: Uint8Array;
}

function encodeValues(values: ColumnValues, rowCount: number): Encoded {
  if (values instanceof Float64Array) return { kind: 'f8', data: bytesOf(values) };
  const kinds = new Set<string>();
  for (let i = 0; i < rowCount; i++) if (values[i] !== null && values[i] !== undefined) kinds.add(typeof values[i]);
  if (kinds.size > 1) return { kind: 'json', data: Buffer.from(JSON.stringify(values), 'utf8') };
  if (kinds.has('number'))
    return { kind: 'f8', data: bytesOf(Float64Array.from(values, (v) => (typeof v === 'number' ? v : Number.NaN))) };
  if (kinds.has('boolean')) return { kind: 'bool', data: Uint8Array.from(values, (v) => (v === null ? 2 : Number(v))) };
  const words = rowCount >= MIN_WORD_ROWS ? encodeWords(values, rowCount) : undefined;
  return words ? { kind: 'words', data: words } : { kind: 'text', data: encodeText(values, rowCount) };
}

const bytesOf = (values: Float64Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

function encodeText(values: readonly Cell[], rowCount: number): Buffer {
  const head = rowCount + 4 * (rowCount + 1);
  let size = 0;
  for (let i = 0; i < rowCount; i++) size += Buffer.byteLength(String(values[i] ?? ''), 'utf8');
  const data = Buffer.allocUnsafe(head + size);
  let at = head;
  for (let i = 0; i < rowCount; i++) {
    const value = values[i] ?? null;
    data[i] = value === null ? 1 : 0;
    data.writeUInt32LE(at - head, rowCount + 4 * i);
    if (value !== null) at += data.write(String(value), at, 'utf8');
  }
  data.writeUInt32LE(at - head, rowCount + 4 * rowCount);
  return data;
}

/** Text with few different values: the values once, as text, then one int32 a row (-1 = missing). Undefined where many differ. */
function encodeWords(values: readonly Cell[], rowCount: number): Uint8Array | undefined {
  const codes = new Int32Array(rowCount);
  const known = new Map<string, number>();
  for (let i = 0; i < rowCount; i++) {
    const value = values[i] ?? null;
    if (value === null) {
      codes[i] = -1;
      continue;
    }
    const word = String(value);
    let code = known.get(word);
    if (code === undefined) {
      code = known.size;
      if (code > WORDS_AT_FIRST + i / 2) return undefined;
      known.set(word, code);
    }
    codes[i] = code;
  }
  if (known.size === 0) return undefined;
  const table = encodeText([...known.keys()], known.size);
  const data = Buffer.allocUnsafe(4 + 4 * rowCount + table.length);
  data.writeUInt32LE(known.size, 0);
  data.set(new Uint8Array(codes.buffer), 4);
  data.set(table, 4 + 4 * rowCount);
  return data;
}

export function decodeFrame(columns: readonly WireColumn[], rowCount: number, body: Uint8Array): Frame {
  let at = 0;
  const decoded: Column[] = columns.map(({ name, kind, bytes }) => {
    const data = body.subarray(at, at + bytes);
    at += bytes;
    return { name, values: decodeValues(kind, data, rowCount) };
  });
  return { rowCount, columns: decoded };
}

function decodeValues(kind: WireColumn['kind'], data: Uint8Array, rowCount: number): ColumnValues {
  switch (kind) {
    case 'f8':
      return new Float64Array(new Uint8Array(data).buffer, 0, rowCount);
    case 'bool':
      return Array.from(data, (b) => (b === 2 ? null : b === 1));
    case 'text':
      return decodeText(Buffer.from(data.buffer, data.byteOffset, data.byteLength), rowCount);
    case 'words':
      return decodeWords(Buffer.from(data.buffer, data.byteOffset, data.byteLength), rowCount);
    case 'json':
      // Written by our own worker from plain cells.
      return JSON.parse(Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('utf8')) as Cell[];
  }
}

function decodeText(data: Buffer, rowCount: number): Cell[] {
  const head = rowCount + 4 * (rowCount + 1);
  const offset = (i: number): number => head + data.readUInt32LE(rowCount + 4 * i);
  return Array.from({ length: rowCount }, (_, i) =>
    data[i] === 1 ? null : data.toString('utf8', offset(i), offset(i + 1)),
  );
}

function decodeWords(data: Buffer, rowCount: number): Cell[] {
  const words = decodeText(data.subarray(4 + 4 * rowCount), data.readUInt32LE(0));
  const cells = new Array<Cell>(rowCount);
  for (let i = 0; i < rowCount; i++) cells[i] = words[data.readInt32LE(4 + 4 * i)] ?? null;
  return cells;
}

/** Frames with the same columns as one; undefined where they differ. */
export function concatFrames(frames: readonly Frame[]): Frame {
  if (frames.length === 1) return frames[0]!;
  const rowCount = frames.reduce((sum, frame) => sum + frame.rowCount, 0);
  const columns = frames[0]!.columns.map(({ name }, j) => {
    const parts = frames.map((frame) => frame.columns[j]!.values);
    if (!parts.every((part) => part instanceof Float64Array))
      return { name, values: parts.flatMap((part) => Array.from(part)) };
    const values = new Float64Array(rowCount);
    let at = 0;
    for (const part of parts) {
      values.set(part, at);
      at += part.length;
    }
    return { name, values };
  });
  return { rowCount, columns };
}

export const sliceFrame = (frame: Frame, from: number, to: number): Frame => ({
  rowCount: to - from,
  columns: frame.columns.map(({ name, values }) => ({ name, values: values.slice(from, to) })),
});

/** Two frames may travel as one batch. */
export const sameColumns = (a: Frame, b: Frame): boolean =>
  a.columns.length === b.columns.length && a.columns.every(({ name }, i) => b.columns[i]!.name === name);
