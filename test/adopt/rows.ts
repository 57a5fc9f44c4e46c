import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AdoptResult } from '../../src/adopt/types.ts';
import type { Cell, Frame } from '../../src/kernel/frame.ts';
import type { LoadedPythonModel, PythonWorkers } from '../../src/ports/python-worker.ts';
import type { Case, Expected } from './cases.ts';

type Row = Readonly<Record<string, Cell>>;

export interface Answer {
  readonly predict: Cell;
  /** By class, in the model's order; empty where it has none. */
  readonly proba: readonly Cell[];
}

const NO_VALUE = new Set(['', 'NA', 'NaN', 'nan', 'null', 'None', 'N/A']);

/**
 * The raw rows of these answers, as a caller would send them: the cells of the file by name, numbers where the whole column is
 * numbers, null where nothing stands, and without the target.
 */
export async function rawRows(each: Case, expected: Expected, folder: string): Promise<Row[]> {
  if (!expected.dataset) return expected.answers.map(({ values }) => ({ ...values }));
  const { separator = ',', decimal = '.', names } = each.answers?.read ?? {};
  const [first = [], ...others] = parse(await readFile(join(folder, expected.dataset), 'utf8'), separator);
  const table = names ? [first, ...others] : others;
  const columns = (names ?? first).map((name, at) => ({ name, at, isNumber: isNumeric(table, at, decimal) }));
  return expected.answers.map(({ row }) => {
    const cells = table[row] ?? [];
    const kept = columns.filter(({ name }) => name !== each.target);
    return Object.fromEntries(kept.map(({ name, at, isNumber }) => [name, toCell(cells[at] ?? '', isNumber, decimal)]));
  });
}

/** Fields of a file, quotes undone; a separator of white space takes any amount of it. */
function parse(text: string, separator: string): string[][] {
  const rows: string[][] = [];
  const isSpace = separator === ' ';
  for (const line of text.split(/\r?\n/)) {
    if (line === '') continue;
    const fields: string[] = [];
    const pattern = isSpace
      ? /"([^"]*)"|(\S+)/g
      : new RegExp(`${separator}(?:"((?:[^"]|"")*)"|([^${separator}]*))`, 'g');
    // With a separator before the first field too, an empty one is a match as any other.
    for (const match of (isSpace ? line : separator + line).matchAll(pattern))
      fields.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '');
    rows.push(fields);
  }
  return rows;
}

const numberOf = (text: string, decimal: string): number => Number(text.replace(decimal, '.'));

function isNumeric(table: readonly (readonly string[])[], at: number, decimal: string): boolean {
  return table.every((cells) => {
    const text = cells[at] ?? '';
    return (
      NO_VALUE.has(text) ||
      text === '?' ||
      text === '-' ||
      (text.trim() !== '' && !Number.isNaN(numberOf(text, decimal)))
    );
  });
}

function toCell(text: string, isNumber: boolean, decimal: string): Cell {
  if (NO_VALUE.has(text)) return isNumber || text === '' ? null : text;
  if (!isNumber) return text;
  const value = numberOf(text, decimal);
  return Number.isNaN(value) ? null : value;
}

/** What the result's features.py and model answer, loaded as an endpoint loads them, one batch and one by one. */
export async function answersOf(workers: PythonWorkers, result: AdoptResult, rows: readonly Row[], work: string) {
  const exported = result.run.exports[0]!;
  const featuresPath = result.features ? join(work, 'features.py') : undefined;
  if (featuresPath) await writeFeatures(featuresPath, result.features!.text, exported.folder);
  const model = await workers.load(result.environment.python, {
    modelPath: exported.folder,
    ...(featuresPath && { featuresPath }),
    types: Object.fromEntries(result.rawColumns.map(({ name, type }) => [name, type])),
  });
  try {
    const names = result.rawColumns.map(({ name }) => name).filter((name) => rows.some((row) => name in row));
    const batch = await ask(model, names, rows, featuresPath !== undefined);
    const alone: Answer[] = [];
    for (const row of rows.slice(0, 12)) alone.push(...(await ask(model, names, [row], featuresPath !== undefined)));
    return { batch, alone };
  } finally {
    await model.close();
  }
}

async function ask(
  model: LoadedPythonModel,
  names: readonly string[],
  rows: readonly Row[],
  hasFeatures: boolean,
): Promise<Answer[]> {
  const columns = names.map((name) => ({ name, values: toValues(rows.map((row) => row[name] ?? null)) }));
  const answer = await model.run(hasFeatures ? 'both' : 'model', { rowCount: rows.length, columns });
  if (!answer.ok) throw new Error(`${answer.kind}: ${answer.message}`);
  if (answer.errors?.length)
    throw new Error(`row ${answer.errors[0]!.row}: ${answer.errors[0]!.kind}: ${answer.errors[0]!.message}`);
  return toAnswers(answer.frame);
}

/** As the gateway hands them over: numbers without gaps as doubles. */
function toValues(cells: readonly Cell[]): Float64Array | readonly Cell[] {
  return cells.every((cell) => typeof cell === 'number') ? Float64Array.from(cells as number[]) : cells;
}

function toAnswers({ rowCount, columns }: Frame): Answer[] {
  const predict = columns.find(({ name }) => name === 'predict')!;
  const scores = columns.filter(({ name }) => name.startsWith('predict_proba:'));
  return Array.from({ length: rowCount }, (_, at) => ({
    predict: predict.values[at] ?? null,
    proba: scores.map(({ values }) => values[at] ?? null),
  }));
}

/** As a version serves it: the project's text, and what the run learned. */
async function writeFeatures(path: string, text: string, model: string): Promise<void> {
  const learned = await readFile(join(model, 'levain', 'learned.pkl')).catch(() => undefined);
  const block = `\nimport base64, pickle\nLEARNED.update(pickle.loads(base64.b64decode("${learned?.toString('base64')}")))\n`;
  await writeFile(path, learned ? text + block : text);
}

/** Where an answer is not the notebook's: the first one, in words. */
export function difference(expected: Expected, got: readonly Answer[]): string | undefined {
  for (const [n, answer] of got.entries()) {
    const wanted = expected.answers[n]!;
    if (!same(answer.predict, wanted.predict)) return `row ${wanted.row}: ${answer.predict}, not ${wanted.predict}`;
    for (const [k, score] of (wanted.proba ?? []).entries()) {
      if (answer.proba.length > 0 && !same(answer.proba[k] ?? null, score)) {
        return `row ${wanted.row}: score ${answer.proba[k]}, not ${score}`;
      }
    }
  }
  return undefined;
}

function same(a: Cell, b: Cell): boolean {
  if (typeof a === 'number' && typeof b === 'number') return Math.abs(a - b) <= 1e-9 + 1e-6 * Math.abs(b);
  return String(a) === String(b);
}
