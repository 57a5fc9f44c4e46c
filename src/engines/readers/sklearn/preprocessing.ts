import type { Cell } from '../../../kernel/frame.ts';
import type { FunctionName, OneHotColumn, OrdinalColumn, Transform } from '../../model.ts';
import { NdArray, PyGlobal, PyObject, PyTuple, type PyValue } from '../graph.ts';
import { NeedsPython } from '../limits.ts';
import { arrayValues, classOf } from '../numpy.ts';
import { type Conversion, Fitted, itemsOf, toCell, toIndices } from './access.ts';

type Convert = (fitted: Fitted, conversion: Conversion) => Transform[];

/** Converters of preprocessing steps by class name. Each looks at the fitted state only. */
export const TRANSFORMERS: Readonly<Record<string, Convert>> = {
  StandardScaler: (f, c) => {
    const mean = f.flag('with_mean', true) ? f.optionalFloats('mean_', c) : undefined;
    const divide = f.flag('with_std', true) ? f.optionalFloats('scale_', c) : undefined;
    return [
      {
        op: 'scale',
        single: f.version >= 1.08 ? 'each' : 'end',
        ...(mean && { subtract: mean }),
        ...(divide && { divide }),
      },
    ];
  },
  MinMaxScaler: (f, c) => {
    const range = itemsOf(f.get('feature_range'));
    const clip = f.flag('clip', false) && range ? Float64Array.from(range, Number) : undefined;
    return [
      { op: 'scale', single: 'each', multiply: f.floats('scale_', c), add: f.floats('min_', c), ...(clip && { clip }) },
    ];
  },
  MaxAbsScaler: (f, c) => [
    {
      op: 'scale',
      single: 'each',
      divide: f.floats('scale_', c),
      ...(f.flag('clip', false) && { clip: Float64Array.of(-1, 1) }),
    },
  ],
  RobustScaler: (f, c) => {
    const center = f.flag('with_centering', true) ? f.optionalFloats('center_', c) : undefined;
    const divide = f.flag('with_scaling', true) ? f.optionalFloats('scale_', c) : undefined;
    return [{ op: 'scale', single: 'each', ...(center && { subtract: center }), ...(divide && { divide }) }];
  },
  SimpleImputer: imputer,
  OrdinalEncoder: (f, c) => [{ op: 'ordinal', columns: ordinalColumns(f, c) }],
  OneHotEncoder: (f, c) => [{ op: 'onehot', columns: oneHotColumns(f, c) }],
  FunctionTransformer: (f) => functionSteps(f.get('func')),
};

function imputer(f: Fitted, c: Conversion): Transform[] {
  if (typeof f.get('strategy') !== 'string') throw new NeedsPython('SimpleImputer with a callable strategy');
  const statistics = f.array('statistics_');
  c.chargeElements(statistics.size);
  const values = arrayValues(statistics);
  const isHole = (value: PyValue): boolean => typeof value === 'number' && Number.isNaN(value);
  const keepAll = f.flag('keep_empty_features', false) || f.text('strategy') === 'constant';
  const kept = values.flatMap((value, i) => (keepAll || !isHole(value) ? [i] : []));
  const indicator = f.get('indicator_');
  const indicators =
    indicator instanceof PyObject ? toIndices(new Fitted(indicator).get('features_')) : new Uint32Array(0);
  return [
    {
      op: 'impute',
      missing: missingValue(f.get('missing_values')),
      fill: values.map((value) => (isHole(value) ? null : toCell(value))),
      keep: Uint32Array.from(kept),
      indicators,
    },
  ];
}

/**
 * An imputer of NaN leaves None alone, and a null cell is the one or the other. Where the encoder behind it has learned None, rows
 * brought None when it was fitted, so null is None and stays.
 */
export function keepNones(steps: readonly Transform[]): Transform[] {
  return steps.map((step, i) => {
    const next = steps[i + 1];
    if (step.op !== 'impute' || step.missing.kind !== 'nan' || (next?.op !== 'ordinal' && next?.op !== 'onehot'))
      return step;
    const fill = [...step.fill];
    for (const [place, column] of step.keep.entries())
      if ((next.columns[place]?.categories.none ?? -1) >= 0) fill[column] = null;
    return { ...step, fill };
  });
}

function missingValue(value: PyValue): { kind: 'nan' | 'none' } | { kind: 'value'; value: Cell } {
  if (value === undefined || (typeof value === 'number' && Number.isNaN(value))) return { kind: 'nan' };
  if (value === null) return { kind: 'none' };
  if (value instanceof PyObject || value instanceof PyGlobal) throw new NeedsPython('SimpleImputer with pd.NA');
  return { kind: 'value', value: toCell(value) };
}

function categoryArrays(f: Fitted): NdArray[] {
  return f.items('categories_').map((array) => {
    if (!(array instanceof NdArray)) throw new NeedsPython(`${f.name}.categories_ holds no arrays`);
    return array;
  });
}

/** The infrequent mapping of a column, from categories to codes, or undefined. */
function infrequentMap(f: Fitted, column: number): readonly number[] | undefined {
  if (!f.flag('_infrequent_enabled', false)) return undefined;
  const mapping = f.items('_default_to_infrequent_mappings')[column];
  return mapping instanceof NdArray ? arrayValues(mapping).map(Number) : undefined;
}

function ordinalColumns(f: Fitted, c: Conversion): OrdinalColumn[] {
  const missing = Number(f.number('encoded_missing_value', Number.NaN));
  const useValue = f.text('handle_unknown', 'error') === 'use_encoded_value';
  return categoryArrays(f).map((array, j) => {
    const categories = c.categoriesOf(array);
    const mapping = infrequentMap(f, j);
    const codes = Float64Array.from(categories.values, (_, i) => mapping?.[i] ?? i);
    // NaN has a code of its own, whatever the mapping says; None is a category like any other.
    if (categories.nan >= 0) codes[categories.nan] = missing;
    return { categories, codes, ...(useValue && { unknown: Float64Array.of(f.number('unknown_value', Number.NaN)) }) };
  });
}

function oneHotColumns(f: Fitted, c: Conversion): OneHotColumn[] {
  const widths = f.get('_n_features_outs') === undefined ? undefined : f.items('_n_features_outs');
  const drops = itemsOf(f.get('_drop_idx_after_grouping') ?? f.get('drop_idx_'));
  const handle = f.text('handle_unknown', 'error');
  return categoryArrays(f).map((array, j) => {
    const categories = c.categoriesOf(array);
    const mapping = infrequentMap(f, j);
    const drop = typeof drops?.[j] === 'number' ? drops[j] : undefined;
    const toSlot = (code: number): number => (drop === undefined || code < drop ? code : code === drop ? -1 : code - 1);
    const slots = Int32Array.from(categories.values, (_, i) => toSlot(mapping?.[i] ?? i));
    const width = typeof widths?.[j] === 'number' ? widths[j] : Math.max(...slots, -1) + 1;
    if (slots.some((slot) => slot >= width)) throw new NeedsPython('OneHotEncoder with more categories than outputs');
    const unknown = unknownSlot(handle, infrequentCode(f, j), toSlot);
    return { categories, slots, width, ...(unknown !== undefined && { unknown }) };
  });
}

/** The code that infrequent categories share: the mapping's value at any infrequent index. */
function infrequentCode(f: Fitted, column: number): number | undefined {
  const mapping = infrequentMap(f, column);
  const indices = mapping && f.items('_infrequent_indices')[column];
  const first = indices instanceof NdArray ? arrayValues(indices)[0] : undefined;
  return typeof first === 'number' ? mapping![first] : undefined;
}

function unknownSlot(
  handle: string,
  infrequent: number | undefined,
  toSlot: (code: number) => number,
): number | undefined {
  if (handle === 'error') return undefined;
  if (handle === 'ignore' || infrequent === undefined) return -1;
  return toSlot(infrequent);
}

const UFUNCS: Readonly<Record<string, FunctionName>> = {
  log1p: 'log1p',
  log: 'log',
  log2: 'log2',
  log10: 'log10',
  exp: 'exp',
  expm1: 'expm1',
  sqrt: 'sqrt',
  abs: 'abs',
  absolute: 'abs',
  square: 'square',
  sign: 'sign',
};

/** None is the identity; numpy's own functions are known; check_array, as histogram boosting uses it, is a cast. */
function functionSteps(func: PyValue): Transform[] {
  if (func === undefined || func === null) return [];
  const named = functionName(func);
  if (named?.module.startsWith('numpy') && Object.hasOwn(UFUNCS, named.name))
    return [{ op: 'function', name: UFUNCS[named.name]! }];
  if (named?.path === 'sklearn.utils.validation.check_array') return [{ op: 'function', name: 'float64' }];
  throw new NeedsPython(`FunctionTransformer of ${named ? named.path : 'a function by value'}`);
}

function functionName(func: PyValue): PyGlobal | undefined {
  if (func instanceof PyGlobal) return func;
  if (!(func instanceof PyObject)) return undefined;
  const type = classOf(func);
  const first = func.args instanceof PyTuple ? func.args.items[0] : undefined;
  if (type?.path === 'functools.partial') {
    const inner = func.state instanceof PyTuple ? func.state.items[0] : first;
    return inner instanceof PyGlobal && inner.path === 'sklearn.utils.validation.check_array' ? inner : undefined;
  }
  // numpy pickles a ufunc as _ufunc_reconstruct(module, name).
  if (type?.name === '_ufunc_reconstruct' || type?.name === '_ufunc_reduce') {
    const [module, name] = func.args instanceof PyTuple ? func.args.items : [];
    return typeof name === 'string' ? new PyGlobal(String(module), name) : undefined;
  }
  return undefined;
}
