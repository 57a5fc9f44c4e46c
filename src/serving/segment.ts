import { crc32 } from 'node:zlib';
import { canonicalJson } from '../kernel/canonical-json.ts';
import { AppError } from '../kernel/errors.ts';
import type { Cell, Column, ColumnValues, Frame } from '../kernel/frame.ts';
import type { WindowCounters } from '../stats/profile.ts';
import { ByteReader, ByteWriter } from './segment-bytes.ts';
import { assertColumn, type ColumnHeader, decodeColumn, encodeColumn } from './segment-column.ts';

/**
 * One segment of the prediction log: rows and the counter deltas that they, and requests without rows, add up to. Self-contained,
 * written once, ingested once by (gatewayId, incarnation, seq).
 */
export interface Segment {
  readonly gatewayId: string;
  /** A UUID a process start; `seq` counts up from 1 within it. */
  readonly incarnation: string;
  readonly seq: number;
  /** Wall time of the first and the last answer inside, epoch ms. */
  readonly from: number;
  readonly to: number;
  readonly blocks: readonly SegmentBlock[];
  readonly counters: readonly CounterDelta[];
  /** Rows that were given up before the segment was shipped; the counters still hold them. */
  readonly rowsDropped: number;
}

/** Rows of one endpoint that share their feature columns. */
export interface SegmentBlock {
  readonly projectId: string;
  readonly endpoint: string;
  /** The columns of `LOG_COLUMNS`, in that order. */
  readonly rows: Frame;
  /** The raw feature columns, as checked by the signature; datetimes are epoch ms. As many rows. */
  readonly features: Frame;
}

/** A block as its writer has it. */
export interface BlockDraft extends Omit<SegmentBlock, 'rows'> {
  readonly rows: { readonly rowCount: number; readonly columns: readonly ColumnDraft[] };
}

/** A column, or what its writer knows without looking: one cell (no NaN, infinity or -0) for all rows, or the cells of the column at that index. */
export type ColumnDraft =
  | Column
  | { readonly name: string; readonly same: Cell }
  | { readonly name: string; readonly like: number };

export type SegmentDraft = Omit<Segment, 'blocks'> & { readonly blocks: readonly BlockDraft[] };

/** What to add to the counters of one version in one window (an hour of event time). */
export interface CounterDelta {
  readonly projectId: string;
  readonly endpoint: string;
  readonly versionId: string;
  /** Start of the hour of event time, epoch ms. */
  readonly windowStart: number;
  readonly rehearsal: string | null;
  /** Shadow answers are counted apart from real ones. */
  readonly role: 'champion' | 'challenger' | 'shadow';
  readonly counters: WindowCounters;
}

/**
 * The columns of every row. Text and null unless said otherwise.
 * `event_time`, `received_at` epoch ms; `latency_us` of the whole request; `status` 0 answered, 1 the model failed, 2 refused;
 * `unit` the entity or else the request id; `score` NaN where there is none; `label` any cell; `fallback` boolean; `request_row` the row's
 * index within its request; `caller_id` the caller's OIP id (`id`, or `id.n` for row n of several).
 */
export const LOG_COLUMNS = [
  'prediction_id',
  'request_id',
  'request_row',
  'caller_id',
  'version_id',
  'role',
  'rollout_id',
  'revision',
  'event_time',
  'received_at',
  'entity',
  'unit',
  'latency_us',
  'status',
  'error',
  'label',
  'score',
  'fallback',
  'rehearsal',
  'caller',
] as const;

export type LogColumn = (typeof LOG_COLUMNS)[number];

export const SEGMENT_VERSION = 1;
export const MAX_SEGMENT_BYTES = 64 * 2 ** 20;
export const MAX_SEGMENT_ROWS = 65_536;
/** Segments in one call. */
export const MAX_SEGMENTS_A_CALL = 64;
export const COUNTER_WINDOW_MS = 3_600_000;

const MAGIC = 0x4753564c; // "LVSG", little-endian
const PREFIX_BYTES = 16;

interface SegmentHeader {
  readonly gatewayId: string;
  readonly incarnation: string;
  readonly seq: number;
  readonly from: number;
  readonly to: number;
  readonly rowsDropped: number;
  readonly counters: readonly CounterDelta[];
  readonly blocks: readonly BlockHeader[];
}

interface BlockHeader {
  readonly projectId: string;
  readonly endpoint: string;
  readonly rowCount: number;
  readonly rows: readonly ColumnHeader[];
  readonly features: readonly ColumnHeader[];
}

/**
 * Bytes of a segment: magic, u16 version, u16 zero, u32 total length, u32 header length, JSON header, 8-byte-aligned column
 * sections, and the crc32 of all before it. Little-endian.
 */
export function encodeSegment(segment: SegmentDraft): Uint8Array {
  const body = new ByteWriter();
  const blocks = segment.blocks.map((block) => encodeBlock(block, body));
  const { gatewayId, incarnation, seq, from, to, rowsDropped, counters } = segment;
  const header: SegmentHeader = { gatewayId, incarnation, seq, from, to, rowsDropped, counters, blocks };
  const json = Buffer.from(JSON.stringify(header), 'utf8');
  const bodyStart = align8(PREFIX_BYTES + json.length);
  const total = bodyStart + body.length + 4;
  const bytes = Buffer.alloc(total);
  bytes.writeUInt32LE(MAGIC, 0);
  bytes.writeUInt16LE(SEGMENT_VERSION, 4);
  bytes.writeUInt32LE(total, 8);
  bytes.writeUInt32LE(json.length, 12);
  json.copy(bytes, PREFIX_BYTES);
  body.copyTo(bytes, bodyStart);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, total - 4)), total - 4);
  return bytes;
}

/** The segment inside `bytes`; throws `invalid` for anything torn, foreign, newer or inconsistent. */
export function decodeSegment(bytes: Uint8Array): Segment {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const problem = damageOf(buffer);
  if (problem) throw new AppError('invalid', `The log segment ${problem}`);
  const header = parseHeader(buffer);
  const bodyStart = align8(PREFIX_BYTES + buffer.readUInt32LE(12));
  const body = new ByteReader(buffer.subarray(bodyStart, buffer.length - 4));
  const blocks = header.blocks.map((block) => decodeBlock(block, body));
  const { gatewayId, incarnation, seq, from, to, rowsDropped, counters } = header;
  return { gatewayId, incarnation, seq, from, to, rowsDropped, counters, blocks };
}

/**
 * The segments that stand one after the other in `bytes`: what a gateway sends at once, and what a log file holds. Throws `invalid`
 * like `decodeSegment`, and where they hold more rows together than one may.
 */
export function decodeSegments(bytes: Uint8Array): readonly Segment[] {
  const segments: Segment[] = [];
  let rows = 0;
  for (let rest = bytes; rest.length > 0 || segments.length === 0; ) {
    if (segments.length >= MAX_SEGMENTS_A_CALL)
      throw new AppError('invalid', `More than ${MAX_SEGMENTS_A_CALL} log segments came at once`);
    const length = lengthOf(rest);
    const segment = decodeSegment(rest.subarray(0, length));
    rows += segment.blocks.reduce((sum, block) => sum + block.rows.rowCount, 0);
    if (rows > MAX_SEGMENT_ROWS)
      throw new AppError('invalid', `The log segments have more than ${MAX_SEGMENT_ROWS} rows together`);
    segments.push(segment);
    rest = rest.subarray(length);
  }
  return segments;
}

/** Where the first segment ends by its own word; everything, where that cannot be. */
function lengthOf(bytes: Uint8Array): number {
  if (bytes.length < PREFIX_BYTES) return bytes.length;
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(8, true);
  return length >= PREFIX_BYTES && length <= bytes.length ? length : bytes.length;
}

/** What is wrong with these bytes as a whole segment, or undefined: how a torn tail is told after a crash. */
export function damageOf(bytes: Uint8Array): string | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.length < PREFIX_BYTES + 4) return `is torn: it has ${buffer.length} bytes`;
  if (buffer.length > MAX_SEGMENT_BYTES) return `has ${buffer.length} bytes; at most ${MAX_SEGMENT_BYTES} are read`;
  if (buffer.readUInt32LE(0) !== MAGIC) return 'is foreign: it does not start with LVSG';
  const version = buffer.readUInt16LE(4);
  if (version !== SEGMENT_VERSION) return `has format ${version}; this release reads ${SEGMENT_VERSION}`;
  const total = buffer.readUInt32LE(8);
  if (total !== buffer.length) return `is torn: it has ${buffer.length} of ${total} bytes`;
  if (buffer.readUInt32LE(total - 4) !== crc32(buffer.subarray(0, total - 4)))
    return 'is damaged: its checksum differs';
  return undefined;
}

/** The same segment without its rows, for a spool that is full: identity and counters stay. */
export const withoutRows = (segment: Segment): Segment => ({
  ...segment,
  blocks: [],
  rowsDropped: segment.rowsDropped + segment.blocks.reduce((sum, block) => sum + block.rows.rowCount, 0),
});

/** The start of the counter window that an event time falls into. */
export const windowStartOf = (eventTime: number): number =>
  Math.floor(eventTime / COUNTER_WINDOW_MS) * COUNTER_WINDOW_MS;

function encodeBlock(block: BlockDraft, body: ByteWriter): BlockHeader {
  const { projectId, endpoint, rows, features } = block;
  if (features.rowCount !== rows.rowCount)
    throw new AppError('invalid', `A block has ${rows.rowCount} rows and ${features.rowCount} rows of features`);
  const encode = (columns: readonly ColumnDraft[]): ColumnHeader[] =>
    columns.map((column, i) => encodeDraft(column, i > 0 ? columns[0] : undefined, rows.rowCount, body));
  return {
    projectId,
    endpoint,
    rowCount: rows.rowCount,
    rows: encode(rows.columns),
    features: encode(features.columns),
  };
}

function encodeDraft(
  column: ColumnDraft,
  first: ColumnDraft | undefined,
  rows: number,
  body: ByteWriter,
): ColumnHeader {
  const { name } = column;
  if ('same' in column) return { name, kind: 'same', value: column.same };
  if ('like' in column) return { name, kind: 'like', column: column.like };
  if (first && 'values' in first && isLike(column.values, first.values)) return { name, kind: 'like', column: 0 };
  return encodeColumn(name, column.values, rows, body);
}

function decodeBlock(header: BlockHeader, body: ByteReader): SegmentBlock {
  const { projectId, endpoint, rowCount } = header;
  const decode = (headers: readonly ColumnHeader[]): Frame => {
    const columns: Column[] = [];
    for (const column of headers) {
      const like = column.kind === 'like' ? columns[column.column] : undefined;
      columns.push(like ? likeColumn(column.name, like) : lazyColumn(column, rowCount, body));
    }
    return { rowCount, columns };
  };
  return { projectId, endpoint, rows: decode(header.rows), features: decode(header.features) };
}

/** Checked now, decoded when first read: an ingest looks at four columns of twenty. */
function lazyColumn(header: ColumnHeader, rowCount: number, body: ByteReader): Column {
  assertColumn(header, rowCount, body);
  let values: ColumnValues | undefined;
  return {
    name: header.name,
    get values() {
      values ??= decodeColumn(header, rowCount, body);
      return values;
    },
  };
}

const likeColumn = (name: string, like: Column): Column => ({
  name,
  get values() {
    return like.values;
  },
});

/** The same texts, row by row: one look at each, for most are one object. */
function isLike(values: ColumnValues, first: ColumnValues): boolean {
  if (values instanceof Float64Array || first instanceof Float64Array || typeof values[0] !== 'string') return false;
  for (let i = 0; i < values.length; i++) if (values[i] !== first[i]) return false;
  return values.length === first.length;
}

function parseHeader(buffer: Buffer): SegmentHeader {
  const length = buffer.readUInt32LE(12);
  if (PREFIX_BYTES + length > buffer.length - 4)
    throw new AppError('invalid', 'The log segment has a header beyond its end');
  let value: unknown;
  try {
    value = JSON.parse(buffer.toString('utf8', PREFIX_BYTES, PREFIX_BYTES + length));
  } catch (error) {
    throw new AppError('invalid', 'The log segment has a header that is not JSON', undefined, error);
  }
  const header = value as SegmentHeader; // The crc says that our own encoder wrote it; what bounds memory is checked here.
  if (!Array.isArray(header?.blocks) || !Array.isArray(header.counters))
    throw new AppError(
      'invalid',
      `The log segment has no blocks or counters: ${canonicalJson(Object.keys(header ?? {}))}`,
    );
  const rows = header.blocks.reduce((sum, block) => sum + block.rowCount, 0);
  if (!(rows >= 0 && rows <= MAX_SEGMENT_ROWS))
    throw new AppError('invalid', `The log segment has ${rows} rows; at most ${MAX_SEGMENT_ROWS} are read`);
  return header;
}

const align8 = (n: number): number => (n + 7) & ~7;
