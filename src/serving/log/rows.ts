import { type Cell, type Column, cellAt, type Frame, findColumn } from '../../kernel/frame.ts';
import { LOG_COLUMNS, type LogColumn, type SegmentBlock } from '../segment.ts';

/** Reads the log columns of a block by name, row by row. */
export interface LogReader {
  readonly rowCount: number;
  text(column: LogColumn, row: number): string | null;
  number(column: LogColumn, row: number): number;
  cell(column: LogColumn, row: number): Cell;
}

export function createLogReader(block: SegmentBlock): LogReader {
  const columns = new Map(LOG_COLUMNS.map((name) => [name, findColumn(block.rows, name)?.values ?? []]));
  const cell = (column: LogColumn, row: number): Cell => cellAt(columns.get(column)!, row);
  return {
    rowCount: block.rows.rowCount,
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
}

/** One row of one block. */
export interface LogRow {
  readonly block: SegmentBlock;
  readonly reader: LogReader;
  readonly row: number;
}

const IS_LOG_COLUMN: ReadonlySet<string> = new Set(LOG_COLUMNS);

/** Rows of many blocks as one table: log columns and features by name; what a block lacks is null. */
export function toFrame(rows: readonly LogRow[], columns: readonly string[]): Frame {
  return { rowCount: rows.length, columns: columns.map((name) => toColumn(rows, name)) };
}

function toColumn(rows: readonly LogRow[], name: string): Column {
  const known = new Map<SegmentBlock, Column | undefined>();
  const values = rows.map(({ block, row }): Cell => {
    if (!known.has(block)) known.set(block, findColumn(IS_LOG_COLUMN.has(name) ? block.rows : block.features, name));
    const column = known.get(block);
    return column ? cellAt(column.values, row) : null;
  });
  return {
    name,
    values: values.every((value) => typeof value === 'number') ? Float64Array.from(values as number[]) : values,
  };
}

/** All feature columns that any of the rows has, in the order of the first. */
export function featureNames(rows: readonly LogRow[]): string[] {
  const names = new Set<string>();
  for (const block of new Set(rows.map((row) => row.block)))
    for (const { name } of block.features.columns) names.add(name);
  return [...names];
}
