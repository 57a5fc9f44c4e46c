import type { Cell, Frame } from '../kernel/frame.ts';
import type { PythonWorkers } from '../ports/python-worker.ts';
import type { Clock, Random } from '../ports/system.ts';
import type { Signature } from './signature.ts';

export type Task = 'binary' | 'multiclass' | 'regression';

/** What a rehearsal breaks on purpose. */
export type Fault =
  | { readonly kind: 'constant'; readonly value: number }
  | { readonly kind: 'errors'; readonly share: number }
  | { readonly kind: 'slow'; readonly ms: number };

/** One model version, ready to answer: plain JSON that travels to gateways. Digests are sha256 of content. */
export interface ServableSpec {
  readonly model: string;
  readonly version: number;
  readonly versionId: string;
  readonly task: Task;
  /** Of raw rows: before `features.py`. */
  readonly signature: Signature;
  readonly classes?: readonly Cell[];
  /** The data's own words for them, in their order, where a notebook writes its target otherwise and each class has one. */
  readonly words?: readonly Cell[];
  /** Default: the second of two classes. */
  readonly positive?: Cell;
  /** Labels follow `score >= threshold`; without it the model's own rule stands. */
  readonly threshold?: number;
  readonly engine:
    | { readonly kind: 'levain'; readonly digest: string; readonly format: number }
    | { readonly kind: 'python'; readonly files: readonly PythonFile[] };
  readonly features?: { readonly digest: string };
  /** Needed by `features` and by the engine `python`. */
  readonly python?: { readonly envDigest: string; readonly executable: string };
  readonly golden?: { readonly digest: string };
  readonly fault?: Fault;
}

/** A file of the model's folder; `path` is relative, with `/`. */
export interface PythonFile {
  readonly path: string;
  readonly digest: string;
  readonly sizeBytes: number;
}

export interface RowError {
  readonly row: number;
  readonly message: string;
  /** The row holds what the version says that it cannot answer: no fault of the version's. */
  readonly refused?: boolean;
}

/** Answers in the rows' order. A row with an error has the label null and the score NaN. */
export interface Outputs {
  readonly rowCount: number;
  readonly labels: readonly Cell[];
  /** The positive class's probability (binary), the chosen class's (multiclass), the value (regression). */
  readonly scores: Float64Array;
  /** One array a class, in the order of `classes`. */
  readonly probabilities?: readonly Float64Array[];
  readonly errors?: readonly RowError[];
}

export interface Servable {
  readonly spec: ServableSpec;
  /** Throws `invalid` where the rows break the signature, `unavailable` where the worker died or the deadline passed. */
  predict(rows: Frame, options?: { readonly deadlineMs?: number }): Promise<Outputs>;
  /** The same without a promise; present only where no Python and no delay stands in the way. */
  predictSync?(rows: Frame): Outputs;
  close(): Promise<void>;
}

export interface ServableIo {
  /** A local file that holds the content of this digest. */
  localPath(digest: string): Promise<string>;
  readonly workers: PythonWorkers;
  readonly random?: Random;
  readonly clock?: Pick<Clock, 'sleep'>;
}
