import {
  type ModelGraph,
  NdArray,
  PyDict,
  PyGlobal,
  PyList,
  PyObject,
  PySet,
  PyTuple,
  type PyValue,
  parseDtype,
} from './graph.ts';
import { LIMITS, NeedsPython, refuse, within } from './limits.ts';
import { readNpy } from './npy.ts';
import { arrayValues, dimensions, setItems } from './numpy.ts';
import { openZip, type ZipFile } from './zip.ts';

type Node = Readonly<Record<string, unknown>>;

interface Reading {
  readonly zip: ZipFile;
  readonly globals: Map<string, PyGlobal>;
  readonly seen: Map<number, PyValue>;
  readonly files: Map<string, NdArray>;
  nodes: number;
  /** Why only Python can build this; the rest is read nevertheless, for its names. */
  python: string | undefined;
}

/** Reads a .skops file into the same inert graph as a pickle. */
export function readSkops(bytes: Uint8Array): ModelGraph {
  const zip = openZip(bytes);
  const schema = zip.read('schema.json');
  if (!schema) throw refuse('the zip holds no schema.json, so it is no skops file');
  const reading: Reading = { zip, globals: new Map(), seen: new Map(), files: new Map(), nodes: 0, python: undefined };
  const root = readNode(parseSchema(schema), reading, 0);
  const globals = [...reading.globals.values()];
  if (reading.python !== undefined) throw new NeedsPython(reading.python, globals);
  return { root, globals, reader: 'skops', fileBytes: bytes.length };
}

function parseSchema(schema: Uint8Array): unknown {
  within('schemaBytes', schema.length);
  let brackets = 0;
  let depth = 0;
  let inText = false;
  for (let i = 0; i < schema.length; i++) {
    const c = schema[i]!;
    if (inText) {
      if (c === 0x5c) i++;
      else if (c === 0x22) inText = false;
    } else if (c === 0x22) inText = true;
    else if (c === 0x7b || c === 0x5b) {
      brackets++;
      if (++depth > LIMITS.jsonDepth) within('jsonDepth', depth);
    } else if (c === 0x7d || c === 0x5d) depth--;
  }
  within('schemaBrackets', brackets);
  try {
    return JSON.parse(Buffer.from(schema.buffer, schema.byteOffset, schema.byteLength).toString('utf8'));
  } catch {
    throw refuse('schema.json is not JSON');
  }
}

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null && !Array.isArray(value);

function readNode(value: unknown, reading: Reading, depth: number): PyValue {
  within('nodeDepth', depth);
  if (!isNode(value)) throw refuse('a skops node is no object');
  within('objects', ++reading.nodes);
  const id = typeof value['__id__'] === 'number' ? value['__id__'] : undefined;
  if (id !== undefined && reading.seen.has(id)) return reading.seen.get(id);
  const loader = String(value['__loader__']);
  const load = Object.hasOwn(LOADERS, loader) ? LOADERS[loader]! : readUnknown;
  const result = load(value, reading, depth);
  if (id !== undefined) reading.seen.set(id, result);
  return result;
}

/** A node of a kind that is not understood: its names and those of the nodes inside. */
function readUnknown(node: Node, reading: Reading, depth: number): PyValue {
  reading.python ??= `skops node ${String(node['__loader__']).slice(0, 60)}`;
  if (typeof node['__class__'] === 'string') nameOf(node, reading);
  for (const part of Object.values(node)) scan(part, reading, depth + 1);
  return undefined;
}

function scan(value: unknown, reading: Reading, depth: number): void {
  within('nodeDepth', depth);
  if (Array.isArray(value)) for (const item of value) scan(item, reading, depth + 1);
  else if (isNode(value)) {
    if ('__loader__' in value) readNode(value, reading, depth);
    else for (const part of Object.values(value)) scan(part, reading, depth + 1);
  }
}

type Load = (node: Node, reading: Reading, depth: number) => PyValue;

function nameOf(node: Node, reading: Reading): PyGlobal {
  const module = node['__module__'];
  const name = node['__class__'];
  if (typeof module !== 'string' || typeof name !== 'string') throw refuse('a skops node has no class');
  within('nameBytes', module.length);
  within('nameBytes', name.length);
  const key = `${module}\n${name}`;
  const known = reading.globals.get(key) ?? new PyGlobal(module, name);
  reading.globals.set(key, known);
  return known;
}

function readItems(content: unknown, reading: Reading, depth: number): PyValue[] {
  if (!Array.isArray(content)) throw refuse('a skops list has no items');
  return content.map((item) => readNode(item, reading, depth + 1));
}

function readDict(node: Node, reading: Reading, depth: number): PyDict {
  nameOf(node, reading);
  const content = node['content'];
  if (!isNode(content)) throw refuse('a skops dict has no content');
  const types = readNode(node['key_types'], reading, depth + 1);
  const keys = Object.keys(content);
  const dict = new PyDict();
  const cast = keyCast(types, keys.length, reading);
  for (const key of keys) dict.entries.push([cast(key), readNode(content[key], reading, depth + 1)]);
  return dict;
}

/** JavaScript reorders keys that look like integers, so types are used only where all agree. */
function keyCast(types: PyValue, count: number, reading: Reading): (key: string) => PyValue {
  const paths = new Set(
    types instanceof PyList ? types.items.map((t) => (t instanceof PyGlobal ? t.path : '?')) : ['?'],
  );
  if (count === 0 || (paths.size === 1 && paths.has('builtins.str'))) return (key) => key;
  if (paths.size > 1 || paths.has('?')) reading.python ??= 'a dict with keys of several types';
  return (key) => (/^-?\d{1,15}$/.test(key) ? Number(key) : key);
}

function readObject(node: Node, reading: Reading, depth: number): PyObject {
  const object = new PyObject(nameOf(node, reading), new PyTuple([]));
  if (node['content'] !== undefined && node['content'] !== null)
    object.state = readNode(node['content'], reading, depth + 1);
  return object;
}

function readReduce(node: Node, reading: Reading, depth: number): PyObject {
  const reduce = node['__reduce__'];
  if (!isNode(reduce)) throw refuse('a skops node has no arguments');
  const object = new PyObject(nameOf(node, reading), readNode(reduce['args'], reading, depth + 1));
  object.state = readNode(node['content'], reading, depth + 1);
  return object;
}

function readArray(node: Node, reading: Reading, depth: number): PyValue {
  const name = nameOf(node, reading);
  if (node['type'] === 'numpy') {
    const array = readFile(node['file'], reading);
    // A numpy scalar is stored as an array without dimensions.
    return array.shape.length === 0 && name.name !== 'ndarray' ? arrayValues(array)[0] : array;
  }
  if (node['type'] !== 'json') throw refuse('a skops array is of no known kind');
  const array = new NdArray();
  array.dtype = parseDtype('O8');
  array.shape = dimensions(readNode(node['shape'], reading, depth + 1));
  const items = new PyList(readItems(node['content'], reading, depth));
  setItems(array, array.shape.length > 1 ? new PyList(flatten(items, array.shape.length)) : items);
  return array;
}

function flatten(list: PyList, dimensionsLeft: number): PyValue[] {
  if (dimensionsLeft <= 1) return list.items;
  return list.items.flatMap((item) => (item instanceof PyList ? flatten(item, dimensionsLeft - 1) : [item]));
}

function readFile(file: unknown, reading: Reading): NdArray {
  if (typeof file !== 'string') throw refuse('a skops array has no file');
  let array = reading.files.get(file);
  if (!array) {
    const bytes = reading.zip.read(file);
    if (!bytes) throw refuse(`the zip holds no "${file.slice(0, 80)}"`);
    array = readNpy(bytes);
    reading.files.set(file, array);
  }
  return array;
}

const NUMBER_WORDS: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
};

/** JSON text that may hold Python's NaN and Infinity, and integers that JavaScript would round. */
function readJson(node: Node, reading: Reading): PyValue {
  const text = node['content'];
  if (typeof text !== 'string') throw refuse('a skops value has no content');
  if (Object.hasOwn(NUMBER_WORDS, text)) return NUMBER_WORDS[text]!;
  if (/^-?\d{16,}$/.test(text)) {
    within('integerBytes', text.length / 2.4);
    const value = BigInt(text);
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }
  try {
    return fromJson(JSON.parse(text), 0);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    reading.python ??= 'a JSON value with NaN or Infinity inside';
    return undefined;
  }
}

function fromJson(value: unknown, depth: number): PyValue {
  within('nodeDepth', depth);
  if (Array.isArray(value)) return new PyList(value.map((item) => fromJson(item, depth + 1)));
  if (!isNode(value)) return value as null | boolean | number | string;
  const dict = new PyDict();
  for (const [key, item] of Object.entries(value)) dict.entries.push([key, fromJson(item, depth + 1)]);
  return dict;
}

function readParts(node: Node, reading: Reading, depth: number): PyObject {
  const content = node['content'];
  const object = new PyObject(nameOf(node, reading), new PyTuple([]));
  const state = new PyDict();
  if (isNode(content))
    for (const [key, part] of Object.entries(content))
      state.entries.push([
        key,
        isNode(part) && '__loader__' in part ? readNode(part, reading, depth + 1) : fromJson(part, 0),
      ]);
  object.state = state;
  return object;
}

/** The shape that a pickle gives a partial: called with the function, then set to (function, args, keywords, dict). */
function readPartial(node: Node, reading: Reading, depth: number): PyObject {
  const parts = readParts(node, reading, depth);
  const state = parts.state instanceof PyDict ? parts.state : new PyDict();
  const object = new PyObject(parts.callable, new PyTuple([state.get('func')]));
  object.state = new PyTuple([state.get('func'), state.get('args'), state.get('kwds'), state.get('namespace')]);
  return object;
}

function readDtype(node: Node, reading: Reading, depth: number): PyValue {
  const array = readNode(node['content'], reading, depth + 1);
  if (!(array instanceof NdArray) || !array.dtype) throw refuse('a skops dtype has no dtype');
  return array.dtype;
}

const LOADERS: Readonly<Record<string, Load>> = {
  DictNode: readDict,
  DefaultDictNode: (node, reading, depth) => readNode((node['content'] as Node)?.['main'], reading, depth + 1),
  ListNode: (node, reading, depth) => new PyList(readItems(node['content'], reading, depth)),
  SetNode: (node, reading, depth) => new PySet(readItems(node['content'], reading, depth)),
  TupleNode: (node, reading, depth) => {
    nameOf(node, reading);
    return new PyTuple(readItems(node['content'], reading, depth));
  },
  JsonNode: readJson,
  ObjectNode: readObject,
  ConstructorFromReduceNode: (node, reading, depth) =>
    new PyObject(nameOf(node, reading), readNode(node['content'], reading, depth + 1)),
  TreeNode: readReduce,
  LossNode: readReduce,
  NdArrayNode: readArray,
  TypeNode: nameOf,
  FunctionNode: nameOf,
  MethodNode: readParts,
  MaskedArrayNode: readParts,
  PartialNode: readPartial,
  OperatorFuncNode: (node, reading) => new PyObject(nameOf(node, reading), new PyTuple([])),
  SliceNode: readParts,
  DTypeNode: readDtype,
  RandomStateNode: (node, reading) => new PyObject(nameOf(node, reading), new PyTuple([])),
  RandomGeneratorNode: (node, reading) => new PyObject(nameOf(node, reading), new PyTuple([])),
  BytesNode: (node, reading) => reading.zip.read(String(node['file'])),
  BytearrayNode: (node, reading) => reading.zip.read(String(node['file'])),
};
