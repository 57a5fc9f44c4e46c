import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Frame } from '../kernel/frame.ts';
import {
  binOf,
  buildProfile,
  Counters,
  emptyWindow,
  latencyQuantileUs,
  mergeWindow,
  profileColumn,
} from './profile.ts';

const frame = (x: number[], c: (string | null)[]): Frame => ({
  rowCount: x.length,
  columns: [
    { name: 'x', values: Float64Array.from(x) },
    { name: 'c', values: c },
  ],
});
const answers = (n: number) => ({ labels: new Array<number>(n).fill(1), scores: new Float64Array(n).fill(0.5) });

test('a value equal to an edge falls into the bin above it', () => {
  const edges = Float64Array.of(1, 2, 3);
  assert.deepEqual(
    [0, 1, 1.5, 3, 9].map((x) => binOf(edges, x)),
    [0, 1, 1, 3, 3],
  );
});

test('numbers get quantile bins that hold equal counts, text its most frequent values', () => {
  const numeric = profileColumn(
    'x',
    Float64Array.from({ length: 3200 }, (_, i) => i),
  );
  assert.equal(numeric.kind, 'numeric');
  assert.ok(numeric.counts.length === 32 && numeric.counts.every((n) => n === 100));
  const text = profileColumn('c', ['b', 'a', 'b', null]);
  assert.deepEqual(text, { name: 'c', kind: 'category', values: ['b', 'a'], counts: [2, 1], other: 0, nulls: 1 });
});

test('counting the reference again gives the reference counts', () => {
  const reference = frame([1, 2, 3, 4, 5, 6], ['a', 'b', 'a', 'a', null, 'b']);
  const profile = buildProfile(reference, new Float64Array(6).fill(0.5), 0.5);
  const counters = new Counters(profile);
  counters.count(reference, answers(6), 900);
  profile.features.forEach((feature, i) => {
    const bins = counters.window.features[i]!.bins;
    assert.deepEqual(feature.kind === 'numeric' ? bins : bins.slice(0, -1), feature.counts);
    assert.equal(counters.window.features[i]!.nulls, feature.nulls);
  });
});

test('merging windows is addition: in any order and grouping', () => {
  const profile = buildProfile(frame([1, 2, 3, 4], ['a', 'b', 'a', 'c']), Float64Array.of(0.1, 0.2, 0.3, 0.4), null);
  const rows = fc.array(fc.tuple(fc.integer({ min: -5, max: 9 }), fc.constantFrom('a', 'b', 'z', null)), {
    maxLength: 8,
  });
  const count = (part: [number, string | null][]) => {
    const counters = new Counters(profile);
    counters.count(
      frame(
        part.map(([x]) => x),
        part.map(([, c]) => c),
      ),
      answers(part.length),
      50,
    );
    return counters.window;
  };
  fc.assert(
    fc.property(rows, rows, rows, (a, b, c) => {
      const left = mergeWindow(mergeWindow(mergeWindow(emptyWindow(profile), count(a)), count(b)), count(c));
      const right = mergeWindow(mergeWindow(mergeWindow(emptyWindow(profile), count(c)), count(b)), count(a));
      assert.deepEqual(left, right);
      assert.equal(left.rows, a.length + b.length + c.length);
    }),
  );
});

test('latency quantiles are at most one bin too high', () => {
  const counters = new Counters(buildProfile(frame([], []), new Float64Array(0), null));
  for (let us = 1; us <= 1000; us++) counters.count(frame([], []), answers(0), us);
  const p99 = latencyQuantileUs(counters.window.latency, 0.99)!;
  assert.ok(p99 >= 990 && p99 <= 990 * 1.1, String(p99));
  assert.equal(latencyQuantileUs([], 0.5), null);
});
