/** One value of a table cell. Missing is null; NaN stands only in Float64Array columns. */
export type Cell = number | string | boolean | null;

/** A column: numbers without missing cells may be a Float64Array (NaN = missing there). */
export type ColumnValues = Float64Array | readonly Cell[];

export interface Column {
  readonly name: string;
  readonly values: ColumnValues;
}

/** A small columnar table, the common currency of engines, gates, logs and monitors. All columns have `rowCount` values. */
export interface Frame {
  readonly rowCount: number;
  readonly columns: readonly Column[];
}

export const findColumn = (frame: Frame, name: string): Column | undefined =>
  frame.columns.find((column) => column.name === name);

/** The rows `indices` of a frame, in that order. */
export function takeRows(frame: Frame, indices: readonly number[]): Frame {
  const columns = frame.columns.map(({ name, values }) => ({
    name,
    values:
      values instanceof Float64Array
        ? Float64Array.from(indices, (i) => values[i]!)
        : indices.map((i) => values[i] ?? null),
  }));
  return { rowCount: indices.length, columns };
}

/** Rows as objects, for JSON and for people. NaN becomes null. */
export function toRecords(frame: Frame): Record<string, Cell>[] {
  return Array.from({ length: frame.rowCount }, (_, i) =>
    Object.fromEntries(frame.columns.map(({ name, values }) => [name, cellAt(values, i)])),
  );
}

export function cellAt(values: ColumnValues, row: number): Cell {
  const value = values[row] ?? null;
  return typeof value === 'number' && Number.isNaN(value) ? null : value;
}
