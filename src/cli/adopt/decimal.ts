import { open } from 'node:fs/promises';
import type { AdoptResult } from '../../adopt/types.ts';

/** So much of a file says how it writes its numbers. */
const HEAD_BYTES = 256 * 1024;
const DELIMITED = /\.(csv|tsv|txt)$/i;
const COMMA_NUMBER = /^[+-]?(?:\d+(?:,\d*)?|,\d+)(?:[eE][+-]?\d+)?$/;

/**
 * Whether the file whose rows the model answers writes its numbers as `3,14`: a column that the notebook read as numbers holds
 * cells with a comma. Nothing else in the file tells them from text.
 */
export async function findDecimal(result: Pick<AdoptResult, 'data' | 'rawColumns'>): Promise<',' | null> {
  const file = result.data.find(({ role }) => role === 'main');
  if (!file || !DELIMITED.test(file.path)) return null;
  const numbers = result.rawColumns.filter(({ type }) => type === 'number').map(({ name }) => name);
  return decimalOf(await headOf(file.source), numbers);
}

/** Columns that the notebook read as text (codes with leading zeros) though every cell in the file is a number. */
export async function findTexts(
  result: Pick<AdoptResult, 'data' | 'rawColumns' | 'brought'>,
): Promise<readonly string[]> {
  const file = result.data.find(({ role }) => role === 'main');
  const names = result.rawColumns.flatMap(({ name, looksLikeNumbers }) => (looksLikeNumbers === true ? [name] : []));
  if (!file || names.length === 0 || !DELIMITED.test(file.path)) return [];
  const [header = ''] = (await headOf(result.brought?.at ?? file.source)).split(/\r?\n/, 1);
  // Names that the notebook gave to the columns itself are not the file's.
  const known = new Set(header.split(/[,;\t|]/).map(bare));
  return names.filter((name) => known.has(name));
}

/** The same over the beginning of a file. */
export function decimalOf(head: string, numbers: readonly string[]): ',' | null {
  const lines = head.split(/\r?\n/).slice(0, -1);
  for (const delimiter of [';', '\t', '|']) {
    const [names = [], ...rows] = lines.map((line) => line.split(delimiter).map(bare));
    const columns = numbers.flatMap((name) => (names.includes(name) ? [names.indexOf(name)] : []));
    const isComma = columns.some((at) => {
      const cells = rows.map((row) => row[at] ?? '').filter((cell) => cell !== '');
      return cells.some((cell) => cell.includes(',')) && cells.every((cell) => COMMA_NUMBER.test(cell));
    });
    if (isComma) return ',';
  }
  return null;
}

const bare = (cell: string): string => cell.trim().replace(/^"(.*)"$/, '$1');

async function headOf(path: string): Promise<string> {
  const file = await open(path).catch(() => undefined);
  if (!file) return '';
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    const text = buffer
      .subarray(0, bytesRead)
      .toString('utf8')
      .replace(/^\ufeff/, '');
    return bytesRead < HEAD_BYTES ? `${text}\n` : text;
  } finally {
    await file.close();
  }
}
