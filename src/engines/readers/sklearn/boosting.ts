import type { Estimator, Transform, TreesEstimator } from '../../model.ts';
import { NdArray, type PyValue } from '../graph.ts';
import { NeedsPython, refuse } from '../limits.ts';
import { arrayValues, fieldValues, toFloat64 } from '../numpy.ts';
import { type Conversion, Fitted, itemsOf } from './access.ts';
import { addRegressionTree, ForestBuilder } from './trees.ts';

/** Converts a nested estimator; handed in because estimators nest. */
export type ConvertNested = (value: PyValue) => { readonly steps: readonly Transform[]; readonly estimator: Estimator };

/** Gradient boosting: raw = link of the initial model + Σ rate · leaf. */
export function convertGradientBoosting(f: Fitted, conversion: Conversion, convert: ConvertNested): TreesEstimator {
  const grid = f.array('estimators_');
  const outputs = grid.shape[1] ?? 1;
  const rate = f.number('learning_rate');
  const builder = new ForestBuilder(f.number('n_features_in_'), conversion);
  for (const [i, member] of arrayValues(grid).entries()) {
    conversion.chargeEstimator();
    addRegressionTree(builder, new Fitted(member).get('tree_'), i % outputs, rate, conversion);
  }
  const classifier = f.name === 'GradientBoostingClassifier';
  const exponential = classifier && f.text('loss') === 'exponential';
  return {
    op: 'trees',
    ...builder.tables(),
    outputs,
    single: true,
    infinity: false,
    missing: false,
    divide: 1,
    link: !classifier ? 'identity' : outputs > 1 ? 'softmax' : exponential ? 'expit2' : 'expit',
    zeroIsPositive: true,
    ...initial(f, outputs, classifier, exponential, conversion, convert),
  };
}

type Initial = Pick<TreesEstimator, 'baseline'> & Partial<Pick<TreesEstimator, 'init' | 'initLink'>>;

function initial(
  f: Fitted,
  outputs: number,
  classifier: boolean,
  exponential: boolean,
  conversion: Conversion,
  convert: ConvertNested,
): Initial {
  const value = f.get('init_');
  if (value === 'zero') return { baseline: new Float64Array(outputs) };
  const init = new Fitted(value);
  const epsilon = f.version >= 1.08 ? 2 ** -52 : 2 ** -23;
  if (init.name === 'DummyRegressor') return { baseline: init.floats('constant_', conversion) };
  if (init.name === 'DummyClassifier') {
    if (init.text('strategy', 'prior') !== 'prior')
      throw new NeedsPython('gradient boosting from a DummyClassifier that is no prior');
    const priors = init.floats('class_prior_', conversion).map((p) => Math.min(Math.max(p, epsilon), 1 - epsilon));
    return { baseline: priorScores(priors, outputs, exponential, f.version) };
  }
  const { steps, estimator } = convert(value);
  if (steps.length > 0) throw new NeedsPython('gradient boosting from a pipeline');
  const many = f.version >= 1.04 ? 'centred-log' : 'log';
  const kind = !classifier ? 'identity' : outputs > 1 ? many : exponential ? 'half-logit' : 'logit';
  return { baseline: new Float64Array(outputs), init: estimator, initLink: { kind, epsilon } };
}

function priorScores(priors: Float64Array, outputs: number, exponential: boolean, version: number): Float64Array {
  if (outputs === 1) {
    const p = priors[1]!;
    return Float64Array.of((exponential ? 0.5 : 1) * Math.log(p / (1 - p)));
  }
  if (version < 1.04) return priors.map(Math.log);
  const mean = Math.exp(priors.reduce((sum, p) => sum + Math.log(p), 0) / priors.length);
  return priors.map((p) => Math.log(p / mean));
}

/** Histogram gradient boosting, on the matrix that its preprocessor makes. */
export function convertHistBoosting(f: Fitted, conversion: Conversion): TreesEstimator {
  const outputs = f.number('n_trees_per_iteration_');
  const features = f.number('_n_features', f.number('n_features_in_'));
  const builder = new ForestBuilder(features, conversion);
  const leftSets: number[] = [];
  for (const iteration of f.items('_predictors')) {
    for (const [k, predictor] of (itemsOf(iteration) ?? []).entries()) {
      conversion.chargeEstimator();
      addPredictor(builder, new Fitted(predictor), k, leftSets);
    }
  }
  const baseline = f.get('_baseline_prediction');
  const known = leftSets.length > 0 ? knownSets(f, features) : undefined;
  const classifier = f.name === 'HistGradientBoostingClassifier';
  const positiveLoss = ['poisson', 'gamma'].includes(f.text('loss', ''));
  if (typeof f.get('loss') !== 'string') throw new NeedsPython('histogram boosting with a loss of its own');
  return {
    op: 'trees',
    ...builder.tables(),
    ...(known && { leftSets: Uint32Array.from(leftSets), knownSets: known }),
    outputs,
    single: false,
    infinity: true,
    missing: true,
    baseline: baseline instanceof NdArray ? toFloat64(baseline) : new Float64Array(outputs).fill(Number(baseline)),
    divide: 1,
    link: classifier ? (outputs > 1 ? 'softmax' : 'expit') : positiveLoss ? 'exp' : 'identity',
    zeroIsPositive: false,
  };
}

function addPredictor(builder: ForestBuilder, predictor: Fitted, target: number, leftSets: number[]): void {
  const nodes = predictor.array('nodes');
  const read = (name: string): Float64Array => fieldValues(nodes, name) ?? missingField(name);
  const leaf = read('is_leaf');
  const value = read('value');
  const categorical = read('is_categorical');
  const bitsetIndex = read('bitset_idx');
  const sets = predictor.get('raw_left_cat_bitsets');
  const words = sets instanceof NdArray && sets.size > 0 ? toFloat64(sets) : new Float64Array(0);
  const offset = leftSets.length / 8;
  for (const word of words) leftSets.push(word);
  builder.add(
    {
      left: read('left'),
      right: read('right'),
      feature: read('feature_idx'),
      threshold: read('num_threshold'),
      missingLeft: read('missing_go_to_left'),
      isLeaf: (node) => leaf[node] !== 0,
      leafValue: (node) => value[node]!,
      bitset: (node) => {
        if (categorical[node] === 0) return -1;
        const index = bitsetIndex[node]!;
        if (index * 8 + 8 > words.length) throw refuse(`a node names bitset ${index}`);
        return offset + index;
      },
    },
    target,
  );
}

function missingField(name: string): never {
  throw refuse(`a tree's nodes have no ${name}`);
}

/** 256 bits a feature: the categories that the model saw. */
function knownSets(f: Fitted, features: number): Uint32Array {
  const mapper = new Fitted(f.get('_bin_mapper'));
  const flags = mapper.items('is_categorical_').map(Number);
  const thresholds = mapper.items('bin_thresholds_');
  const sets = new Uint32Array(features * 8);
  for (const [j, flag] of flags.entries()) {
    const values = thresholds[j];
    if (!flag || j >= features || !(values instanceof NdArray)) continue;
    for (const category of toFloat64(values)) {
      const bit = Math.trunc(category) & 255;
      sets[j * 8 + (bit >> 5)]! |= 1 << (bit & 31);
    }
  }
  return sets;
}
