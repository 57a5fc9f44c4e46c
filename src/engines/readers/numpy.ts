import {
  checkShape,
  Dtype,
  NdArray,
  PyDict,
  PyGlobal,
  PyList,
  type PyObject,
  PyTuple,
  type PyValue,
  parseDtype,
} from './graph.ts';
import { refuse, within } from './limits.ts';

const NUMPY = /^numpy\.(_?core)\.(multiarray|numeric|_multiarray_umath)$/;

/**
 * numpy's reconstruction recipes as data: the array, dtype, scalar or bytes that a call would have made, or undefined where the
 * call is none of them.
 */
export function asArrayCall(callable: PyValue, args: PyValue): PyValue {
  if (!(callable instanceof PyGlobal) || !(args instanceof PyTuple)) return undefined;
  const { module, name } = callable;
  if (module === '_codecs' && name === 'encode') return encoded(args);
  if ((module === 'builtins' || module === '__builtin__') && Object.hasOwn(BUILTINS, name))
    return BUILTINS[name]!(args);
  if (module === 'numpy' && name === 'dtype') return dtypeFrom(args.items[0]);
  if (!NUMPY.test(module)) return undefined;
  if (name === '_reconstruct') return new NdArray();
  if (name === 'scalar') return scalar(args);
  if (name === '_frombuffer') return fromBuffer(args);
  return undefined;
}

const BUILTINS: Readonly<Record<string, (args: PyTuple) => PyValue>> = {
  bytes: (args) => (args.items.length === 0 ? new Uint8Array(0) : undefined),
  bytearray: (args) => (args.items[0] instanceof Uint8Array ? args.items[0] : undefined),
};

function encoded(args: PyTuple): PyValue {
  const [text, encoding] = args.items;
  if (typeof text !== 'string' || (encoding !== 'latin1' && encoding !== 'latin-1')) return undefined;
  return Buffer.from(text, 'latin1');
}

function dtypeFrom(code: PyValue): PyValue {
  if (typeof code === 'string') return parseDtype(code);
  if (code instanceof PyGlobal && code.path === 'builtins.object') return parseDtype('O8');
  return undefined;
}

/** Sets a dtype's byte order and fields: the tuple (version, order, subdtype, names, fields, size, alignment, flags). */
export function buildDtype(dtype: Dtype, state: PyValue): void {
  if (!(state instanceof PyTuple) || state.items.length < 7) throw refuse('a dtype has an odd state');
  const [, order, subdtype, names, fields, size] = state.items;
  if (order === '>') dtype.bigEndian = true;
  if (subdtype !== null && subdtype !== undefined) throw refuse('a dtype of sub-arrays');
  if (!(names instanceof PyTuple)) return;
  if (!(fields instanceof PyDict) || typeof size !== 'number' || size < 0)
    throw refuse('a structured dtype has no fields');
  within('elements', names.items.length);
  dtype.size = size;
  dtype.fields = names.items.map((name) => {
    const entry = typeof name === 'string' ? fields.get(name) : undefined;
    const [field, offset] = entry instanceof PyTuple ? entry.items : [];
    if (!(field instanceof Dtype) || typeof offset !== 'number') throw refuse('a structured dtype has an odd field');
    if (offset < 0 || offset + field.size > size) throw refuse('a field lies outside its record');
    return { name: String(name), dtype: field, offset };
  });
}

/** Fills an array: the tuple (version, shape, dtype, is Fortran, bytes or list). */
export function buildArray(array: NdArray, state: PyValue): void {
  if (!(state instanceof PyTuple) || state.items.length < 5) throw refuse('an array has an odd state');
  const [, shape, dtype, fortran, data] = state.items;
  if (!(dtype instanceof Dtype)) throw refuse('an array has no dtype');
  array.dtype = dtype;
  array.shape = dimensions(shape);
  array.fortran = fortran === true || fortran === 1;
  if (dtype.kind === 'O') setItems(array, data);
  else setBytes(array, data);
}

export function setItems(array: NdArray, data: PyValue): void {
  if (!(data instanceof PyList)) throw refuse('an array of objects has no items');
  checkShape(array.shape, 1, data.items.length);
  array.items = data.items;
}

function setBytes(array: NdArray, data: PyValue): void {
  const bytes = typeof data === 'string' ? Buffer.from(data, 'latin1') : data;
  if (!(bytes instanceof Uint8Array)) throw refuse('an array has no bytes');
  checkShape(array.shape, array.dtype!.size, bytes.length);
  array.bytes = bytes;
}

export function dimensions(shape: PyValue): number[] {
  const items =
    shape instanceof PyTuple || shape instanceof PyList ? shape.items : typeof shape === 'number' ? [shape] : undefined;
  if (!items?.every((n) => typeof n === 'number')) throw refuse('an array has no shape');
  return items as number[];
}

function fromBuffer(args: PyTuple): PyValue {
  const [data, dtype, shape, order] = args.items;
  if (!(dtype instanceof Dtype) || !(data instanceof Uint8Array)) throw refuse('a buffer has no dtype or no bytes');
  const array = new NdArray();
  array.dtype = dtype;
  array.shape = dimensions(shape);
  array.fortran = order === 'F';
  setBytes(array, data);
  return array;
}

function scalar(args: PyTuple): PyValue {
  const [dtype, data] = args.items;
  if (!(dtype instanceof Dtype)) throw refuse('a scalar has no dtype');
  if (dtype.kind === 'O') return data;
  const array = new NdArray();
  array.dtype = dtype;
  array.shape = [1];
  setBytes(array, data);
  return arrayValues(array)[0];
}

export function isArrayWrapper(object: PyObject): boolean {
  return wrapperClass(object)?.module === 'joblib.numpy_pickle' && wrapperClass(object)?.name === 'NumpyArrayWrapper';
}

const wrapperClass = (object: PyObject): PyGlobal | undefined => classOf(object);

/** The class of an instance: what NEWOBJ, copyreg or a plain call names. */
export function classOf(object: PyObject): PyGlobal | undefined {
  const { callable, args } = object;
  if (!(callable instanceof PyGlobal)) return undefined;
  if (callable.path === 'copyreg._reconstructor' || callable.path === 'copy_reg._reconstructor') {
    const first = args instanceof PyTuple ? args.items[0] : undefined;
    return first instanceof PyGlobal ? first : undefined;
  }
  return callable;
}

/** Every value of an array in C order, as plain values. Throws on dtypes that have none. */
export function arrayValues(array: NdArray): PyValue[] {
  if (array.items) return [...array.items];
  const { dtype, bytes } = array;
  if (!dtype) throw refuse('an array was never filled');
  const read = readerOf(dtype);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values: PyValue[] = new Array(array.size);
  for (let i = 0; i < values.length; i++) values[i] = read(view, i * dtype.size);
  return array.fortran ? toRowMajor(values, array.shape) : values;
}

/** The values of a numeric array as float64, in C order. */
export function toFloat64(array: NdArray): Float64Array<ArrayBuffer> {
  const { dtype, bytes, shape } = array;
  if (!dtype) throw refuse('an array was never filled');
  if (dtype.kind === 'f' && dtype.size === 8 && !dtype.bigEndian) {
    // A copy: the file's bytes are not aligned, and Buffer.slice would share them.
    const copy = new Float64Array(new Uint8Array(bytes).buffer);
    return array.fortran && shape.length > 1 ? Float64Array.from(toRowMajor(Array.from(copy), shape)) : copy;
  }
  return Float64Array.from(arrayValues(array), (value) => {
    if (typeof value === 'number') return value;
    if (typeof value === 'boolean') return value ? 1 : 0;
    throw refuse('an array of numbers holds something else');
  });
}

/** One field of a structured array as float64. */
export function fieldValues(array: NdArray, name: string): Float64Array<ArrayBuffer> | undefined {
  const { dtype, bytes } = array;
  const field = dtype?.fields?.find((f) => f.name === name);
  if (!dtype || !field) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const out = new Float64Array(array.size);
  if (field.dtype.kind === 'i' && field.dtype.size === 8 && !field.dtype.bigEndian) {
    // Without a BigInt a node. Beyond 2^53 the value is rounded and refused as an index.
    for (let i = 0, at = field.offset; i < out.length; i++, at += dtype.size)
      out[i] = view.getInt32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);
    return out;
  }
  const read = readerOf(field.dtype);
  for (let i = 0; i < out.length; i++) {
    const value = read(view, i * dtype.size + field.offset);
    out[i] = typeof value === 'number' ? value : value === true ? 1 : value === false ? 0 : Number.NaN;
  }
  return out;
}

function toRowMajor<T>(values: readonly T[], shape: readonly number[]): T[] {
  const out: T[] = new Array(values.length);
  const at = new Array<number>(shape.length).fill(0);
  for (let i = 0; i < values.length; i++) {
    let from = 0;
    for (let d = shape.length - 1; d >= 0; d--) from = from * shape[d]! + at[d]!;
    out[i] = values[from]!;
    for (let d = shape.length - 1; d >= 0 && ++at[d]! === shape[d]; d--) at[d] = 0;
  }
  return out;
}

type Read = (view: DataView, at: number) => PyValue;

function readerOf(dtype: Dtype): Read {
  const little = !dtype.bigEndian;
  const key = `${dtype.kind}${dtype.size}`;
  if (dtype.kind === 'U') return (view, at) => unicode(view, at, dtype.size, little);
  if (dtype.kind === 'S') return (view, at) => new Uint8Array(view.buffer, view.byteOffset + at, dtype.size);
  const read = Object.hasOwn(NUMBERS, key) ? NUMBERS[key] : undefined;
  if (!read) throw refuse(`values of dtype ${key} are not understood`);
  return (view, at) => read(view, at, little);
}

const NUMBERS: Readonly<Record<string, (view: DataView, at: number, little: boolean) => PyValue>> = {
  b1: (v, at) => v.getUint8(at) !== 0,
  i1: (v, at) => v.getInt8(at),
  u1: (v, at) => v.getUint8(at),
  i2: (v, at, l) => v.getInt16(at, l),
  u2: (v, at, l) => v.getUint16(at, l),
  i4: (v, at, l) => v.getInt32(at, l),
  u4: (v, at, l) => v.getUint32(at, l),
  i8: (v, at, l) => narrow(v.getBigInt64(at, l)),
  u8: (v, at, l) => narrow(v.getBigUint64(at, l)),
  f4: (v, at, l) => v.getFloat32(at, l),
  f8: (v, at, l) => v.getFloat64(at, l),
};

const narrow = (value: bigint): number | bigint =>
  value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;

function unicode(view: DataView, at: number, size: number, little: boolean): string {
  let text = '';
  for (let i = 0; i < size; i += 4) {
    const point = view.getUint32(at + i, little);
    if (point === 0) break;
    if (point > 0x10ffff) throw refuse('a character beyond Unicode');
    text += String.fromCodePoint(point);
  }
  return text;
}
