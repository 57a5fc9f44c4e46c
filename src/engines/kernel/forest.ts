import { FOREST_KERNEL } from './forest-kernel.ts';

/** What the platform gives; the compiler's library for Node names it only with the DOM. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Memory: new (options: { initial: number }) => { readonly buffer: ArrayBuffer };
  Instance: new (module: object, imports: object) => { readonly exports: unknown };
};

/** A node is 16 bytes: float64 value, uint32 left, uint16 feature, uint16 flags. See forest-kernel.c. */
export const NODE_BYTES = 16;
export const MISSING_GOES_LEFT = 1;
export const CATEGORICAL = 2;
/** The largest number of features: a node holds the index in 16 bits, and one is taken by the extra cell. */
export const MAX_FEATURES = 65_534;

export interface ForestTables {
  readonly nodes: Uint8Array;
  readonly roots: Uint32Array;
  readonly targets: Uint32Array;
  /** Vectors of `outputs` values a leaf; absent where leaves are scalars. */
  readonly leaves?: Float64Array;
  readonly leftSets?: Uint32Array;
  readonly knownSets?: Uint32Array;
  readonly outputs: number;
  readonly features: number;
}

export type Walk = 'plain' | 'missing' | 'category';

export interface ForestKernel {
  /** Rows at a time. */
  readonly chunk: number;
  /** `chunk` rows of `features + 1` cells; the last cell of each is -Infinity and stays so. */
  readonly rows: Float64Array;
  /** `chunk` × `outputs`: filled by the caller with where sums begin, and added to. */
  readonly sums: Float64Array;
  run(walk: Walk, rowCount: number): void;
}

const CHUNK_ROWS = 512;
const CHUNK_CELLS = 2 ** 20;
const PAGE = 65_536;
let compiled: object | undefined;

type Exports = Readonly<Record<Walk, (forest: number, rows: number, rowCount: number, out: number) => void>>;

/** Puts a forest into WebAssembly memory of its own. Not reentrant: one call at a time, which one thread guarantees. */
export function loadForest(tables: ForestTables): ForestKernel {
  compiled ??= new WebAssembly.Module(Buffer.from(FOREST_KERNEL, 'base64'));
  const stride = tables.features + 1;
  const chunk = Math.max(8, Math.min(CHUNK_ROWS, Math.floor(CHUNK_CELLS / stride / 8) * 8));
  const parts = [tables.nodes, tables.roots, tables.targets, tables.leaves, tables.leftSets, tables.knownSets];
  const offsets: number[] = [];
  let end = PAGE + 64;
  for (const part of parts) {
    offsets.push(part ? end : 0);
    end = align(end + (part?.byteLength ?? 0));
  }
  const rowsAt = end;
  const sumsAt = align(rowsAt + chunk * stride * 8);
  end = sumsAt + chunk * tables.outputs * 8;
  const memory = new WebAssembly.Memory({ initial: Math.ceil(end / PAGE) + 1 });
  const instance = new WebAssembly.Instance(compiled, { env: { memory } });
  // The exports are those of forest-kernel.c.
  const exports = instance.exports as Exports;
  for (const [i, part] of parts.entries()) if (part) new Uint8Array(memory.buffer).set(bytesOf(part), offsets[i]);
  new Uint32Array(memory.buffer, PAGE, 9).set([...offsets, tables.roots.length, tables.outputs, stride]);
  const rows = new Float64Array(memory.buffer, rowsAt, chunk * stride);
  for (let i = 1; i <= chunk; i++) rows[i * stride - 1] = Number.NEGATIVE_INFINITY;
  return {
    chunk,
    rows,
    sums: new Float64Array(memory.buffer, sumsAt, chunk * tables.outputs),
    run: (walk, rowCount) => exports[walk](PAGE, rowsAt, rowCount, sumsAt),
  };
}

const align = (at: number): number => Math.ceil(at / 16) * 16;
const bytesOf = (part: ArrayBufferView): Uint8Array => new Uint8Array(part.buffer, part.byteOffset, part.byteLength);
