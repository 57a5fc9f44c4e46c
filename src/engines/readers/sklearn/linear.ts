import type { LinearEstimator } from '../../model.ts';
import { NeedsPython } from '../limits.ts';
import type { Conversion, Fitted } from './access.ts';

/** Regressors that are a weighted sum. */
export const LINEAR_REGRESSORS: ReadonlySet<string> = new Set([
  'LinearRegression',
  'Ridge',
  'RidgeCV',
  'Lasso',
  'LassoCV',
  'LassoLars',
  'ElasticNet',
  'ElasticNetCV',
  'SGDRegressor',
  'HuberRegressor',
  'BayesianRidge',
  'ARDRegression',
  'Lars',
  'LinearSVR',
  'TheilSenRegressor',
  'OrthogonalMatchingPursuit',
  'PassiveAggressiveRegressor',
  'QuantileRegressor',
]);

/** Classifiers whose scores are weighted sums, and how their scores become probabilities. */
export const LINEAR_CLASSIFIERS: Readonly<
  Record<string, (fitted: Fitted, outputs: number) => LinearEstimator['link']>
> = {
  LogisticRegression: logisticLink,
  LogisticRegressionCV: logisticLink,
  SGDClassifier: (f, outputs) => {
    const loss = f.text('loss');
    if (loss === 'log_loss' || loss === 'log') return outputs === 1 ? 'expit' : 'ovr';
    return loss === 'modified_huber' ? 'huber' : 'none';
  },
  RidgeClassifier: () => 'none',
  RidgeClassifierCV: () => 'none',
  LinearSVC: () => 'none',
  Perceptron: () => 'none',
  PassiveAggressiveClassifier: () => 'none',
};

function logisticLink(f: Fitted, outputs: number): LinearEstimator['link'] {
  const scheme = f.version < 1.08 ? f.text('multi_class', 'auto') : 'auto';
  const liblinear = f.text('solver', 'lbfgs') === 'liblinear';
  const ovr = scheme === 'ovr' || (scheme !== 'multinomial' && (outputs === 1 || liblinear));
  if (outputs === 1) return ovr ? 'expit' : 'expit2';
  return ovr ? 'ovr' : 'softmax';
}

export function convertLinear(f: Fitted, conversion: Conversion, link?: LinearEstimator['link']): LinearEstimator {
  const { shape } = f.array('coef_');
  const outputs = shape.length === 2 ? shape[0]! : 1;
  const features = shape.length === 2 ? shape[1]! : (shape[0] ?? 0);
  const coef = f.floats('coef_', conversion);
  const given = f.get('intercept_') === undefined ? Float64Array.of(0) : f.floats('intercept_', conversion);
  const intercept = given.length === outputs ? given : new Float64Array(outputs).fill(given[0] ?? 0);
  const chosen = link ?? LINEAR_CLASSIFIERS[f.name]?.(f, outputs) ?? 'identity';
  if (chosen === 'identity' && outputs !== 1) throw new NeedsPython(`${f.name} with ${outputs} outputs`);
  return { op: 'linear', coef, intercept, outputs, features, link: chosen, uniform: f.version >= 1.09 };
}
