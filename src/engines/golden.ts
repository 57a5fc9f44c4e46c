import { canonicalJson } from '../kernel/canonical-json.ts';
import { AppError } from '../kernel/errors.ts';
import type { Cell, ColumnValues, Frame } from '../kernel/frame.ts';
import type { PythonModel, PythonWorkers } from '../ports/python-worker.ts';
import { outputsFromPython, positiveIndex, withRowErrors, withThreshold } from './outputs.ts';
import { checkRows, columnTypes, type Signature } from './signature.ts';
import type { Outputs, RowError, Servable, Task } from './types.ts';

/** Raw rows with what the real model says of them in the environment that trained it. */
export interface Golden {
  readonly rows: Frame;
  /** The model's own `predict` and `predict_proba`, before any threshold. */
  readonly outputs: Outputs;
  readonly libraries: Readonly<Record<string, string>>;
  /** The model's own classes, where it says so. */
  readonly classes?: readonly Cell[];
}

export interface Parity {
  /** Largest |ours − theirs| / max(1, |theirs|) over scores and probabilities. */
  readonly maxDifference: number;
  /** Rows whose label differs, or that failed on one side only. */
  readonly flips: number;
  readonly rows: number;
}

/** A version is served only within this. */
export const PARITY_TOLERANCE = 1e-6;
/** Golden files hold at most this many rows. */
export const MAX_GOLDEN_ROWS = 200;
const FORMAT = 1;
const MAX_GOLDEN_BYTES = 64 * 2 ** 20;

/** Canonical JSON bytes; also what `python -m levain_runtime.golden` writes, but for the order of keys. NaN is null. */
export function encodeGolden({ rows, outputs, libraries, classes }: Golden): Uint8Array {
  const columns = rows.columns.map(({ name, values }) => ({
    name,
    type: values instanceof Float64Array ? 'number' : 'cells',
    values: cells(values),
  }));
  const document = {
    format: FORMAT,
    libraries,
    classes,
    rows: { rowCount: rows.rowCount, columns },
    outputs: {
      labels: outputs.labels,
      scores: cells(outputs.scores),
      probabilities: outputs.probabilities?.map(cells),
      errors: outputs.errors,
    },
  };
  return Buffer.from(canonicalJson(document), 'utf8');
}

/** Throws `invalid` on anything that is not a golden file. */
export function decodeGolden(bytes: Uint8Array): Golden {
  if (bytes.length > MAX_GOLDEN_BYTES)
    throw new AppError('invalid', `The golden file has ${bytes.length} bytes; at most ${MAX_GOLDEN_BYTES} are read`);
  let document: Document;
  try {
    // Checked by `check` below, field by field.
    document = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')) as Document;
    check(document);
  } catch (error) {
    throw new AppError(
      'invalid',
      `The golden file cannot be read: ${error instanceof Error ? error.message : error}`,
      undefined,
      error,
    );
  }
  const { rows, outputs, libraries, classes } = document;
  return {
    rows: {
      rowCount: rows.rowCount,
      columns: rows.columns.map(({ name, type, values }) => ({
        name,
        values: type === 'number' ? floats(values) : values,
      })),
    },
    outputs: {
      rowCount: rows.rowCount,
      labels: outputs.labels,
      scores: floats(outputs.scores),
      ...(outputs.probabilities && { probabilities: outputs.probabilities.map(floats) }),
      ...(outputs.errors && { errors: outputs.errors }),
    },
    libraries,
    ...(classes && { classes }),
  };
}

interface Document {
  readonly format: number;
  readonly classes?: readonly Cell[] | null;
  readonly libraries: Readonly<Record<string, string>>;
  readonly rows: {
    readonly rowCount: number;
    readonly columns: readonly { readonly name: string; readonly type: string; readonly values: readonly Cell[] }[];
  };
  readonly outputs: {
    readonly labels: readonly Cell[];
    readonly scores: readonly Cell[];
    readonly probabilities?: readonly (readonly Cell[])[] | null;
    readonly errors?: readonly RowError[] | null;
  };
}

function check(document: Document): void {
  if (document.format !== FORMAT) throw new Error(`format ${document.format}, expected ${FORMAT}`);
  const { rowCount, columns } = document.rows;
  const lists = [
    ...columns.map(({ values }) => values),
    document.outputs.labels,
    document.outputs.scores,
    ...(document.outputs.probabilities ?? []),
  ];
  for (const list of lists)
    if (!Array.isArray(list) || list.length !== rowCount)
      throw new Error(`a column has ${list.length} rows, expected ${rowCount}`);
}

const cells = (values: ColumnValues): Cell[] =>
  Array.from(values, (v) => (typeof v === 'number' && !Number.isFinite(v) ? null : v));
const floats = (values: readonly Cell[]): Float64Array =>
  Float64Array.from(values, (v) => (typeof v === 'number' ? v : Number.NaN));

export interface GoldenRequest {
  readonly python: string;
  readonly model: PythonModel;
  readonly rows: Frame;
  readonly task: Task;
  /** null = the model's own. */
  readonly classes: readonly Cell[] | null;
  /** Of raw rows: they are checked, and typed for pandas, as they are when served. */
  readonly signature?: Signature;
  /** Index of the positive class; default 1. */
  readonly positive?: number;
}

/** Runs raw rows through `features.py` and the real model in a worker of the training environment. Throws `invalid` where all rows fail. */
export async function computeGolden(workers: PythonWorkers, request: GoldenRequest): Promise<Golden> {
  const { python, model, rows, task, classes } = request;
  if (rows.rowCount > MAX_GOLDEN_ROWS)
    throw new AppError('invalid', `${rows.rowCount} golden rows; at most ${MAX_GOLDEN_ROWS} are kept`);
  const { signature } = request;
  const checked = signature ? checkRows(signature, rows).frame : rows;
  const loaded = await workers.load(python, signature ? { ...model, types: columnTypes(signature) } : model);
  try {
    const result = await loaded.run(model.featuresPath ? 'both' : 'model', checked);
    if (!result.ok)
      throw new AppError('invalid', `The model answers no golden row: ${result.kind}: ${result.message}`, {
        kind: result.kind,
      });
    const outputs = outputsFromPython(result.frame, {
      task,
      classes: classes ?? loaded.classes ?? null,
      positive: request.positive ?? 1,
    });
    const golden = { rows, outputs: withRowErrors(outputs, result.errors), libraries: loaded.libraries };
    return loaded.classes ? { ...golden, classes: loaded.classes } : golden;
  } finally {
    await loaded.close();
  }
}

/** How far a servable is from the golden outputs. Labels are compared after the servable's own threshold, on both sides. */
export async function compareGolden(servable: Servable, golden: Golden): Promise<Parity> {
  const { spec } = servable;
  const ours = await servable.predict(golden.rows);
  const positive = positiveIndex(spec, spec.classes ?? null);
  const theirs = withThreshold(golden.outputs, spec, spec.classes ?? null, positive);
  let maxDifference = 0;
  const compare = (a: Float64Array, b: Float64Array): void => {
    for (let i = 0; i < a.length; i++) maxDifference = Math.max(maxDifference, difference(a[i]!, b[i]!));
  };
  const isRegression = spec.task === 'regression';
  if (ours.probabilities && theirs.probabilities)
    for (const [k, part] of ours.probabilities.entries()) compare(part, theirs.probabilities[k]!);
  else if (isRegression) compare(ours.scores, theirs.scores);
  let flips = 0;
  for (let i = 0; i < ours.rowCount; i++) {
    const a = ours.labels[i]!;
    const b = theirs.labels[i]!;
    if (isRegression ? (a === null) !== (b === null) : a !== b) flips++;
  }
  return { maxDifference, flips, rows: golden.rows.rowCount };
}

/** Two missing scores agree; one missing score differs by everything. */
function difference(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) && Number.isNaN(b) ? 0 : Number.MAX_VALUE;
  return Math.abs(a - b) / Math.max(1, Math.abs(b));
}
