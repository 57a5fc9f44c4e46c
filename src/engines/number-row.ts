import type { Column, Frame } from '../kernel/frame.ts';
import type { ColumnType, Signature } from './signature.ts';

/**
 * One row of numbers that its signature has let through: a frame whose columns are made when somebody asks for them. A request for one prediction
 * goes through check, model and log as one array.
 */
export class NumberRow implements Frame {
  readonly rowCount = 1;
  readonly signature: Signature;
  /** In the signature's order; NaN = missing. */
  readonly cells: Float64Array;
  #columns: readonly Column[] | undefined;

  constructor(signature: Signature, cells: Float64Array) {
    this.signature = signature;
    this.cells = cells;
  }

  get columns(): readonly Column[] {
    this.#columns ??= this.signature.inputs.map(({ name }, i) => ({ name, values: this.cells.slice(i, i + 1) }));
    return this.#columns;
  }
}

const NUMBERS: ReadonlySet<ColumnType> = new Set(['double', 'float', 'long', 'integer', 'datetime']);

/** Columns of this type are kept as doubles. */
export const isNumberType = (type: ColumnType): boolean => NUMBERS.has(type);

export const isNumbersOnly = ({ inputs }: Signature): boolean => inputs.every(({ type }) => isNumberType(type));

/**
 * The row as `checkRows` would let it through; undefined where it would not, where the columns stand in another order, or where some are no numbers:
 * then `checkRows` has the word. `names` null: the cells are in the signature's order.
 */
export function toNumberRow(
  signature: Signature,
  names: readonly string[] | null,
  cells: Float64Array,
): NumberRow | undefined {
  const { inputs } = signature;
  if (cells.length !== inputs.length) return undefined;
  let isRounded = true;
  for (let i = 0; i < inputs.length; i++) {
    const { name, type } = inputs[i]!;
    if ((names !== null && names[i] !== name) || !fits(type, cells[i]!)) return undefined;
    if (type === 'float') isRounded = false;
  }
  return new NumberRow(signature, isRounded ? cells : round(signature, cells));
}

/** Another version may want the same cells as doubles. */
const round = ({ inputs }: Signature, cells: Float64Array): Float64Array =>
  Float64Array.from(cells, (cell, i) => (inputs[i]!.type === 'float' ? Math.fround(cell) : cell));

function fits(type: ColumnType, cell: number): boolean {
  switch (type) {
    case 'double':
    case 'float':
    case 'datetime':
      return true;
    case 'long':
      return Number.isSafeInteger(cell);
    case 'integer':
      return Number.isInteger(cell) && Math.abs(cell) < 2 ** 31;
    default:
      return false;
  }
}
