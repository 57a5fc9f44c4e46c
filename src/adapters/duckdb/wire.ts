import type { Cell, ColumnValues, Frame } from '../../kernel/frame.ts';

/**
 * A frame between the processes. A text a cell would cost the reader half a microsecond each, at once, on the server's event loop:
 * texts that repeat travel once with a code a row, others as one long text that is cut again.
 */
export interface WireFrame {
  readonly rowCount: number;
  readonly columns: readonly WireColumn[];
}

type WireColumn =
  | { readonly name: string; readonly kind: 'values'; readonly values: ColumnValues }
  /** -1 = missing. */
  | { readonly name: string; readonly kind: 'words'; readonly words: readonly string[]; readonly codes: Int32Array }
  /** -1 = missing. */
  | { readonly name: string; readonly kind: 'text'; readonly text: string; readonly lengths: Int32Array };

/** Below so many rows nothing is gained. */
const MIN_ROWS = 64;
/** Beyond these, a new word in every second row says that the text does not repeat. */
const WORDS_AT_FIRST = 256;

export const toWire = ({ rowCount, columns }: Frame): WireFrame => ({
  rowCount,
  columns: columns.map(({ name, values }) => toWireColumn(name, values)),
});

export const fromWire = ({ rowCount, columns }: WireFrame): Frame => ({
  rowCount,
  columns: columns.map((column) => ({ name: column.name, values: valuesOf(column) })),
});

function toWireColumn(name: string, values: ColumnValues): WireColumn {
  if (values instanceof Float64Array || values.length < MIN_ROWS || !isText(values))
    return { name, kind: 'values', values };
  return toWords(name, values) ?? toText(name, values);
}

function isText(values: readonly Cell[]): values is readonly (string | null)[] {
  for (const value of values) if (value !== null && typeof value !== 'string') return false;
  return true;
}

function toWords(name: string, values: readonly (string | null)[]): WireColumn | undefined {
  const codes = new Int32Array(values.length);
  const known = new Map<string, number>();
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value === null) {
      codes[i] = -1;
      continue;
    }
    let code = known.get(value);
    if (code === undefined) {
      code = known.size;
      if (code > WORDS_AT_FIRST + i / 2) return undefined;
      known.set(value, code);
    }
    codes[i] = code;
  }
  return { name, kind: 'words', words: [...known.keys()], codes };
}

function toText(name: string, values: readonly (string | null)[]): WireColumn {
  const lengths = Int32Array.from(values, (value) => value?.length ?? -1);
  return { name, kind: 'text', text: values.join(''), lengths };
}

function valuesOf(column: WireColumn): ColumnValues {
  if (column.kind === 'values') return column.values;
  const cells = new Array<Cell>(column.kind === 'words' ? column.codes.length : column.lengths.length);
  if (column.kind === 'words') {
    for (let i = 0; i < cells.length; i++) cells[i] = column.words[column.codes[i]!] ?? null;
    return cells;
  }
  let at = 0;
  for (let i = 0; i < cells.length; i++) {
    const length = column.lengths[i]!;
    cells[i] = length < 0 ? null : column.text.slice(at, at + length);
    at += Math.max(0, length);
  }
  return cells;
}
