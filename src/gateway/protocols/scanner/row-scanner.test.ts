import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Signature } from '../../../engines/signature.ts';
import { type Call, checkInputs } from '../call.ts';
import { parseInferBody } from '../oip.ts';
import { createRowScanner } from './row-scanner.ts';

const signatureOf = (names: readonly string[]): Signature => ({
  inputs: names.map((name) => ({ name, type: 'double', required: true })),
  outputs: [],
});

/** What a parser makes of a body, down to the cells that the model gets. */
function outcomeOf(parse: () => Call, signature: Signature): unknown {
  try {
    const { inputs, ...rest } = parse();
    return [rest, checkInputs(inputs, signature).columns.map(({ name, values }) => [name, [...values]])];
  } catch (error) {
    return (error as Error).message;
  }
}

function assertAlike(body: Buffer, names: readonly string[]): boolean {
  const signature = signatureOf(names);
  const scanRow = createRowScanner(names);
  const scanned = outcomeOf(() => parseInferBody(body, scanRow), signature);
  assert.deepEqual(
    scanned,
    outcomeOf(() => parseInferBody(body, undefined), signature),
    body.toString('utf8'),
  );
  return scanRow(body) !== undefined;
}

const one = createRowScanner(['x']);
const bodyOf = (number: string): Buffer =>
  Buffer.from(`{"inputs":[{"name":"x","shape":[1],"datatype":"FP64","data":[${number}]}]}`);
const scanNumber = (text: string): number | undefined => one(bodyOf(text))?.cells[0];

/** Numbers as clients write them: shortest, with more digits than a double holds, or with fewer. */
const number = fc
  .tuple(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer({ min: 1, max: 18 }), fc.nat(3))
  .map(([value, digits, form]) =>
    form === 0 ? String(value) : form === 1 ? value.toPrecision(digits) : JSON.stringify(value % 10 ** digits),
  );

describe('a scanned number', () => {
  it('is the one that JSON.parse reads, or none', () => {
    fc.assert(
      fc.property(number, (text) => {
        const value = scanNumber(text);
        assert.ok(value === undefined || Object.is(value, JSON.parse(text)), text);
      }),
      { numRuns: 5_000 },
    );
  });

  it('is read wherever features are: up to 18 digits, from 1e-9 to 1e12', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-9, max: 1e12, noNaN: true }), (value) => {
        assert.equal(scanNumber(String(value)), value);
      }),
      { numRuns: 5_000 },
    );
  });

  it('is rounded to the nearest double just below, at and above the middle of two', () => {
    // 2^53 + 1 is the middle of two doubles; halves go to the even one.
    for (const text of [
      '9007199254740993',
      '9007199254740993.0',
      '900719925474099.3e1',
      '9007199254740992.99',
      '9007199254740993.01',
    ])
      assert.equal(scanNumber(text), JSON.parse(text), text);
    for (const text of ['0.30000000000000004', '0.1', '123456789012345678', '1e-27', '8.7e22', '123456.789e3'])
      assert.equal(scanNumber(text), JSON.parse(text), text);
    for (const text of ['0', '-0', '-0.0', '0e9', '0.000'])
      assert.ok(Object.is(scanNumber(text), JSON.parse(text)), text);
  });

  it('has the grammar of JSON', () => {
    for (const text of [
      '',
      '-',
      '.5',
      '01',
      '1.',
      '-.5',
      '+1',
      '1e',
      '1e+',
      '00',
      '--1',
      'NaN',
      '1.e5',
      '0x1',
      '1 2',
      'nul',
      'nulls',
      '1\u0000',
    ])
      assert.equal(scanNumber(text), undefined, text);
    assert.ok(Number.isNaN(scanNumber('null')));
  });
});

describe('a scanned row', () => {
  const names = fc.uniqueArray(
    fc.oneof(fc.string({ maxLength: 6 }), fc.constantFrom('features', 'é', 'a"b', '\\', 'inputs')),
    {
      minLength: 1,
      maxLength: 4,
    },
  );
  const blank = fc.constantFrom('', ' ', '\n', '\t ');
  const cell = fc.oneof(
    number,
    fc.integer().map(String),
    fc.constantFrom('null', 'true', '"1"', '1.5', '2147483648', '-2147483648', '[1]'),
  );
  const datatype = fc.constantFrom('FP64', 'FP32', 'INT64', 'INT32', 'INT8', 'BYTES');
  const members = fc.constantFrom(
    '',
    '"id":"a,]}\\"",',
    '"parameters":{"entity":"x","deep":[1,{"y":2}]},',
    '"outputs":[{"name":"predict"}],',
    '"inputs":1,',
    ',',
  );
  const request = fc.record({
    names,
    cells: fc.array(cell, { minLength: 4, maxLength: 4 }),
    blank,
    datatype,
    before: members,
    after: members,
    isWide: fc.boolean(),
  });

  const write = (r: {
    names: string[];
    cells: string[];
    blank: string;
    datatype: string;
    before: string;
    after: string;
    isWide: boolean;
  }): Buffer => {
    const { names, cells, blank: _, datatype: type, isWide } = r;
    const input = (name: string, shape: string, data: string) =>
      `{${_}"name":${_}${JSON.stringify(name)},"shape":[${shape}]${_},"datatype":"${type}","data":[${_}${data}]${_}}`;
    const inputs = isWide
      ? input('features', `1,${_}${names.length}`, cells.slice(0, names.length).join(`${_},`))
      : names.map((name, i) => input(name, '1', cells[i]!)).join(`${_},`);
    const after = r.after === '' ? '' : `,${r.after.replace(/,$/, '')}`;
    return Buffer.from(`{${_}${r.before}"inputs"${_}:${_}[${inputs}]${_}${after}}${_}`);
  };

  it('is the same call as the parser makes of the body, cell for cell, or the same refusal', () => {
    let scanned = 0;
    fc.assert(
      fc.property(request, (r) => {
        if (assertAlike(write(r), r.names)) scanned += 1;
      }),
      { numRuns: 3_000 },
    );
    assert.ok(scanned > 300, `${scanned} were scanned`);
  });

  it('is never made of a body that was cut or changed unless the parser agrees', () => {
    fc.assert(
      fc.property(request, fc.nat(), fc.nat(255), fc.boolean(), (r, at, byte, isCut) => {
        const body = write(r);
        if (!isCut) body[at % body.length] = byte;
        assertAlike(isCut ? body.subarray(0, at % (body.length + 1)) : body, r.names);
      }),
      { numRuns: 5_000 },
    );
  });

  it('needs the expected columns in their order, and a body of some 30 kB at most', () => {
    const two = createRowScanner(['a', 'b']);
    const body = (...list: string[]) =>
      Buffer.from(JSON.stringify({ inputs: list.map((name) => ({ name, shape: [1], datatype: 'FP64', data: [1] })) }));
    assert.deepEqual(two(body('a', 'b'))?.names, ['a', 'b']);
    for (const list of [['b', 'a'], ['a'], ['a', 'b', 'c'], ['a', 'a']]) assert.equal(two(body(...list)), undefined);
    assert.equal(two(Buffer.concat([body('a', 'b'), Buffer.alloc(40_000, ' ')])), undefined);
  });

  it('keeps its cells when the next one is read, and takes no part of the one before', () => {
    const scanRow = createRowScanner(['a', 'b']);
    const wide = (data: string) =>
      Buffer.from(`{"inputs":[{"name":"r","shape":[1,2],"datatype":"FP64","data":[${data}]}]}`);
    const first = scanRow(wide('1,2'))!;
    assert.equal(scanRow(wide('3')), undefined);
    assert.deepEqual(
      [[...first.cells], [...scanRow(wide('4,5'))!.cells]],
      [
        [1, 2],
        [4, 5],
      ],
    );
  });
});
