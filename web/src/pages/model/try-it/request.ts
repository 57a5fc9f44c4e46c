import type { AnswerOf } from '../../../api/routes.ts';

export type Input = NonNullable<AnswerOf<'GET /models/:model/versions/:version'>['signature']>['inputs'][number];

/** What stands in a field: text as it was typed, or null. What the text means is decided when it is sent. */
export type Field = string | null;
export type Row = Readonly<Record<string, Field>>;
export type Cell = string | number | boolean | null;

/** What a caller may say besides the rows; empty is not sent. */
export interface Extras {
  readonly id: string;
  readonly entity: string;
  readonly eventTime: string;
}

export const NO_EXTRAS: Extras = { id: '', entity: '', eventTime: '' };

export interface InferRequest {
  readonly id?: string;
  readonly inputs: readonly {
    readonly name: string;
    readonly shape: readonly [number];
    readonly datatype: string;
    readonly data: readonly Cell[];
  }[];
  readonly parameters?: Readonly<Record<string, string>>;
}

export const isNumeric = ({ type }: Input): boolean => ['double', 'float', 'long', 'integer'].includes(type);

/** Rows as a request of the Open Inference Protocol: one input a column. */
export function toRequest(inputs: readonly Input[], rows: readonly Row[], extras: Extras): InferRequest {
  const parameters = {
    ...(extras.entity !== '' && { entity: extras.entity }),
    ...(extras.eventTime !== '' && { event_time: extras.eventTime }),
  };
  return {
    ...(extras.id !== '' && { id: extras.id }),
    inputs: inputs.map((input) => {
      const data = rows.map((row) => toCell(input, row[input.name] ?? null));
      return { name: input.name, shape: [rows.length], datatype: datatypeOf(input, data), data };
    }),
    ...(Object.keys(parameters).length > 0 && { parameters }),
  };
}

/** Text that is no number is sent as text: the gateway says what is wrong with it, in its own words. */
export function toCell(input: Input, field: Field): Cell {
  if (field === null) return null;
  if (input.type === 'boolean') return field === 'true' ? true : field === 'false' ? false : field;
  if (!isNumeric(input) || field.trim() === '') return field;
  const value = Number(field.replaceAll('\u202f', '').replaceAll(' ', ''));
  return Number.isFinite(value) ? value : field;
}

function datatypeOf(input: Input, data: readonly Cell[]): string {
  const present = data.filter((cell) => cell !== null);
  if (present.length === 0) return isNumeric(input) ? 'FP64' : input.type === 'boolean' ? 'BOOL' : 'BYTES';
  if (present.every((cell) => typeof cell === 'number')) return 'FP64';
  return present.every((cell) => typeof cell === 'boolean') ? 'BOOL' : 'BYTES';
}

/** A value of the log or of the data as one would type it. */
export function toField(input: Input, value: unknown): Field {
  if (value === null || value === undefined) return null;
  if (input.type === 'datetime' && typeof value === 'number') return new Date(value).toISOString().slice(0, 19);
  return String(value);
}

export const toRow = (inputs: readonly Input[], values: Readonly<Record<string, unknown>>): Row =>
  Object.fromEntries(inputs.map((input) => [input.name, toField(input, values[input.name])]));

/** The rows as JSON that people edit: a list of objects, numbers as numbers. */
export const toJson = (inputs: readonly Input[], rows: readonly Row[]): string => {
  const objects = rows.map((row) =>
    Object.fromEntries(inputs.map((input) => [input.name, toCell(input, row[input.name] ?? null)])),
  );
  return JSON.stringify(objects, null, 2);
};

export const MAX_ROWS = 100;

/** The rows that a text holds. Throws an Error in words. */
export function parseRows(inputs: readonly Input[], text: string): readonly Row[] {
  const value: unknown = JSON.parse(text);
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (list.length === 0 || list.length > MAX_ROWS)
    throw new Error(`Give 1 to ${MAX_ROWS} rows; these are ${list.length}`);
  return list.map((row, i) => {
    if (typeof row !== 'object' || row === null || Array.isArray(row))
      throw new Error(`Row ${i + 1} is ${JSON.stringify(row)}; write an object of columns, such as {"tenure": 3}`);
    const unknown = Object.keys(row).find((name) => !inputs.some((input) => input.name === name));
    if (unknown !== undefined) throw new Error(`Row ${i + 1} has the column "${unknown}", which the signature has not`);
    return toRow(inputs, row as Readonly<Record<string, unknown>>);
  });
}

/** Inputs that a refusal names, with what it says of them. @example 'Column "distance" expects double; row 0 has …' */
export function blamed(message: string, inputs: readonly Input[]): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const { name } of inputs) {
    const quoted = [`Column "${name}"`, `Input "${name}"`, `column "${name}"`, `"${name}"`];
    if (quoted.some((text) => message.includes(text)) || message.startsWith(`${name} `)) found[name] = message;
  }
  return found;
}

/** Which row, counted from 0, a refusal is about. */
export const blamedRow = (message: string): number | null => {
  const match = /\brow (\d+)\b/.exec(message);
  return match ? Number(match[1]) : null;
};
