import { type BigIntStats, createReadStream, statSync } from 'node:fs';
import { glob, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import { AppError, messageOf } from '../../kernel/errors.ts';
import type { Source, SourceFile } from '../../ports/source.ts';
import { fixedFolder, isGlob } from './globs.ts';

export const MAX_FILES = 100_000;

/** `path` is absolute: one file, a folder (all files below it, hidden ones left out), or a glob. */
export function fileSource(from: string, path: string): Source {
  const toPath = (name: string): string => {
    const names = name.split('/');
    if (names.includes('..') || names.includes('')) throw new AppError('invalid', `"${name}" is no file of ${from}`);
    return join(folderOf(path), ...names);
  };

  async function list(): Promise<readonly SourceFile[]> {
    const folder = folderOf(path);
    if (isGlob(path)) return some(await expand(folder, path.slice(folder.length)));
    const found = await find(path, from);
    return some(found.isDirectory() ? await expand(path, '**/*') : [toSourceFile(basename(path), found)]);
  }

  function some(files: readonly SourceFile[]): readonly SourceFile[] {
    if (files.length === 0) throw missing(from);
    return files;
  }

  return {
    list,
    async open(name) {
      const at = toPath(name);
      await find(at, at);
      return createReadStream(at);
    },
    localPath: toPath,
  };
}

/** What names are relative to. */
function folderOf(path: string): string {
  if (isGlob(path)) return fixedFolder(path);
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ? path : dirname(path);
}

async function find(path: string, shown: string): Promise<BigIntStats> {
  return stat(path, { bigint: true }).catch((error) => {
    throw isMissing(error) ? missing(shown) : unreadable(path, error);
  });
}

async function expand(folder: string, pattern: string): Promise<readonly SourceFile[]> {
  const files: SourceFile[] = [];
  for await (const found of glob(pattern, { cwd: folder })) {
    const name = relative(folder, join(folder, found)).split(sep).join('/');
    if (name.split('/').some((part) => part.startsWith('.'))) continue;
    const details = await stat(join(folder, found), { bigint: true }).catch(() => undefined);
    if (!details?.isFile()) continue;
    files.push(toSourceFile(name, details));
    if (files.length > MAX_FILES)
      throw new AppError('too_large', `${folder}${pattern} matches more than ${MAX_FILES} files`);
  }
  return files.sort((a, b) => (a.name < b.name ? -1 : 1));
}

const toSourceFile = (name: string, { size, mtimeNs }: BigIntStats): SourceFile => ({
  name,
  sizeBytes: Number(size),
  stamp: `${size}-${mtimeNs}`,
});

const isMissing = (error: unknown): boolean =>
  ['ENOENT', 'ENOTDIR'].includes(String((error as { code?: unknown }).code));

const missing = (from: string): AppError =>
  new AppError(
    'not_found',
    `No file matches "${from}"; check the path, which is relative to the folder of levain.yaml`,
  );

const unreadable = (path: string, error: unknown): AppError =>
  new AppError('unavailable', `${path} cannot be read (${messageOf(error)})`, undefined, error);
