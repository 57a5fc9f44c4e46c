import { AppError, messageOf } from '../kernel/errors.ts';

/** Why a data directory cannot be used, and what to do. */
export function toStorageError(dataDir: string, error: unknown): AppError {
  const { code } = error as { code?: string };
  const what: Record<string, string> = {
    ENOSPC: `The disk of the data directory ${dataDir} is full; free some space or choose another with --data-dir`,
    EDQUOT: `The quota of the data directory ${dataDir} is used up; free some space or choose another with --data-dir`,
    EROFS: `The data directory ${dataDir} is on a read-only disk; choose another with --data-dir`,
    EACCES: `The data directory ${dataDir} cannot be written by this user; change its owner or choose another with --data-dir`,
    EPERM: `The data directory ${dataDir} cannot be written by this user; change its owner or choose another with --data-dir`,
    ENOTDIR: `The data directory ${dataDir} cannot be made, because a file is in its way; choose another with --data-dir`,
    EEXIST: `The data directory ${dataDir} is a file; choose another with --data-dir`,
    ENOENT: `The data directory ${dataDir} cannot be made; is its disk read-only? Choose another with --data-dir`,
  };
  const message = what[code ?? ''] ?? `The data directory ${dataDir} cannot be used (${messageOf(error)})`;
  return new AppError('unavailable', message, { dataDir }, error);
}

/** A file where a folder belongs, or the other way round; a full disk. Anything else is as it was. */
export function inTheWay(error: unknown): unknown {
  const { code, path } = error as { code?: string; path?: string };
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    const message = 'The disk of the data directory is full; free some space or choose another with --data-dir';
    return new AppError('unavailable', message, undefined, error);
  }
  if (path === undefined) return error;
  if (code === 'EISDIR' || code === 'EEXIST' || code === 'ENOTDIR') {
    return new AppError('unavailable', `${path} is in the way; move it elsewhere`, { path }, error);
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new AppError('unavailable', `${path} cannot be written by this user; change its owner`, { path }, error);
  }
  return error;
}
