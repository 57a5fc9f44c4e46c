import assert from 'node:assert/strict';
import { test } from 'node:test';
import { smooth, toChartRuns, toSeries } from './metric-series.ts';

const line = (mean: readonly (number | null)[], more = {}) => ({
  count: mean.length,
  mean,
  low: null,
  high: null,
  counts: null,
  nan: [],
  infinite: [],
  ...more,
});

test('a smoothed line begins at its first value, and a constant stays what it is', () => {
  assert.deepEqual(
    smooth([5, 5, 5], 0.9).map((value) => Number(value).toFixed(6)),
    ['5.000000', '5.000000', '5.000000'],
  );
  // 0.5: (0.5·1 + 1·3) / (0.5 + 1), then (0.25·1 + 0.5·3 + 1·5) / 1.75
  assert.deepEqual(
    smooth([1, 3, 5], 0.5).map((value) => Number(value).toFixed(6)),
    ['1.000000', '2.333333', '3.857143'],
  );
});

test('gaps and NaN stay where they are and do not weigh', () => {
  const values = smooth([1, undefined, Number.NaN, 1], 0.9);
  assert.deepEqual(
    [values[0], values[1], Number.isNaN(values[2]), Number(values[3]).toFixed(6)],
    [1, undefined, true, '1.000000'],
  );
});

test('what is missing is no point, NaN breaks the line, and stretches have a band', () => {
  const runs = toChartRuns([{ id: 'a', name: 'one' }]);
  const levels = {
    x: [0, 10, 20],
    lines: [line([1, null, null], { nan: [2], low: [0, null, null], high: [2, null, null] })],
  };
  const [series] = toSeries(levels, runs, 0, 0.1).series;
  assert.deepEqual(toSeries(levels, runs, 0, 0.1).x, [0, 1, 2]);
  assert.deepEqual(series?.values, [1, undefined, Number.NaN]);
  assert.deepEqual(series?.band, { low: [0, undefined, undefined], high: [2, undefined, undefined] });
});

test('smoothing keeps what was measured behind the line', () => {
  const runs = toChartRuns([{ id: 'a', name: 'one' }]);
  const { series } = toSeries({ x: [0, 1], lines: [line([1, 2])] }, runs, 0.5);
  assert.deepEqual(
    series.map(({ label, rawOf }) => [label, rawOf]),
    [
      ['one as measured', 'one'],
      ['one', undefined],
    ],
  );
});

test('runs of one name are told apart, and the champion is always the dark neutral', () => {
  const runs = toChartRuns(
    [
      { id: 'x1234567', name: 'same' },
      { id: 'y7654321', name: 'same' },
    ],
    'y7654321',
  );
  assert.deepEqual(
    runs.map(({ label, colour }) => [label, colour]),
    [
      ['same 1234567', '--series-1'],
      ['same 7654321', '--champion'],
    ],
  );
});
