import { AppError } from '../kernel/errors.ts';
import { type Cell, type Column, type ColumnValues, type Frame, findColumn } from '../kernel/frame.ts';
import { NumberRow } from './number-row.ts';

export type ColumnType = 'double' | 'float' | 'long' | 'integer' | 'boolean' | 'string' | 'datetime' | 'category';

export interface SignatureColumn {
  readonly name: string;
  readonly type: ColumnType;
  /** A column that is not required may be missing; it then counts as all null. */
  readonly required: boolean;
}

/** What a model takes and gives, in MLflow's words. Datetimes are ISO 8601 text or epoch ms; they leave the check as epoch ms. */
export interface Signature {
  readonly inputs: readonly SignatureColumn[];
  readonly outputs: readonly SignatureColumn[];
}

export interface CheckedRows {
  /** The signature's columns, in its order: numbers and datetimes as Float64Array (NaN = missing), the rest as cells. */
  readonly frame: Frame;
  /** Columns that were sent and ignored. */
  readonly warnings: readonly string[];
}

/** How many problems a refusal lists. */
export const MAX_PROBLEMS = 5;

/**
 * The signature that these rows suggest: text is `string`, booleans `boolean`, whole numbers without a missing cell `long`,
 * other numbers `double`. A column with nothing in it is `string`.
 */
export function inferSignature(frame: Frame, types: Readonly<Record<string, ColumnType>> = {}): Signature {
  const inputs = frame.columns.map(({ name, values }) => ({
    name,
    type: Object.hasOwn(types, name) ? types[name]! : inferType(name, values),
    required: true,
  }));
  return { inputs, outputs: [] };
}

/**
 * Raw rows as the signature wants them, or `invalid` naming the columns that are missing or ill-typed. Columns may come in any
 * order; others are ignored with a warning. Casts are MLflow's: whole numbers to `double`, `integer` to `long`, text to `datetime`.
 *
 * @example checkRows({ inputs: [{ name: 'x', type: 'double', required: true }], outputs: [] }, rows).frame
 */
export function checkRows(signature: Signature, frame: Frame): CheckedRows {
  if (isChecked(signature, frame)) return { frame, warnings: [] };
  const problems: string[] = [];
  const { inputs } = signature;
  const inOrder = isInOrder(inputs, frame);
  const columns = new Array<Column>(inputs.length);
  for (let i = 0; i < columns.length; i++) {
    const input = inputs[i]!;
    columns[i] = checkColumn(input, inOrder ? frame.columns[i] : findColumn(frame, input.name), frame, problems);
  }
  if (!inOrder) problems.push(...columnsTwice(signature, frame));
  if (problems.length > 0) throw refuse(problems);
  return {
    frame: new CheckedFrame(signature, frame.rowCount, columns),
    warnings: inOrder ? [] : ignored(signature, frame),
  };
}

/** Exactly the signature's columns, as most callers send them: then no column is looked up by its name. */
function isInOrder(inputs: readonly SignatureColumn[], { columns }: Frame): boolean {
  if (columns.length !== inputs.length) return false;
  for (let i = 0; i < columns.length; i++) if (columns[i]!.name !== inputs[i]!.name) return false;
  return true;
}

/** Which of two would count is nobody's guess. */
function columnsTwice({ inputs }: Signature, { columns }: Frame): string[] {
  if (new Set(columns.map(({ name }) => name)).size === columns.length) return [];
  return inputs.flatMap(({ name }) =>
    columns.filter((column) => column.name === name).length > 1 ? [`Column "${name}" comes twice; send it once`] : [],
  );
}

function ignored(signature: Signature, frame: Frame): string[] {
  const known = new Set(signature.inputs.map(({ name }) => name));
  const warnings: string[] = [];
  for (const { name } of frame.columns)
    if (!known.has(name) && warnings.length < MAX_PROBLEMS)
      warnings.push(`Column "${name}" is not in the signature; it was ignored`);
  return warnings;
}

/** Types by column name, as `PythonModel.types` takes them. */
export const columnTypes = (signature: Signature): Record<string, ColumnType> =>
  Object.fromEntries(signature.inputs.map(({ name, type }) => [name, type]));

/** Rows that carry the signature that they passed, so that a second check costs nothing. */
class CheckedFrame implements Frame {
  readonly rowCount: number;
  readonly columns: readonly Column[];
  readonly #signature: Signature;

  constructor(signature: Signature, rowCount: number, columns: readonly Column[]) {
    this.rowCount = rowCount;
    this.columns = columns;
    this.#signature = signature;
  }

  static isOf(signature: Signature, frame: Frame): boolean {
    return #signature in frame && frame.#signature === signature;
  }
}

const isChecked = (signature: Signature, frame: Frame): boolean =>
  frame instanceof NumberRow ? frame.signature === signature : CheckedFrame.isOf(signature, frame);

function refuse(problems: readonly string[]): AppError {
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
  return new AppError('invalid', `${problems[0]}${more}`, { problems: problems.slice(0, MAX_PROBLEMS) });
}

function checkColumn(
  { name, type, required }: SignatureColumn,
  found: Column | undefined,
  frame: Frame,
  problems: string[],
): Column {
  if (!found) {
    if (required) problems.push(`Column "${name}" is missing; expected ${type}`);
    return { name, values: missingValues(type, frame.rowCount) };
  }
  try {
    return { name, values: CHECKS[type](found.values, frame.rowCount) };
  } catch (error) {
    if (!(error instanceof IllTyped)) throw error;
    problems.push(`Column "${name}" expects ${type}; row ${error.row} has ${error.got}${error.hint}`);
    return { name, values: [] };
  }
}

const missingValues = (type: ColumnType, rowCount: number): ColumnValues =>
  type === 'string' || type === 'category' || type === 'boolean'
    ? new Array<Cell>(rowCount).fill(null)
    : new Float64Array(rowCount).fill(Number.NaN);

class IllTyped extends Error {
  readonly row: number;
  readonly got: string;
  readonly hint: string;

  constructor(row: number, got: unknown, hint = '') {
    super('ill-typed');
    this.row = row;
    this.got = show(got);
    this.hint = hint;
  }
}

function show(value: unknown): string {
  if (value === null || value === undefined || (typeof value === 'number' && Number.isNaN(value))) return 'null';
  if (typeof value === 'string')
    return `the text ${JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)}`;
  if (typeof value === 'object') return Array.isArray(value) ? 'a list' : 'an object';
  return `the ${typeof value} ${String(value)}`;
}

type Check = (values: ColumnValues, rowCount: number) => ColumnValues;

const CHECKS: Readonly<Record<ColumnType, Check>> = {
  double: (values, n) => numbers(values, n, (x) => x),
  float: (values, n) => numbers(values, n, Math.fround),
  long: (values, n) => wholeNumbers(values, n, 2 ** 53 - 1),
  integer: (values, n) => wholeNumbers(values, n, 2 ** 31 - 1),
  boolean: (values, n) => cells(values, n, (v) => typeof v === 'boolean'),
  string: (values, n) => cells(values, n, (v) => v === null || typeof v === 'string'),
  category: (values, n) =>
    cells(values, n, (v) => v === null || typeof v === 'string' || typeof v === 'boolean' || typeof v === 'number'),
  datetime: datetimes,
};

function numbers(values: ColumnValues, n: number, cast: (x: number) => number): Float64Array {
  if (values instanceof Float64Array && cast !== Math.fround) return values;
  const out = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const value = values[i] ?? null;
    if (value === null) out[i] = Number.NaN;
    else if (typeof value === 'number') out[i] = cast(value);
    else throw new IllTyped(i, value);
  }
  return out;
}

function wholeNumbers(values: ColumnValues, n: number, limit: number): Float64Array {
  const out = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const value = values[i] ?? null;
    if (value === null || Number.isNaN(value))
      throw new IllTyped(i, null, '; log the model with a double column to allow missing values');
    if (typeof value !== 'number' || !Number.isInteger(value) || Math.abs(value) > limit) throw new IllTyped(i, value);
    out[i] = value;
  }
  return out;
}

function cells(values: ColumnValues, n: number, fits: (value: Cell) => boolean): readonly Cell[] {
  const out = new Array<Cell>(n);
  for (let i = 0; i < n; i++) {
    const raw = values[i] ?? null;
    const value = typeof raw === 'number' && Number.isNaN(raw) ? null : raw;
    if (!fits(value)) throw new IllTyped(i, value);
    out[i] = value;
  }
  return out;
}

const ISO = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?)?$/;

function datetimes(values: ColumnValues, n: number): Float64Array {
  const out = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const value = values[i] ?? null;
    if (value === null) out[i] = Number.NaN;
    else if (typeof value === 'number') out[i] = value;
    else out[i] = parseIso(value, i);
  }
  return out;
}

/** Text without a zone is UTC, so that an answer does not depend on the server's own zone. */
function parseIso(value: Cell, row: number): number {
  const match = typeof value === 'string' ? ISO.exec(value) : null;
  if (!match) throw new IllTyped(row, value, '; write ISO 8601, for example 2026-01-31T08:00:00Z');
  const text = match[0].replace(' ', 'T');
  const time = Date.parse(text.length > 10 && !match[1] ? `${text}Z` : text);
  if (Number.isNaN(time)) throw new IllTyped(row, value, '; there is no such time');
  return time;
}

function inferType(name: string, values: ColumnValues): ColumnType {
  let type: ColumnType | undefined;
  let missing = false;
  for (const value of values) {
    if (value === null || (typeof value === 'number' && Number.isNaN(value))) {
      missing = true;
      continue;
    }
    type = widen(name, type, typeOf(value));
  }
  if (type === undefined) return values instanceof Float64Array ? 'double' : 'string';
  if (type === 'long' && missing) return 'double';
  if (type === 'boolean' && missing) return 'category';
  return type;
}

function typeOf(value: Cell): ColumnType {
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'boolean';
  return Number.isSafeInteger(value) ? 'long' : 'double';
}

function widen(name: string, seen: ColumnType | undefined, next: ColumnType): ColumnType {
  if (seen === undefined || seen === next) return next;
  const pair = new Set([seen, next]);
  if (pair.has('long') && pair.has('double')) return 'double';
  throw new AppError('invalid', `Column "${name}" mixes ${seen} and ${next}; give it one type`);
}
