import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isAppError } from '../kernel/errors.ts';
import type { Cell, Frame } from '../kernel/frame.ts';
import { flavorsFromMlmodel, signatureFromMlmodel } from './mlmodel.ts';
import { type ColumnType, checkRows, inferSignature, type Signature } from './signature.ts';

const signature = (...columns: [string, ColumnType, boolean?][]): Signature => ({
  inputs: columns.map(([name, type, required = true]) => ({ name, type, required })),
  outputs: [],
});
const frame = (columns: Record<string, readonly Cell[] | Float64Array>): Frame => ({
  rowCount: Object.values(columns)[0]?.length ?? 0,
  columns: Object.entries(columns).map(([name, values]) => ({ name, values })),
});
const refused = (s: Signature, f: Frame, message: RegExp) =>
  assert.throws(
    () => checkRows(s, f),
    (error) =>
      isAppError(error, 'invalid') && message.test(error.message) && Array.isArray(error.details?.['problems']),
  );

test('columns come in any order and leave in the order of the signature', () => {
  const { frame: out } = checkRows(signature(['a', 'double'], ['b', 'string']), frame({ b: ['x'], a: [1] }));
  assert.deepEqual(
    out.columns.map((c) => [c.name, [...c.values]]),
    [
      ['a', [1]],
      ['b', ['x']],
    ],
  );
});

test('extra columns are ignored with a warning', () => {
  const { frame: out, warnings } = checkRows(signature(['a', 'double']), frame({ a: [1], id: ['q'] }));
  assert.equal(out.columns.length, 1);
  assert.deepEqual(warnings, ['Column "id" is not in the signature; it was ignored']);
});

test('a missing required column is refused by name and type', () =>
  refused(signature(['distance', 'double']), frame({ a: [1] }), /^Column "distance" is missing; expected double$/));

test('a missing optional column counts as null', () => {
  const { frame: out } = checkRows(signature(['a', 'double'], ['b', 'double', false]), frame({ a: [1] }));
  assert.ok(Number.isNaN(out.columns[1]!.values[0]));
});

test('an ill-typed cell is refused with its row and what was got', () =>
  refused(signature(['a', 'double']), frame({ a: [1, 'far'] }), /Column "a" expects double; row 1 has the text "far"/));

test('whole numbers are cast to double, fractions are refused as long', () => {
  assert.deepEqual([...checkRows(signature(['a', 'double']), frame({ a: [3] })).frame.columns[0]!.values], [3]);
  refused(signature(['a', 'long']), frame({ a: [3.5] }), /the number 3.5/);
  refused(signature(['a', 'integer']), frame({ a: [2 ** 40] }), /integer/);
});

test('a long column with a missing value is refused with the way out', () =>
  refused(signature(['a', 'long']), frame({ a: [1, null] }), /double column to allow missing values/));

test('numbers are no text and booleans are no numbers', () => {
  refused(signature(['a', 'string']), frame({ a: [1] }), /expects string; row 0 has the number 1/);
  refused(signature(['a', 'double']), frame({ a: [true] }), /boolean true/);
});

test('float columns are rounded to float32', () => {
  const { frame: out } = checkRows(signature(['a', 'float']), frame({ a: Float64Array.of(0.1) }));
  assert.equal(out.columns[0]!.values[0], Math.fround(0.1));
});

test('datetimes without a zone are UTC, with one they are moved', () => {
  const dates = ['2026-01-31', '2026-01-31T08:00:00', '2026-01-31 08:00:00+02:00', null, 5];
  const { frame: out } = checkRows(signature(['t', 'datetime']), frame({ t: dates }));
  assert.deepEqual(
    [...out.columns[0]!.values],
    [Date.UTC(2026, 0, 31), Date.UTC(2026, 0, 31, 8), Date.UTC(2026, 0, 31, 6), Number.NaN, 5],
  );
  refused(signature(['t', 'datetime']), frame({ t: ['31.1.2026'] }), /ISO 8601/);
});

test('at most five problems are listed', () => {
  const wanted = signature(...Array.from({ length: 9 }, (_, i): [string, ColumnType] => [`c${i}`, 'double']));
  assert.throws(
    () => checkRows(wanted, frame({ a: [1] })),
    (error) =>
      isAppError(error) &&
      (error.details?.['problems'] as string[] | undefined)?.length === 5 &&
      /and 8 more/.test(error.message),
  );
});

test('rows that were checked once pass again for nothing', () => {
  const s = signature(['a', 'double']);
  const { frame: out } = checkRows(s, frame({ a: [1] }));
  assert.equal(checkRows(s, out).frame, out);
});

test('the signature is inferred: whole numbers are long until one is missing', () => {
  const { inputs } = inferSignature(
    frame({ a: [1, 2], b: [1, null], c: [1, 2.5], d: ['x', null], e: [true, false], f: Float64Array.of(1, 2) }),
  );
  assert.deepEqual(
    inputs.map(({ type }) => type),
    ['long', 'double', 'double', 'string', 'boolean', 'long'],
  );
});

test('the signature of an MLmodel file is read', () => {
  const text = `flavors: {}
signature:
  inputs: '[{"type": "string", "name": "origin", "required": true}, {"type": "double", "name": "distance", "required": false}]'
  outputs: '[{"type": "long", "required": true}]'
  params: null
`;
  assert.deepEqual(signatureFromMlmodel(text), {
    inputs: [
      { name: 'origin', type: 'string', required: true },
      { name: 'distance', type: 'double', required: false },
    ],
    outputs: [{ name: 'y0', type: 'long', required: true }],
  });
  assert.equal(signatureFromMlmodel('flavors: {}'), undefined);
});

test('the flavours of an MLmodel file are read with what wrote them', () => {
  const text = `flavors:
  python_function: { loader_module: mlflow.sklearn, python_version: 3.11.2 }
  sklearn: { pickled_model: model.pkl, sklearn_version: 1.9.0 }
  own: something
`;
  assert.deepEqual(flavorsFromMlmodel(text), [
    { name: 'python_function', version: '3.11.2' },
    { name: 'sklearn', version: '1.9.0' },
    { name: 'own', version: null },
  ]);
  assert.deepEqual(flavorsFromMlmodel('- a list'), []);
});
