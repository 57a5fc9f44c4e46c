import { AppError } from '../../kernel/errors.ts';
import type { Cell, Column } from '../../kernel/frame.ts';
import { isRecord, show } from '../http/json.ts';
import { assertColumns, assertRows, type Call, compact, type Inputs } from './call.ts';
import { parseCsv } from './csv.ts';
import { optionalEntity, optionalText } from './oip.ts';

const FORMS = ['dataframe_split', 'dataframe_records', 'instances', 'inputs'] as const;

/** A body of MLflow's `/invocations`: exactly one of its four forms, and `params`, of which `event_time`, `entity` and `id` are ours. */
export function parseInvocations(body: unknown): Call {
  if (!isRecord(body)) throw new AppError('invalid', `The request must be an object; got ${show(body)}`);
  const forms = FORMS.filter((form) => body[form] !== undefined);
  const form = forms[0];
  if (form === undefined || forms.length > 1)
    throw new AppError(
      'invalid',
      `The request must hold exactly one of ${FORMS.join(', ')}; got ${forms.join(', ') || 'none'}`,
    );
  const params = body['params'] ?? {};
  if (!isRecord(params)) throw new AppError('invalid', `"params" must be an object; got ${show(params)}`);
  return {
    inputs: FORM_PARSERS[form](body[form]),
    callerId: optionalText(params['id'], 'params.id'),
    eventTime: optionalText(params['event_time'], 'params.event_time'),
    entity: optionalEntity(params['entity'], 'params.entity'),
    outputs: null,
  };
}

export const parseCsvInvocations = (text: string): Call => ({
  inputs: { kind: 'text', frame: parseCsv(text) },
  callerId: null,
  eventTime: null,
  entity: null,
  outputs: null,
});

const FORM_PARSERS: Readonly<Record<(typeof FORMS)[number], (value: unknown) => Inputs>> = {
  dataframe_split: parseSplit,
  dataframe_records: (value) => parseRecords(value, 'dataframe_records'),
  instances: (value) => parseList(value, 'instances'),
  inputs: (value) => (isRecord(value) ? parseColumns(value) : parseList(value, 'inputs')),
};

function parseSplit(value: unknown): Inputs {
  if (!isRecord(value))
    throw new AppError('invalid', `"dataframe_split" must be an object with columns and data; got ${show(value)}`);
  const { columns, data } = value;
  if (!Array.isArray(data))
    throw new AppError('invalid', `"dataframe_split" needs "data" as a list of rows; got ${show(data)}`);
  const inputs = parseMatrix(data, 'dataframe_split.data');
  if (columns === undefined) return inputs;
  if (!Array.isArray(columns) || !columns.every((name) => typeof name === 'string'))
    throw new AppError('invalid', `"dataframe_split" needs "columns" as a list of names; got ${show(columns)}`);
  if (columns.length !== inputs.width)
    throw new AppError(
      'invalid',
      `"dataframe_split" names ${columns.length} columns; its rows have ${inputs.width} values`,
    );
  const { rowCount, width, cells } = inputs;
  return columnsOf(rowCount, columns, (name, c) =>
    Array.from({ length: rowCount }, (_, r) => toCell(cells[r * width + c], name, r)),
  );
}

function parseRecords(value: unknown, what: string): Inputs {
  if (!Array.isArray(value) || !value.every(isRecord))
    throw new AppError('invalid', `"${what}" must be a list of objects; got ${show(value)}`);
  assertRows(value.length);
  const names = new Set<string>();
  for (const record of value) for (const name of Object.keys(record)) names.add(name);
  assertColumns(names.size);
  return columnsOf(value.length, [...names], (name) => value.map((record, r) => toCell(record[name], name, r)));
}

/** Rows as lists, as objects, or as single values. */
function parseList(value: unknown, what: string): Inputs {
  if (!Array.isArray(value)) throw new AppError('invalid', `"${what}" must be a list; got ${show(value)}`);
  if (isRecord(value[0])) return parseRecords(value, what);
  return parseMatrix(
    value.map((row) => (Array.isArray(row) ? row : [row])),
    what,
  );
}

/** A column an entry: `{ "tenure": [1, 2] }`, a bare value for one row. */
function parseColumns(value: Readonly<Record<string, unknown>>): Inputs {
  const lists = Object.entries(value).map(([name, v]) => [name, (Array.isArray(v) ? v : [v]).flat(1)] as const);
  const rowCount = lists[0]?.[1].length ?? 0;
  assertRows(rowCount);
  assertColumns(lists.length);
  for (const [name, list] of lists)
    if (list.length !== rowCount)
      throw new AppError(
        'invalid',
        `Column "${name}" has ${list.length} values; expected ${rowCount}, as "${lists[0]![0]}" has`,
      );
  const byName = new Map(lists);
  return columnsOf(rowCount, [...byName.keys()], (name) => byName.get(name)!.map((cell, r) => toCell(cell, name, r)));
}

function parseMatrix(rows: readonly unknown[], what: string): Inputs & { kind: 'rows' } {
  assertRows(rows.length);
  const width = Array.isArray(rows[0]) ? rows[0].length : 0;
  assertColumns(width);
  const cells: Cell[] = [];
  rows.forEach((row, r) => {
    if (!Array.isArray(row) || row.length !== width)
      throw new AppError(
        'invalid',
        `Row ${r} of "${what}" must be a list of ${width} values; got ${Array.isArray(row) ? row.length : show(row)}`,
      );
    for (let c = 0; c < width; c++) cells.push(toCell(row[c], String(c), r));
  });
  return { kind: 'rows', rowCount: rows.length, width, cells };
}

function columnsOf(rowCount: number, names: readonly string[], read: (name: string, index: number) => Cell[]): Inputs {
  const columns = names.map((name, c): Column => ({ name, values: compact(read(name, c)) }));
  return { kind: 'columns', frame: { rowCount, columns } };
}

function toCell(value: unknown, name: string, row: number): Cell {
  if (value === undefined || value === null) return null;
  if (typeof value === 'object')
    throw new AppError('invalid', `Column "${name}" expects single values; row ${row} has ${show(value)}`);
  return value as Cell;
}
