import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeChunk, encodeChunk, type Point } from './metric-chunk.ts';

const point: fc.Arbitrary<Point> = fc.record(
  {
    step: fc.integer({ min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER }),
    ts: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
    isNan: fc.boolean(),
    value: fc.double({ noNaN: true, noDefaultInfinity: true }),
  },
  { noNullPrototype: true },
);

test('what is sealed comes back, point for point', () => {
  fc.assert(
    fc.property(fc.array(point, { minLength: 1, maxLength: 300 }), (points) => {
      assert.deepEqual(decodeChunk(encodeChunk(points)), points);
    }),
    { numRuns: 200 },
  );
});

test('a chunk knows its ranges and its count', () => {
  const chunk = encodeChunk([
    { step: 5, ts: 20, isNan: false, value: 1 },
    { step: -3, ts: 10, isNan: true, value: 0 },
  ]);
  assert.deepEqual([chunk.minStep, chunk.maxStep, chunk.minTs, chunk.maxTs, chunk.count], [-3, 5, 10, 20, 2]);
});

test('2,048 points of a steady series take less than 12 bytes each', () => {
  const points = Array.from({ length: 2_048 }, (_, i) => ({
    step: i,
    ts: 1_700_000_000_000 + i * 250,
    isNan: false,
    value: 1 / (1 + i),
  }));
  assert.ok(encodeChunk(points).bytes.length < 2_048 * 12);
});

test('a flipped bit is noticed', () => {
  const chunk = encodeChunk([{ step: 1, ts: 2, isNan: false, value: 3 }]);
  const bytes = Uint8Array.from(chunk.bytes);
  bytes[3]! ^= 1;
  assert.throws(() => decodeChunk({ ...chunk, bytes }), /damaged/);
});
