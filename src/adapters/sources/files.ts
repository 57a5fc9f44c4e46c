import { createReadStream } from 'node:fs';
import { glob, stat } from 'node:fs/promises';
import { basename, join, relative, sep } from 'node:path';
import { AppError, messageOf } from '../../kernel/errors.ts';
import type { Source, SourceFile } from '../../ports/source.ts';
import { fixedFolder, isGlob } from './globs.ts';

export const MAX_FILES = 100_000;

/** `path` is absolute: one file, a folder (all files below it, hidden ones left out), or a glob. */
export function fileSource(from: string, path: string): Source {
  const toPath = (folder: string, name: string): string => {
    const names = name.split('/');
    if (names.includes('..') || names.includes('')) throw new AppError('invalid', `"${name}" is no file of ${from}`);
    return join(folder, ...names);
  };
  let folder = fixedFolder(path);

  async function list(): Promise<readonly SourceFile[]> {
    const place = await locate(path);
    folder = place.folder;
    const files =
      place.pattern === undefined ? [await describe(path, basename(path))] : await expand(folder, place.pattern);
    if (files.length === 0) throw missing(from);
    return files;
  }

  async function locate(at: string): Promise<{ folder: string; pattern: string | undefined }> {
    if (isGlob(at)) return { folder: fixedFolder(at), pattern: at.slice(fixedFolder(at).length) };
    const found = await stat(at).catch((error) => {
      throw isMissing(error) ? missing(from) : unreadable(at, error);
    });
    return found.isDirectory() ? { folder: at, pattern: '**/*' } : { folder: join(at, '..'), pattern: undefined };
  }

  return {
    list,
    async open(name) {
      const at = toPath(folder, name);
      await stat(at).catch((error) => {
        throw isMissing(error) ? missing(at) : unreadable(at, error);
      });
      return createReadStream(at);
    },
    localPath: (name) => toPath(folder, name),
  };
}

async function expand(folder: string, pattern: string): Promise<readonly SourceFile[]> {
  const files: SourceFile[] = [];
  for await (const found of glob(pattern, { cwd: folder })) {
    const name = relative(folder, join(folder, found)).split(sep).join('/');
    if (name.split('/').some((part) => part.startsWith('.'))) continue;
    const details = await stat(join(folder, found), { bigint: true }).catch(() => undefined);
    if (!details?.isFile()) continue;
    files.push({ name, sizeBytes: Number(details.size), stamp: `${details.size}-${details.mtimeNs}` });
    if (files.length > MAX_FILES)
      throw new AppError('too_large', `${folder}${pattern} matches more than ${MAX_FILES} files`);
  }
  return files.sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function describe(path: string, name: string): Promise<SourceFile> {
  const { size, mtimeNs } = await stat(path, { bigint: true });
  return { name, sizeBytes: Number(size), stamp: `${size}-${mtimeNs}` };
}

const isMissing = (error: unknown): boolean =>
  ['ENOENT', 'ENOTDIR'].includes(String((error as { code?: unknown }).code));

const missing = (from: string): AppError =>
  new AppError(
    'not_found',
    `No file matches "${from}"; check the path, which is relative to the folder of levain.yaml`,
  );

const unreadable = (path: string, error: unknown): AppError =>
  new AppError('unavailable', `${path} cannot be read (${messageOf(error)})`, undefined, error);
