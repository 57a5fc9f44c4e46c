import { toNumberRow } from '../../engines/number-row.ts';
import { checkRows, type Signature } from '../../engines/signature.ts';
import { AppError } from '../../kernel/errors.ts';
import type { Cell, Column, ColumnValues, Frame } from '../../kernel/frame.ts';
import { LIMITS } from '../limits.ts';

/** One request for predictions, whichever protocol it came by. */
export interface Call {
  readonly inputs: Inputs;
  /** The caller's own id, kept beside ours. */
  readonly callerId: string | null;
  /** As sent: ISO 8601. */
  readonly eventTime: string | null;
  readonly entity: string | null;
  /** OIP: the outputs that were asked for; null: all. */
  readonly outputs: readonly string[] | null;
}

export type Inputs =
  /** One row of numbers; without names in the signature's order. */
  | { readonly kind: 'row'; readonly names: readonly string[] | null; readonly cells: Float64Array }
  /** A column an input. */
  | { readonly kind: 'columns'; readonly frame: Frame }
  /** Rows without names, in the signature's order, row-major. */
  | { readonly kind: 'rows'; readonly rowCount: number; readonly width: number; readonly cells: ArrayLike<Cell> }
  /** CSV: everything is text until the signature says what it is. */
  | { readonly kind: 'text'; readonly frame: Frame };

export function rowCountOf(inputs: Inputs): number {
  if (inputs.kind === 'row') return 1;
  return inputs.kind === 'rows' ? inputs.rowCount : inputs.frame.rowCount;
}

/** The rows as the signature wants them. Throws `invalid` where they break it. */
export function checkInputs(inputs: Inputs, signature: Signature): Frame {
  const row = inputs.kind === 'row' ? toNumberRow(signature, inputs.names, inputs.cells) : undefined;
  return row ?? checkRows(signature, frameFor(inputs, signature)).frame;
}

/** The rows under the names of the signature, not yet checked against it. */
export function frameFor(inputs: Inputs, signature: Signature): Frame {
  switch (inputs.kind) {
    case 'row':
      return nameRow(inputs, signature);
    case 'columns':
      return inputs.frame;
    case 'rows':
      return nameRows(inputs, signature);
    case 'text':
      return typeTexts(inputs.frame, signature);
  }
}

export function assertRows(rowCount: number): void {
  if (rowCount === 0) throw new AppError('invalid', 'The request has no rows; send at least one');
  if (rowCount > LIMITS.rows)
    throw new AppError('too_large', `The request has ${rowCount} rows; at most ${LIMITS.rows} are answered at once`);
}

export function assertColumns(count: number): void {
  if (count > LIMITS.columns)
    throw new AppError('too_large', `The request has ${count} columns; at most ${LIMITS.columns} are read`);
}

/** Numbers and nulls become a Float64Array, where null is missing; anything else stays for the signature to judge. */
export function compact(values: readonly unknown[]): ColumnValues {
  const numbers = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (typeof value === 'number') numbers[i] = value;
    else if (value === null) numbers[i] = Number.NaN;
    else return values as readonly Cell[];
  }
  return numbers;
}

function nameRow({ names, cells }: Inputs & { kind: 'row' }, signature: Signature): Frame {
  if (names === null) return nameRows({ kind: 'rows', rowCount: 1, width: cells.length, cells }, signature);
  return { rowCount: 1, columns: names.map((name, i): Column => ({ name, values: cells.slice(i, i + 1) })) };
}

function nameRows(inputs: Inputs & { kind: 'rows' }, signature: Signature): Frame {
  const names = signature.inputs.map(({ name }) => name);
  if (inputs.width !== names.length)
    throw new AppError(
      'invalid',
      `The rows have ${inputs.width} values; expected ${names.length}: ${names.slice(0, 20).join(', ')}`,
    );
  const { rowCount, width, cells } = inputs;
  const columns = names.map((name, c): Column => {
    const values = new Array<Cell>(rowCount);
    for (let r = 0; r < rowCount; r++) values[r] = cells[r * width + c] ?? null;
    return { name, values: compact(values) };
  });
  return { rowCount, columns };
}

function typeTexts(frame: Frame, signature: Signature): Frame {
  const types = new Map(signature.inputs.map(({ name, type }) => [name, type]));
  const columns = frame.columns.map(({ name, values }): Column => {
    const type = types.get(name);
    if (type === undefined || type === 'string' || type === 'datetime') return { name, values };
    if (type === 'boolean') return { name, values: Array.from(values, toBoolean) };
    if (type === 'category') return { name, values };
    return { name, values: compact(Array.from(values, toNumber)) };
  });
  return { rowCount: frame.rowCount, columns };
}

const toBoolean = (cell: Cell): Cell =>
  cell === 'true' || cell === 'True' ? true : cell === 'false' || cell === 'False' ? false : cell;

/** A text that is no number stays one, so that the check names it. */
function toNumber(cell: Cell): Cell {
  if (typeof cell !== 'string') return cell;
  const value = Number(cell);
  return Number.isNaN(value) && cell.toLowerCase() !== 'nan' ? cell : value;
}
