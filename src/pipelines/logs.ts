import { createReadStream } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { AppError } from '../kernel/errors.ts';
import { longPoll } from '../wire/long-poll.ts';
import { appliedFile } from './applied.ts';
import { type Attempt, attemptOf, type LogChunk, maskSecrets, readLogChunk } from './attempts.ts';
import type { PipelinesDeps } from './deps.ts';
import { getRunDetail } from './runs.ts';
import { isStepEnd } from './types.ts';

export interface LogRef {
  readonly id: string;
  readonly step: string;
  /** Default: the newest. */
  readonly attempt?: number | undefined;
}

export interface StepLog extends Pick<LogChunk, 'text' | 'nextOffset'> {
  readonly step: string;
  readonly attempt: number;
  /** Where the text begins in the file, and how large that is now, in bytes. */
  readonly offset: number;
  readonly sizeBytes: number;
  /** The step is over and the text reaches the end. */
  readonly finished: boolean;
}

/** A piece of a step's log from a byte offset on (negative: from the end), secrets masked. */
export async function readStepLog(
  deps: PipelinesDeps,
  projectId: string,
  input: LogRef & { readonly offset: number; readonly length?: number | undefined },
): Promise<StepLog> {
  const log = await findLog(deps, projectId, input);
  const sizeBytes = await sizeOf(log.path);
  const chunk = await readLogChunk(log.path, input.offset, log.finished, input.length);
  return {
    step: input.step,
    attempt: log.attempt,
    text: maskSecrets(chunk.text, log.secrets),
    offset: Math.min(sizeBytes, input.offset < 0 ? Math.max(0, sizeBytes + input.offset) : input.offset),
    nextOffset: chunk.nextOffset,
    sizeBytes: Math.max(sizeBytes, chunk.nextOffset),
    finished: log.finished && chunk.atEnd,
  };
}

export interface LogMatch {
  /** Where its line begins, in bytes. */
  readonly offset: number;
  readonly text: string;
}

export interface LogMatches {
  readonly matches: readonly LogMatch[];
  /** Where to go on; null where the whole log was read. */
  readonly next: number | null;
  readonly sizeBytes: number;
}

/** One search reads so much of a log, and tells so many lines; the next one goes on behind it. */
const SEARCHED_BYTES = 256 * 2 ** 20;
const MAX_MATCHES = 200;
const LINE_CHARACTERS = 500;

/** Lines of a log that hold a text, whatever its case, with their places. */
export async function searchStepLog(
  deps: PipelinesDeps,
  projectId: string,
  input: LogRef & { readonly text: string; readonly offset: number },
): Promise<LogMatches> {
  const { path, secrets } = await findLog(deps, projectId, input);
  const sizeBytes = await sizeOf(path);
  const end = Math.min(sizeBytes, input.offset + SEARCHED_BYTES);
  const wanted = input.text.toLowerCase();
  const matches: LogMatch[] = [];
  let place = input.offset;
  while (place < end) {
    const { text, nextOffset } = await readLogChunk(path, place, true);
    if (nextOffset === place) break;
    // Most pieces hold nothing: they are not cut into lines.
    const found = text.toLowerCase().includes(wanted) ? linesWith(text, wanted, place) : [];
    for (const match of found) {
      if (matches.length === MAX_MATCHES) return { matches, next: match.offset, sizeBytes };
      matches.push({ ...match, text: maskSecrets(match.text, secrets).slice(0, LINE_CHARACTERS) });
    }
    place = nextOffset;
  }
  return { matches, next: place < sizeBytes ? place : null, sizeBytes };
}

function linesWith(text: string, wanted: string, start: number): LogMatch[] {
  const found: LogMatch[] = [];
  let offset = start;
  for (const line of text.split('\n')) {
    if (line.toLowerCase().includes(wanted)) found.push({ offset, text: line });
    offset += Buffer.byteLength(line) + 1;
  }
  return found;
}

/** The whole log as a stream, secrets masked. */
export async function streamStepLog(deps: PipelinesDeps, projectId: string, ref: LogRef): Promise<Readable> {
  const { path, secrets } = await findLog(deps, projectId, ref);
  if ((await sizeOf(path)) === 0) return Readable.from([]);
  return secrets.length === 0 ? createReadStream(path) : Readable.from(masked(path, secrets));
}

async function* masked(path: string, secrets: readonly string[]): AsyncGenerator<string> {
  for (let offset = 0; ; ) {
    const { text, nextOffset } = await readLogChunk(path, offset, true);
    if (nextOffset === offset) return;
    yield maskSecrets(text, secrets);
    offset = nextOffset;
  }
}

export interface StepAttempt {
  readonly attempt: number;
  readonly logBytes: number;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  /** null while it runs, and where it left none. */
  readonly exitCode: number | null;
}

/** Every start of a step, oldest first, as its folder tells it: those of phases leave a log only. */
export async function listAttempts(
  deps: PipelinesDeps,
  projectId: string,
  input: LogRef,
): Promise<readonly StepAttempt[]> {
  const { runId, last } = await findLog(deps, projectId, input);
  const attempts: StepAttempt[] = [];
  for (let attempt = Math.min(1, last); attempt <= last; attempt++) {
    const told = await tellAttempt(attemptOf(deps, { runId, name: input.step, attempt }), attempt);
    if (told) attempts.push(told);
  }
  return attempts;
}

async function tellAttempt({ folder }: Attempt, attempt: number): Promise<StepAttempt | undefined> {
  if (!(await readdir(folder).catch(() => undefined))) return undefined;
  const timeOf = async (name: string): Promise<string | null> =>
    (await stat(join(folder, name)).catch(() => undefined))?.mtime.toISOString() ?? null;
  const exit = await readFile(join(folder, 'exit'), 'utf8').catch(() => '');
  const code = /^exit (\d+)/.exec(exit)?.[1];
  return {
    attempt,
    logBytes: await sizeOf(join(folder, 'log')),
    startedAt: await timeOf('claim'),
    finishedAt: await timeOf('exit'),
    exitCode: code === undefined ? null : Number(code),
  };
}

const sizeOf = async (path: string): Promise<number> => (await stat(path).catch(() => undefined))?.size ?? 0;

async function findLog(deps: PipelinesDeps, projectId: string, input: LogRef) {
  const { steps, run } = await getRunDetail(deps, projectId, input.id);
  const step = steps.find((candidate) => candidate.name === input.step);
  if (!step)
    throw new AppError(
      'not_found',
      `The run has no step "${input.step}"; it has ${steps.map(({ name }) => name).join(', ')}`,
    );
  const attempt = input.attempt ?? step.attempt;
  return {
    runId: run.id,
    attempt,
    last: step.attempt,
    path: join(attemptOf(deps, { ...step, attempt }).folder, 'log'),
    finished: isStepEnd(step.state) || attempt < step.attempt,
    secrets: await secretsOf(deps, projectId, run.pipeline, step.name),
  };
}

async function secretsOf(
  deps: PipelinesDeps,
  projectId: string,
  pipeline: string,
  step: string,
): Promise<readonly string[]> {
  const applied = await appliedFile(deps, projectId, pipeline);
  const names = applied?.file.steps[step]?.secrets ?? [];
  const values = await Promise.all(names.map((name) => deps.secrets.find(name)));
  return values.filter((value) => value !== undefined);
}

/** A piece of a log as soon as there is one, or nothing more will come; at the latest after `wait` seconds. */
export const followLog = <Log extends { readonly text: string; readonly finished: boolean }>(
  { clock }: Pick<PipelinesDeps, 'clock'>,
  { wait, signal }: { readonly wait: number; readonly signal: AbortSignal },
  read: () => Promise<Log>,
): Promise<Log> =>
  longPoll({ clock, waitSeconds: wait, signal, read, isNews: ({ text, finished }) => text !== '' || finished });
