import type { CommandResult, Output } from './command.ts';

const PROGRESS_EVERY_MS = 2_000;
/** The same words with other numbers: a log need not hold each of them. */
const SAME_EVERY_MS = 15_000;
const CLEAR_LINE = '\r\u001b[2K';

export interface Streams {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: {
    write(text: string): unknown;
    readonly isTTY?: boolean | undefined;
    readonly columns?: number | undefined;
  };
}

export interface Printer extends Output {
  /** The result of a command, once. */
  result(result: CommandResult): void;
  /** What was thrown, once. */
  failure(error: Failure): void;
}

export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly hint?: string | undefined;
  readonly requestId?: string | undefined;
}

/** Writes for people, or under `json` one object on stdout; prose and progress go to stderr either way. */
export function createPrinter(
  { stdout, stderr }: Streams,
  options: { readonly json: boolean; readonly jsonl: boolean },
): Printer {
  let shown = 0;
  let gist = '';
  let open = false;
  const clear = (): void => {
    if (open) stderr.write(CLEAR_LINE);
    open = false;
  };
  const out = (text: string): void => {
    clear();
    stdout.write(`${text}\n`);
  };
  const note = (text: string): void => {
    clear();
    stderr.write(`${text}\n`);
  };
  const quiet = options.json || options.jsonl;
  return {
    table: toTable,
    note,
    line(text = '') {
      if (!quiet) out(text);
    },
    item(data, text) {
      out(quiet ? JSON.stringify(data) : text);
    },
    progress(text) {
      const now = Date.now();
      if (stderr.isTTY) {
        stderr.write(`${CLEAR_LINE}${text.slice(0, (stderr.columns ?? 80) - 1)}`);
        open = true;
        return;
      }
      const words = text.replace(/[\d.,:]+/g, '');
      if (now - shown >= (words === gist ? SAME_EVERY_MS : PROGRESS_EVERY_MS)) {
        shown = now;
        gist = words;
        stderr.write(`${text}\n`);
      }
    },
    result: (result) => printResult(result, options, out, note),
    failure: (failure) => printFailure(failure, quiet, out, note),
  };
}

function printResult(
  { schema, data, text, warnings = [], next = [] }: CommandResult,
  options: { readonly json: boolean; readonly jsonl: boolean },
  out: (text: string) => void,
  note: (text: string) => void,
): void {
  if (options.json) {
    out(JSON.stringify({ schema, ok: true, data, warnings, next }));
    return;
  }
  for (const warning of warnings) note(`warning: ${warning}`);
  if (options.jsonl) return;
  if (text !== undefined && text !== '') out(text);
  if (next.length > 0) note(`\nnext: ${next.join('\n      ')}`);
}

function printFailure(
  failure: Failure,
  quiet: boolean,
  out: (text: string) => void,
  note: (text: string) => void,
): void {
  if (quiet) {
    out(JSON.stringify({ ok: false, error: failure }));
    return;
  }
  note(`error: ${failure.message}`);
  if (failure.hint) note(`try:   ${failure.hint}`);
}

/** Columns aligned by width; a column of numbers to the right; two spaces between. */
export function toTable(header: readonly string[], rows: readonly (readonly unknown[])[]): string {
  const cells = rows.map((row) => header.map((_, i) => show(row[i])));
  const widths = header.map((title, i) => Math.max(title.length, ...cells.map((row) => row[i]!.length)));
  const right = header.map((_, i) => rows.length > 0 && rows.every((row) => isNumeric(row[i])));
  const toLine = (row: readonly string[]): string =>
    row
      .map((cell, i) => (right[i] ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd();
  return [header.map((title) => title.toUpperCase()), ...cells].map(toLine).join('\n');
}

const isNumeric = (value: unknown): boolean =>
  typeof value === 'number' ||
  value === null ||
  value === undefined ||
  (typeof value === 'string' && /^-?[\d,.]+( ?%)?$/.test(value));

const show = (value: unknown): string =>
  (value === null || value === undefined ? '–' : String(value)).replace(/\s*\n\s*/g, ' ');
