import { AppError, messageOf } from '../kernel/errors.ts';

export type NotebookOutput = Readonly<Record<string, unknown>>;

/** A cell as nbformat 4 has it. Members that we do not know are kept as they are. */
export interface NotebookCell {
  readonly cell_type: 'code' | 'markdown' | 'raw';
  readonly source: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly id?: string;
  readonly execution_count?: number | null;
  readonly outputs?: readonly NotebookOutput[];
  readonly [key: string]: unknown;
}

export interface Notebook {
  readonly nbformat: 4;
  readonly nbformat_minor: number;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly cells: readonly NotebookCell[];
}

export const MAX_NOTEBOOK_BYTES = 64 * 2 ** 20;
export const MAX_CELLS = 10_000;
const CELL_TYPES = ['code', 'markdown', 'raw'];

/**
 * Reads a notebook of nbformat 4 (nbformat.readthedocs.io) or 3, which becomes 4; sources become one text each. Throws
 * `invalid` with the cell and what to do, `too_large` beyond 64 MiB.
 */
export function parseNotebook(text: string, name: string): Notebook {
  if (text.length > MAX_NOTEBOOK_BYTES) {
    throw new AppError(
      'too_large',
      `${name} holds ${text.length} characters; at most ${MAX_NOTEBOOK_BYTES} are read. Clear its outputs and save it`,
    );
  }
  const json = parseJson(text, name);
  if (!isRecord(json)) throw new AppError('invalid', `${name} is not a notebook: its JSON is no object`);
  const value = json['nbformat'] === 3 ? upgrade(json) : json;
  if (value['nbformat'] !== 4) {
    throw new AppError(
      'invalid',
      `${name} has nbformat ${JSON.stringify(value['nbformat'] ?? null)}; open it in a current Jupyter and save it as version 4`,
    );
  }
  const cells = value['cells'];
  if (!Array.isArray(cells)) throw new AppError('invalid', `${name} is not a notebook: it has no list of cells`);
  if (cells.length > MAX_CELLS)
    throw new AppError('too_large', `${name} has ${cells.length} cells; at most ${MAX_CELLS} are run`);
  const minor = typeof value['nbformat_minor'] === 'number' ? value['nbformat_minor'] : 0;
  const metadata = isRecord(value['metadata']) ? value['metadata'] : {};
  const notebook: Notebook = {
    nbformat: 4,
    nbformat_minor: minor,
    metadata,
    cells: cells.map((cell, index) => parseCell(cell, index, name)),
  };
  const language = languageOf(notebook);
  if (language !== 'python')
    throw new AppError('invalid', `${name} is written in ${language}; only Python notebooks run as steps`);
  return notebook;
}

/** The source of the code cells alone: what counts for the cache. Outputs, prose and metadata do not, tags of code cells do. */
export const codeOf = (notebook: Notebook): readonly string[] =>
  notebook.cells
    .filter((cell) => cell.cell_type === 'code')
    .map((cell) => `${tagsOf(cell).sort().join(',')}\n${cell.source}`);

export function tagsOf(cell: NotebookCell): string[] {
  const tags = cell.metadata['tags'];
  return Array.isArray(tags) ? tags.filter((tag) => typeof tag === 'string') : [];
}

/** Version 3 kept the cells in worksheets, code under `input` and headings as cells of their own. */
function upgrade(old: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const sheets = Array.isArray(old['worksheets']) ? old['worksheets'] : [];
  const cells = sheets.flatMap((sheet) => (isRecord(sheet) && Array.isArray(sheet['cells']) ? sheet['cells'] : []));
  return { nbformat: 4, nbformat_minor: 0, metadata: old['metadata'], cells: cells.map(upgradeCell) };
}

function upgradeCell(cell: unknown): unknown {
  if (!isRecord(cell)) return cell;
  const metadata = cell['metadata'] ?? {};
  const type = cell['cell_type'];
  if (type === 'code') {
    const outputs = Array.isArray(cell['outputs']) ? cell['outputs'].map(upgradeOutput) : [];
    return {
      cell_type: 'code',
      metadata,
      source: cell['input'] ?? '',
      outputs,
      execution_count: cell['prompt_number'] ?? null,
    };
  }
  if (type !== 'heading') return { cell_type: type === 'raw' ? 'raw' : 'markdown', metadata, source: cell['source'] };
  const level = typeof cell['level'] === 'number' ? Math.min(6, Math.max(1, cell['level'])) : 1;
  return { cell_type: 'markdown', metadata, source: `${'#'.repeat(level)} ${toText(cell['source']) ?? ''}` };
}

/** Names that version 3 gave to media types. */
const MEDIA: Readonly<Record<string, string>> = {
  text: 'text/plain',
  html: 'text/html',
  svg: 'image/svg+xml',
  png: 'image/png',
  jpeg: 'image/jpeg',
  latex: 'text/latex',
  json: 'application/json',
  javascript: 'application/javascript',
};

function upgradeOutput(output: unknown): unknown {
  if (!isRecord(output)) return output;
  const type = output['output_type'];
  if (type === 'stream') {
    return { output_type: 'stream', name: output['stream'] ?? 'stdout', text: toText(output['text']) ?? '' };
  }
  if (type === 'pyerr') return { ...output, output_type: 'error' };
  const data = Object.entries(MEDIA).flatMap(([old, media]) => {
    const text = toText(output[old]);
    return text === undefined ? [] : [[media, text]];
  });
  const shared = { data: Object.fromEntries(data), metadata: {} };
  if (type !== 'pyout') return { output_type: 'display_data', ...shared };
  return { output_type: 'execute_result', execution_count: output['prompt_number'] ?? null, ...shared };
}

function parseJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text.startsWith('\ufeff') ? text.slice(1) : text);
  } catch (error) {
    throw new AppError('invalid', `${name} is not a notebook: ${messageOf(error).replace(/\s+/g, ' ')}`);
  }
}

function parseCell(cell: unknown, index: number, name: string): NotebookCell {
  const where = `${name}: cell ${index + 1}`;
  if (!isRecord(cell)) throw new AppError('invalid', `${where} is no object`);
  const type = cell['cell_type'];
  if (typeof type !== 'string' || !CELL_TYPES.includes(type)) {
    throw new AppError(
      'invalid',
      `${where} has the type ${JSON.stringify(type ?? null)}; known are ${CELL_TYPES.join(', ')}`,
    );
  }
  const source = toText(cell['source']);
  if (source === undefined) throw new AppError('invalid', `${where} has no source text`);
  const metadata = isRecord(cell['metadata']) ? cell['metadata'] : {};
  return { ...cell, cell_type: type as NotebookCell['cell_type'], source, metadata };
}

function toText(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (Array.isArray(value) && value.every((line) => typeof line === 'string')) return value.join('');
  return undefined;
}

function languageOf(notebook: Notebook): string {
  const spec = notebook.metadata['kernelspec'];
  const info = notebook.metadata['language_info'];
  const language = (isRecord(spec) && spec['language']) || (isRecord(info) && info['name']) || 'python';
  return String(language)
    .toLowerCase()
    .replace(/^ipython\d?$|^python\d$/, 'python');
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
