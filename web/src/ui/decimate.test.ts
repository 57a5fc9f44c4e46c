import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { undrawable } from './chart-parts.ts';
import { decimate } from './decimate.ts';

const ascending = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

test('few points stay as they are', () => {
  const data = { x: [1, 2, 3], columns: [[4, null, 6]] };
  assert.deepEqual(decimate(data, 1, 3, 100), data);
});

test('many points become at most two a pixel, and no peak is lost', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ noNaN: true, min: -1e9, max: 1e9 }), { minLength: 500, maxLength: 3_000 }),
      (values) => {
        const data = { x: ascending(values.length), columns: [values] };
        const { x, columns } = decimate(data, 0, values.length - 1, 100);
        assert.ok(x.length <= 2 * 101, `${x.length} points for 100 pixels`);
        assert.equal(x.length, columns[0]?.length);
        assert.equal(Math.max(...(columns[0] as number[])), Math.max(...values));
        assert.equal(Math.min(...(columns[0] as number[])), Math.min(...values));
        assert.deepEqual(
          [...x].sort((a, b) => a - b),
          x,
        );
      },
    ),
  );
});

test('a range keeps a point on either side and the ends of all, so that lines leave the picture and zoom can be undone', () => {
  const { x } = decimate({ x: ascending(1_000), columns: [ascending(1_000)] }, 500, 510, 100);
  assert.deepEqual(x, [0, 499, ...ascending(12).map((i) => 500 + i), 999]);
});

test('a stretch of gaps stays a gap, and points that another line has are no gap', () => {
  const n = 1_000;
  const gap = ascending(n).map((i) => (i >= 400 && i < 600 ? null : 1));
  const other = ascending(n).map((i) => (i % 2 === 0 ? 1 : undefined));
  const { x, columns } = decimate({ x: ascending(n), columns: [gap, other] }, 0, n - 1, 50);
  const inGap = x.findIndex((at) => at >= 480);
  assert.equal(columns[0]?.[inGap], null);
  assert.ok(columns[1]?.every((value) => value !== null));
});

test('what cannot be drawn is counted in words', () => {
  const series = [{ label: 'loss', values: [1, Number.NaN, -1, Number.POSITIVE_INFINITY, null] }];
  assert.equal(undrawable({ series }), 'Not drawn: 1 NaN (not a number), 1 infinite.');
  assert.match(undrawable({ series, log: true }) ?? '', /1 at or below 0/);
  assert.equal(undrawable({ series: [{ label: 'a', values: [1] }] }), undefined);
});
