import { AppError } from '../../kernel/errors.ts';
import type { Cell, Frame } from '../../kernel/frame.ts';
import { assertColumns, assertRows } from './call.ts';

/** A CSV body (RFC 4180, with a header) as columns of text; an empty cell is null. Throws `invalid` naming the line. */
export function parseCsv(text: string): Frame {
  const records = readRecords(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);
  const header = records[0];
  if (!header) throw new AppError('invalid', 'The CSV body is empty; its first line must name the columns');
  assertColumns(header.length);
  const rowCount = records.length - 1;
  assertRows(rowCount);
  records.forEach((record, line) => {
    if (record.length !== header.length)
      throw new AppError(
        'invalid',
        `Line ${line + 1} of the CSV has ${record.length} cells; its header has ${header.length}`,
      );
  });
  const columns = header.map((name, c) => ({
    name,
    values: Array.from({ length: rowCount }, (_, r): Cell => records[r + 1]![c] || null),
  }));
  return { rowCount, columns };
}

function readRecords(text: string): string[][] {
  const records: string[][] = [];
  let record: string[] = [];
  let cell = '';
  let i = 0;
  const endRecord = (): void => {
    record.push(cell);
    if (record.length > 1 || cell !== '') records.push(record);
    record = [];
    cell = '';
  };
  while (i < text.length) {
    const c = text[i]!;
    if (c === '"' && cell === '') {
      const [value, next] = readQuoted(text, i + 1);
      cell = value;
      i = next;
      continue;
    }
    if (c === ',') {
      record.push(cell);
      cell = '';
    } else if (c === '\n') endRecord();
    else if (c !== '\r' || text[i + 1] !== '\n') cell += c;
    i += 1;
  }
  endRecord();
  return records;
}

function readQuoted(text: string, start: number): readonly [value: string, next: number] {
  let value = '';
  for (let i = start; ; ) {
    const end = text.indexOf('"', i);
    if (end < 0) throw new AppError('invalid', 'The CSV has a quoted cell without an end');
    value += text.slice(i, end);
    if (text[end + 1] !== '"') return [value, end + 1];
    value += '"';
    i = end + 2;
  }
}
