import { readFile, stat } from 'node:fs/promises';
import { AppError, messageOf } from '../kernel/errors.ts';
import { usage } from './command.ts';

/** Largest file that is read at once. */
const MAX_BYTES = 256 * 2 ** 20;

/** The size of a file that somebody named. Throws in words where it is missing, a folder, or not to be read. */
export async function sizeOfInput(path: string): Promise<number> {
  const info = await stat(path).catch((error) => {
    throw toReadError(path, error);
  });
  if (info.isDirectory()) throw usage(`${path} is a folder; name a file`);
  return info.size;
}

/** The text of a file that somebody named. */
export async function readInput(path: string): Promise<string> {
  const size = await sizeOfInput(path);
  if (size > MAX_BYTES) throw usage(`${path} has more than ${MAX_BYTES / 2 ** 20} MiB; split it`);
  return readFile(path, 'utf8').catch((error) => {
    throw toReadError(path, error);
  });
}

export function toReadError(path: string, error: unknown): AppError {
  if (error instanceof AppError) return error;
  const { code } = error as { code?: string };
  if (code === 'ENOENT' || code === 'ENOTDIR') return new AppError('not_found', `There is no file ${path}`);
  if (code === 'EACCES') return usage(`${path} may not be read by this user; change its mode`);
  return usage(`${path} cannot be read: ${messageOf(error)}`);
}
