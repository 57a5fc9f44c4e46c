import { AppError } from '../../kernel/errors.ts';
import { digestOf } from '../../kernel/hash.ts';

export interface ParsedLock {
  /** As in the first line: `3.11`, or `3.11.7`. */
  readonly python: string;
  /** Pins, one a line, without comments, in the order of the file. */
  readonly lines: readonly string[];
}

export const MAX_LOCK_BYTES = 4 * 2 ** 20;
const PYTHON_LINE = /^#\s*python:\s*(\d+\.\d+(?:\.\d+)?)\s*$/;

/** Reads a `requirements.lock`. Throws `invalid` where the first line does not name the Python version. */
export function parseLock(text: string): ParsedLock {
  if (text.length > MAX_LOCK_BYTES)
    throw new AppError('too_large', `The lock holds ${text.length} characters; at most ${MAX_LOCK_BYTES} are read`);
  const all = text.split(/\r?\n/);
  const match = PYTHON_LINE.exec(all[0] ?? '');
  if (!match) {
    throw new AppError(
      'invalid',
      `The lock's first line is "${(all[0] ?? '').slice(0, 80)}"; it names the Python version: "# python: 3.11"`,
    );
  }
  const lines = all.map((line) => line.replace(/(^|\s)#.*$/, '').trim()).filter((line) => line !== '');
  return { python: match[1]!, lines };
}

/** The identity of an environment: what is installed, for which Python, on which platform. Comments do not count. */
export const lockDigest = (text: string, platform = platformName()): string => {
  const { python, lines } = parseLock(text);
  return digestOf({ format: 1, python, lines, platform });
};

/** @example platformName() === 'linux-x64' */
export const platformName = (): string => `${process.platform}-${process.arch}`;
