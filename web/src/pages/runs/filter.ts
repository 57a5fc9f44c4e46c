import type { RunRow } from './table-data.ts';

/** Whether what was typed is of the search grammar, not plain words. */
export const isGrammar = (text: string): boolean =>
  /[<>=]|\b(i?like|not in|in|is (not )?null)\b/i.test(text) &&
  /[.\w`"]\s*([<>=!]|i?like\b|not in\b|in\b|is\b)/i.test(text);

export const GRAMMAR_EXAMPLE = "metrics.loss < 0.3 and params.depth = '5'";

export interface Filter {
  /** Plain words; each must stand in the run's name, user, state, pipeline, step, the end of its id, or a column in sight. */
  readonly words: string;
  readonly states: readonly string[];
  /** The runs that match the grammar; undefined where none was typed. */
  readonly matches: ReadonlySet<string> | undefined;
}

export function filterRuns(rows: readonly RunRow[], { words, states, matches }: Filter): readonly RunRow[] {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  if (wanted.length === 0 && states.length === 0 && matches === undefined) return rows;
  return rows.filter((row) => {
    if (states.length > 0 && !states.includes(row.status)) return false;
    if (matches !== undefined && !matches.has(row.id)) return false;
    if (wanted.length === 0) return true;
    const text = textOf(row);
    return wanted.every((word) => text.includes(word));
  });
}

/** Made once a row: typing filters ten thousand of them at every key. */
const texts = new WeakMap<RunRow, string>();

function textOf(row: RunRow): string {
  let text = texts.get(row);
  if (text === undefined) {
    const { id, name, user, status, pipeline, step, cells } = row;
    text = [name, user, status, pipeline ?? '', step ?? '', id, ...cells.map((cell) => cell ?? '')]
      .join(' ')
      .toLowerCase();
    texts.set(row, text);
  }
  return text;
}
