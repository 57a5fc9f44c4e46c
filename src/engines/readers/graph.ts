import { LIMITS, refuse, within } from './limits.ts';

/** A function or class by name. Never looked up, never called. */
export class PyGlobal {
  readonly module: string;
  readonly name: string;

  constructor(module: string, name: string) {
    this.module = module;
    this.name = name;
  }

  get path(): string {
    return `${this.module}.${this.name}`;
  }
}

/** What a call would have made: the callable, its arguments and the state that was set on it. */
export class PyObject {
  readonly callable: PyValue;
  readonly args: PyValue;
  state: PyValue = undefined;
  /** Items appended to or set on it (subclasses of list and dict). */
  readonly appended: PyValue[] = [];
  readonly entries: [PyValue, PyValue][] = [];

  constructor(callable: PyValue, args: PyValue) {
    this.callable = callable;
    this.args = args;
  }
}

export class PyTuple {
  readonly items: readonly PyValue[];
  constructor(items: readonly PyValue[]) {
    this.items = items;
  }
}

export class PyList {
  readonly items: PyValue[];
  constructor(items: PyValue[] = []) {
    this.items = items;
  }
}

export class PySet {
  readonly items: PyValue[];
  constructor(items: PyValue[] = []) {
    this.items = items;
  }
}

export class PyDict {
  readonly entries: [PyValue, PyValue][] = [];

  get(key: string): PyValue {
    // The last one wins, as in Python.
    for (let i = this.entries.length - 1; i >= 0; i--) if (this.entries[i]![0] === key) return this.entries[i]![1];
    return undefined;
  }
}

export interface DtypeField {
  readonly name: string;
  readonly dtype: Dtype;
  readonly offset: number;
}

/** A numpy dtype: `kind` and `size` as in '<f8'; structured ones have fields. */
export class Dtype {
  kind: string;
  size: number;
  bigEndian = false;
  fields: readonly DtypeField[] | undefined;

  constructor(kind: string, size: number) {
    this.kind = kind;
    this.size = size;
  }
}

/** An n-dimensional array: raw bytes in file order, or items in C order for the object dtype. */
export class NdArray {
  dtype: Dtype | undefined;
  shape: readonly number[] = [];
  fortran = false;
  bytes: Uint8Array = new Uint8Array(0);
  items: readonly PyValue[] | undefined;

  get size(): number {
    return this.shape.reduce((product, n) => product * n, 1);
  }
}

/** undefined = never set; integers beyond 2^53 are bigint. */
export type PyValue =
  | undefined
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PyGlobal
  | PyObject
  | PyTuple
  | PyList
  | PySet
  | PyDict
  | Dtype
  | NdArray;

/** What a reader found: the root, the names the file would have imported, and how large the file was. */
export interface ModelGraph {
  readonly root: PyValue;
  readonly globals: readonly PyGlobal[];
  readonly reader: 'pickle' | 'joblib' | 'skops';
  readonly fileBytes: number;
}

/** Checks a shape against the bytes that are there and the limits. */
export function checkShape(shape: readonly number[], itemSize: number, byteLength: number): void {
  within('dimensions', shape.length);
  let elements = 1;
  for (const n of shape) {
    if (!Number.isInteger(n) || n < 0) throw refuse(`an array has the dimension ${n}`);
    elements *= n;
    within('elements', elements);
  }
  if (itemSize <= 0) throw refuse('an array has items of size 0');
  if (elements * itemSize !== byteLength)
    throw refuse(`an array of ${elements} items of ${itemSize} bytes holds ${byteLength} bytes`);
}

const CODE = /^([<>=|]?)([?bBhHiIlLqQefdgSaUVOmMc])(\d*)$/;
const KINDS: Readonly<Record<string, readonly [string, number]>> = {
  '?': ['b', 1],
  e: ['f', 2],
  d: ['f', 8],
  h: ['i', 2],
  l: ['i', 8],
  q: ['i', 8],
  H: ['u', 2],
  I: ['u', 4],
  L: ['u', 8],
  Q: ['u', 8],
  B: ['u', 1],
  O: ['O', 8],
};

/** A dtype from its code: 'f8', '<i8', '|b1', 'U5', 'O'. */
export function parseDtype(code: string): Dtype {
  const match = /^[<>=|]?([biufcSUVOmM])(\d+)(?:\[.*\])?$/.exec(code);
  if (match) {
    const dtype = new Dtype(match[1]!, Number(match[2]) * (match[1] === 'U' ? 4 : 1));
    dtype.bigEndian = code.startsWith('>');
    if (dtype.size > LIMITS.elements) throw refuse(`dtype ${code} is too wide`);
    return dtype;
  }
  const short = CODE.exec(code);
  const known = short && Object.hasOwn(KINDS, short[2]!) ? KINDS[short[2]!] : undefined;
  if (!known) throw refuse(`dtype "${code.slice(0, 40)}" is unknown`);
  const dtype = new Dtype(known[0], known[1]);
  dtype.bigEndian = code.startsWith('>');
  return dtype;
}
