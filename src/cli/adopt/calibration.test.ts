import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gateMetric } from './calibration.ts';

const model = { task: 'classification', classes: [0, 1], target: 'Churn', positive: 'Yes' } as const;
const golden = (cells: readonly unknown[], positive: readonly number[]) => ({
  rows: { columns: [{ name: 'Churn', values: cells }] },
  probabilities: [positive.map((p) => 1 - p), positive],
});
const cells = ['Yes', 'No', 'No', 'No', 'Yes', 'No'];

test('probabilities that beat the base rate are judged as such', () => {
  assert.equal(gateMetric(model, golden(cells, [0.7, 0.2, 0.3, 0.1, 0.6, 0.4])), null);
});

test('a tree that is always certain is judged by how it ranks', () => {
  const found = gateMetric(model, golden(cells, [1, 0, 0, 0, 0, 0]));
  assert.equal(found?.metric, 'auc');
  // Five of six right, one certain and wrong: 52 bits of surprise, a sixth of them a row. The base rate: a third of the rows say yes.
  assert.match(found?.sentence ?? '', /log loss on its test rows is 6\.01, the base rate's 0\.64/);
});

test('many classes are judged by how often they are right; where words differ, by certainty alone', () => {
  const three = { task: 'multiclass', classes: ['a', 'b', 'c'], target: 'kind', positive: null } as const;
  const rows = (values: readonly unknown[]) => ({ columns: [{ name: 'kind', values }] });
  const certain = [
    [0, 1],
    [1, 0],
    [0, 0],
  ];
  assert.equal(gateMetric(three, { rows: rows(['a', 'b']), probabilities: certain })?.metric, 'accuracy');
  assert.match(gateMetric(three, { rows: rows([1, 2]), probabilities: certain })?.sentence ?? '', /exactly 0 or 1/);
  assert.equal(
    gateMetric(three, {
      rows: rows([1, 2]),
      probabilities: [
        [0.4, 0.2],
        [0.3, 0.7],
        [0.3, 0.1],
      ],
    }),
    null,
  );
});

test('labels alone and numbers have no probabilities to judge', () => {
  assert.equal(gateMetric(model, { rows: { columns: [] }, probabilities: null }), null);
  assert.equal(gateMetric({ ...model, task: 'regression' }, golden(cells, [1, 0, 0, 0, 0, 0])), null);
});
