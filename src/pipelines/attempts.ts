import { constants } from 'node:fs';
import { appendFile, cp, mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import type { PipelinesDeps } from './deps.ts';
import type { StepRun } from './types.ts';

/** The folder of one attempt: log, claim and exit of the executor, and `src`, the copy that the step works in. */
export interface Attempt {
  readonly id: string;
  readonly folder: string;
  readonly src: string;
}

/** Names an attempt for good: token, task and folder carry it. */
export const attemptId = (step: Pick<StepRun, 'runId' | 'name' | 'attempt'>): string =>
  `${step.runId}.${step.name.replaceAll(/[^\w-]/g, '_')}.${step.attempt}`;

export function attemptOf(
  deps: Pick<PipelinesDeps, 'workDir'>,
  step: Pick<StepRun, 'runId' | 'name' | 'attempt'>,
): Attempt {
  const id = attemptId(step);
  const folder = join(deps.workDir, id);
  return { id, folder, src: join(folder, 'src') };
}

/** A fresh folder with the project's snapshot in it. */
export async function layOutAttempt(attempt: Attempt, snapshot: string): Promise<void> {
  await rm(attempt.src, { recursive: true, force: true });
  await mkdir(attempt.folder, { recursive: true });
  await cp(snapshot, attempt.src, { recursive: true, mode: constants.COPYFILE_FICLONE });
}

/** A line of ours in the attempt's log, beside what the step says. */
export async function sayInLog(attempt: Attempt, line: string): Promise<void> {
  await mkdir(attempt.folder, { recursive: true });
  await appendFile(join(attempt.folder, 'log'), `[levain] ${line}\n`);
}

export const LOG_CHUNK_BYTES = 256 * 1024;

export interface LogChunk {
  readonly text: string;
  readonly nextOffset: number;
  /** Nothing more is there now. */
  readonly atEnd: boolean;
}

/**
 * A piece of a log from a byte offset on, of at most `most` bytes; whole lines, but for the last piece of a finished log and for a
 * line that is longer than the piece. Negative: from the end.
 */
export async function readLogChunk(
  path: string,
  from: number,
  finished: boolean,
  most = LOG_CHUNK_BYTES,
): Promise<LogChunk> {
  const size = (await stat(path).catch(() => undefined))?.size ?? 0;
  const offset = Math.min(from < 0 ? Math.max(0, size + from) : from, size);
  const length = Math.min(most, size - offset);
  if (length === 0) return { text: '', nextOffset: offset, atEnd: true };
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, offset);
    const bytes = buffer.subarray(0, bytesRead);
    const end = bytes.lastIndexOf(10) + 1;
    const isTail = offset + bytesRead >= size;
    const kept = isTail && finished ? bytesRead : end > 0 ? end : bytesRead === most ? bytesRead : 0;
    return { text: bytes.subarray(0, kept).toString('utf8'), nextOffset: offset + kept, atEnd: isTail };
  } finally {
    await file.close();
  }
}

const TAIL_BYTES = 16 * 1024;
const TAIL_LINES = 30;

/** The last lines of a log, secrets masked, without the colours of a terminal. */
export async function logTail(attempt: Attempt, secrets: readonly string[]): Promise<readonly string[]> {
  const chunk = await readLogChunk(join(attempt.folder, 'log'), -TAIL_BYTES, true);
  const lines = stripVTControlCharacters(maskSecrets(chunk.text, secrets)).split('\n');
  return lines.filter((line, index) => line !== '' || index < lines.length - 1).slice(-TAIL_LINES);
}

const MIN_SECRET = 4;

/** Values of secrets become `***`; one too short to tell from other text is left. */
export const maskSecrets = (text: string, secrets: readonly string[]): string =>
  secrets
    .filter((secret) => secret.length >= MIN_SECRET)
    .reduce((masked, secret) => masked.replaceAll(secret, '***'), text);

/** The last line of a notebook's progress file. */
export async function readProgress(attempt: Attempt): Promise<Readonly<Record<string, unknown>> | undefined> {
  const text = await readFile(join(attempt.folder, 'progress.jsonl'), 'utf8').catch(() => '');
  const line = text.trimEnd().split('\n').at(-1);
  try {
    return line ? (JSON.parse(line) as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
