import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sharesIn } from './shares.ts';

const rounded = (shares: readonly number[]): number[] => shares.map((share) => Number(share.toFixed(6)));

test('a column in its own bins keeps its shares', () => {
  const stats = { histogram: { edges: [0, 1, 2], counts: [30, 10] }, quantiles: [] };
  assert.deepEqual(rounded(sharesIn(stats, [0, 1, 2])), [0.75, 0.25]);
});

test('what lies beyond the bins counts in the first and the last', () => {
  const stats = { histogram: { edges: [0, 1, 2, 3, 4], counts: [10, 10, 10, 10] }, quantiles: [] };
  assert.deepEqual(rounded(sharesIn(stats, [1, 2, 3])), [0.5, 0.5]);
});

test('one far value does not flatten the others, for quantiles tell where they lie', () => {
  const stats = {
    histogram: { edges: [0, 1_000, 2_000], counts: [999, 1] },
    quantiles: [1, 5, 25, 50, 75, 95, 99],
  };
  const shares = sharesIn(stats, [0, 25, 50, 75, 100]);
  for (const share of shares) assert.ok(Math.abs(share - 0.25) < 0.02, String(shares));
});

test('one value is in one bin', () => {
  const stats = { histogram: { edges: [5, 5], counts: [7] }, quantiles: [5, 5, 5, 5, 5, 5, 5] };
  assert.deepEqual(rounded(sharesIn(stats, [0, 4, 8])), [0, 1]);
});
