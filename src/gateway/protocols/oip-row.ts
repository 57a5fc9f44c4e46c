import { LIMITS } from '../limits.ts';
import type { Inputs } from './call.ts';
import { rangeOf } from './oip-datatypes.ts';

/**
 * The inputs of a request for one prediction over numbers, the form that most requests have: the same as `parseInfer` makes of them, without its detours.
 * Undefined where they are anything else, or wrong: then `parseInfer` has the word.
 */
export function readRow(inputs: readonly unknown[]): Inputs | undefined {
  if (inputs.length === 0) return undefined;
  const { name, shape } = (inputs[0] ?? {}) as Tensor;
  if (!Array.isArray(shape)) return undefined;
  const isWide = shape.length === 2 && shape[1] !== 1;
  if (inputs.length === 1 && (isWide || name === 'features')) return readWide(inputs[0] as Tensor);
  return readNarrow(inputs as readonly Tensor[]);
}

/** What an input should be; each is looked at before it is used. */
interface Tensor {
  readonly name?: unknown;
  readonly shape?: unknown;
  readonly datatype?: unknown;
  readonly data?: unknown;
}

/** One 2-D input: a row without names. */
function readWide({ name, shape, datatype, data }: Tensor): Inputs | undefined {
  if (typeof name !== 'string' || !Array.isArray(data) || data.length === 0 || data.length > LIMITS.columns)
    return undefined;
  if (!isOneRow(shape, data.length)) return undefined;
  const range = rangeOf(datatype);
  if (!range) return undefined;
  const cells = new Float64Array(data.length);
  for (let i = 0; i < cells.length; i++) {
    const cell = readCell(data[i], range);
    if (cell === undefined) return undefined;
    cells[i] = cell;
  }
  return { kind: 'row', names: null, cells };
}

/** One input a column, each with one value. */
function readNarrow(inputs: readonly Tensor[]): Inputs | undefined {
  const names = new Array<string>(inputs.length);
  const cells = new Float64Array(inputs.length);
  for (let i = 0; i < inputs.length; i++) {
    const input = inputs[i];
    if (typeof input !== 'object' || input === null) return undefined;
    const { name, shape, datatype, data } = input;
    const range = rangeOf(datatype);
    if (typeof name !== 'string' || !range || !Array.isArray(data) || data.length !== 1) return undefined;
    const cell = isOneRow(shape, 1) ? readCell(data[0], range) : undefined;
    if (cell === undefined) return undefined;
    names[i] = name;
    cells[i] = cell;
  }
  return { kind: 'row', names, cells };
}

function isOneRow(shape: unknown, width: number): boolean {
  if (!Array.isArray(shape) || shape[0] !== 1) return false;
  return shape.length === 2 ? shape[1] === width : shape.length === 1 && width === 1;
}

function readCell(value: unknown, range: readonly [number, number] | 'any'): number | undefined {
  if (value === null) return Number.NaN;
  if (typeof value !== 'number') return undefined;
  if (range === 'any') return value;
  return Number.isInteger(value) && value >= range[0] && value <= range[1] ? value : undefined;
}
