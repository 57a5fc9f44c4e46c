import { cp, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOf } from '../../kernel/hash.ts';
import type { NotebookCell } from '../../notebooks/notebook.ts';
import type { CellOutcome } from '../types.ts';
import type { Session } from './session.ts';
import { toPythonText } from './session.ts';

/** What a run up to a cell depends on; the same again means that the state after it is the same. */
export interface CheckpointBasis {
  readonly environment: string;
  /** Digests of the files that the run may read. */
  readonly files: readonly string[];
  /** Sources of the code cells. */
  readonly sources: readonly string[];
  readonly network: boolean;
  /** Of our own code in the kernel. */
  readonly runtime: string;
}

/** The state after a cell, on disk. */
export interface Checkpoint {
  readonly folder: string;
  readonly after: number;
  readonly outcomes: readonly CellOutcome[];
  /** The notebook's cells as they were then, outputs included. */
  readonly cells: readonly NotebookCell[];
}

const MAX_KEPT = 3;
const SAVE_TIMEOUT_MS = 5 * 60_000;

const keyOf = (basis: CheckpointBasis, after: number): string =>
  digestOf({ ...basis, sources: basis.sources.slice(0, after) }).slice(0, 32);

/** The longest run of first cells whose state was kept. */
export async function findCheckpoint(root: string, basis: CheckpointBasis): Promise<Checkpoint | undefined> {
  const kept = new Set(await readdir(root).catch(() => [] as string[]));
  for (let after = basis.sources.length; after > 0; after--) {
    const key = keyOf(basis, after);
    if (!kept.has(key)) continue;
    const folder = join(root, key);
    const text = await readFile(join(folder, 'meta.json'), 'utf8').catch(() => undefined);
    if (text !== undefined) return { folder, after, ...(JSON.parse(text) as Pick<Checkpoint, 'outcomes' | 'cells'>) };
  }
  return undefined;
}

/** Keeps the state after a cell; says why where not all of it can be kept. */
export async function saveCheckpoint(
  session: Session,
  root: string,
  basis: CheckpointBasis,
  state: Pick<Checkpoint, 'after' | 'outcomes' | 'cells'>,
): Promise<string | null> {
  const folder = join(root, keyOf(basis, state.after));
  const part = `${folder}.part`;
  await rm(part, { recursive: true, force: true });
  await mkdir(part, { recursive: true });
  const code = `import levain_runtime.adopt.checkpoint as _levain
try:
    _levain.save(get_ipython(), ${toPythonText(part)})
finally:
    del _levain`;
  const result = await session.kernel.execute(code, { silent: true, timeoutMs: SAVE_TIMEOUT_MS });
  if (result.status !== 'ok') {
    await rm(part, { recursive: true, force: true });
    return result.status === 'error' ? `${result.name}: ${result.message}`.slice(0, 300) : 'it took too long';
  }
  await writeFile(join(part, 'meta.json'), JSON.stringify({ outcomes: state.outcomes, cells: state.cells }));
  await rm(folder, { recursive: true, force: true });
  await rename(part, folder);
  await dropOldest(root);
  return null;
}

/** Takes a kept state up: first what the notebook had written, then the kernel's names. */
export async function loadCheckpoint(session: Session, { folder }: Checkpoint, src: string): Promise<void> {
  await cp(join(folder, 'files'), src, { recursive: true }).catch(() => {});
  await session.call(
    'the earlier run could not be taken up',
    `import levain_runtime.adopt.checkpoint as _levain
try:
    _levain.load(get_ipython(), ${toPythonText(folder)})
finally:
    del _levain`,
    SAVE_TIMEOUT_MS,
  );
}

async function dropOldest(root: string): Promise<void> {
  const names = await readdir(root);
  const ages = await Promise.all(names.map(async (name) => ({ name, at: (await stat(join(root, name))).mtimeMs })));
  const old = ages.sort((a, b) => b.at - a.at).slice(MAX_KEPT);
  for (const { name } of old) await rm(join(root, name), { recursive: true, force: true });
}
