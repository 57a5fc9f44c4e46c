import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Cell } from '../../kernel/frame.ts';
import { fromWire, toWire } from './wire.ts';

const ROWS = 600;
const column = (cell: fc.Arbitrary<Cell>) => fc.array(fc.option(cell), { minLength: ROWS, maxLength: ROWS });
const values = fc.oneof(
  column(fc.constantFrom('', 'ORD', 'é🥐', '\ud800')),
  column(fc.string({ unit: 'binary', maxLength: 5 })),
  column(fc.oneof(fc.string(), fc.boolean())),
  column(fc.constant(null)),
  fc.constant(Float64Array.from({ length: ROWS }, (_, i) => (i % 7 === 0 ? Number.NaN : i))),
);

test('a frame comes out as it went in, whatever its texts', () => {
  fc.assert(
    fc.property(fc.array(values, { maxLength: 4 }), (columns) => {
      const frame = { rowCount: ROWS, columns: columns.map((each, i) => ({ name: `c${i}`, values: each })) };
      assert.deepStrictEqual(fromWire(structuredClone(toWire(frame))), frame);
    }),
    { numRuns: 40 },
  );
});

test('texts that repeat travel once, and a long list of others as one', () => {
  const airports = Array.from({ length: ROWS }, (_, i) => ['ORD', 'ATL', 'SEA'][i % 3]!);
  const ids = Array.from({ length: ROWS }, (_, i) => `id-${i}`);
  const { columns } = toWire({ rowCount: ROWS, columns: [airports, ids].map((each) => ({ name: 'x', values: each })) });
  assert.deepEqual(
    columns.map(({ kind }) => kind),
    ['words', 'text'],
  );
});
