import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { AppError } from '../kernel/errors.ts';
import { type Hunk, lineDiff } from '../kernel/line-diff.ts';
import { parseProjectFile } from '../project-file/index.ts';
import type { Actor } from '../wire/route.ts';
import type { PipelinesDeps } from './deps.ts';
import { lockPath } from './keys.ts';
import { notebookCodeOf } from './notebook-code.ts';
import { getSnapshot } from './snapshots.ts';
import type { SnapshotFile } from './types.ts';

type Deps = Pick<PipelinesDeps, 'db' | 'content'>;

/** Longer texts are compared by digest only. */
const MAX_TEXT_BYTES = 1024 * 1024;
const MAX_LINE = 2_000;
/** Files told line by line; the rest by name. */
const MAX_FILES_DIFFED = 100;

/** A snapshot of a project: the code that a run saw. */
export interface SourceView {
  readonly digest: string;
  readonly files: readonly { readonly path: string; readonly digest: string; readonly sizeBytes: number }[];
  /** The path of the lock that names the environment; null where the project has none. */
  readonly lock: string | null;
}

export async function getSource(deps: Deps, actor: Pick<Actor, 'projectId'>, digest: string): Promise<SourceView> {
  const files = await getSnapshot(deps, actor.projectId, digest);
  const lock = await lockIn(deps, files);
  return {
    digest,
    files: files.map(({ path, digest: of, sizeBytes }) => ({ path, digest: of, sizeBytes })),
    lock: files.some(({ path }) => path === lock) ? lock : null,
  };
}

/** The bytes of one file of a snapshot. Throws `not_found`. */
export async function openSourceFile(
  deps: Deps,
  actor: Pick<Actor, 'projectId'>,
  input: { readonly digest: string; readonly path: string },
): Promise<{ readonly sizeBytes: number; readonly body: Readable }> {
  const files = await getSnapshot(deps, actor.projectId, input.digest);
  const file = files.find(({ path }) => path === input.path);
  if (!file) throw new AppError('not_found', `The snapshot ${input.digest.slice(0, 7)} has no file "${input.path}"`);
  return { sizeBytes: file.sizeBytes, body: await deps.content.open(file.digest) };
}

export interface SourceDiff {
  readonly from: string;
  readonly to: string;
  /** Only files that differ. */
  readonly files: readonly FileDiff[];
}

export interface FileDiff {
  readonly path: string;
  readonly change: 'added' | 'removed' | 'changed';
  /** Line by line; of notebooks their code alone. */
  readonly hunks: readonly Hunk[];
  /** Why no lines are shown, or that more than the code differs. */
  readonly note: string | null;
}

/** What differs between two snapshots, file by file and line by line. */
export async function diffSources(
  deps: Deps,
  actor: Pick<Actor, 'projectId'>,
  input: { readonly from: string; readonly to: string },
): Promise<SourceDiff> {
  const before = byPath(await getSnapshot(deps, actor.projectId, input.from));
  const after = byPath(await getSnapshot(deps, actor.projectId, input.to));
  const paths = [...new Set([...before.keys(), ...after.keys()])].sort();
  const changed = paths.filter((path) => before.get(path)?.digest !== after.get(path)?.digest);
  const files: FileDiff[] = [];
  for (const path of changed) {
    const sides = [before.get(path), after.get(path)] as const;
    const change = sides[0] === undefined ? 'added' : sides[1] === undefined ? 'removed' : 'changed';
    const isTold = files.length < MAX_FILES_DIFFED;
    const told = isTold ? await linesOf(deps, path, sides) : { hunks: [], note: 'too many files to compare by line' };
    files.push({ path, change, ...told });
  }
  return { ...input, files };
}

type Sides = readonly [SnapshotFile | undefined, SnapshotFile | undefined];

async function linesOf(deps: Deps, path: string, sides: Sides): Promise<Pick<FileDiff, 'hunks' | 'note'>> {
  const texts = await Promise.all(sides.map((file) => (file ? textOf(deps, file) : '')));
  if (texts.some((text) => text === undefined))
    return { hunks: [], note: 'not a text, or too long to compare by line' };
  const [from, to] = texts.map((text) => toLines(path, text!)) as [readonly string[], readonly string[]];
  const hunks = lineDiff(from, to);
  return { hunks, note: hunks.length === 0 ? 'its code is the same; outputs, notes or line ends differ' : null };
}

async function textOf(deps: Deps, file: SnapshotFile): Promise<string | undefined> {
  if (file.sizeBytes > MAX_TEXT_BYTES) return undefined;
  const handle = await open(await deps.content.localPath(file.digest));
  try {
    const bytes = await handle.readFile();
    return bytes.includes(0) ? undefined : bytes.toString('utf8');
  } finally {
    await handle.close();
  }
}

/** A notebook as its code, cell after cell; other texts as they are. */
function toLines(path: string, text: string): readonly string[] {
  const cells = path.endsWith('.ipynb') ? cellsOf(path, text) : undefined;
  const plain = cells?.map((cell, i) => `# cell ${i + 1}\n${cell.replace(/^[^\n]*\n/, '')}`).join('\n\n') ?? text;
  const lines = plain.replace(/\r\n/g, '\n').split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line) => line.slice(0, MAX_LINE));
}

function cellsOf(path: string, text: string): readonly string[] | undefined {
  try {
    return notebookCodeOf(text, path);
  } catch {
    return undefined;
  }
}

async function lockIn(deps: Deps, files: readonly SnapshotFile[]): Promise<string> {
  const own = files.find(({ path }) => path === 'levain.yaml');
  const text = own && (await textOf(deps, own));
  try {
    return lockPath(parseProjectFile(text ?? '', 'levain.yaml'));
  } catch {
    return DEFAULT_LOCK;
  }
}
const DEFAULT_LOCK = 'requirements.lock';

const byPath = (files: readonly SnapshotFile[]): ReadonlyMap<string, SnapshotFile> =>
  new Map(files.map((file) => [file.path, file]));
