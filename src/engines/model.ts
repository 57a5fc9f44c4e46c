import type { Cell } from '../kernel/frame.ts';
import type { Task } from './types.ts';

/** The engine file's number: raised when a reader of the old one would answer differently. */
export const ENGINE_FORMAT = 1;

/** Categories in their fitted order. `values` holds null where NaN or None stands; `nan` and `none` say where, -1 = nowhere. */
export interface Categories {
  readonly values: readonly Cell[];
  readonly nan: number;
  readonly none: number;
}

/** Subtract, divide, multiply, add, clip: in this order, each where present. */
export interface ScaleTransform {
  readonly op: 'scale';
  readonly subtract?: Float64Array;
  readonly divide?: Float64Array;
  readonly multiply?: Float64Array;
  readonly add?: Float64Array;
  readonly clip?: Float64Array;
  /** float32 rows: `each` rounds after every operation; `end` and `start` compute in float64 with rounded parameters from 1.8. */
  readonly single: 'each' | 'end' | 'start';
}

export interface ImputeTransform {
  readonly op: 'impute';
  /** What counts as missing. */
  readonly missing: { readonly kind: 'nan' | 'none' } | { readonly kind: 'value'; readonly value: Cell };
  /** Per column; null leaves the hole (NaN). */
  readonly fill: readonly Cell[];
  readonly keep: Uint32Array;
  readonly indicators: Uint32Array;
}

export interface OrdinalColumn {
  readonly categories: Categories;
  /** The code of each category; NaN allowed. */
  readonly codes: Float64Array;
  /** One value: the code of unknown ones. Absent: they are an error. */
  readonly unknown?: Float64Array;
}

export interface OneHotColumn {
  readonly categories: Categories;
  /** The output of each category; -1 = none (dropped). */
  readonly slots: Int32Array;
  readonly width: number;
  /** The output of unknown ones; -1 = all zeros; absent: they are an error. */
  readonly unknown?: number;
}

export interface ColumnsTransform {
  readonly op: 'columns';
  readonly parts: readonly {
    readonly from: Uint32Array;
    readonly steps: readonly Transform[];
    readonly weight?: number;
  }[];
}

export type Transform =
  | ScaleTransform
  | ImputeTransform
  | { readonly op: 'ordinal'; readonly columns: readonly OrdinalColumn[] }
  | { readonly op: 'onehot'; readonly columns: readonly OneHotColumn[] }
  | ColumnsTransform
  | { readonly op: 'function'; readonly name: FunctionName };

export type FunctionName =
  | 'log1p'
  | 'log'
  | 'log2'
  | 'log10'
  | 'exp'
  | 'expm1'
  | 'sqrt'
  | 'abs'
  | 'square'
  | 'sign'
  | 'float64';

export interface LinearEstimator {
  readonly op: 'linear';
  /** outputs × features, row-major. */
  readonly coef: Float64Array;
  readonly intercept: Float64Array;
  readonly outputs: number;
  readonly features: number;
  readonly link: 'identity' | 'none' | 'expit' | 'expit2' | 'softmax' | 'ovr' | 'huber';
  /** One-vs-rest rows that sum to zero: uniform from scikit-learn 1.9, NaN before. */
  readonly uniform: boolean;
}

export interface TreesEstimator {
  readonly op: 'trees';
  readonly nodes: Uint8Array;
  readonly roots: Uint32Array;
  readonly targets: Uint32Array;
  readonly leaves?: Float64Array;
  readonly leftSets?: Uint32Array;
  readonly knownSets?: Uint32Array;
  readonly outputs: number;
  readonly features: number;
  /** Rows are rounded to float32 first (trees, forests, gradient boosting) or not (histogram boosting). */
  readonly single: boolean;
  readonly infinity: boolean;
  readonly missing: boolean;
  /** Where sums begin, one an output. */
  readonly baseline: Float64Array;
  /** Sums are divided by this. */
  readonly divide: number;
  readonly link: 'identity' | 'exp' | 'probabilities' | 'expit' | 'expit2' | 'softmax';
  /** Of two classes: is a raw score of exactly 0 the second one? */
  readonly zeroIsPositive: boolean;
  /** A model whose answers are added to the baseline, through `initLink`. */
  readonly init?: Estimator;
  readonly initLink?: {
    readonly kind: 'identity' | 'logit' | 'half-logit' | 'log' | 'centred-log';
    readonly epsilon: number;
  };
}

export interface CalibratedEstimator {
  readonly op: 'calibrated';
  readonly outputs: number;
  readonly members: readonly {
    readonly estimator: Estimator;
    readonly steps: readonly Transform[];
    /** Which score of the member a calibrator reads, and which class it speaks of. */
    readonly calibrators: readonly Calibrator[];
  }[];
}

export type Calibrator =
  | { readonly kind: 'sigmoid'; readonly target: number; readonly ab: Float64Array }
  | { readonly kind: 'isotonic'; readonly target: number; readonly x: Float64Array; readonly y: Float64Array };

export type Estimator = LinearEstimator | TreesEstimator | CalibratedEstimator;

/** A converted model: what an engine file holds and a predictor runs. */
export interface EngineModel {
  readonly task: Task;
  /** Names select columns in any order; without names the columns stand by position. */
  readonly inputs: { readonly names: readonly string[] | null; readonly count: number };
  /** Cells of the classes, for classifiers. */
  readonly classes: readonly Cell[] | null;
  readonly steps: readonly Transform[];
  readonly estimator: Estimator;
  /** The container and converter: `skops/1`. */
  readonly reader: string;
  /** The library that wrote it: `scikit-learn 1.9.1`. */
  readonly library: string;
}
