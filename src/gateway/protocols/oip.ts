import { AppError } from '../../kernel/errors.ts';
import type { Cell, Column, ColumnValues } from '../../kernel/frame.ts';
import { isRecord, parseJson, show } from '../http/json.ts';
import { LIMITS } from '../limits.ts';
import { assertColumns, assertRows, type Call, type Inputs } from './call.ts';
import type { RowScanner, ScannedRow } from './scanner/row-scanner.ts';

type Kind = 'number' | 'boolean' | 'string';

interface Datatype {
  readonly kind: Kind;
  /** Bounds of whole numbers. */
  readonly range?: readonly [number, number];
}

const whole = (low: number, high: number): Datatype => ({ kind: 'number', range: [low, high] });

/** The protocol's datatypes. 64-bit integers are exact up to 2^53-1, which is what JSON numbers carry. */
const DATATYPES: Readonly<Record<string, Datatype>> = {
  BOOL: { kind: 'boolean' },
  UINT8: whole(0, 2 ** 8 - 1),
  UINT16: whole(0, 2 ** 16 - 1),
  UINT32: whole(0, 2 ** 32 - 1),
  UINT64: whole(0, Number.MAX_SAFE_INTEGER),
  INT8: whole(-(2 ** 7), 2 ** 7 - 1),
  INT16: whole(-(2 ** 15), 2 ** 15 - 1),
  INT32: whole(-(2 ** 31), 2 ** 31 - 1),
  INT64: whole(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
  FP16: { kind: 'number' },
  FP32: { kind: 'number' },
  FP64: { kind: 'number' },
  BYTES: { kind: 'string' },
};

/** The bytes of an inference request. `scanRow` reads what most of them are, if it can: one row of numbers for the version that most are for. */
export function parseInferBody(body: Buffer, scanRow: RowScanner | undefined): Call {
  const row = scanRow?.(body);
  const envelope = row && envelopeOf(body, row);
  if (!envelope) return parseInfer(parseJson(body));
  return callOf(envelope, { kind: 'row', names: row.names, cells: row.cells });
}

type Envelope = Readonly<Record<string, unknown>>;

const NO_MEMBERS: Envelope = {};
const PLAIN_START = '{"inputs":'.length;
const CUT = Buffer.from('0');
const CLOSE = 0x7d;

/** The request without its inputs; undefined where that is no valid request, or where those were not the inputs that count. */
function envelopeOf(body: Buffer, { start, end }: ScannedRow): Envelope | undefined {
  if (start === PLAIN_START && end === body.length - 1 && body[end] === CLOSE) return NO_MEMBERS;
  try {
    const envelope = parseJson(Buffer.concat([body.subarray(0, start), CUT, body.subarray(end)]));
    return isRecord(envelope) && envelope['inputs'] === 0 ? envelope : undefined;
  } catch {
    return undefined;
  }
}

/** An inference request of the Open Inference Protocol v2: one input a column, or one 2-D input. Throws `invalid` naming the input. */
export function parseInfer(body: unknown): Call {
  if (!isRecord(body)) throw new AppError('invalid', `The request must be an object with "inputs"; got ${show(body)}`);
  const { inputs } = body;
  if (!Array.isArray(inputs) || inputs.length === 0)
    throw new AppError('invalid', `"inputs" must be a list of tensors, one a column; got ${show(inputs)}`);
  assertColumns(inputs.length);
  return callOf(body, parseInputs(inputs));
}

function callOf({ id, parameters, outputs }: Envelope, inputs: Inputs): Call {
  const named = parameters === undefined || parameters === null ? NO_MEMBERS : parameters;
  if (!isRecord(named)) throw new AppError('invalid', `"parameters" must be an object; got ${show(parameters)}`);
  return {
    inputs,
    callerId: optionalText(id, 'id'),
    eventTime: optionalText(named['event_time'], 'parameters.event_time'),
    entity: optionalEntity(named['entity'], 'parameters.entity'),
    outputs: parseOutputs(outputs),
  };
}

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
  const datatype = typeof input['datatype'] === 'string' ? DATATYPES[input['datatype']] : undefined;
  if (!datatype)
    throw new AppError(
      'invalid',
      `Input "${name}" has the datatype ${show(input['datatype'])}; expected one of ${Object.keys(DATATYPES).join(', ')}`,
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
