import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { crc32, deflateRawSync, deflateSync } from 'node:zlib';
import { runPython, testPython } from '../../../test/support/python.ts';
import { isAppError } from '../../kernel/errors.ts';
import { convertBytes, convertModel } from '../convert.ts';
import { NdArray, PyDict, PyGlobal, PyList, PyObject, PyTuple } from './graph.ts';
import { arrayValues } from './numpy.ts';
import { readModelFile } from './open.ts';
import { readPickle } from './pickle.ts';

const python = await testPython();
const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
const root = (text: string) => readPickle(bytes(text)).root;
const refused = (data: Uint8Array, reason: RegExp) =>
  assert.throws(
    () => convertBytes(data),
    (error) => isAppError(error, 'invalid') && reason.test(String(error.details?.['reason'])),
  );

test('plain values of every protocol are read', () => {
  assert.equal(root('I42\n.'), 42);
  assert.equal(root('I01\n.'), true);
  assert.equal(root('L-123456789012345678901L\n.'), -123456789012345678901n);
  assert.equal(root('F1.5e3\n.'), 1500);
  assert.equal(root("S'a\\x41\\n'\n."), 'aA\n');
  assert.equal(root('V\\u20ac\xe9\n.'), '€é');
  assert.equal(root('G\x3f\xf8\x00\x00\x00\x00\x00\x00.'), 1.5);
  assert.equal(root('\x80\x04\x8c\x02\xc3\xa9.'), 'é');
  assert.equal(root('\x80\x02\x8a\x02\x00\xff.'), -256);
  assert.equal(root('\x80\x02\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x00\x01.'), 2n ** 64n);
});

test('containers keep their items, and shared ones stay shared', () => {
  const list = root('(lp0\nI1\nag0\na.');
  assert.ok(list instanceof PyList);
  assert.equal(list.items[1], list);
  const dict = root("(dS'a'\nI1\ns.");
  assert.ok(dict instanceof PyDict);
  assert.equal(dict.get('a'), 1);
});

test('a call is a record of a call', () => {
  const call = root("cos\nsystem\n(S'touch /tmp/levain-was-here'\ntR.");
  assert.ok(call instanceof PyObject && call.callable instanceof PyGlobal && call.args instanceof PyTuple);
  assert.equal(call.callable.path, 'os.system');
});

test('numpy arrays of protocol 2 are read, Fortran order included', () => {
  const dtype = "cnumpy\ndtype\n(S'i2'\nI00\nI01\ntR(I3\nS'<'\nNNNI-1\nI-1\nI0\ntb";
  const array = root(
    `cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR(I1\n(I2\nI2\nt${dtype}I01\nS'\\x01\\x00\\x03\\x00\\x02\\x00\\x04\\x00'\ntb.`,
  );
  assert.ok(array instanceof NdArray);
  assert.deepEqual(arrayValues(array), [1, 2, 3, 4]);
});

const HOSTILE: Record<string, [string, RegExp]> = {
  'a length beyond the file': ['\x80\x04\x8e\xff\xff\xff\xff\xff\xff\x00\x00.', /bytes where/],
  'a length beyond 2^53': ['\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\xff.', /length/],
  'a negative length': ['T\xff\xff\xff\xff.', /length of -1/],
  'an unknown opcode': ['\xff.', /opcode 0xff/],
  'an unknown protocol': ['\x80\x09.', /protocol 9/],
  'no end': ['I1\n', /bytes where 0 remain/],
  'a line without end': ['I1', /does not end/],
  'an empty stack': ['.', /stack ran empty/],
  'a missing mark': ['I1\nt.', /mark is missing/],
  'a mark as a value': ['(.', /mark stands/],
  'a memo that was never set': ['g7\n.', /memo 7/],
  'ten thousand marks': ['('.repeat(10_001), /limit marks/],
  'a huge integer': [`\x8b\x00\x02\x00\x00${'\x01'.repeat(512)}.`, /limit integerBytes/],
  'a name of many characters': [`c${'a'.repeat(2000)}\nb\n.`, /limit nameBytes/],
  'state on a number': ['I1\n}b.', /state is set/],
  'items on a number': ['I1\nI2\na.', /no list/],
  'a key without a value': ['}(I1\nu.', /no value/],
  'no estimator': ['I1\n.', /no object/],
  'an array of a negative size': [
    "cnumpy.core.multiarray\n_reconstruct\n(tR(I1\n(I-1\ntcnumpy\ndtype\n(S'f8'\ntRI00\nS''\ntb.",
    /dimension -1/,
  ],
  'an array of items of size zero': [
    "cnumpy.core.multiarray\n_reconstruct\n(tR(I1\n(I5\ntcnumpy\ndtype\n(S'V0'\ntRI00\nS''\ntb.",
    /size 0/,
  ],
  'an array that promises more than it holds': [
    "cnumpy.core.multiarray\n_reconstruct\n(tR(I1\n(I100000000\ntcnumpy\ndtype\n(S'f8'\ntRI00\nS'x'\ntb.",
    /holds 1 bytes/,
  ],
  'a class named constructor': ['csklearn\nconstructor\n)\x81}b.', /./],
};

for (const [name, [text, reason]] of Object.entries(HOSTILE)) {
  test(`hostile: ${name} is refused`, () => {
    if (name === 'a class named constructor') {
      const result = convertBytes(bytes(text));
      assert.equal(result.engine, 'python');
    } else refused(bytes(text), reason);
  });
}

for (const callable of [
  'os\nsystem',
  'posix\nsystem',
  'subprocess\nPopen',
  'builtins\neval',
  '__builtin__\nexec',
  'builtins\ngetattr',
]) {
  test(`a file that names ${callable.replace('\n', '.')} is offered to no worker`, () => {
    const call = `c${callable}\n(S'x'\ntR`;
    const result = convertBytes(bytes(`cmine\nModel\n)\x81}S'a'\n${call}sb.`));
    assert.ok(result.engine === 'python' && !result.allowed);
    assert.match(result.reason, /would run/);
  });
}

test('a class of the user goes to the worker', () => {
  const result = convertBytes(bytes("cmine\nModel\n)\x81}S'a'\nI1\nsb."));
  assert.deepEqual(result, { engine: 'python', reason: 'the class mine.Model', allowed: true, dangers: [] });
});

test('persistent ids and out-of-band buffers need Python', () => {
  for (const text of ['P1\n.', '\x80\x05\x97.']) assert.equal(convertBytes(bytes(text)).engine, 'python');
});

test('names count although the reader stops behind them', () => {
  const stops = convertBytes(bytes("cos\nsystem\n(S'x'\ntRP1\n."));
  assert.ok(stops.engine === 'python' && !stops.allowed);
  const hidden = {
    __loader__: 'NewNode',
    content: [{ deep: { __loader__: 'TypeNode', __module__: 'os', __class__: 'system' } }],
  };
  const unknown = convertBytes(zip([schema(hidden)]));
  assert.ok(unknown.engine === 'python' && !unknown.allowed);
});

test('a valid model that carries os.system converts, and says that no worker may load it', {
  skip: !python,
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'levain-readers-'));
  const script = `import os, pickle, sys
from sklearn.linear_model import LinearRegression
m = LinearRegression().fit([[0], [1]], [0, 2])
m.note = os.system
pickle.dump(m, open(sys.argv[1] + "/m.pkl", "wb"))`;
  try {
    await runPython(python!, ['-c', script, folder]);
    const converted = await convertModel(join(folder, 'm.pkl'));
    assert.ok(converted.engine === 'levain' && !converted.allowed);
    assert.deepEqual(converted.dangers, ['posix.system']);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a compressed file that expands without end is refused', () => {
  refused(deflateSync(Buffer.alloc(80 * 2 ** 20)), /limit inflatedBytes/);
});

test('an empty file is refused', () => refused(Buffer.alloc(0), /empty/));

interface Entry {
  readonly name: string;
  readonly data: Buffer;
  readonly deflate?: boolean;
  readonly crc?: number;
  readonly size?: number;
}

/** A zip archive, right or wrong as the entries ask. */
function zip(entries: readonly Entry[]): Buffer {
  const locals: Buffer[] = [];
  const central: Buffer[] = [];
  let at = 0;
  for (const { name, data, deflate, crc, size } of entries) {
    const raw = deflate ? deflateRawSync(data) : data;
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(name.length, 26);
    const head = Buffer.alloc(46);
    head.writeUInt32LE(0x02014b50, 0);
    head.writeUInt16LE(deflate ? 8 : 0, 10);
    head.writeUInt32LE(crc ?? crc32(data), 16);
    head.writeUInt32LE(raw.length, 20);
    head.writeUInt32LE(size ?? data.length, 24);
    head.writeUInt16LE(name.length, 28);
    head.writeUInt32LE(at, 42);
    locals.push(local, Buffer.from(name), raw);
    central.push(head, Buffer.from(name));
    at += 30 + name.length + raw.length;
  }
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...locals, ...central, end]);
}

const schema = (value: unknown): Entry => ({ name: 'schema.json', data: Buffer.from(JSON.stringify(value)) });

test('hostile zip archives are refused', () => {
  const entry = { name: 'schema.json', data: Buffer.from('{}') };
  refused(zip([{ name: 'other', data: Buffer.from('{}') }]), /no schema.json/);
  refused(zip([entry, entry]), /twice/);
  refused(zip([{ ...entry, crc: 1 }]), /checksum/);
  refused(zip([{ ...entry, size: 3 }]), /declared 3/);
  refused(zip([{ ...entry, deflate: true, size: 1 }]), /declared size/);
  refused(zip([entry]).subarray(0, 60), /end record/);
  refused(zip([{ ...entry, size: 2 ** 31 }]), /inflatedBytes/);
});

test('hostile skops schemas are refused', () => {
  let deep: unknown = 1;
  for (let i = 0; i < 500; i++) deep = [deep];
  refused(zip([schema(deep)]), /limit jsonDepth/);
  let nested: unknown = { __loader__: 'JsonNode', content: '1' };
  for (let i = 0; i < 150; i++) nested = { __loader__: 'ListNode', content: [nested] };
  refused(zip([schema(nested)]), /limit nodeDepth/);
  const array = { __loader__: 'NdArrayNode', __module__: 'numpy', __class__: 'ndarray', type: 'numpy', file: 'a.npy' };
  refused(zip([schema(array)]), /no "a.npy"/);
  const npy = (header: string) => {
    const head = Buffer.alloc(10);
    head.write('\x93NUMPY\x01\x00', 'latin1');
    head.writeUInt16LE(header.length, 8);
    return { name: 'a.npy', data: Buffer.concat([head, Buffer.from(header)]) };
  };
  refused(zip([schema(array), npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}")]), /objects/);
  refused(zip([schema(array), npy("{'descr': '<f8', 'fortran_order': False, 'shape': (9,)}")]), /holds 0 bytes/);
  refused(zip([schema(array), npy(`${'('.repeat(20)}`)]), /limit literalDepth/);
});

test('a skops node of the user is offered to the worker, one that names os.system is not', () => {
  const object = (module: string, name: string) => ({ __loader__: 'ObjectNode', __module__: module, __class__: name });
  const mine = convertBytes(zip([schema(object('mine', 'Model'))]));
  assert.deepEqual(mine, { engine: 'python', reason: 'the class mine.Model', allowed: true, dangers: [] });
  const call = { __loader__: 'TypeNode', __module__: 'os', __class__: 'system' };
  const state = { __loader__: 'ListNode', content: [call] };
  const hostile = convertBytes(zip([schema({ ...object('mine', 'Model'), content: state })]));
  assert.ok(hostile.engine === 'python' && !hostile.allowed);
  assert.deepEqual(hostile.dangers, ['os.system']);
});

test('a file that is no model container is refused', () => {
  assert.throws(
    () => readModelFile(Buffer.from('hello world')),
    (error) => isAppError(error, 'invalid'),
  );
});
