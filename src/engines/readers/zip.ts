import { crc32, inflateRawSync } from 'node:zlib';
import { LIMITS, NeedsPython, refuse, within } from './limits.ts';

interface Entry {
  readonly method: number;
  readonly crc: number;
  readonly compressed: number;
  readonly size: number;
  readonly offset: number;
}

export interface ZipFile {
  readonly names: readonly string[];
  /** The bytes of an entry, checked against its size and CRC; undefined where there is none. */
  read(name: string): Uint8Array | undefined;
}

const END = 0x06054b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;

/** Opens a zip archive: stored or deflated entries, no zip64, no duplicates, no overlaps, sizes bounded as a whole. */
export function openZip(bytes: Uint8Array): ZipFile {
  within('fileBytes', bytes.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries = readDirectory(bytes, view);
  assertDisjoint(entries, view);
  return {
    names: [...entries.keys()],
    read: (name) => {
      const entry = entries.get(name);
      return entry && readEntry(bytes, view, name, entry);
    },
  };
}

function readDirectory(bytes: Uint8Array, view: DataView): Map<string, Entry> {
  const end = findEnd(view);
  const count = view.getUint16(end + 10, true);
  const start = view.getUint32(end + 16, true);
  if (count === 0xffff || start === 0xffffffff) throw new NeedsPython('zip64');
  within('zipEntries', count);
  const entries = new Map<string, Entry>();
  let at = start;
  let total = 0;
  for (let i = 0; i < count; i++) {
    if (at + 46 > end || view.getUint32(at, true) !== CENTRAL) throw refuse('the zip directory is damaged');
    const nameLength = view.getUint16(at + 28, true);
    within('nameBytes', nameLength);
    const name = Buffer.from(bytes.subarray(at + 46, at + 46 + nameLength)).toString('utf8');
    if (entries.has(name)) throw refuse(`the zip names "${name}" twice`);
    const entry = readHeader(view, at);
    total += entry.size;
    entries.set(name, entry);
    at += 46 + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  const allowed = Math.min(
    LIMITS.inflatedBytes,
    Math.max(LIMITS.inflatedFloorBytes, LIMITS.inflatedRatio * bytes.length),
  );
  if (total > allowed)
    throw refuse(`limit inflatedBytes (${allowed}) exceeded by ${total}`, { limit: 'inflatedBytes' });
  return entries;
}

function readHeader(view: DataView, at: number): Entry {
  const entry = {
    method: view.getUint16(at + 10, true),
    crc: view.getUint32(at + 16, true),
    compressed: view.getUint32(at + 20, true),
    size: view.getUint32(at + 24, true),
    offset: view.getUint32(at + 42, true),
  };
  if (view.getUint16(at + 8, true) & 1) throw refuse('the zip is encrypted');
  if (entry.method !== 0 && entry.method !== 8) throw refuse(`zip method ${entry.method} is not supported`);
  if (entry.size === 0xffffffff || entry.compressed === 0xffffffff || entry.offset === 0xffffffff)
    throw new NeedsPython('zip64');
  return entry;
}

function findEnd(view: DataView): number {
  for (let at = view.byteLength - 22; at >= Math.max(0, view.byteLength - 22 - 0xffff); at--)
    if (view.getUint32(at, true) === END && at + 22 + view.getUint16(at + 20, true) === view.byteLength) return at;
  throw refuse('the zip has no end record');
}

function assertDisjoint(entries: ReadonlyMap<string, Entry>, view: DataView): void {
  const spans = [...entries.values()].sort((a, b) => a.offset - b.offset);
  let free = 0;
  for (const entry of spans) {
    if (entry.offset < free) throw refuse('zip entries overlap');
    free = dataOffset(view, entry) + entry.compressed;
    if (free > view.byteLength) throw refuse('a zip entry runs past the end');
  }
}

function dataOffset(view: DataView, entry: Entry): number {
  if (entry.offset + 30 > view.byteLength || view.getUint32(entry.offset, true) !== LOCAL)
    throw refuse('a zip entry has no header');
  return entry.offset + 30 + view.getUint16(entry.offset + 26, true) + view.getUint16(entry.offset + 28, true);
}

function readEntry(bytes: Uint8Array, view: DataView, name: string, entry: Entry): Uint8Array {
  const start = dataOffset(view, entry);
  const raw = bytes.subarray(start, start + entry.compressed);
  let data: Uint8Array = raw;
  if (entry.method === 8) {
    try {
      data = inflateRawSync(raw, { maxOutputLength: Math.max(1, entry.size) });
    } catch {
      throw refuse(`the zip entry "${name}" does not inflate to its declared size`);
    }
  }
  if (data.length !== entry.size)
    throw refuse(`the zip entry "${name}" has ${data.length} bytes, declared ${entry.size}`);
  if (crc32(data) !== entry.crc) throw refuse(`the zip entry "${name}" fails its checksum`);
  return data;
}
