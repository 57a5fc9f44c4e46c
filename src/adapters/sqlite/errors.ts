import { AppError } from '../../kernel/errors.ts';
import type { ThreadError } from './messages.ts';

/** Primary result codes (sqlite.org/rescode.html) that say something about the machine rather than about the statement. */
const MACHINE_TROUBLE: Readonly<Record<number, string>> = {
  5: 'is locked by another process; stop it',
  6: 'is locked by another connection; try again',
  8: 'is read-only; make the data directory writable',
  10: 'cannot be read or written; check its disk',
  11: 'is damaged; restore a backup',
  13: 'cannot grow because the disk is full; free some space',
  14: 'cannot be opened; check that the data directory exists and is writable',
  26: 'is not a Levain database; choose another data directory',
};

/** `unavailable` where the machine is at fault; else a plain error, which is a bug or a broken constraint. */
export function toError(error: ThreadError, path: string): Error {
  const trouble = error.errcode === null ? undefined : MACHINE_TROUBLE[error.errcode & 0xff];
  if (trouble) return new AppError('unavailable', `The database ${path} ${trouble} (${error.message})`);
  return new Error(error.sql ? `${error.message} in: ${error.sql.slice(0, 500)}` : error.message);
}
