import { call } from '../../../api/client.ts';

/** Which log: of a run's step, one attempt of it. */
export interface LogOf {
  readonly run: string;
  readonly step: string;
  readonly attempt: number;
}

/** The piece of a log that the page holds. However long the log is, it holds no more than `MAX_LINES` of it. */
export interface LogWindow {
  /** Byte offsets: where the first line begins, and behind the last one. */
  readonly start: number;
  readonly end: number;
  readonly lines: readonly string[];
  readonly sizeBytes: number;
  /** The step is over and the window reaches its end. */
  readonly finished: boolean;
}

export const TAIL_BYTES = 65_536;
const PIECE_BYTES = 131_072;
const MAX_LINES = 20_000;
const LINE_CHARACTERS = 2_000;
/** A log that runs away by so much is not run after: the window is set to its end. */
const BEHIND_BYTES = 4 * PIECE_BYTES;

interface Asked {
  readonly offset: number;
  readonly length?: number;
  readonly wait?: number;
}

async function read({ run, step, attempt }: LogOf, query: Asked, signal: AbortSignal) {
  return call('GET /pipeline-runs/:id/steps/:step/log', {
    params: { id: run, step },
    query: { ...query, ...(attempt > 0 && { attempt }) },
    signal,
  });
}

/** The end of the log. */
export const openTail = async (log: LogOf, signal: AbortSignal): Promise<LogWindow> =>
  toWindow(await read(log, { offset: -TAIL_BYTES }, signal));

/** The log from a place on, a little before it. */
export async function openAt(log: LogOf, offset: number, signal: AbortSignal): Promise<LogWindow> {
  const from = Math.max(0, offset - TAIL_BYTES);
  return toWindow(await read(log, { offset: from, length: PIECE_BYTES }, signal));
}

/** What came behind the window; with `wait` (seconds) as soon as there is something. */
export async function readOn(log: LogOf, before: LogWindow, wait: number, signal: AbortSignal): Promise<LogWindow> {
  const piece = await read(log, { offset: before.end, wait }, signal);
  if (wait > 0 && piece.sizeBytes - piece.nextOffset > BEHIND_BYTES) return openTail(log, signal);
  const lines = [...before.lines, ...linesOf(piece.text)];
  const dropped = lines.slice(0, Math.max(0, lines.length - MAX_LINES));
  return {
    start: before.start + bytesOf(dropped),
    end: piece.nextOffset,
    lines: dropped.length > 0 ? lines.slice(dropped.length) : lines,
    sizeBytes: Math.max(piece.sizeBytes, before.sizeBytes),
    finished: piece.finished,
  };
}

/** What stands before the window; lines at its other end are let go where there are too many. */
export async function readBack(log: LogOf, before: LogWindow, signal: AbortSignal): Promise<LogWindow> {
  const offset = Math.max(0, before.start - PIECE_BYTES);
  const piece = toWindow(await read(log, { offset, length: before.start - offset }, signal));
  const lines = [...piece.lines, ...before.lines];
  const dropped = lines.slice(MAX_LINES);
  return {
    start: piece.start,
    end: before.end - bytesOf(dropped),
    lines: dropped.length > 0 ? lines.slice(0, MAX_LINES) : lines,
    sizeBytes: Math.max(piece.sizeBytes, before.sizeBytes),
    finished: before.finished && dropped.length === 0,
  };
}

interface Piece {
  readonly text: string;
  readonly offset: number;
  readonly nextOffset: number;
  readonly sizeBytes: number;
  readonly finished: boolean;
}

/** A piece that begins inside of a line begins with the next one. */
function toWindow({ text, offset, nextOffset, sizeBytes, finished }: Piece): LogWindow {
  const cut = offset === 0 ? 0 : text.indexOf('\n') + 1;
  return {
    start: offset + new TextEncoder().encode(text.slice(0, cut)).length,
    end: nextOffset,
    lines: linesOf(text.slice(cut)),
    sizeBytes,
    finished,
  };
}

function linesOf(text: string): string[] {
  if (text === '') return [];
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

const bytesOf = (lines: readonly string[]): number =>
  lines.length === 0 ? 0 : new TextEncoder().encode(lines.join('\n')).length + 1;

// biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal's colours begin with this one
const COLOURS = /\u001b\[[0-9;?]*[ -/]*[@-~]/g;

/** A line as it is shown: without a terminal's colours, what a carriage return wrote over, and not endless. */
export function shownLine(line: string): string {
  const plain = line.replace(COLOURS, '').replace(/\r$/, '');
  const last = plain.slice(plain.lastIndexOf('\r') + 1);
  return last.length > LINE_CHARACTERS
    ? `${last.slice(0, LINE_CHARACTERS)} … ${last.length - LINE_CHARACTERS} more`
    : last;
}
