import { createWriteStream } from 'node:fs';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { AppError } from '../../kernel/errors.ts';
import { uuidv7 } from '../../kernel/ids.ts';
import type { TaskState } from '../../ports/executor.ts';
import type { Actor } from '../../wire/route.ts';
import { LOG_CHUNK_BYTES, type LogChunk, readLogChunk } from '../attempts.ts';
import type { PipelinesDeps } from '../deps.ts';
import { ADOPT_FILE, CANCEL_FILE, RUN_FILE, startCommands } from './commands.ts';
import { attemptFolder, loadDrop, saveDrop, taskId } from './record.ts';
import type { Drop, DropInput, DropOutcome, DropRecord, StartDropInput } from './types.ts';

/** What `levain adopt` takes, most likely first. */
const ENTRIES = ['.ipynb', '.py'];
const MAX_WRITTEN_BYTES = 200_000;
const EXIT_WAITING = 8;

/**
 * A notebook and its data, dropped into the browser: they become a project's folder on the server's machine, and the commands
 * that a person would type run there, with that person's rights.
 */
export async function createDrop(deps: PipelinesDeps, actor: Actor, input: DropInput): Promise<Drop> {
  const drop: DropRecord = {
    id: uuidv7(deps.clock.now(), (bytes) => deps.random.fill(bytes)),
    projectId: actor.projectId,
    user: actor.user,
    createdAt: deps.clock.now(),
    folder: await claimFolder(deps.projectsDir, nameOf(input.files.map(({ path }) => path))),
    files: input.files,
    attempts: 0,
    entry: null,
  };
  await saveDrop(deps, drop);
  return toDrop(deps, drop);
}

const entriesOf = (paths: readonly string[]): string[] =>
  ENTRIES.flatMap((extension) => paths.filter((path) => extname(path).toLowerCase() === extension).sort());

/** The folder is called as the notebook is. */
function nameOf(paths: readonly string[]): string {
  const file = basename(entriesOf(paths)[0] ?? paths[0]!);
  const name = basename(file, extname(file)).replace(/[^A-Za-z0-9_-]+/g, '-');
  return name.replace(/^-+|-+$/g, '').slice(0, 60) || 'project';
}

/** Makes the folder; where the name is taken, the next free one. */
async function claimFolder(parent: string, name: string): Promise<string> {
  await mkdir(parent, { recursive: true });
  for (let n = 1; ; n++) {
    const folder = join(parent, n === 1 ? name : `${name}-${n}`);
    try {
      await mkdir(folder);
      return folder;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

/** Takes the bytes of one of the files that were announced. Sent again, they replace what came before. */
export async function receiveFile(
  deps: PipelinesDeps,
  actor: Actor,
  { id, path, body }: { readonly id: string; readonly path: string; readonly body: Readable },
): Promise<void> {
  const drop = await loadDrop(deps, actor.projectId, id);
  const announced = drop.files.find((file) => file.path === path);
  if (!announced) throw new AppError('invalid', `"${path}" is not among the files of this drop`);
  await assertNotRunning(deps, drop);
  const to = join(drop.folder, path);
  const part = `${to}.${uuidv7(deps.clock.now(), (bytes) => deps.random.fill(bytes))}.part`;
  await mkdir(dirname(to), { recursive: true });
  try {
    await pipeline(body, exactly(announced), createWriteStream(part, { mode: 0o600 }));
    await rename(part, to);
  } finally {
    await rm(part, { force: true });
  }
}

/** Passes the bytes on, and throws where they are not as many as announced. */
function exactly({ path, sizeBytes }: DropRecord['files'][number]) {
  return async function* (chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    let size = 0;
    for await (const chunk of chunks) {
      size += chunk.length;
      if (size > sizeBytes) throw wrongSize(path, sizeBytes, `at least ${size}`);
      yield chunk;
    }
    if (size < sizeBytes) throw wrongSize(path, sizeBytes, String(size));
  };
}

const wrongSize = (path: string, announced: number, got: string): AppError =>
  new AppError('invalid', `${path} was announced with ${announced} bytes and came with ${got}; send it again`);

/** Adds files to a drop: data that the notebook did not find. */
export async function addFiles(deps: PipelinesDeps, actor: Actor, id: string, input: DropInput): Promise<Drop> {
  const drop = await loadDrop(deps, actor.projectId, id);
  await assertNotRunning(deps, drop);
  const added = new Map([...drop.files, ...input.files].map((file) => [file.path, file]));
  const next = { ...drop, files: [...added.values()] };
  await saveDrop(deps, next);
  return toDrop(deps, next);
}

/** Runs `levain adopt` and `levain run` in the folder; again after a failure, with other choices. */
export async function startDrop(deps: PipelinesDeps, actor: Actor, id: string, input: StartDropInput): Promise<Drop> {
  const before = await loadDrop(deps, actor.projectId, id);
  await assertNotRunning(deps, before);
  const now = await toDrop(deps, before);
  const missing = now.files.filter(({ isThere }) => !isThere).map(({ path }) => path);
  if (missing.length > 0)
    throw new AppError('precondition_failed', `${missing.slice(0, 5).join(', ')} did not come whole; send them again`);
  const entry = input.entry ?? (now.entries.length === 1 ? now.entries[0]! : null);
  if (entry !== null && !before.files.some(({ path }) => path === entry))
    throw new AppError('invalid', `"${entry}" is not among the files of this drop`);
  const drop = { ...before, attempts: before.attempts + 1, entry };
  await saveDrop(deps, drop);
  await startCommands(deps, actor, drop, input.model);
  return toDrop(deps, drop);
}

async function assertNotRunning(deps: PipelinesDeps, drop: DropRecord): Promise<void> {
  if ((await taskOf(deps, drop))?.state === 'running')
    throw new AppError('conflict', 'Its commands are running; cancel them first, or wait for their end');
}

/** Undefined before the first start. */
const taskOf = async (deps: PipelinesDeps, drop: DropRecord): Promise<TaskState | undefined> =>
  drop.attempts === 0 ? undefined : deps.executor.inspect({ id: taskId(drop), attemptDir: attemptFolder(deps, drop) });

export async function cancelDrop(deps: PipelinesDeps, actor: Actor, id: string): Promise<Drop> {
  const drop = await loadDrop(deps, actor.projectId, id);
  const attemptDir = attemptFolder(deps, drop);
  if ((await taskOf(deps, drop))?.state === 'running') {
    await writeFile(join(attemptDir, CANCEL_FILE), '');
    await deps.executor.cancel({ id: taskId(drop), attemptDir });
  }
  return toDrop(deps, drop);
}

export async function findDrop(deps: PipelinesDeps, actor: Actor, id: string): Promise<Drop> {
  return toDrop(deps, await loadDrop(deps, actor.projectId, id));
}

/** A piece of what the commands say. */
export async function readDropLog(
  deps: PipelinesDeps,
  actor: Actor,
  { id, offset }: { readonly id: string; readonly offset: number },
): Promise<LogChunk & { readonly finished: boolean }> {
  const drop = await loadDrop(deps, actor.projectId, id);
  const finished = (await taskOf(deps, drop))?.state !== 'running';
  const from = Math.max(-LOG_CHUNK_BYTES, offset);
  const chunk = await readLogChunk(join(attemptFolder(deps, drop), 'log'), from, finished);
  return { ...chunk, finished: finished && chunk.atEnd };
}

export async function toDrop(deps: PipelinesDeps, drop: DropRecord): Promise<Drop> {
  const files = await Promise.all(
    drop.files.map(async (file) => ({
      ...file,
      isThere: (await stat(join(drop.folder, file.path)).catch(() => undefined))?.size === file.sizeBytes,
    })),
  );
  const attempt = attemptFolder(deps, drop);
  const [adopt, run] = [await readEnvelope(attempt, ADOPT_FILE), await readEnvelope(attempt, RUN_FILE)];
  const task = await taskOf(deps, drop);
  return {
    id: drop.id,
    createdAt: new Date(drop.createdAt).toISOString(),
    user: drop.user,
    folder: drop.folder,
    files,
    state: task ? await stateOf(task, attempt) : 'receiving',
    attempts: drop.attempts,
    entries: entriesOf(drop.files.map(({ path }) => path)),
    entry: drop.entry,
    outcomes: [...outcomeOf('levain adopt', adopt), ...outcomeOf('levain run', run), ...lossOf(task)],
    model: adopt?.data?.name ?? null,
    written: (adopt?.data?.files ?? []).filter(isReadable).map(({ path, text }) => ({ path, text })),
    summary: run?.data?.run?.summary ?? null,
  };
}

async function stateOf(task: TaskState, attempt: string): Promise<Drop['state']> {
  if (task.state === 'running' || task.state === 'unclaimed') return 'running';
  if (task.state === 'exited' && task.exitCode === 0) return 'done';
  if (task.state === 'exited' && task.exitCode === EXIT_WAITING) return 'waiting';
  return (await stat(join(attempt, CANCEL_FILE)).catch(() => undefined)) ? 'cancelled' : 'failed';
}

/** What the commands write to stdout under `--json`. */
interface Envelope {
  readonly ok: boolean;
  readonly data?: {
    readonly name?: string;
    readonly files?: readonly { readonly path: string; readonly text?: unknown }[];
    readonly run?: { readonly summary?: string };
  };
  readonly error?: { readonly code: string; readonly message: string; readonly hint?: string };
}

async function readEnvelope(attempt: string, file: string): Promise<Envelope | undefined> {
  const text = await readFile(join(attempt, file), 'utf8').catch(() => '');
  try {
    return JSON.parse(text.trim().split('\n').at(-1) ?? '') as Envelope;
  } catch {
    return undefined;
  }
}

const isReadable = (file: { readonly text?: unknown }): file is { readonly path: string; readonly text: string } =>
  typeof file.text === 'string' && file.text.length <= MAX_WRITTEN_BYTES;

function outcomeOf(command: string, envelope: Envelope | undefined): DropOutcome[] {
  if (!envelope) return [];
  const { ok, error } = envelope;
  return [
    { command, ok, error: error ? { code: error.code, message: error.message, hint: error.hint ?? null } : null },
  ];
}

function lossOf(task: TaskState | undefined): DropOutcome[] {
  if (task?.state !== 'lost') return [];
  return [{ command: 'levain adopt', ok: false, error: { code: 'lost', message: task.reason, hint: null } }];
}
