import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Line, toLevels } from './metric-levels.ts';

const line = (...points: readonly (readonly [number, number])[]): Line => ({
  x: Float64Array.from(points, ([x]) => x),
  values: Float64Array.from(points, ([, value]) => value),
});

test('few points are answered as they are, on one axis for all lines', () => {
  const levels = toLevels([line([0, 1], [10, 2]), line([10, 5], [20, 6])], { slots: 10, whole: true });
  assert.deepEqual(levels, {
    exact: true,
    x: [0, 10, 20],
    lines: [
      { count: 2, mean: [1, 2, null], low: null, high: null, counts: null, nan: [], infinite: [] },
      { count: 2, mean: [null, 5, 6], low: null, high: null, counts: null, nan: [], infinite: [] },
    ],
  });
});

test('many points keep their spikes: lowest, highest and mean of each stretch', () => {
  const points = Array.from({ length: 1_000 }, (_, i) => [i, i === 500 ? 1_000 : 1] as const);
  const levels = toLevels([line(...points)], { slots: 10, whole: true });
  const [only] = levels.lines;
  assert.equal(levels.exact, false);
  assert.equal(levels.x.length, 10);
  assert.equal(Math.max(...only!.high!.map(Number)), 1_000);
  assert.deepEqual(only!.counts, Array(10).fill(100));
  assert.equal(only!.mean[5], (99 + 1_000) / 100);
});

test('NaN and infinite points are counted and break the line where nothing else stands', () => {
  const levels = toLevels([line([0, 1], [1, Number.NaN], [2, Number.MAX_VALUE], [3, 4])], { slots: 10, whole: true });
  const [only] = levels.lines;
  assert.equal(only!.count, 4);
  assert.deepEqual(only!.mean, [1, null, null, 4]);
  assert.deepEqual([only!.nan, only!.infinite], [[1], [2]]);
});

test('a range answers its own points only, and no points are no slots', () => {
  const points = Array.from({ length: 100 }, (_, i) => [i, i] as const);
  const levels = toLevels([line(...points), line()], { slots: 50, whole: true, from: 20, to: 29 });
  assert.deepEqual([levels.exact, levels.x.length, levels.lines[0]!.count], [true, 10, 10]);
  assert.deepEqual(toLevels([line()], { slots: 50, whole: false }).x, []);
});

test('no answer has more positions than were asked for, and every point is within what its slot says', () => {
  const points = fc.array(
    fc.tuple(fc.integer({ min: -1e6, max: 1e6 }), fc.double({ noNaN: true, min: -1e9, max: 1e9 })),
    {
      maxLength: 400,
    },
  );
  fc.assert(
    fc.property(points, fc.integer({ min: 10, max: 60 }), fc.boolean(), (all, slots, whole) => {
      const { x, lines } = toLevels([line(...all)], { slots, whole });
      const [only] = lines;
      assert.ok(x.length <= slots);
      assert.ok(x.every((at, i) => i === 0 || at > x[i - 1]!));
      assert.equal(
        (only!.counts ?? only!.mean.map((mean) => Number(mean !== null))).reduce((sum, n) => sum + n, 0),
        all.length,
      );
      const values = all.map(([, value]) => value);
      if (all.length === 0) return;
      assert.equal(Math.max(...(only!.high ?? only!.mean).filter((v) => v !== null)), Math.max(...values));
      assert.equal(Math.min(...(only!.low ?? only!.mean).filter((v) => v !== null)), Math.min(...values));
    }),
  );
});
