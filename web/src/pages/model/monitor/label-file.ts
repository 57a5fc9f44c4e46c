/** A label as the API takes it. */
export type LabelLine = Readonly<Record<string, string | number | boolean | null>>;

export interface LabelFile {
  readonly labels: readonly LabelLine[];
  /** By line of the file, from 1. */
  readonly problems: readonly { readonly line: number; readonly message: string }[];
}

export const MAX_LABEL_BYTES = 64 * 2 ** 20;
const KNOWN = ['prediction_id', 'caller_id', 'entity', 'at', 'value', 'available_at', 'source'];
const NAMES = ['prediction_id', 'caller_id', 'entity'];

/** CSV with a header, or an object a line, as `levain labels send` reads it; what is wrong is told line by line. */
export function readLabels(text: string): LabelFile {
  const lines = text.split(/\r?\n/).map((content, i) => ({ content, line: i + 1 }));
  const filled = lines.filter(({ content }) => content.trim() !== '');
  const [first] = filled;
  if (!first) return { labels: [], problems: [] };
  const labels: LabelLine[] = [];
  const problems: { line: number; message: string }[] = [];
  const isJson = first.content.trimStart().startsWith('{');
  const header = isJson ? [] : cellsOf(first.content).map((name) => name.trim());
  if (!isJson && !(header.includes('value') && header.some((name) => NAMES.includes(name))))
    return {
      labels,
      problems: [
        {
          line: first.line,
          message: `the columns are ${header.join(', ')}; a label needs value and one of ${NAMES.join(', ')}`,
        },
      ],
    };
  for (const { content, line } of isJson ? filled : filled.slice(1)) {
    const read = isJson ? fromJson(content) : fromCells(header, cellsOf(content));
    if (typeof read === 'string') problems.push({ line, message: read });
    else labels.push(read);
  }
  return { labels, problems };
}

function fromJson(content: string): LabelLine | string {
  try {
    const value: unknown = JSON.parse(content);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'is no object';
    return checked(value as LabelLine);
  } catch {
    return 'is not JSON; write one object a line';
  }
}

/** Ids stay texts and values become numbers; columns that are none of ours are left out. */
function fromCells(header: readonly string[], cells: readonly string[]): LabelLine | string {
  if (cells.length > header.length) return `has ${cells.length} cells, and the header ${header.length}`;
  const label: Record<string, string | number | boolean> = {};
  for (const [i, name] of header.entries()) {
    const cell = cells[i]?.trim() ?? '';
    if (cell === '' || !KNOWN.includes(name)) continue;
    if (name === 'value') label[name] = toValue(cell);
    else if (name === 'at' || name === 'available_at') {
      const time = toIso(cell);
      if (time === undefined) return `"${cell}" is not a time; write ISO 8601, for example 2026-01-31T12:00:00Z`;
      label[name] = time;
    } else label[name] = cell;
  }
  return checked(label);
}

function checked(label: LabelLine): LabelLine | string {
  const has = (name: string): boolean =>
    label[name] !== undefined ||
    label[name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())] !== undefined;
  const named = NAMES.filter(has);
  if (named.length !== 1) return `names ${named.length} predictions; give exactly one of ${NAMES.join(', ')}`;
  return label['value'] === undefined ? 'has no value' : label;
}

const toValue = (cell: string): string | number | boolean =>
  cell === 'true' || cell === 'false' ? cell === 'true' : Number.isFinite(Number(cell)) ? Number(cell) : cell;

function toIso(cell: string): string | undefined {
  const isPlain = /^\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?$/.test(cell);
  const time = Date.parse(isPlain ? `${cell.replace(' ', 'T')}Z` : cell);
  return Number.isNaN(time) ? undefined : new Date(time).toISOString();
}

/** Cells of one line: quotes may enclose commas, and a doubled quote is a quote. */
function cellsOf(line: string): string[] {
  const cells: string[] = [];
  let cell = '';
  let isQuoted = false;
  for (let i = 0; i < line.length; i++) {
    const char = line[i]!;
    if (isQuoted) {
      if (char !== '"') cell += char;
      else if (line[i + 1] === '"') cell += line[++i];
      else isQuoted = false;
    } else if (char === '"') isQuoted = true;
    else if (char === ',') {
      cells.push(cell);
      cell = '';
    } else cell += char;
  }
  return [...cells, cell];
}
