import { ROW_SCANNER } from './row-scanner-wasm.ts';

/** What the platform gives; the compiler's library for Node names it only with the DOM. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Memory: new (options: { initial: number }) => { readonly buffer: ArrayBuffer };
  Instance: new (module: object, imports: object) => { readonly exports: unknown };
};

export interface ScannedRow {
  /** Null: one input held them all, in the expected order. */
  readonly names: readonly string[] | null;
  readonly cells: Float64Array;
  /** Where the list of inputs stands in the body. */
  readonly start: number;
  readonly end: number;
}

/** Undefined where the body has another form, or anything at all is wrong with it. */
export type RowScanner = (body: Uint8Array) => ScannedRow | undefined;

/** Longer bodies are not scanned. */
const BODY_BYTES = 32_768;
const PAGE = 65_536;
const STRUCT_BYTES = 32;
/** Words of the struct that `scan` sets. */
const IS_WIDE = 5;
const START = 6;
let compiled: object | undefined;

/**
 * A reader of requests for one row of these columns, numbers and nulls: from bytes to numbers without a text, an object or a name in between. See
 * row-scanner.c for the form that it knows, which is the one that clients write. Not reentrant, which one thread guarantees.
 */
export function createRowScanner(names: readonly string[]): RowScanner {
  const texts = names.map((name) => Buffer.from(JSON.stringify(name)));
  const namesBytes = Buffer.concat(texts);
  const endsAt = PAGE + STRUCT_BYTES;
  const cellsAt = align(endsAt + names.length * 4);
  const namesAt = cellsAt + names.length * 8;
  const bodyAt = namesAt + namesBytes.length;
  const { memory, scan } = instantiate(bodyAt + BODY_BYTES + 1);
  const ends = new Uint32Array(memory, endsAt, names.length);
  let end = 0;
  for (const [i, text] of texts.entries()) {
    end += text.length;
    ends[i] = end;
  }
  new Uint8Array(memory).set(namesBytes, namesAt);
  const struct = new Uint32Array(memory, PAGE, STRUCT_BYTES / 4);
  struct.set([endsAt, namesAt, bodyAt, cellsAt, names.length]);
  const cells = new Float64Array(memory, cellsAt, names.length);
  const room = new Uint8Array(memory, bodyAt, BODY_BYTES + 1);
  return (body) => {
    if (body.length > BODY_BYTES) return undefined;
    room.set(body);
    room[body.length] = 0;
    const inputsEnd = scan(PAGE);
    if (inputsEnd === 0) return undefined;
    const isWide = struct[IS_WIDE] === 1;
    return { names: isWide ? null : names, cells: cells.slice(), start: struct[START]!, end: inputsEnd };
  };
}

function instantiate(bytes: number): {
  readonly memory: ArrayBuffer;
  readonly scan: (struct: number) => number;
} {
  compiled ??= new WebAssembly.Module(Buffer.from(ROW_SCANNER, 'base64'));
  const memory = new WebAssembly.Memory({ initial: Math.ceil(bytes / PAGE) });
  const { exports } = new WebAssembly.Instance(compiled, { env: { memory } });
  // The export is that of row-scanner.c.
  const { scan } = exports as { readonly scan: (struct: number) => number };
  return { memory: memory.buffer, scan };
}

const align = (at: number): number => Math.ceil(at / 8) * 8;
