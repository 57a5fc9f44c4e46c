import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, isAbsolute, join, normalize } from 'node:path';
import { AppError } from '../kernel/errors.ts';
import type { PythonFile } from './types.ts';

export interface LaidOutFiles {
  /** What the worker loads: the folder, or the one file that is there. */
  readonly modelPath: string;
  remove(): Promise<void>;
}

/** No model folder holds more files. */
const MAX_FILES = 10_000;

/** Copies a model's verified files into a folder of their own, since loaders want paths and may write beside them. */
export async function layOutFiles(
  files: readonly PythonFile[],
  read: (digest: string) => Promise<Uint8Array>,
): Promise<LaidOutFiles> {
  if (files.length === 0 || files.length > MAX_FILES)
    throw new AppError('invalid', `The model has ${files.length} files; between 1 and ${MAX_FILES} are expected`);
  const folder = await mkdtemp(join(tmpdir(), 'levain-model-'));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    for (const file of files) {
      const path = inside(folder, file.path);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, await read(file.digest));
    }
  } catch (error) {
    await remove();
    throw error;
  }
  const isFolder = files.some(({ path }) => normalize(path) === 'MLmodel') || files.length > 1;
  return { modelPath: isFolder ? folder : inside(folder, files[0]!.path), remove };
}

function inside(folder: string, path: string): string {
  const clean = normalize(path);
  if (isAbsolute(clean) || clean === '..' || clean.startsWith('../'))
    throw new AppError('invalid', `The model file "${path}" lies outside the model's folder`);
  return join(folder, clean);
}
