import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Json } from '../kernel/canonical-json.ts';
import { AppError } from '../kernel/errors.ts';
import { type Attempt, maskSecrets } from './attempts.ts';
import type { PipelinesDeps } from './deps.ts';
import { matchesPath } from './paths.ts';
import type { OutputFile, StepOutputs } from './types.ts';

export const MAX_OUTPUT_FILES = 20_000;

/**
 * Stores what a step declared to put out. Throws `precondition_failed` where a declared output is not there, because the steps
 * after it would work on nothing.
 */
export async function collectFiles(
  deps: Pick<PipelinesDeps, 'content'>,
  src: string,
  declared: readonly string[],
): Promise<readonly OutputFile[]> {
  const found: OutputFile[] = [];
  for (const pattern of declared) {
    const paths = await pathsOf(src, pattern);
    if (paths.length === 0)
      throw new AppError('precondition_failed', `The step did not write ${pattern}, which its "out" declares`);
    for (const path of paths) {
      if (found.length >= MAX_OUTPUT_FILES)
        throw new AppError('too_large', `The step put out more than ${MAX_OUTPUT_FILES} files`);
      if (!found.some((file) => file.path === path)) found.push(await storeFile(deps, join(src, path), path));
    }
  }
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Every file of a folder, paths relative to it. */
export async function collectFolder(
  deps: Pick<PipelinesDeps, 'content'>,
  folder: string,
): Promise<readonly OutputFile[]> {
  const paths = await walk(folder, '');
  return Promise.all(paths.sort().map((path) => storeFile(deps, join(folder, path), path)));
}

/** The executed notebook, secrets masked. */
export async function collectNotebook(
  deps: Pick<PipelinesDeps, 'content'>,
  attempt: Attempt,
  name: string,
  secrets: readonly string[],
): Promise<OutputFile | null> {
  const text = await readFile(join(attempt.folder, 'executed.ipynb'), 'utf8').catch(() => undefined);
  if (text === undefined) return null;
  const inJson = secrets.flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1)]);
  const { digest, sizeBytes } = await deps.content.put(Buffer.from(maskSecrets(text, inJson)));
  return { path: name, digest, sizeBytes };
}

/** Digests that a step's outputs hold on to. */
export function digestsOf(outputs: StepOutputs): readonly string[] {
  const exported = Object.values(outputs.exports ?? {}).flatMap(({ files }) => files);
  const files = [...(outputs.files ?? []), ...exported, ...(outputs.notebook ? [outputs.notebook] : [])];
  return [...new Set(files.map(({ digest }) => digest))].sort();
}

export type Exports = Record<string, { readonly files: readonly OutputFile[]; readonly facts: Json }>;

async function storeFile(deps: Pick<PipelinesDeps, 'content'>, from: string, path: string): Promise<OutputFile> {
  const { digest, sizeBytes } = await deps.content.putFile(from);
  return { path, digest, sizeBytes };
}

async function pathsOf(src: string, pattern: string): Promise<readonly string[]> {
  const plain = pattern.replace(/^\.\//, '').replace(/\/+$/, '');
  if (/[*?]/.test(plain)) return (await walk(src, '')).filter((path) => matchesPath(path, plain));
  const info = await stat(join(src, plain)).catch(() => undefined);
  if (!info) return [];
  return info.isDirectory() ? walk(src, plain) : [plain];
}

async function walk(root: string, folder: string): Promise<string[]> {
  const entries = await readdir(join(root, folder), { withFileTypes: true });
  const nested = await Promise.all(
    entries.map(async (entry) => {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) return entry.name === '__pycache__' ? [] : walk(root, path);
      return entry.isFile() ? [path] : [];
    }),
  );
  return nested.flat();
}
