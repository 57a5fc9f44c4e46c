import type { Cell, Frame } from '../kernel/frame.ts';

/** What a worker loads: a feature module, a model, or both (features first). Paths are local. */
export interface PythonModel {
  /** `features.py`: `def features(df)`. */
  readonly featuresPath?: string;
  /** An MLflow model folder or a bare pickle, joblib or skops file. */
  readonly modelPath?: string;
  /** Types of raw columns by name, in the signature's words: `datetime` becomes a pandas datetime, `long` an int64. */
  readonly types?: Readonly<Record<string, string>>;
}

/** Columns that came back: for features the model's inputs, for a model `predict` and `predict_proba:<class>`. */
export type PythonResult =
  | {
      readonly ok: true;
      readonly frame: Frame;
      /** Rows that failed alone: their cells are missing, their neighbours are answered. */
      readonly errors?: readonly PythonRowError[];
    }
  /** The user's code failed: data, not a bug. `errors` names the rows that it could be pinned to, where known. */
  | {
      readonly ok: false;
      readonly kind: string;
      readonly message: string;
      readonly errors?: readonly PythonRowError[];
    };

/** `kind` is the exception's class; `RowsRefused` says that the row, not the code, is what is wrong. */
export interface PythonRowError {
  readonly row: number;
  readonly kind: string;
  readonly message: string;
}

export interface LoadedPythonModel {
  /** Versions of Python and of the libraries that were loaded. */
  readonly libraries: Readonly<Record<string, string>>;
  /** The model's own classes, where it is a classifier that says so. */
  readonly classes?: readonly Cell[];
  /** `stage` picks what runs; rows keep their order. Concurrent calls are batched together. `deadlineMs` kills the worker. */
  run(
    stage: 'features' | 'model' | 'both',
    frame: Frame,
    options?: { readonly deadlineMs?: number },
  ): Promise<PythonResult>;
  close(): Promise<void>;
}

/**
 * Python processes that load untrusted code and models, one group per environment, with limits, respawned with back-off.
 * `load` throws `invalid` with the Python error where the model does not load.
 */
export interface PythonWorkers {
  load(python: string, model: PythonModel): Promise<LoadedPythonModel>;
  close(): Promise<void>;
}
