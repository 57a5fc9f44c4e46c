import { type Cell, type Column, type ColumnValues, cellAt, type Frame, findColumn } from '../../kernel/frame.ts';
import { LOG_COLUMNS, type LogColumn, type SegmentBlock } from '../segment.ts';

/** Reads the log columns of a block by name, row by row. */
export interface LogReader {
  readonly rowCount: number;
  values(column: LogColumn): ColumnValues;
  text(column: LogColumn, row: number): string | null;
  number(column: LogColumn, row: number): number;
  cell(column: LogColumn, row: number): Cell;
}

const readers = new WeakMap<SegmentBlock, LogReader>();

export function createLogReader(block: SegmentBlock): LogReader {
  const known = readers.get(block);
  if (known) return known;
  // Looked up once each, when first asked for: a column is decoded by its first reader.
  const columns = new Map<LogColumn, ColumnValues>();
  const values = (column: LogColumn): ColumnValues => {
    let found = columns.get(column);
    if (!found) {
      found = findColumn(block.rows, column)?.values ?? [];
      columns.set(column, found);
    }
    return found;
  };
  const cell = (column: LogColumn, row: number): Cell => cellAt(values(column), row);
  const reader: LogReader = {
    rowCount: block.rows.rowCount,
    values,
    cell,
    text: (column, row) => {
      const value = cell(column, row);
      return value === null ? null : String(value);
    },
    number: (column, row) => {
      const value = cell(column, row);
      return typeof value === 'number' ? value : Number.NaN;
    },
  };
  readers.set(block, reader);
  return reader;
}

/** One row of one block; `at` is its event time. */
export interface LogRow {
  readonly block: SegmentBlock;
  readonly row: number;
  readonly at: number;
}

const IS_LOG_COLUMN: ReadonlySet<string> = new Set(LOG_COLUMNS);

/** Rows of many blocks as one table: log columns and features by name; what a block lacks is null. */
export function toFrame(rows: readonly LogRow[], columns: readonly string[]): Frame {
  return { rowCount: rows.length, columns: columns.map((name) => toColumn(rows, name)) };
}

function toColumn(rows: readonly LogRow[], name: string): Column {
  const values = new Array<Cell>(rows.length);
  let isNumeric = rows.length > 0;
  let block: SegmentBlock | undefined;
  let source: ColumnValues = [];
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    if (row.block !== block) {
      block = row.block;
      source = findColumn(IS_LOG_COLUMN.has(name) ? block.rows : block.features, name)?.values ?? [];
    }
    const value = source[row.row] ?? null;
    isNumeric &&= typeof value === 'number';
    values[i] = value;
  }
  if (isNumeric) return { name, values: Float64Array.from(values as number[]) };
  return { name, values: values.map((value) => (Number.isNaN(value) ? null : value)) };
}

/** All feature columns that any of the rows has, in the order of the first. */
export function featureNames(rows: readonly LogRow[]): string[] {
  const names = new Set<string>();
  for (const block of new Set(rows.map((row) => row.block)))
    for (const { name } of block.features.columns) names.add(name);
  return [...names];
}
