import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { AdoptFiles, AdoptLine, AdoptResult, Question, Refused } from '../../adopt/types.ts';
import { AppError } from '../../kernel/errors.ts';
import { EXIT } from '../command.ts';

export interface AdoptionHandlers {
  progress(line: Extract<AdoptLine, { t: 'progress' }>): void;
  /** The value of one of the question's options. */
  answer(question: Question): Promise<string>;
}

export type AdoptionEnd = AdoptResult | AdoptFiles | Refused;

const STDERR_LINES = 20;

/**
 * Runs the adoption in a process of its own and answers how it ended: what it found, or why it refuses. Aborting ends it. Throws
 * where it dies without a word.
 */
export async function runAdoption(
  specPath: string,
  handlers: AdoptionHandlers,
  signal: AbortSignal,
): Promise<AdoptionEnd> {
  const child = spawn(process.execPath, [...process.execArgv, mainPath(), specPath], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const stop = () => child.kill('SIGTERM');
  signal.addEventListener('abort', stop, { once: true });
  const said = lastLines(child);
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code));
  });
  try {
    const end = await follow(child, handlers);
    const code = await ended;
    if (signal.aborted) throw new AppError('unavailable', 'Interrupted', { exitCode: EXIT.interrupted });
    if (end) return end;
    throw new AppError('unavailable', `The adoption ended with ${code} before it had a result: ${lastWords(said())}`);
  } finally {
    signal.removeEventListener('abort', stop);
    if (child.exitCode === null && child.signalCode === null) stop();
  }
}

function mainPath(): string {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return fileURLToPath(new URL(`../../adopt/main.${extension}`, import.meta.url));
}

/** One JSON object a line; anything else on stdout is a stray print and is left out. */
async function follow(child: ChildProcess, handlers: AdoptionHandlers): Promise<AdoptionEnd | undefined> {
  let end: AdoptionEnd | undefined;
  for await (const text of createInterface({ input: child.stdout!, crlfDelay: Number.POSITIVE_INFINITY })) {
    const line = parseLine(text);
    if (line?.t === 'progress') handlers.progress(line);
    else if (line?.t === 'ask') {
      const answer = await handlers.answer(line.question);
      child.stdin!.write(`${JSON.stringify({ id: line.id, answer })}\n`);
    } else if (line) end = line;
  }
  return end;
}

/** The lines are written by our own process; their form is not checked again. */
function parseLine(text: string): AdoptLine | undefined {
  try {
    const value = JSON.parse(text) as AdoptLine | null;
    return value !== null && typeof value === 'object' && typeof value.t === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The error among what a dying process says, else its last line. */
const lastWords = (lines: readonly string[]): string =>
  lines.findLast((line) => /^\w*Error\b/.test(line)) ?? lines.at(-1) ?? 'it said nothing';

function lastLines(child: ChildProcess): () => readonly string[] {
  const lines: string[] = [];
  createInterface({ input: child.stderr! }).on('line', (line) => {
    if (line.trim() === '') return;
    lines.push(line);
    if (lines.length > STDERR_LINES) lines.shift();
  });
  return () => lines;
}

/** The refusal as the error that the command ends with. */
export function toRefusal({ code, message, cell, line, hint, exit }: Refused): AppError {
  const at = [cell === null ? '' : `cell ${cell}`, line === null ? '' : `line ${line}`].filter((part) => part !== '');
  const where = at.length === 0 || message.includes(`cell ${cell}`) ? '' : ` (${at.join(', ')})`;
  return new AppError('precondition_failed', `${message.replace(/[.\s]+$/, '')}${where}`, {
    refusal: code,
    ...(cell !== null && { cell }),
    ...(line !== null && { line }),
    ...(hint !== null && { hint }),
    exitCode: exit,
  });
}
