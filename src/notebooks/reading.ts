import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { AppError } from '../kernel/errors.ts';
import { MAX_NOTEBOOK_BYTES, type Notebook, parseNotebook } from './notebook.ts';
import { cellsOfScript } from './script.ts';

/** Beyond this a notebook is read in pieces, and its large outputs are left out. */
const WHOLE_BYTES = 16 * 2 ** 20;
/** Nothing that large was written by a person. */
export const MAX_NOTEBOOK_FILE_BYTES = 4 * 2 ** 30;
/** An output (or an attachment) of a large notebook that is kept. */
const MAX_KEPT_OUTPUT_BYTES = 256 * 2 ** 10;
const MAX_SCRIPT_BYTES = 4 * 2 ** 20;

/**
 * Reads a notebook of any size: of one that is large by its pictures and tables, those are left out. A script is read as the
 * cells of `cellsOfScript`. Throws as `parseNotebook`.
 */
export async function readNotebook(path: string, name: string): Promise<Notebook> {
  const { size } = await stat(path);
  if (name.endsWith('.py')) return scriptNotebook(path, name, size);
  if (size <= WHOLE_BYTES) return parseNotebook(decodeText(await readFile(path)), name);
  if (size > MAX_NOTEBOOK_FILE_BYTES) {
    throw new AppError('too_large', `${name} holds ${size} bytes; clear its outputs and save it`);
  }
  return parseNotebook(decodeText(await withoutLargeOutputs(path, name)), name);
}

async function scriptNotebook(path: string, name: string, size: number): Promise<Notebook> {
  if (size > MAX_SCRIPT_BYTES)
    throw new AppError('too_large', `${name} holds ${size} bytes; no script has more than ${MAX_SCRIPT_BYTES}`);
  const cells = cellsOfScript(decodeText(await readFile(path)), name).map((source) => ({
    ...{ cell_type: 'code' as const, source, metadata: {}, execution_count: null, outputs: [] },
  }));
  const metadata = { language_info: { name: 'python' } };
  return { nbformat: 4, nbformat_minor: 4, metadata, cells };
}

/** UTF-8, UTF-16 where a mark says so, else what Windows wrote. */
export function decodeText(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('windows-1252').decode(bytes);
  }
}

async function withoutLargeOutputs(path: string, name: string): Promise<Buffer> {
  const scanner = new OutputStripper();
  for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 })) {
    scanner.add(chunk as Buffer);
    if (scanner.sizeBytes > MAX_NOTEBOOK_BYTES) {
      throw new AppError(
        'too_large',
        `${name} holds more than ${MAX_NOTEBOOK_BYTES} bytes even without its large outputs; clear its outputs and save it`,
      );
    }
  }
  return scanner.bytes();
}

const [QUOTE, BACKSLASH, COLON, COMMA, OPEN_LIST, CLOSE_LIST, OPEN, CLOSE] = [...Buffer.from('"\\:,[]{}')] as [
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
];
const PLACEHOLDER = Buffer.from('{"output_type":"display_data","data":{},"metadata":{}}');
/** Members of a cell whose values may be left out, one element or object at a time. */
const STRIPPED = new Set(['outputs', 'attachments']);

/**
 * Walks the bytes of a notebook and replaces each large object inside `outputs` and `attachments` of cells. It knows strings,
 * brackets and keys, not whole JSON: what is malformed stays so and fails in the parser.
 */
class OutputStripper {
  readonly #kept: Buffer[] = [];
  sizeBytes = 0;
  /** Key under which each open container stands; undefined inside a list. */
  readonly #stack: (string | undefined)[] = [];
  #key: string | undefined;
  #text: number[] | undefined;
  #isInString = false;
  #isEscaped = false;
  /** Depth at which the object that may be left out began, and what of it was kept so far. */
  #object: { readonly depth: number; readonly parts: Buffer[]; sizeBytes: number } | undefined;

  add(chunk: Buffer): void {
    let from = 0;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at]!;
      if (this.#isInString) this.#inString(byte);
      else if (byte === QUOTE) this.#openString();
      else if (byte === OPEN || byte === OPEN_LIST) {
        if (byte === OPEN && this.#object === undefined && this.#isStrippable()) {
          this.#keep(chunk.subarray(from, at));
          from = at;
          this.#object = { depth: this.#stack.length, parts: [], sizeBytes: 0 };
        }
        this.#stack.push(this.#key);
        this.#key = undefined;
      } else if (byte === CLOSE || byte === CLOSE_LIST) {
        this.#stack.pop();
        this.#key = undefined;
        if (this.#object?.depth === this.#stack.length) {
          this.#keep(chunk.subarray(from, at + 1));
          from = at + 1;
          this.#closeObject();
        }
      } else if (byte === COLON) this.#key = this.#text && Buffer.from(this.#text).toString('latin1');
      else if (byte === COMMA) this.#key = undefined;
    }
    this.#keep(chunk.subarray(from));
  }

  bytes(): Buffer {
    return Buffer.concat(this.#kept);
  }

  #openString(): void {
    this.#isInString = true;
    this.#text = [];
  }

  #inString(byte: number): void {
    if (this.#isEscaped) this.#isEscaped = false;
    else if (byte === BACKSLASH) this.#isEscaped = true;
    else if (byte === QUOTE) {
      this.#isInString = false;
      return;
    }
    // Keys that matter are short; a long text is none.
    if (this.#text && this.#text.length < 32) this.#text.push(byte);
  }

  /** An element of a cell's `outputs`, or the object of its `attachments`. */
  #isStrippable(): boolean {
    if (this.#key === 'attachments') return this.#stack.includes('cells');
    const parent = this.#stack.at(-1);
    return this.#key === undefined && parent !== undefined && STRIPPED.has(parent) && this.#stack.includes('cells');
  }

  #keep(bytes: Buffer): void {
    if (bytes.length === 0) return;
    const object = this.#object;
    if (object === undefined) {
      this.#kept.push(Buffer.from(bytes));
      this.sizeBytes += bytes.length;
      return;
    }
    object.sizeBytes += bytes.length;
    if (object.sizeBytes <= MAX_KEPT_OUTPUT_BYTES) object.parts.push(Buffer.from(bytes));
  }

  #closeObject(): void {
    const object = this.#object!;
    this.#object = undefined;
    const isLarge = object.sizeBytes > MAX_KEPT_OUTPUT_BYTES;
    for (const part of isLarge ? [PLACEHOLDER] : object.parts) this.#keep(part);
  }
}
