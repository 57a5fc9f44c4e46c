import type { AppError } from '../../kernel/errors.ts';
import { ByteSource, latin1, utf8 } from './byte-source.ts';
import {
  Dtype,
  type ModelGraph,
  NdArray,
  PyDict,
  PyGlobal,
  PyList,
  PyObject,
  PySet,
  PyTuple,
  type PyValue,
} from './graph.ts';
import { LIMITS, NeedsPython, refuse, withGlobals, within } from './limits.ts';
import { asArrayCall, buildArray, buildDtype, isArrayWrapper } from './numpy.ts';

const MARK = Symbol('mark');

/** What a file says that is no pickle, or only a part of one. */
const torn = (what: string): AppError =>
  refuse(
    `it is no pickle, or only a part of one (${what}); save the model again, and compare the file's size where it was copied`,
  );
type StackItem = PyValue | typeof MARK;

/** What readers of one file share: the count of objects and the names seen. */
export interface Session {
  readonly globals: Map<string, PyGlobal>;
  objects: number;
  nesting: number;
  /** joblib's array wrappers are resolved from the stream right after their BUILD. */
  readonly arrays: ((wrapper: PyObject, source: ByteSource, session: Session) => NdArray) | undefined;
}

export const newSession = (arrays?: Session['arrays']): Session => ({
  globals: new Map(),
  objects: 0,
  nesting: 0,
  arrays,
});

/**
 * Reads a pickle of protocols 0 to 5 into an inert graph: names stay names, calls stay records of what would have been called.
 * Nothing is imported, looked up or run. Only numpy's own reconstruction recipes are understood, as data.
 */
export function readPickle(bytes: Uint8Array): ModelGraph {
  within('fileBytes', bytes.length);
  const session = newSession();
  const root = withGlobals(session.globals, () => new Machine(new ByteSource(bytes), session).run());
  return { root, globals: [...session.globals.values()], reader: 'pickle', fileBytes: bytes.length };
}

/** One pickle stream: the stack, the memo and the opcodes. */
export class Machine {
  readonly source: ByteSource;
  readonly session: Session;
  stack: StackItem[] = [];
  readonly memo = new Map<number, PyValue>();
  marks = 0;

  constructor(source: ByteSource, session: Session) {
    this.source = source;
    this.session = session;
  }

  run(): PyValue {
    within('nesting', ++this.session.nesting);
    for (;;) {
      const code = this.source.u8();
      if (code === STOP) break;
      const operation = OPCODES[code];
      if (!operation) throw refuse(`opcode 0x${code.toString(16).padStart(2, '0')} is unknown`);
      operation(this);
    }
    this.session.nesting--;
    return this.pop();
  }

  push(value: StackItem): void {
    if (this.stack.length >= LIMITS.stack) within('stack', this.stack.length + 1);
    this.stack.push(value);
  }

  /** Pushes a value that takes memory of its own, which is counted. */
  create(value: PyValue): void {
    if (++this.session.objects > LIMITS.objects) within('objects', this.session.objects);
    this.push(value);
  }

  pop(): PyValue {
    if (this.stack.length === 0) throw torn('the stack ran empty');
    const value = this.stack.pop();
    if (value === MARK) throw torn('a mark stands where a value belongs');
    return value;
  }

  top(): PyValue {
    const value = this.stack.at(-1);
    if (this.stack.length === 0 || value === MARK) throw torn('the stack ran empty');
    return value as PyValue;
  }

  mark(): void {
    within('marks', ++this.marks);
    this.push(MARK);
  }

  popMark(): PyValue[] {
    const at = this.stack.lastIndexOf(MARK);
    if (at < 0) throw torn('a mark is missing');
    this.marks--;
    const items = this.stack.splice(at) as PyValue[];
    items.shift();
    return items;
  }

  put(index: number, value: PyValue): void {
    this.memo.set(index, value);
    within('memo', this.memo.size);
  }

  get(index: number): void {
    if (!this.memo.has(index)) throw refuse(`memo ${index} was never set`);
    this.push(this.memo.get(index));
  }

  global(module: string, name: string): void {
    within('nameBytes', module.length);
    within('nameBytes', name.length);
    const key = `${module}\n${name}`;
    let found = this.session.globals.get(key);
    if (!found) {
      found = new PyGlobal(module, name);
      this.session.globals.set(key, found);
    }
    this.push(found);
  }

  call(callable: PyValue, args: PyValue): void {
    this.create(asArrayCall(callable, args) ?? new PyObject(callable, args));
  }

  build(): void {
    const state = this.pop();
    const target = this.top();
    if (target instanceof NdArray) buildArray(target, state);
    else if (target instanceof Dtype) buildDtype(target, state);
    else if (target instanceof PyObject) this.buildObject(target, state);
    // State on a class is code by value, which no converter reads.
    else if (!(target instanceof PyGlobal)) throw refuse('state is set on something that has none');
  }

  buildObject(target: PyObject, state: PyValue): void {
    target.state = state;
    if (!this.session.arrays || !isArrayWrapper(target)) return;
    // joblib writes the bytes behind the wrapper and never refers to the wrapper again.
    this.pop();
    const array = this.session.arrays(target, this.source, this.session);
    this.push(array);
  }
}

const STOP = 0x2e;
type Operation = (m: Machine) => void;

const integer = (bytes: Uint8Array): number | bigint => {
  within('integerBytes', bytes.length);
  if (bytes.length === 0) return 0;
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!);
  if (bytes.at(-1)! & 0x80) value -= 1n << BigInt(bytes.length * 8);
  return narrow(value);
};

const narrow = (value: bigint): number | bigint =>
  value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;

function decimal(text: string): number | bigint | boolean {
  if (text === '00') return false;
  if (text === '01') return true;
  const digits = text.endsWith('L') ? text.slice(0, -1) : text;
  if (!/^-?\d{1,640}$/.test(digits)) throw refuse(`"${text.slice(0, 20)}" is not an integer`);
  return narrow(BigInt(digits));
}

function float(text: string): number {
  if (/^-?inf$/.test(text)) return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  if (text === 'nan') return Number.NaN;
  if (!/^-?\d+(\.\d*)?(e[+-]?\d+)?$/.test(text)) throw refuse(`"${text.slice(0, 20)}" is not a number`);
  return Number(text);
}

/** A protocol 0 string: Python's quotes and escapes; bytes of a Python 2 str become the same characters. */
function quoted(text: string): string {
  const quote = text[0];
  if (text.length < 2 || (quote !== "'" && quote !== '"') || !text.endsWith(quote))
    throw refuse('a string has no quotes');
  return text
    .slice(1, -1)
    .replace(/\\(x[0-9a-fA-F]{2}|[\\'"nrt])/g, (_, e: string) =>
      e.startsWith('x') ? String.fromCharCode(Number.parseInt(e.slice(1), 16)) : (ESCAPES[e] ?? e),
    );
}
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };

const rawUnicode = (text: string): string =>
  text.replace(/\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})/g, (_, short: string | undefined, long: string | undefined) => {
    const point = Number.parseInt(short ?? long ?? '', 16);
    if (point > 0x10ffff) throw refuse('a character beyond Unicode');
    return String.fromCodePoint(point);
  });

function append(target: PyValue, items: readonly PyValue[]): void {
  const list =
    target instanceof PyList || target instanceof PySet
      ? target.items
      : target instanceof PyObject
        ? target.appended
        : undefined;
  if (!list) throw refuse('items are appended to something that is no list');
  for (const item of items) list.push(item);
}

function setItems(target: PyValue, items: readonly PyValue[]): void {
  if (items.length % 2) throw refuse('a key has no value');
  if (!(target instanceof PyDict || target instanceof PyObject))
    throw refuse('items are set on something that is no dict');
  for (let i = 0; i < items.length; i += 2) target.entries.push([items[i], items[i + 1]]);
}

function stackGlobal(m: Machine): void {
  const name = m.pop();
  const module = m.pop();
  if (typeof name !== 'string' || typeof module !== 'string') throw refuse('a global has no name');
  m.global(module, name);
}

function protocol(m: Machine): void {
  const version = m.source.u8();
  if (version > 5) throw refuse(`pickle protocol ${version} is unknown`);
}

function reduce(m: Machine): void {
  const args = m.pop();
  m.call(m.pop(), args);
}

function newobjEx(m: Machine): void {
  const kwargs = m.pop();
  const args = m.pop();
  m.call(m.pop(), kwargs instanceof PyDict && kwargs.entries.length > 0 ? new PyTuple([args, kwargs]) : args);
}

function inst(m: Machine): void {
  const module = m.source.line();
  m.global(module, m.source.line());
  const callable = m.pop();
  m.call(callable, new PyTuple(m.popMark()));
}

function obj(m: Machine): void {
  const [callable, ...args] = m.popMark();
  m.call(callable, new PyTuple(args));
}

function dictFrom(items: readonly PyValue[]): PyDict {
  const dict = new PyDict();
  setItems(dict, items);
  return dict;
}

const python = (what: string) => (): never => {
  throw new NeedsPython(`the pickle uses ${what}`);
};

function tuple(count: number): Operation {
  return (m) => {
    const items: PyValue[] = [];
    for (let i = 0; i < count; i++) items.unshift(m.pop());
    m.create(new PyTuple(items));
  };
}

const bytesOf =
  (length: (s: ByteSource) => number): Operation =>
  (m) =>
    m.create(m.source.take(length(m.source)));
const textOf =
  (length: (s: ByteSource) => number): Operation =>
  (m) =>
    m.create(utf8(m.source.take(length(m.source))));
const latinOf =
  (length: (s: ByteSource) => number): Operation =>
  (m) =>
    m.create(latin1(m.source.take(length(m.source))));

const nonNegative = (n: number): number => {
  if (n < 0) throw refuse(`a length of ${n}`);
  return n;
};

const index = (text: string): number => {
  if (!/^\d{1,10}$/.test(text)) throw refuse(`"${text.slice(0, 20)}" is not a memo index`);
  return Number(text);
};

const TABLE: Readonly<Record<string, Operation>> = {
  '(': (m) => m.mark(),
  '0': (m) => {
    if (m.stack.at(-1) === MARK) m.popMark();
    else m.pop();
  },
  '1': (m) => void m.popMark(),
  '2': (m) => m.push(m.top()),
  N: (m) => m.push(null),
  I: (m) => m.create(decimal(m.source.line())),
  L: (m) => m.create(decimal(m.source.line())),
  F: (m) => m.create(float(m.source.line())),
  J: (m) => m.push(m.source.i32()),
  K: (m) => m.push(m.source.u8()),
  M: (m) => m.push(m.source.u16()),
  G: (m) => m.push(m.source.view.getFloat64(m.source.skip(8), false)),
  S: (m) => m.create(quoted(m.source.line())),
  V: (m) => m.create(rawUnicode(m.source.line())),
  T: latinOf((s) => nonNegative(s.i32())),
  U: latinOf((s) => s.u8()),
  X: textOf((s) => s.u32()),
  B: bytesOf((s) => s.u32()),
  C: bytesOf((s) => s.u8()),
  ')': (m) => m.push(new PyTuple([])),
  t: (m) => m.create(new PyTuple(m.popMark())),
  ']': (m) => m.create(new PyList()),
  l: (m) => m.create(new PyList(m.popMark())),
  '}': (m) => m.create(new PyDict()),
  d: (m) => m.create(dictFrom(m.popMark())),
  a: (m) => {
    const item = m.pop();
    append(m.top(), [item]);
  },
  e: (m) => {
    const items = m.popMark();
    append(m.top(), items);
  },
  s: (m) => {
    const value = m.pop();
    const key = m.pop();
    setItems(m.top(), [key, value]);
  },
  u: (m) => {
    const items = m.popMark();
    setItems(m.top(), items);
  },
  c: (m) => {
    const module = m.source.line();
    m.global(module, m.source.line());
  },
  R: reduce,
  b: (m) => m.build(),
  i: inst,
  o: obj,
  p: (m) => m.put(index(m.source.line()), m.top()),
  q: (m) => m.put(m.source.u8(), m.top()),
  r: (m) => m.put(m.source.u32(), m.top()),
  g: (m) => m.get(index(m.source.line())),
  h: (m) => m.get(m.source.u8()),
  j: (m) => m.get(m.source.u32()),
  P: python('persistent ids'),
  Q: python('persistent ids'),
  '\x80': protocol,
  '\x81': reduce,
  '\x82': python('the extension registry'),
  '\x83': python('the extension registry'),
  '\x84': python('the extension registry'),
  '\x85': tuple(1),
  '\x86': tuple(2),
  '\x87': tuple(3),
  '\x88': (m) => m.push(true),
  '\x89': (m) => m.push(false),
  '\x8a': (m) => m.create(integer(m.source.take(m.source.u8()))),
  '\x8b': (m) => m.create(integer(m.source.take(nonNegative(m.source.i32())))),
  '\x8c': textOf((s) => s.u8()),
  '\x8d': textOf((s) => s.u64()),
  '\x8e': bytesOf((s) => s.u64()),
  '\x8f': (m) => m.create(new PySet()),
  '\x90': (m) => {
    const items = m.popMark();
    append(m.top(), items);
  },
  '\x91': (m) => m.create(new PySet(m.popMark())),
  '\x92': newobjEx,
  '\x93': stackGlobal,
  '\x94': (m) => m.put(m.memo.size, m.top()),
  // Frames only announce sizes; the bytes follow as usual.
  '\x95': (m) => void m.source.u64(),
  '\x96': bytesOf((s) => s.u64()),
  '\x97': python('out-of-band buffers'),
  '\x98': python('out-of-band buffers'),
};

const OPCODES: readonly (Operation | undefined)[] = Array.from({ length: 256 }, (_, code) => {
  const key = String.fromCharCode(code);
  return Object.hasOwn(TABLE, key) ? TABLE[key] : undefined;
});
