export type FileKind = 'image' | 'html' | 'csv' | 'parquet' | 'json' | 'notebook' | 'text' | 'other';

const KINDS: readonly (readonly [FileKind, RegExp])[] = [
  ['image', /\.(png|jpe?g|gif|webp|svg)$/i],
  ['html', /\.html?$/i],
  ['csv', /\.[ct]sv$/i],
  ['parquet', /\.parquet$/i],
  ['notebook', /\.ipynb$/i],
  ['json', /\.json$/i],
  [
    'text',
    /\.(txt|md|ya?ml|py|r|sql|sh|log|toml|cfg|ini|lock|jsonl|xml|js|ts|patch|diff)$|(^|\/)(MLmodel|Dockerfile|LICENSE|README)$/i,
  ],
];

/** What a file is by its name; `other` may still be text, which its first bytes tell. */
export const kindOf = (path: string): FileKind => KINDS.find(([, pattern]) => pattern.test(path))?.[0] ?? 'other';

/** Text has no NUL; models and archives soon have. */
export const isText = (bytes: Uint8Array): boolean => !bytes.subarray(0, 4_096).includes(0);

export interface Grid {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/**
 * The rows of delimited text (RFC 4180), at most `maxRows`; a last line that was cut off is left out where `isCut`.
 * @example parseDelimited('a,b\n1,"x,y"', { maxRows: 10, isCut: false }).rows // [['1', 'x,y']]
 */
export function parseDelimited(
  text: string,
  { maxRows, isCut }: { readonly maxRows: number; readonly isCut: boolean },
): Grid {
  const separator = separatorOf(text.slice(0, text.search(/[\r\n]|$/)));
  const lines: string[][] = [];
  let line: string[] = [];
  let cell = '';
  let isQuoted = false;
  const endCell = (): void => {
    line.push(cell);
    cell = '';
  };
  const endLine = (): void => {
    endCell();
    if (line.length > 1 || line[0] !== '') lines.push(line);
    line = [];
  };
  for (let i = 0; i < text.length && lines.length <= maxRows; i++) {
    const c = text[i]!;
    if (isQuoted) {
      if (c !== '"') cell += c;
      else if (text[i + 1] === '"') cell += text[++i];
      else isQuoted = false;
    } else if (c === '"' && cell === '') isQuoted = true;
    else if (c === separator) endCell();
    else if (c === '\n') endLine();
    else if (c !== '\r') cell += c;
  }
  if (!isCut && lines.length <= maxRows && (cell !== '' || line.length > 0)) endLine();
  const [columns = [], ...rows] = lines;
  return { columns, rows };
}

const separatorOf = (first: string): string => {
  const counts = [',', ';', '\t', '|'].map((each) => [each, first.split(each).length] as const);
  return counts.reduce((best, each) => (each[1] > best[1] ? each : best))[0];
};

export interface NotebookCell {
  readonly kind: string;
  readonly source: string;
  readonly outputs: readonly { readonly text?: string; readonly png?: string }[];
}

/** The cells of a notebook (nbformat 4); undefined where the text is none. */
export function parseNotebook(text: string): readonly NotebookCell[] | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  const cells = (parsed as { cells?: unknown }).cells;
  if (!Array.isArray(cells)) return undefined;
  return cells.map((cell: { cell_type?: unknown; source?: unknown; outputs?: unknown }) => ({
    kind: String(cell.cell_type ?? ''),
    source: joined(cell.source),
    outputs: Array.isArray(cell.outputs) ? cell.outputs.map(toOutput) : [],
  }));
}

function toOutput(output: { data?: Record<string, unknown>; text?: unknown; ename?: unknown; evalue?: unknown }) {
  const png = output.data?.['image/png'];
  if (typeof png === 'string' || Array.isArray(png)) return { png: joined(png).replace(/\s/g, '') };
  if (output.ename !== undefined) return { text: `${String(output.ename)}: ${String(output.evalue ?? '')}` };
  return { text: joined(output.text ?? output.data?.['text/plain'] ?? '') };
}

const joined = (value: unknown): string => (Array.isArray(value) ? value.map(String).join('') : String(value ?? ''));
