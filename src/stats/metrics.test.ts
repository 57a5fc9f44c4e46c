import assert from 'node:assert/strict';
import { test } from 'node:test';
import { auc, ece, metricNamed, metricValue, type Scored } from './metrics.ts';

const near = (got: number | null, want: number) => assert.ok(Math.abs(got! - want) < 1e-9, `${got} is not ${want}`);

/** Evidently's performance test data, values of scikit-learn. */
const evidently: Scored = {
  task: 'binary',
  y: Float64Array.of(1, 0, 0, 1, 1, 1, 0, 1, 0, 0),
  scores: Float64Array.of(0.91, 0.82, 0.73, 0.64, 0.55, 0.46, 0.37, 0.28, 0.19, 0),
  threshold: 0.7,
};

test('binary metrics agree with scikit-learn', () => {
  const expected = {
    accuracy: 0.4,
    precision: 1 / 3,
    recall: 0.2,
    auc: 0.64,
    log_loss: 0.6884817487155065,
    brier: 0.25285,
  };
  for (const [name, value] of Object.entries({ ...expected, f1: 0.25, ece: 0.427 }))
    near(metricValue(name, evidently), value);
});

test('the calibration error depends on the number of bins', () =>
  near(ece(evidently.y, (evidently as { scores: Float64Array }).scores, 5), 0.263));

test('ties count half in the AUC, and one class has none', () => {
  near(auc(Float64Array.of(0, 0, 1, 1, 1), Float64Array.of(0.1, 0.5, 0.5, 0.5, 0.9)), 0.8333333333333334);
  assert.equal(auc(Float64Array.of(1, 1), Float64Array.of(0.1, 0.2)), null);
});

test('regression metrics agree with scikit-learn', () => {
  const scored: Scored = {
    task: 'regression',
    y: Float64Array.of(3, -0.5, 2, 7),
    scores: Float64Array.of(2.5, 0, 2, 8),
  };
  near(metricValue('mae', scored), 0.5);
  near(metricValue('rmse', scored), 0.6123724356957945);
  near(metricValue('r2', scored), 0.9486081370449679);
});

test('multiclass log loss takes the probability of the true class', () => {
  const probabilities = [Float64Array.of(0.7, 0.2), Float64Array.of(0.2, 0.5), Float64Array.of(0.1, 0.3)];
  const scored: Scored = { task: 'multiclass', y: Float64Array.of(0, 1), probabilities };
  near(metricValue('log_loss', scored), -(Math.log(0.7) + Math.log(0.5)) / 2);
  near(metricValue('accuracy', scored), 1);
});

test('a metric that does not fit the task is refused with those that do', () => {
  assert.throws(
    () => metricNamed('auc', 'regression'),
    /"auc" is not one for a regression model; take one of mse, rmse, mae, r2/,
  );
});
