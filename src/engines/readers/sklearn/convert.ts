import type { Cell } from '../../../kernel/frame.ts';
import type {
  CalibratedEstimator,
  Calibrator,
  ColumnsTransform,
  EngineModel,
  Estimator,
  Transform,
} from '../../model.ts';
import type { ModelGraph, PyValue } from '../graph.ts';
import { NdArray, PyDict, PyObject, PyTuple } from '../graph.ts';
import { NeedsPython, refuse } from '../limits.ts';
import { arrayValues } from '../numpy.ts';
import { type Conversion, classCells, Fitted, itemsOf, Conversion as Ledger, nested, toIndices } from './access.ts';
import { convertGradientBoosting, convertHistBoosting } from './boosting.ts';
import { convertLinear, LINEAR_CLASSIFIERS, LINEAR_REGRESSORS } from './linear.ts';
import { keepNones, TRANSFORMERS } from './preprocessing.ts';
import { convertForest, TREES } from './trees.ts';

/** Raised when a converter changes what it answers: part of the key of converted models. */
export const READER_VERSION = 1;

interface Converted {
  readonly steps: readonly Transform[];
  readonly estimator: Estimator;
  readonly classes: readonly Cell[] | null;
}

/** The graph of a fitted scikit-learn estimator as an engine model. Throws `NeedsPython` where a part has no engine. */
export function convertSklearn(graph: ModelGraph): EngineModel {
  const top = new Fitted(graph.root);
  if (!top.module.startsWith('sklearn.')) throw new NeedsPython(`the class ${top.module}.${top.name}`);
  const conversion = new Ledger(graph.fileBytes);
  const { steps, estimator, classes } = convert(graph.root, conversion, 0);
  const names = inputNames(graph.root, 0);
  const count = names?.length ?? inputCount(graph.root, 0);
  return {
    task: classes === null ? 'regression' : classes.length === 2 ? 'binary' : 'multiclass',
    ...narrowInputs(names, count, steps),
    classes,
    estimator,
    reader: `${graph.reader}/${READER_VERSION}`,
    library: `scikit-learn ${libraryVersion(graph.root, 0)}`,
  };
}

/** Columns that a column transformer selects by name are all it needs: others may be absent. */
function narrowInputs(
  names: readonly string[] | null,
  count: number,
  steps: readonly Transform[],
): Pick<EngineModel, 'inputs' | 'steps'> {
  const [first, ...rest] = steps;
  if (names === null || first?.op !== 'columns') return { inputs: { names, count }, steps };
  const used = [...new Set(first.parts.flatMap(({ from }) => [...from]))].sort((a, b) => a - b);
  const place = new Map(used.map((column, i) => [column, i]));
  const parts = first.parts.map((part) => ({ ...part, from: part.from.map((column) => place.get(column)!) }));
  return { inputs: { names: used.map((i) => names[i]!), count: used.length }, steps: [{ ...first, parts }, ...rest] };
}

function convert(value: PyValue, conversion: Conversion, depth: number): Converted {
  const inner = nested(depth);
  const f = new Fitted(value);
  conversion.chargeEstimator();
  const wrapper = Object.hasOwn(WRAPPERS, f.name) ? f.get(WRAPPERS[f.name]!) : undefined;
  if (wrapper !== undefined) return convert(wrapper, conversion, inner);
  if (f.name === 'Pipeline') return convertPipeline(f, conversion, inner);
  if (f.name === 'CalibratedClassifierCV')
    return { steps: [], estimator: convertCalibrated(f, conversion, inner), classes: checkClasses(f) };
  if (LINEAR_REGRESSORS.has(f.name)) return { steps: [], estimator: convertLinear(f, conversion), classes: null };
  if (Object.hasOwn(LINEAR_CLASSIFIERS, f.name))
    return { steps: [], estimator: convertLinear(f, conversion), classes: checkClasses(f) };
  const classes = f.name.endsWith('Classifier') ? checkClasses(f) : null;
  if (TREES.has(f.name)) return { steps: [], estimator: convertForest(f, conversion), classes };
  if (f.name === 'GradientBoostingClassifier' || f.name === 'GradientBoostingRegressor')
    return {
      steps: [],
      estimator: convertGradientBoosting(f, conversion, (v) => convert(v, conversion, inner)),
      classes,
    };
  if (f.name === 'HistGradientBoostingClassifier' || f.name === 'HistGradientBoostingRegressor')
    return { steps: histSteps(f, conversion, inner), estimator: convertHistBoosting(f, conversion), classes };
  throw new NeedsPython(`the estimator ${f.name}`);
}

const WRAPPERS: Readonly<Record<string, string>> = {
  GridSearchCV: 'best_estimator_',
  RandomizedSearchCV: 'best_estimator_',
  HalvingGridSearchCV: 'best_estimator_',
  HalvingRandomSearchCV: 'best_estimator_',
  FrozenEstimator: 'estimator',
};

/** Labels from RidgeClassifier before 1.8 stand in its label binarizer. */
function checkClasses(f: Fitted): Cell[] {
  const holder = f.has('classes_') ? f : new Fitted(f.get('_label_binarizer'));
  const classes = classCells(holder);
  if (classes.length < 2) throw new NeedsPython(`${f.name} with ${classes.length} class`);
  if (classes.some((cell) => typeof cell === 'number' && !Number.isFinite(cell)))
    throw new NeedsPython('a class label that is not finite');
  return classes;
}

function convertPipeline(f: Fitted, conversion: Conversion, depth: number): Converted {
  const steps = stepsOf(f);
  const last = steps.at(-1);
  if (!last) throw refuse('a pipeline has no steps');
  const before = steps.slice(0, -1).flatMap((step) => convertTransformer(step, conversion, depth));
  const final = convert(last, conversion, depth);
  return { ...final, steps: keepNones([...before, ...final.steps]) };
}

/** The objects of a pipeline's (name, object) pairs. */
function stepsOf(f: Fitted): PyValue[] {
  return f.items('steps').map((pair) => (pair instanceof PyTuple || itemsOf(pair) ? itemsOf(pair)![1] : undefined));
}

function convertTransformer(value: PyValue, conversion: Conversion, depth: number): Transform[] {
  const inner = nested(depth);
  if (value === null || value === undefined || value === 'passthrough') return [];
  const f = new Fitted(value);
  conversion.chargeEstimator();
  if (!f.module.startsWith('sklearn.')) throw new NeedsPython(`the class ${f.module}.${f.name}`);
  if (f.name === 'Pipeline')
    return keepNones(stepsOf(f).flatMap((step) => convertTransformer(step, conversion, inner)));
  if (f.name === 'ColumnTransformer') return [convertColumns(f, conversion, inner)];
  if (f.name === 'FeatureUnion') return [convertUnion(f, conversion, inner)];
  if (!Object.hasOwn(TRANSFORMERS, f.name)) throw new NeedsPython(`the transformer ${f.name}`);
  return TRANSFORMERS[f.name]!(f, conversion);
}

function convertColumns(f: Fitted, conversion: Conversion, depth: number): ColumnsTransform {
  const indices = f.get('_transformer_to_input_indices');
  const weights = f.get('transformer_weights');
  const parts = f.items('transformers_').flatMap((entry) => {
    const [name, transformer, columns] = itemsOf(entry) ?? [];
    if (transformer === 'drop' || typeof name !== 'string') return [];
    if (typeof columns === 'string') throw new NeedsPython('ColumnTransformer with a column selected as a scalar');
    const from = toIndices(indices instanceof PyDict ? indices.get(name) : columns);
    if (from.length === 0) return [];
    conversion.chargeElements(from.length);
    const weight = weights instanceof PyDict ? weights.get(name) : undefined;
    const steps = convertTransformer(transformer, conversion, depth);
    return [{ from, steps, ...(typeof weight === 'number' && { weight }) }];
  });
  return { op: 'columns', parts };
}

function convertUnion(f: Fitted, conversion: Conversion, depth: number): ColumnsTransform {
  const weights = f.get('transformer_weights');
  const count =
    inputCountOf(f) ?? f.items('transformer_list').map((entry) => inputCount(itemsOf(entry)?.[1], depth))[0] ?? 0;
  const all = Uint32Array.from({ length: count }, (_, i) => i);
  const parts = f.items('transformer_list').flatMap((entry) => {
    const [name, transformer] = itemsOf(entry) ?? [];
    if (transformer === 'drop' || typeof name !== 'string') return [];
    const weight = weights instanceof PyDict ? weights.get(name) : undefined;
    return [
      {
        from: all,
        steps: convertTransformer(transformer, conversion, depth),
        ...(typeof weight === 'number' && { weight }),
      },
    ];
  });
  return { op: 'columns', parts };
}

/** From 1.4 a preprocessor encodes the categories and moves them to the front. */
function histSteps(f: Fitted, conversion: Conversion, depth: number): Transform[] {
  const preprocessor = f.get('_preprocessor');
  return preprocessor instanceof PyObject ? convertTransformer(preprocessor, conversion, depth) : [];
}

function convertCalibrated(f: Fitted, conversion: Conversion, depth: number): CalibratedEstimator {
  const outputs = f.array('classes_').size;
  const members = f.items('calibrated_classifiers_').map((value) => {
    const member = new Fitted(value);
    const inner = convert(member.get('estimator') ?? member.get('base_estimator'), conversion, depth);
    if (inner.classes?.length !== outputs)
      throw new NeedsPython('a calibrated classifier whose folds saw other classes');
    const calibrators = member
      .items('calibrators')
      .map((c, k) => calibrator(new Fitted(c), outputs === 2 ? 1 : k, conversion));
    return { estimator: inner.estimator, steps: inner.steps, calibrators };
  });
  return { op: 'calibrated', outputs, members };
}

function calibrator(f: Fitted, target: number, conversion: Conversion): Calibrator {
  if (f.name === '_SigmoidCalibration')
    return { kind: 'sigmoid', target, ab: Float64Array.of(f.number('a_'), f.number('b_')) };
  if (f.name !== 'IsotonicRegression') throw new NeedsPython(`the calibration ${f.name}`);
  return {
    kind: 'isotonic',
    target,
    x: f.floats('X_thresholds_', conversion),
    y: f.floats('y_thresholds_', conversion),
  };
}

/** The part of a model that first sees the rows. */
function firstPart(f: Fitted): PyValue {
  if (f.name === 'Pipeline') return stepsOf(f).find((step) => step !== null && step !== 'passthrough');
  if (f.name === 'FeatureUnion') return itemsOf(f.items('transformer_list')[0])?.[1];
  return Object.hasOwn(WRAPPERS, f.name) ? f.get(WRAPPERS[f.name]!) : undefined;
}

function inputNames(value: PyValue, depth: number): string[] | null {
  const inner = nested(depth);
  const f = new Fitted(value);
  const names = f.get('feature_names_in_');
  if (names instanceof NdArray) return arrayValues(names).map(String);
  const first = firstPart(f);
  return first instanceof PyObject ? inputNames(first, inner) : null;
}

const inputCountOf = (f: Fitted): number | undefined =>
  typeof f.get('n_features_in_') === 'number' ? f.number('n_features_in_') : undefined;

function inputCount(value: PyValue, depth: number): number {
  const inner = nested(depth);
  if (!(value instanceof PyObject)) throw new NeedsPython('a model that does not say how many columns it takes');
  const f = new Fitted(value);
  return inputCountOf(f) ?? inputCount(firstPart(f), inner);
}

function libraryVersion(value: PyValue, depth: number): string {
  const inner = nested(depth);
  const f = new Fitted(value);
  const version = f.get('_sklearn_version');
  if (typeof version === 'string') return version.slice(0, 40);
  const first = firstPart(f);
  return first instanceof PyObject ? libraryVersion(first, inner) : 'unknown';
}
