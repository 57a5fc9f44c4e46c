import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Frame } from '../kernel/frame.ts';
import { toNumberRow } from './number-row.ts';
import { type ColumnType, checkRows, type Signature } from './signature.ts';

const NUMERIC: readonly ColumnType[] = ['double', 'float', 'long', 'integer', 'datetime'];
const cell = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.constantFrom(Number.NaN, -0, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), 2 ** 53, 1e300, Number.POSITIVE_INFINITY),
);
const row = fc.array(fc.tuple(fc.constantFrom(...NUMERIC), cell), { minLength: 1, maxLength: 5 });
const signatureOf = (types: readonly ColumnType[]): Signature => ({
  inputs: types.map((type, i) => ({ name: `c${i}`, type, required: true })),
  outputs: [],
});
const frameOf = (cells: readonly number[]): Frame => ({
  rowCount: 1,
  columns: cells.map((value, i) => ({ name: `c${i}`, values: Float64Array.of(value) })),
});
const checked = (signature: Signature, frame: Frame): Frame | undefined => {
  try {
    return checkRows(signature, frame).frame;
  } catch {
    return undefined;
  }
};

test('a row of numbers passes where, and as, the check of a frame lets it pass', () => {
  fc.assert(
    fc.property(row, (cells) => {
      const signature = signatureOf(cells.map(([type]) => type));
      const values = cells.map(([, value]) => value);
      const expected = checked(signature, frameOf(values));
      const actual = toNumberRow(signature, null, Float64Array.from(values));
      assert.equal(actual === undefined, expected === undefined);
      if (actual) assert.deepEqual([...actual.columns], [...expected!.columns]);
    }),
  );
});

test('a row of numbers is checked already, for its own signature only', () => {
  const signature = signatureOf(['double', 'double']);
  const passed = toNumberRow(signature, ['c0', 'c1'], Float64Array.of(1, 2))!;
  assert.equal(checkRows(signature, passed).frame, passed);
  assert.throws(
    () => checkRows(signatureOf(['string', 'double']), passed),
    /"c0" expects string; row 0 has the number 1/,
  );
});

test('cells are rounded for a signature of floats and stay as they came for another', () => {
  const cells = Float64Array.of(0.1);
  const columnOf = (type: ColumnType) => toNumberRow(signatureOf([type]), null, cells)!.cells[0];
  assert.deepEqual([columnOf('float'), columnOf('double')], [Math.fround(0.1), 0.1]);
});

test('another order, another width and columns that are no numbers take the longer way', () => {
  const two = signatureOf(['double', 'double']);
  assert.equal(toNumberRow(two, ['c1', 'c0'], Float64Array.of(1, 2)), undefined);
  assert.equal(toNumberRow(two, null, Float64Array.of(1)), undefined);
  for (const type of ['string', 'category', 'boolean'] as const)
    assert.equal(toNumberRow(signatureOf([type]), null, Float64Array.of(1)), undefined);
});
