import { AppError } from '../../kernel/errors.ts';
import type { Cell, Column, ColumnValues } from '../../kernel/frame.ts';
import { assertShallow, isRecord, parseLoosely, show } from '../http/json.ts';
import { LIMITS } from '../limits.ts';
import { assertColumns, assertRows, type Call, type Inputs } from './call.ts';
import { DATATYPE_NAMES, type Datatype, datatypeOf } from './oip-datatypes.ts';
import { readRow } from './oip-row.ts';

/** The bytes of a request. The form of one row of numbers says by itself that it is not nested deep. */
export function parseInferBody(body: Buffer): Call {
  const value = parseLoosely(body);
  return parseInfer(value, () => assertShallow(body));
}

/**
 * An inference request of the Open Inference Protocol v2: one input a column, or one 2-D input. Throws `invalid` naming the input.
 * `assertPlain` may refuse the request as a whole before inputs of any form are read.
 */
export function parseInfer(body: unknown, assertPlain: () => void = nothing): Call {
  const row = isRecord(body) && Array.isArray(body['inputs']) ? readRow(body['inputs']) : undefined;
  if (!row) assertPlain();
  if (!isRecord(body)) throw new AppError('invalid', `The request must be an object with "inputs"; got ${show(body)}`);
  const { id, inputs, parameters, outputs } = body;
  if (!Array.isArray(inputs) || inputs.length === 0)
    throw new AppError('invalid', `"inputs" must be a list of tensors, one a column; got ${show(inputs)}`);
  assertColumns(inputs.length);
  const named = parameters === undefined || parameters === null ? NO_PARAMETERS : parameters;
  if (!isRecord(named)) throw new AppError('invalid', `"parameters" must be an object; got ${show(parameters)}`);
  return {
    inputs: row ?? parseInputs(inputs),
    callerId: optionalText(id, 'id'),
    eventTime: optionalText(named['event_time'], 'parameters.event_time'),
    entity: optionalEntity(named['entity'], 'parameters.entity'),
    outputs: parseOutputs(outputs),
  };
}

const nothing = (): void => undefined;
const NO_PARAMETERS: Readonly<Record<string, unknown>> = {};

export function optionalText(value: unknown, what: string): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value !== 'string') throw new AppError('invalid', `"${what}" must be text; got ${show(value)}`);
  if (value.length > LIMITS.idCharacters || value.includes('\u0000') || !value.isWellFormed())
    throw new AppError('invalid', `"${what}" must be well-formed text of at most ${LIMITS.idCharacters} characters`);
  return value === '' ? null : value;
}

/** Entities are text; numbers are taken as their text. */
export const optionalEntity = (value: unknown, what: string): string | null =>
  optionalText(typeof value === 'number' ? String(value) : value, what);

interface Tensor {
  readonly name: string;
  readonly rows: number;
  readonly width: number;
  readonly values: ColumnValues;
}

function parseInputs(inputs: readonly unknown[]): Inputs {
  const first = parseTensor(inputs[0], 0);
  assertRows(first.rows);
  if (first.width > 1 || (inputs.length === 1 && first.name === 'features')) {
    if (inputs.length > 1)
      throw new AppError('invalid', `Input "${first.name}" is two-dimensional; send it alone, or one input a column`);
    return { kind: 'rows', rowCount: first.rows, width: first.width, cells: first.values };
  }
  const columns = new Array<Column>(inputs.length);
  columns[0] = first;
  for (let i = 1; i < inputs.length; i++) {
    const tensor = parseTensor(inputs[i], i);
    if (tensor.rows !== first.rows || tensor.width !== 1)
      throw new AppError(
        'invalid',
        `Input "${tensor.name}" has ${tensor.rows} rows of ${tensor.width}; expected ${first.rows} of 1, as "${first.name}" has`,
      );
    columns[i] = tensor;
  }
  return { kind: 'columns', frame: { rowCount: first.rows, columns } };
}

function parseTensor(input: unknown, index: number): Tensor {
  if (!isRecord(input) || typeof input['name'] !== 'string')
    throw new AppError(
      'invalid',
      `Input ${index} must be an object with name, shape, datatype and data; got ${show(input)}`,
    );
  const name = input['name'];
  const datatype = datatypeOf(input['datatype']);
  if (!datatype)
    throw new AppError(
      'invalid',
      `Input "${name}" has the datatype ${show(input['datatype'])}; expected one of ${DATATYPE_NAMES}`,
    );
  const shape = input['shape'];
  const [rows, width] = parseShape(shape, name);
  const data = input['data'];
  if (!Array.isArray(data)) throw new AppError('invalid', `Input "${name}" needs "data" as a list; got ${show(data)}`);
  const flat = Array.isArray(data[0]) ? flatten(data, name) : data;
  if (flat.length !== rows * width)
    throw new AppError(
      'invalid',
      `Input "${name}" has ${flat.length} values; its shape [${shape}] asks for ${rows * width}`,
    );
  return { name, rows, width, values: readValues(flat, name, input['datatype'] as string, datatype) };
}

function parseShape(shape: unknown, name: string): readonly [rows: number, width: number] {
  if (
    !Array.isArray(shape) ||
    shape.length === 0 ||
    shape.length > 2 ||
    !shape.every((n) => Number.isSafeInteger(n) && n >= 0)
  )
    throw new AppError(
      'invalid',
      `Input "${name}" needs a shape of one or two sizes, such as [1] or [1, 20]; got ${JSON.stringify(shape)?.slice(0, 80)}`,
    );
  assertRows(shape[0]);
  if (shape.length === 2) assertColumns(shape[1]);
  return [shape[0], shape[1] ?? 1];
}

/** Nested data is row-major: the flat form is its leaves in order. */
function flatten(data: readonly unknown[], name: string): readonly unknown[] {
  const flat: unknown[] = [];
  for (const row of data) {
    if (!Array.isArray(row)) throw new AppError('invalid', `Input "${name}" mixes lists and values in its data`);
    for (const value of row) flat.push(value);
  }
  return flat;
}

function readValues(data: readonly unknown[], name: string, type: string, datatype: Datatype): ColumnValues {
  if (datatype.kind === 'number') return readNumbers(data, name, type, datatype.range);
  for (let i = 0; i < data.length; i++) {
    const value = data[i];
    if (value !== null && typeof value !== datatype.kind) throw illTyped(name, type, i, value);
  }
  return data as readonly Cell[];
}

function readNumbers(data: readonly unknown[], name: string, type: string, range: Datatype['range']): Float64Array {
  const numbers = new Float64Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const value = data[i];
    if (value === null) numbers[i] = Number.NaN;
    else if (typeof value !== 'number') throw illTyped(name, type, i, value);
    else if (range && !(Number.isInteger(value) && value >= range[0] && value <= range[1]))
      throw illTyped(name, type, i, value);
    else numbers[i] = value;
  }
  return numbers;
}

const illTyped = (name: string, type: string, row: number, value: unknown): AppError =>
  new AppError('invalid', `Column "${name}" expects ${type}; element ${row} has ${show(value)}`);

const OUTPUTS = ['predict', 'predict_proba'];

function parseOutputs(outputs: unknown): readonly string[] | null {
  if (outputs === undefined || outputs === null) return null;
  if (!Array.isArray(outputs)) throw new AppError('invalid', `"outputs" must be a list; got ${show(outputs)}`);
  if (outputs.length === 0) return null;
  return outputs.slice(0, 16).map((output) => {
    const name = isRecord(output) ? output['name'] : undefined;
    if (typeof name !== 'string' || !OUTPUTS.includes(name))
      throw new AppError('invalid', `There is no output ${show(name)}; expected ${OUTPUTS.join(' or ')}`);
    return name;
  });
}
