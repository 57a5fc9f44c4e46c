import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Cell, Column, Frame } from '../kernel/frame.ts';
import { uuidv7 } from '../kernel/ids.ts';
import { damageOf, decodeSegment, encodeSegment, type Segment, windowStartOf, withoutRows } from './segment.ts';

const ROWS = 9;
const text = fc.string({ unit: 'binary', maxLength: 12 });
const cells = (cell: fc.Arbitrary<Cell>) => fc.array(fc.option(cell), { minLength: ROWS, maxLength: ROWS });
const values = fc.oneof(
  fc.array(fc.double(), { minLength: ROWS, maxLength: ROWS }).map((list) => Float64Array.from(list)),
  cells(text),
  cells(fc.double()),
  cells(fc.boolean()),
  cells(fc.oneof(text, fc.double(), fc.boolean())),
  cells(fc.constantFrom('a', 'b')),
  fc.array(fc.uuid(), { minLength: ROWS, maxLength: ROWS }),
);
const frame: fc.Arbitrary<Frame> = fc
  .uniqueArray(fc.tuple(text, values), { selector: ([name]) => name, maxLength: 6 })
  .map((columns) => ({ rowCount: ROWS, columns: columns.map(([name, v]): Column => ({ name, values: v })) }));

const segmentOf = (rows: Frame, features: Frame): Segment => ({
  gatewayId: 'g1',
  incarnation: uuidv7(1),
  seq: 3,
  from: 10,
  to: 20,
  rowsDropped: 0,
  counters: [],
  blocks: [{ projectId: 'p', endpoint: 'churn', rows, features }],
});

describe('a segment', () => {
  it('comes back as it was written', () => {
    fc.assert(
      fc.property(frame, frame, (rows, features) => {
        const segment = segmentOf(rows, features);
        assert.deepStrictEqual(decodeSegment(encodeSegment(segment)), segment);
      }),
    );
  });

  it('holds a column that repeats the first one only once', () => {
    const ids = Array.from({ length: 100 }, (_, i) => uuidv7(i));
    const twice = { rowCount: 100, columns: ['a', 'b'].map((name) => ({ name, values: ids })) };
    const once = { rowCount: 100, columns: [{ name: 'a', values: ids }] };
    const segment = segmentOf(twice, none);
    const bytes = encodeSegment(segment);
    assert.deepStrictEqual(decodeSegment(bytes), segment);
    assert.ok(bytes.length < encodeSegment(segmentOf(once, none)).length + 100);
  });

  it('is known as torn at every shorter length', () => {
    const bytes = encodeSegment(segmentOf(sample, sample));
    for (let length = 0; length < bytes.length; length++) assert.ok(damageOf(bytes.subarray(0, length)));
    assert.equal(damageOf(bytes), undefined);
  });

  it('is known as damaged whichever bit flips', () => {
    const bytes = encodeSegment(segmentOf(sample, sample));
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(7), (at, bit) => {
        const copy = Uint8Array.from(bytes);
        copy[at]! ^= 1 << bit;
        assert.throws(() => decodeSegment(copy), { code: 'invalid' });
      }),
    );
  });

  it('keeps its counters and says how many rows went when it is cut to size', () => {
    const counters: Segment['counters'] = [
      {
        projectId: 'p',
        endpoint: 'churn',
        versionId: 'v',
        windowStart: 0,
        rehearsal: null,
        role: 'champion',
        counters: zero,
      },
    ];
    const cut = decodeSegment(encodeSegment(withoutRows({ ...segmentOf(sample, sample), counters })));
    assert.equal(cut.rowsDropped, 2);
    assert.deepEqual(cut.blocks, []);
    assert.deepEqual(cut.counters, counters);
  });

  it('refuses columns whose length is not its row count', () => {
    const odd = { rowCount: 2, columns: [{ name: 'x', values: Float64Array.of(1) }] };
    assert.throws(() => encodeSegment(segmentOf(odd, odd)), /Column "x" has 1 values for 2 rows/);
  });
});

describe('a window', () => {
  it('starts at the hour, before 1970 too', () => {
    assert.equal(windowStartOf(3_600_000 * 5 + 1), 3_600_000 * 5);
    assert.equal(windowStartOf(-1), -3_600_000);
  });
});

const zero = {
  requests: 1,
  rows: 2,
  errors: 0,
  refused: 0,
  fallbacks: 0,
  features: [],
  scoreBins: [0],
  scoreSum: 0,
  scoreSumSquares: 0,
  labels: {},
  latency: [],
};

const none: Frame = { rowCount: 100, columns: [] };

const sample: Frame = {
  rowCount: 2,
  columns: [
    { name: 'x', values: Float64Array.of(1, Number.NaN) },
    { name: 'plan', values: ['basic', null] },
  ],
};
