import type { Cell, Column, ColumnValues, Frame } from '../../kernel/frame.ts';

/** One column in a message's header; its bytes stand in the body in the same order. See levain_runtime/frames.py. */
export interface WireColumn {
  readonly name: string;
  readonly kind: 'f8' | 'bool' | 'text' | 'json';
  readonly bytes: number;
}

export interface WireFrame {
  readonly columns: readonly WireColumn[];
  readonly parts: readonly Uint8Array[];
}

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
  return { kind: 'text', data: encodeText(values, rowCount) };
}

const bytesOf = (values: Float64Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

function encodeText(values: readonly Cell[], rowCount: number): Uint8Array {
  const texts = Array.from({ length: rowCount }, (_, i) => Buffer.from(String(values[i] ?? ''), 'utf8'));
  const size = texts.reduce((sum, text) => sum + text.length, 0);
  const head = rowCount + 4 * (rowCount + 1);
  const data = Buffer.allocUnsafe(head + size);
  let at = 0;
  for (let i = 0; i < rowCount; i++) {
    data[i] = values[i] === null || values[i] === undefined ? 1 : 0;
    data.writeUInt32LE(at, rowCount + 4 * i);
    texts[i]!.copy(data, head + at);
    at += texts[i]!.length;
  }
  data.writeUInt32LE(at, rowCount + 4 * rowCount);
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
