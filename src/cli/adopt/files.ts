import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { AdoptResult } from '../../adopt/types.ts';
import { AppError, messageOf } from '../../kernel/errors.ts';
import { sha256 } from '../../kernel/hash.ts';
import { PROJECT_FILE } from '../apply.ts';
import { composeProject, FEATURES_FILE, LOCK_FILE, type Needed } from './compose.ts';
import { findMemory } from './memory.ts';

/** A file that adopt means to write, beside what stands there. */
export interface PlannedFile {
  readonly path: string;
  readonly text: string;
  /** `other`: somebody else wrote or edited what stands there. */
  readonly state: 'new' | 'same' | 'ours' | 'other';
  readonly before: string | null;
}

/** levain.yaml, features.py, the lock and rows that a library brings, each compared with what stands there now. */
export async function planFiles(
  folder: string,
  result: AdoptResult,
  name: string,
  needed: Needed,
): Promise<readonly PlannedFile[]> {
  return planTexts(folder, [
    { path: PROJECT_FILE, text: composeProject(result, name, needed) },
    ...(result.features ? [{ path: FEATURES_FILE, text: result.features.text }] : []),
    { path: LOCK_FILE, text: result.environment.lock },
    ...(result.brought ? [{ path: result.brought.path, text: await readFile(result.brought.at, 'utf8') }] : []),
  ]);
}

/** Any texts beside what stands in their places now. */
export async function planTexts(
  folder: string,
  texts: readonly { readonly path: string; readonly text: string }[],
): Promise<readonly PlannedFile[]> {
  const written = (await findMemory(folder))?.written ?? {};
  return Promise.all(
    texts.map(async ({ path, text }) => {
      const before = await readIfThere(join(folder, path));
      const isOurs = before !== null && written[path] === sha256(before);
      const state = before === null ? 'new' : before === text ? 'same' : isOurs ? 'ours' : 'other';
      return { path, text, state, before };
    }),
  );
}

/**
 * Writes what differs, all or none: every text lies beside its place before the first takes it, and a failure puts back what was
 * there. What somebody else wrote is kept in `.levain/adopt/replaced`.
 */
export async function writeFiles(folder: string, files: readonly PlannedFile[]): Promise<void> {
  const changed = files.filter(({ state }) => state !== 'same');
  const parts = changed.map((file) => ({
    ...file,
    part: join(folder, dirname(file.path), `.${basename(file.path)}.${randomBytes(4).toString('hex')}`),
  }));
  const placed: PlannedFile[] = [];
  try {
    for (const { part, text } of parts) await writeFile(part, text);
    for (const file of parts) {
      if (file.state === 'other' && file.before !== null) await keepReplaced(folder, file.path, file.before);
      await rename(file.part, join(folder, file.path));
      placed.push(file);
    }
  } catch (error) {
    for (const file of placed) await putBack(folder, file);
    throw new AppError('unavailable', `${folder} cannot be written (${messageOf(error)}); nothing was changed`);
  } finally {
    for (const { part } of parts) await rm(part, { force: true });
  }
}

export const REPLACED = '.levain/adopt/replaced';

async function keepReplaced(folder: string, path: string, text: string): Promise<void> {
  const to = join(folder, REPLACED, `${sha256(text).slice(0, 7)}-${basename(path)}`);
  await mkdir(dirname(to), { recursive: true });
  await writeFile(to, text);
}

const putBack = (folder: string, { path, before }: PlannedFile): Promise<void> =>
  before === null ? rm(join(folder, path), { force: true }) : writeFile(join(folder, path), before);

const readIfThere = (path: string): Promise<string | null> =>
  readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw new AppError('unavailable', `${path} cannot be read (${error.message})`);
  });
