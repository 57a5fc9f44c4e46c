import {
  DuckDBBlobValue,
  type DuckDBDataChunk,
  DuckDBDateValue,
  DuckDBDecimalValue,
  type DuckDBResult,
  DuckDBTimestampMillisecondsValue,
  DuckDBTimestampNanosecondsValue,
  DuckDBTimestampSecondsValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  DuckDBTypeId,
  type DuckDBValue,
  JsonDuckDBValueConverter,
} from '@duckdb/node-api';
import { AppError } from '../../kernel/errors.ts';
import type { Cell, ColumnValues, Frame } from '../../kernel/frame.ts';

/** Text that one answer may carry; more belongs into a file. */
const MAX_RESULT_CHARACTERS = 256 * 2 ** 20;

/** Collects a result chunk by chunk; numbers and times become Float64Array columns (NaN where missing). */
export async function toFrame(result: DuckDBResult, maxRows: number): Promise<Frame> {
  const names = result.columnNames();
  const collectors = names.map((_, i) => createCollector(result.columnTypeId(i)));
  let rowCount = 0;
  for (;;) {
    const chunk = await result.fetchChunk();
    if (!chunk || chunk.rowCount === 0) break;
    rowCount += chunk.rowCount;
    if (rowCount > maxRows)
      throw new AppError('too_large', `The query answers more than ${maxRows} rows; aggregate, or ask for fewer`);
    collectors.forEach((collector, i) => {
      collector.add(chunk, i);
    });
  }
  return {
    rowCount,
    columns: collectors.map((collector, i) => ({ name: names[i]!, values: collector.values(rowCount) })),
  };
}

interface Collector {
  add(chunk: DuckDBDataChunk, column: number): void;
  values(rowCount: number): ColumnValues;
}

const NUMERIC: ReadonlySet<DuckDBTypeId> = new Set([
  DuckDBTypeId.TINYINT,
  DuckDBTypeId.SMALLINT,
  DuckDBTypeId.INTEGER,
  DuckDBTypeId.BIGINT,
  DuckDBTypeId.UTINYINT,
  DuckDBTypeId.USMALLINT,
  DuckDBTypeId.UINTEGER,
  DuckDBTypeId.UBIGINT,
  DuckDBTypeId.HUGEINT,
  DuckDBTypeId.UHUGEINT,
  DuckDBTypeId.FLOAT,
  DuckDBTypeId.DOUBLE,
  DuckDBTypeId.DECIMAL,
  DuckDBTypeId.TIMESTAMP,
  DuckDBTypeId.TIMESTAMP_S,
  DuckDBTypeId.TIMESTAMP_MS,
  DuckDBTypeId.TIMESTAMP_NS,
  DuckDBTypeId.TIMESTAMP_TZ,
]);

const createCollector = (type: DuckDBTypeId): Collector => (NUMERIC.has(type) ? numberCollector() : cellCollector());

function numberCollector(): Collector {
  let values = new Float64Array(2048);
  let count = 0;
  return {
    add(chunk, column) {
      if (count + chunk.rowCount > values.length) {
        const larger = new Float64Array(Math.max(values.length * 2, count + chunk.rowCount));
        larger.set(values);
        values = larger;
      }
      chunk.visitColumnValues(column, (value) => {
        values[count++] = value === null ? Number.NaN : toNumber(value);
      });
    },
    values: (rowCount) => values.slice(0, rowCount),
  };
}

function cellCollector(): Collector {
  const values: Cell[] = [];
  let characters = 0;
  return {
    add(chunk, column) {
      chunk.visitColumnValues(column, (value, _row, _column, type) => {
        const cell =
          value === null ? null : toCell(value, (v) => JsonDuckDBValueConverter(v, type, JsonDuckDBValueConverter));
        if (typeof cell === 'string') characters += cell.length;
        values.push(cell);
      });
      if (characters > MAX_RESULT_CHARACTERS)
        throw new AppError('too_large', 'The query answers too much text; ask for fewer rows');
    },
    values: () => values,
  };
}

function toNumber(value: DuckDBValue): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return exact(value);
  if (value instanceof DuckDBDecimalValue) return value.toDouble();
  if (value instanceof DuckDBTimestampValue || value instanceof DuckDBTimestampTZValue)
    return value.isFinite ? Math.floor(Number(value.micros) / 1000) : Number.NaN;
  if (value instanceof DuckDBTimestampMillisecondsValue) return value.isFinite ? Number(value.millis) : Number.NaN;
  if (value instanceof DuckDBTimestampSecondsValue) return value.isFinite ? Number(value.seconds) * 1000 : Number.NaN;
  if (value instanceof DuckDBTimestampNanosecondsValue)
    return value.isFinite ? Number(value.nanos / 1_000_000n) : Number.NaN;
  throw new AppError('invalid', `A value of the query's answer is not a number: ${String(value).slice(0, 40)}`);
}

function exact(value: bigint): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number))
    throw new AppError(
      'invalid',
      `The whole number ${value} is beyond ±(2^53-1); cast it to double or text in the query`,
    );
  return number;
}

function toCell(value: DuckDBValue, toJson: (value: DuckDBValue) => unknown): Cell {
  if (typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number') return value;
  if (typeof value === 'bigint') return exact(value);
  if (value instanceof DuckDBDateValue) return value.isFinite ? value.toString() : null;
  if (value instanceof DuckDBBlobValue) return Buffer.from(value.bytes).toString('hex');
  const json = toJson(value);
  return typeof json === 'string' ? json : JSON.stringify(json);
}
