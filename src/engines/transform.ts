import type { Cell, ColumnValues } from '../kernel/frame.ts';
import type {
  Categories,
  ColumnsTransform,
  FunctionName,
  ImputeTransform,
  OneHotColumn,
  OrdinalColumn,
  ScaleTransform,
  Transform,
} from './model.ts';
import type { RowError } from './types.ts';

/** One column on its way through a model. `single` = the values are float32. */
export interface MatrixColumn {
  readonly values: ColumnValues;
  readonly single: boolean;
}

export interface Matrix {
  readonly rowCount: number;
  readonly columns: readonly MatrixColumn[];
}

/** The first thing that is wrong with each row; rows without an entry are fine. */
export class RowErrors {
  #messages: Map<number, string> | undefined;

  add(row: number, message: string): void {
    this.#messages ??= new Map();
    if (!this.#messages.has(row)) this.#messages.set(row, message);
  }

  /** By row; undefined where every row is fine. */
  list(): RowError[] | undefined {
    return (
      this.#messages && Array.from(this.#messages, ([row, message]) => ({ row, message })).sort((a, b) => a.row - b.row)
    );
  }
}

type Run = (matrix: Matrix, errors: RowErrors) => Matrix;

/** Steps as one function. Fitted tables are turned into lookups once, here. */
export function compileSteps(steps: readonly Transform[]): Run {
  const runs = steps.map(compileStep);
  return (matrix, errors) => runs.reduce((m, run) => run(m, errors), matrix);
}

function compileStep(step: Transform): Run {
  switch (step.op) {
    case 'scale':
      return (m, errors) => scale(step, m, errors);
    case 'impute':
      return (m, errors) => impute(step, m, errors);
    case 'ordinal':
      return compileOrdinal(step.columns);
    case 'onehot':
      return compileOneHot(step.columns);
    case 'columns':
      return compileColumns(step);
    case 'function':
      return (m, errors) => applyFunction(step.name, m, errors);
  }
}

/** Numbers of a column: null is NaN, booleans are 0 and 1, text is an error of its row. */
export function toNumbers(values: ColumnValues, rowCount: number, errors: RowErrors): Float64Array {
  if (values instanceof Float64Array) return values;
  const out = new Float64Array(rowCount);
  for (let i = 0; i < rowCount; i++) {
    const value = values[i] ?? null;
    if (typeof value === 'number') out[i] = value;
    else if (value === null) out[i] = Number.NaN;
    else if (typeof value === 'boolean') out[i] = value ? 1 : 0;
    else {
      errors.add(i, `could not convert string to float: ${quote(value)}`);
      out[i] = Number.NaN;
    }
  }
  return out;
}

const quote = (text: Cell): string =>
  JSON.stringify(typeof text === 'string' && text.length > 60 ? `${text.slice(0, 60)}…` : text);

const isSingle = (matrix: Matrix): boolean => matrix.columns.length > 0 && matrix.columns.every((c) => c.single);

function scale(step: ScaleTransform, matrix: Matrix, errors: RowErrors): Matrix {
  const single = isSingle(matrix);
  const columns = matrix.columns.map(({ values }, j) => {
    const x = toNumbers(values, matrix.rowCount, errors);
    refuseInfinity(x, errors);
    return { values: single ? scaleSingle(step, x, j) : scaleDouble(step, x, j), single };
  });
  return { rowCount: matrix.rowCount, columns };
}

function scaleDouble(step: ScaleTransform, x: Float64Array, j: number): Float64Array {
  const { subtract, divide, multiply, add, clip } = step;
  const out = Float64Array.from(x);
  if (subtract) for (let i = 0; i < out.length; i++) out[i] = out[i]! - subtract[j]!;
  if (divide) for (let i = 0; i < out.length; i++) out[i] = out[i]! / divide[j]!;
  if (multiply) for (let i = 0; i < out.length; i++) out[i] = out[i]! * multiply[j]!;
  if (add) for (let i = 0; i < out.length; i++) out[i] = out[i]! + add[j]!;
  if (clip) for (let i = 0; i < out.length; i++) out[i] = Math.min(Math.max(out[i]!, clip[0]!), clip[1]!);
  return out;
}

function scaleSingle(step: ScaleTransform, x: Float64Array, j: number): Float64Array {
  const { subtract, divide, multiply, add, clip, single } = step;
  const round = single === 'end' ? (v: number) => v : Math.fround;
  const parameter = single === 'start' ? Math.fround : (v: number) => v;
  return x.map((value) => {
    let v = value;
    if (subtract) v = round(v - parameter(subtract[j]!));
    if (divide) v = round(v / parameter(divide[j]!));
    if (multiply) v = round(v * parameter(multiply[j]!));
    if (add) v = round(v + parameter(add[j]!));
    if (clip) v = Math.min(Math.max(v, clip[0]!), clip[1]!);
    return Math.fround(v);
  });
}

function refuseInfinity(x: Float64Array, errors: RowErrors): void {
  for (let i = 0; i < x.length; i++)
    if (x[i] === Number.POSITIVE_INFINITY || x[i] === Number.NEGATIVE_INFINITY)
      errors.add(i, 'Input X contains infinity');
}

function impute(step: ImputeTransform, matrix: Matrix, errors: RowErrors): Matrix {
  const { missing } = step;
  const isMissing =
    missing.kind === 'value' ? (v: Cell) => v === missing.value : (v: Cell) => v === null || Number.isNaN(v);
  const single = isSingle(matrix);
  const columns: MatrixColumn[] = Array.from(step.keep, (j) =>
    imputeColumn(matrix.columns[j]!.values, step.fill[j] ?? null, isMissing, missing.kind === 'nan', single, errors),
  );
  for (const j of step.indicators) {
    const values = matrix.columns[j]!.values;
    const flags = new Float64Array(matrix.rowCount);
    for (let i = 0; i < flags.length; i++) flags[i] = isMissing(values[i] ?? null) ? 1 : 0;
    columns.push({ values: flags, single });
  }
  return { rowCount: matrix.rowCount, columns };
}

function imputeColumn(
  values: ColumnValues,
  fill: Cell,
  isMissing: (v: Cell) => boolean,
  nanIsMissing: boolean,
  single: boolean,
  errors: RowErrors,
): MatrixColumn {
  if (values instanceof Float64Array && (typeof fill === 'number' || fill === null)) {
    const number = fill === null ? Number.NaN : single ? Math.fround(fill) : fill;
    refuseInfinity(values, errors);
    const out = values.map((v) => (isMissing(v) ? number : v));
    if (!nanIsMissing)
      for (let i = 0; i < out.length; i++) if (Number.isNaN(out[i])) errors.add(i, 'Input X contains NaN');
    return { values: out, single };
  }
  return { values: Array.from(values, (v) => (isMissing(v) ? fill : v)), single: false };
}

/** Where a cell stands among the categories, or -1. Equality is Python's: 1 == 1.0 == True, '1' is another. */
export function compileCategories({ values, nan, none }: Categories): (cell: Cell) => number {
  const found = new Map<Cell, number>();
  for (const [i, value] of values.entries()) if (value !== null) found.set(key(value), i);
  const missing = nan >= 0 ? nan : none;
  return (cell) => (cell === null || Number.isNaN(cell) ? missing : (found.get(key(cell)) ?? -1));
}

/** -0 and 0 are one key of a Map already. */
const key = (cell: Cell): Cell => (typeof cell === 'boolean' ? Number(cell) : cell);

function compileOrdinal(columns: readonly OrdinalColumn[]): Run {
  const lookups = columns.map(({ categories }) => compileCategories(categories));
  return (matrix, errors) => ({
    rowCount: matrix.rowCount,
    columns: columns.map(({ codes, unknown }, j) => {
      const values = matrix.columns[j]!.values;
      const lookup = lookups[j]!;
      const out = new Float64Array(matrix.rowCount);
      for (let i = 0; i < out.length; i++) {
        const cell = values[i] ?? null;
        const at = lookup(cell);
        if (at >= 0) out[i] = codes[at]!;
        else out[i] = unknown ? unknown[0]! : unknownCategory(cell, i, j, errors);
      }
      return { values: out, single: false };
    }),
  });
}

function unknownCategory(cell: Cell, row: number, column: number, errors: RowErrors): number {
  errors.add(row, `Found unknown category ${quote(cell)} in column ${column} during transform`);
  return Number.NaN;
}

function compileOneHot(columns: readonly OneHotColumn[]): Run {
  const lookups = columns.map(({ categories }) => compileCategories(categories));
  return (matrix, errors) => {
    const out: MatrixColumn[] = [];
    for (const [j, column] of columns.entries()) {
      const values = matrix.columns[j]!.values;
      const blocks = Array.from({ length: column.width }, () => new Float64Array(matrix.rowCount));
      for (let i = 0; i < matrix.rowCount; i++) {
        const cell = values[i] ?? null;
        const slot = slotOf(column, lookups[j]!(cell), cell, i, j, errors);
        if (slot >= 0) blocks[slot]![i] = 1;
      }
      for (const block of blocks) out.push({ values: block, single: false });
    }
    return { rowCount: matrix.rowCount, columns: out };
  };
}

function slotOf(column: OneHotColumn, at: number, cell: Cell, row: number, j: number, errors: RowErrors): number {
  if (at >= 0) return column.slots[at]!;
  if (column.unknown !== undefined) return column.unknown;
  unknownCategory(cell, row, j, errors);
  return -1;
}

function compileColumns(step: ColumnsTransform): Run {
  const parts = step.parts.map(({ from, steps, weight }) => ({ from, run: compileSteps(steps), weight }));
  return (matrix, errors) => ({
    rowCount: matrix.rowCount,
    columns: parts.flatMap(({ from, run, weight }) => {
      const picked = { rowCount: matrix.rowCount, columns: Array.from(from, (j) => matrix.columns[j]!) };
      const { columns } = run(picked, errors);
      return weight === undefined
        ? columns
        : columns.map((column) => weighted(column, weight, matrix.rowCount, errors));
    }),
  });
}

function weighted({ values, single }: MatrixColumn, weight: number, rowCount: number, errors: RowErrors): MatrixColumn {
  const round = single ? Math.fround : (v: number) => v;
  return { values: toNumbers(values, rowCount, errors).map((v) => round(v * round(weight))), single };
}

const FUNCTIONS: Readonly<Record<FunctionName, (x: number) => number>> = {
  log1p: Math.log1p,
  log: Math.log,
  log2: Math.log2,
  log10: Math.log10,
  exp: Math.exp,
  expm1: Math.expm1,
  sqrt: Math.sqrt,
  abs: Math.abs,
  square: (x) => x * x,
  sign: Math.sign,
  float64: (x) => x,
};

function applyFunction(name: FunctionName, matrix: Matrix, errors: RowErrors): Matrix {
  const apply = FUNCTIONS[name];
  const columns = matrix.columns.map(({ values, single }) => {
    const x = toNumbers(values, matrix.rowCount, errors);
    if (name === 'float64') return { values: x, single: false };
    return { values: x.map((v) => (single ? Math.fround(apply(v)) : apply(v))), single };
  });
  return { rowCount: matrix.rowCount, columns };
}
