import { AppError } from '../kernel/errors.ts';
import type { Cell, ColumnValues } from '../kernel/frame.ts';
import { type ByteReader, type ByteWriter, bytesOf } from './segment-bytes.ts';

/**
 * How a column lies in a segment, chosen by its values:
 * `f64` a Float64Array (NaN = missing); `num` numbers and a null bitmap; `bool` a byte a row; `uuid` 16 bytes a row (lower-case
 * UUIDs, none missing); `text` u32 ends, UTF-8 and a null bitmap; `dict` u32 codes into distinct cells (0 = null); `same` one cell for all rows;
 * `like` the cells of an earlier column of the frame, by its index (a request's own id is often its row's id and its unit).
 */
export type ColumnHeader =
  | { readonly name: string; readonly kind: 'f64' | 'bool' | 'uuid'; readonly at: number }
  | { readonly name: string; readonly kind: 'num'; readonly at: number; readonly nulls: number }
  | {
      readonly name: string;
      readonly kind: 'text';
      readonly at: number;
      readonly nulls: number;
      readonly ends: number;
      readonly bytes: number;
    }
  | { readonly name: string; readonly kind: 'dict'; readonly at: number; readonly values: readonly Cell[] }
  | { readonly name: string; readonly kind: 'same'; readonly value: Cell }
  | { readonly name: string; readonly kind: 'like'; readonly column: number };

export function encodeColumn(name: string, values: ColumnValues, rowCount: number, body: ByteWriter): ColumnHeader {
  if (values.length !== rowCount)
    throw new AppError('invalid', `Column "${name}" has ${values.length} values for ${rowCount} rows`);
  if (values instanceof Float64Array) return { name, kind: 'f64', at: body.append(bytesOf(values)) };
  const value = values[0] ?? null;
  if (!isLossyNumber(value) && values.every((v) => v === value)) return { name, kind: 'same', value };
  switch (kindOf(values)) {
    case 'num':
      return encodeNumbers(name, values, body);
    case 'bool':
      return { name, kind: 'bool', at: body.append(Uint8Array.from(values, (v) => (v === null ? 2 : Number(v)))) };
    case 'text':
      return encodeTexts(name, values as readonly (string | null)[], body);
    case 'mixed':
      return encodeDictionary(name, values, body);
  }
}

export function decodeColumn(header: ColumnHeader, rowCount: number, body: ByteReader): ColumnValues {
  switch (header.kind) {
    case 'f64':
      return body.float64s(header.at, rowCount);
    case 'num':
      return decodeNumbers(header, rowCount, body);
    case 'bool':
      return Array.from(body.section(header.at, rowCount), (byte) => (byte === 2 ? null : byte === 1));
    case 'uuid':
      return decodeUuids(body.section(header.at, rowCount * 16), rowCount);
    case 'text':
      return decodeTexts(header, rowCount, body);
    case 'dict':
      return decodeDictionary(header, rowCount, body);
    case 'like':
      throw new AppError(
        'invalid',
        `Column "${header.name}" of the log segment is like column ${header.column}, which does not stand before it`,
      );
    case 'same':
      return new Array<Cell>(rowCount).fill(header.value);
    default:
      throw new AppError('invalid', `The log segment has a column of an unknown kind: ${JSON.stringify(header)}`);
  }
}

/** Throws `invalid` where a column cannot be decoded: what a lazy reader checks beforehand. */
export function assertColumn(header: ColumnHeader, rowCount: number, body: ByteReader): void {
  switch (header.kind) {
    case 'f64':
      return void body.section(header.at, rowCount * 8);
    case 'num':
      body.section(header.at, rowCount * 8);
      return void body.section(header.nulls, bitmapBytes(rowCount));
    case 'bool':
      return void body.section(header.at, rowCount);
    case 'uuid':
      return void body.section(header.at, rowCount * UUID_BYTES);
    case 'text':
      body.section(header.at, header.bytes);
      body.section(header.ends, rowCount * 4);
      return void body.section(header.nulls, bitmapBytes(rowCount));
    case 'dict':
      return void body.section(header.at, rowCount * 4);
    case 'same':
      return;
    default:
      decodeColumn(header, rowCount, body);
  }
}

/** What JSON cannot carry as it is. */
const isLossyNumber = (value: Cell): boolean =>
  typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0));

function kindOf(values: readonly Cell[]): 'num' | 'bool' | 'text' | 'mixed' {
  let kind: 'num' | 'bool' | 'text' | undefined;
  for (const value of values) {
    if (value === null) continue;
    const next = typeof value === 'number' ? 'num' : typeof value === 'boolean' ? 'bool' : 'text';
    if (kind !== undefined && kind !== next) return 'mixed';
    kind = next;
  }
  return kind ?? 'mixed';
}

function encodeNumbers(name: string, values: readonly Cell[], body: ByteWriter): ColumnHeader {
  const at = body.append(bytesOf(Float64Array.from(values, (v) => (typeof v === 'number' ? v : 0))));
  return { name, kind: 'num', at, nulls: body.append(nullBitmap(values)) };
}

function decodeNumbers(header: ColumnHeader & { kind: 'num' }, rowCount: number, body: ByteReader): Cell[] {
  const numbers = body.float64s(header.at, rowCount);
  const nulls = body.section(header.nulls, bitmapBytes(rowCount));
  return Array.from(numbers, (value, i) => (isSet(nulls, i) ? null : value));
}

const HYPHEN = 0x2d;
const UUID_BYTES = 16;

/** The bytes of lower-case UUIDs, or undefined at the first value that is none. */
function uuidBytes(values: readonly (string | null)[]): Uint8Array | undefined {
  const bytes = new Uint8Array(values.length * UUID_BYTES);
  let at = 0;
  for (const value of values) {
    if (value === null || value.length !== 36) return undefined;
    for (let i = 0; i < 36; ) {
      if (i === 8 || i === 13 || i === 18 || i === 23) {
        if (value.charCodeAt(i) !== HYPHEN) return undefined;
        i += 1;
        continue;
      }
      const high = nibble(value.charCodeAt(i));
      const low = nibble(value.charCodeAt(i + 1));
      if (high < 0 || low < 0) return undefined;
      bytes[at++] = (high << 4) | low;
      i += 2;
    }
  }
  return bytes;
}

const nibble = (code: number): number =>
  code >= 0x30 && code <= 0x39 ? code - 0x30 : code >= 0x61 && code <= 0x66 ? code - 0x57 : -1;

/** Texts that repeat go by dictionary, ids as 16 bytes, the rest as they are. */
function encodeTexts(name: string, values: readonly (string | null)[], body: ByteWriter): ColumnHeader {
  const ids = uuidBytes(values);
  if (ids) return { name, kind: 'uuid', at: body.append(ids) };
  const isWellFormed = values.every((v) => v === null || v.isWellFormed());
  if (!isWellFormed || new Set(values).size * 2 <= values.length) return encodeDictionary(name, values, body);
  const ends = new Uint32Array(values.length);
  let end = 0;
  const parts = values.map((value, i) => {
    const part = Buffer.from(value ?? '', 'utf8');
    end += part.length;
    ends[i] = end;
    return part;
  });
  const at = body.append(Buffer.concat(parts));
  return {
    name,
    kind: 'text',
    at,
    bytes: end,
    ends: body.append(bytesOf(ends)),
    nulls: body.append(nullBitmap(values)),
  };
}

function decodeTexts(header: ColumnHeader & { kind: 'text' }, rowCount: number, body: ByteReader): Cell[] {
  const bytes = Buffer.from(body.section(header.at, header.bytes));
  const ends = body.uint32s(header.ends, rowCount);
  const nulls = body.section(header.nulls, bitmapBytes(rowCount));
  return Array.from(ends, (end, i) =>
    isSet(nulls, i) ? null : bytes.toString('utf8', i === 0 ? 0 : ends[i - 1], end),
  );
}

function decodeUuids(bytes: Uint8Array, rowCount: number): Cell[] {
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
  return Array.from({ length: rowCount }, (_, i) => {
    const at = i * 32;
    return `${hex.slice(at, at + 8)}-${hex.slice(at + 8, at + 12)}-${hex.slice(at + 12, at + 16)}-${hex.slice(at + 16, at + 20)}-${hex.slice(at + 20, at + 32)}`;
  });
}

function encodeDictionary(name: string, values: readonly Cell[], body: ByteWriter): ColumnHeader {
  const codes = new Uint32Array(values.length);
  const index = new Map<Cell | symbol, number>();
  const distinct: Cell[] = [];
  values.forEach((value, i) => {
    if (value === null) return;
    const key = Object.is(value, -0) ? NEGATIVE_ZERO : value;
    let code = index.get(key);
    if (code === undefined) {
      distinct.push(value);
      code = distinct.length;
      index.set(key, code);
    }
    codes[i] = code;
  });
  return { name, kind: 'dict', at: body.append(bytesOf(codes)), values: distinct.map(packCell) };
}

function decodeDictionary(header: ColumnHeader & { kind: 'dict' }, rowCount: number, body: ByteReader): Cell[] {
  const distinct = header.values.map(unpackCell);
  return Array.from(body.uint32s(header.at, rowCount), (code) => (code === 0 ? null : (distinct[code - 1] ?? null)));
}

/** A Map takes -0 for 0. */
const NEGATIVE_ZERO = Symbol('-0');

/** JSON has no NaN, infinities or -0: they travel as one-element lists of their text. */
const packCell = (value: Cell): Cell =>
  isLossyNumber(value) ? ([numberText(value as number)] as unknown as Cell) : value;
const unpackCell = (value: unknown): Cell => (Array.isArray(value) ? Number(value[0]) : (value as Cell));
const numberText = (value: number): string => (Object.is(value, -0) ? '-0' : String(value));

const bitmapBytes = (rowCount: number): number => (rowCount + 7) >> 3;
const isSet = (bitmap: Uint8Array, i: number): boolean => (bitmap[i >> 3]! & (1 << (i & 7))) !== 0;

function nullBitmap(values: readonly Cell[]): Uint8Array {
  const bitmap = new Uint8Array(bitmapBytes(values.length));
  values.forEach((value, i) => {
    if (value === null) bitmap[i >> 3]! |= 1 << (i & 7);
  });
  return bitmap;
}
