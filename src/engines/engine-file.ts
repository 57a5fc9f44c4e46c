import { createHash } from 'node:crypto';
import { canonicalJson } from '../kernel/canonical-json.ts';
import { AppError } from '../kernel/errors.ts';
import { ENGINE_FORMAT, type EngineModel } from './model.ts';

/*
 * magic "LEVAINE1" (8) · u16 format · u16 0 · u32 header length · canonical JSON header · padding · sections · sha256 (32)
 *
 * Sections are little-endian and begin at multiples of 16. In the header a typed array is `{"$": n}`, the n-th section.
 */
const MAGIC = Buffer.from('LEVAINE1', 'latin1');
const PREFIX = 16;
const DIGEST_BYTES = 32;
/** No engine file is larger. */
export const MAX_ENGINE_BYTES = 2 ** 31;
const MAX_HEADER_BYTES = 64 * 2 ** 20;

const KINDS = {
  f64: Float64Array,
  u32: Uint32Array,
  i32: Int32Array,
  u8: Uint8Array,
} as const;
type Kind = keyof typeof KINDS;
type Section = Float64Array | Uint32Array | Int32Array | Uint8Array;

/** The engine file of a model. The same model gives the same bytes. */
export function writeEngine(model: EngineModel): Uint8Array<ArrayBuffer> {
  const sections: Section[] = [];
  const body = detach(model, sections);
  const table = sections.map((section) => ({ kind: kindOf(section), length: section.length }));
  const header = Buffer.from(canonicalJson({ model: body, sections: table }), 'utf8');
  if (header.length > MAX_HEADER_BYTES)
    throw new AppError(
      'too_large',
      `The engine's header has ${header.length} bytes; at most ${MAX_HEADER_BYTES} are written`,
    );
  let size = align(PREFIX + header.length);
  const offsets = sections.map((section) => {
    const at = size;
    size = align(size + section.byteLength);
    return at;
  });
  if (size + DIGEST_BYTES > MAX_ENGINE_BYTES)
    throw new AppError('too_large', `The engine has ${size} bytes; at most ${MAX_ENGINE_BYTES} are written`);
  const bytes = new Uint8Array(size + DIGEST_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  view.setUint16(8, ENGINE_FORMAT, true);
  view.setUint32(12, header.length, true);
  bytes.set(header, PREFIX);
  for (const [i, section] of sections.entries())
    bytes.set(new Uint8Array(section.buffer, section.byteOffset, section.byteLength), offsets[i]);
  bytes.set(createHash('sha256').update(bytes.subarray(0, size)).digest(), size);
  return bytes;
}

/** The model in an engine file. Throws `invalid` where the bytes are damaged or of a format that this version does not read. */
export function readEngine(bytes: Uint8Array): EngineModel {
  if (bytes.length < PREFIX + DIGEST_BYTES || MAGIC.compare(bytes, 0, 8) !== 0)
    throw new AppError('invalid', 'The file is not a Levain engine file');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const format = view.getUint16(8, true);
  if (format !== ENGINE_FORMAT)
    throw new AppError(
      'invalid',
      `The engine file has format ${format}; this version reads ${ENGINE_FORMAT}, so convert the model again`,
    );
  const end = bytes.length - DIGEST_BYTES;
  const digest = createHash('sha256').update(bytes.subarray(0, end)).digest();
  if (digest.compare(bytes, end) !== 0)
    throw new AppError('invalid', 'The engine file is damaged: its checksum does not match');
  const headerLength = view.getUint32(12, true);
  if (headerLength > MAX_HEADER_BYTES || PREFIX + headerLength > end)
    throw new AppError('invalid', 'The engine file is damaged: its header runs past the end');
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + PREFIX, headerLength).toString('utf8');
  // The checksum vouches for what writeEngine wrote, so the header has this shape.
  const header = JSON.parse(text) as { model: unknown; sections: readonly { kind: Kind; length: number }[] };
  return attach(header.model, readSections(bytes, align(PREFIX + headerLength), header.sections)) as EngineModel;
}

/** Sections are copied where the buffer itself is not aligned, as a slice of a pool is not. */
function readSections(bytes: Uint8Array, start: number, table: readonly { kind: Kind; length: number }[]): Section[] {
  const aligned = bytes.byteOffset % 16 === 0 ? bytes : new Uint8Array(bytes);
  let at = start;
  return table.map(({ kind, length }) => {
    const type = KINDS[kind];
    const section = new type(aligned.buffer as ArrayBuffer, aligned.byteOffset + at, length);
    at = align(at + section.byteLength);
    return section;
  });
}

const align = (at: number): number => Math.ceil(at / 16) * 16;

function kindOf(section: Section): Kind {
  if (section instanceof Float64Array) return 'f64';
  if (section instanceof Uint32Array) return 'u32';
  return section instanceof Int32Array ? 'i32' : 'u8';
}

const isSection = (value: unknown): value is Section =>
  value instanceof Float64Array ||
  value instanceof Uint32Array ||
  value instanceof Int32Array ||
  value instanceof Uint8Array;

function detach(value: unknown, sections: Section[]): unknown {
  if (isSection(value)) return { $: sections.push(value) - 1 };
  if (Array.isArray(value)) return value.map((item) => detach(item, sections));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, detach(item, sections)]));
}

function attach(value: unknown, sections: readonly Section[]): unknown {
  if (Array.isArray(value)) return value.map((item) => attach(item, sections));
  if (typeof value !== 'object' || value === null) return value;
  if ('$' in value) return sections[Number(value.$)];
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, attach(item, sections)]));
}
