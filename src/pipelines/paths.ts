import { isAbsolute, normalize } from 'node:path/posix';
import { assertText } from '../kernel/canonical-json.ts';
import { AppError } from '../kernel/errors.ts';

/** A plain relative path with `/` that stays inside its folder; throws `invalid` with `what` and the path. */
export function assertRelativePath(path: string, what: string): string {
  assertText(path, what);
  const isPlain =
    path !== '' &&
    !isAbsolute(path) &&
    !path.includes('\\') &&
    normalize(path) === path &&
    !path.startsWith('../') &&
    path !== '..' &&
    path !== '.';
  if (!isPlain)
    throw new AppError(
      'invalid',
      `${what} names the path "${path.slice(0, 200)}"; write a plain path inside the project, with /`,
    );
  return path;
}

/** Whether `path` is `pattern`, lies in the folder `pattern`, or matches it where it holds `*` or `?` (`**` crosses folders). */
export function matchesPath(path: string, pattern: string): boolean {
  const plain = pattern.replace(/^\.\//, '').replace(/\/+$/, '');
  if (plain === '.' || plain === '') return true;
  if (!/[*?]/.test(plain)) return path === plain || path.startsWith(`${plain}/`);
  return toRegExp(plain).test(path);
}

function toRegExp(glob: string): RegExp {
  const parts = glob.split(/(\*\*\/|\*\*|\*|\?)/).map((part) => {
    if (part === '**/') return '(?:.*/)?';
    if (part === '**') return '.*';
    if (part === '*') return '[^/]*';
    if (part === '?') return '[^/]';
    return part.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  });
  return new RegExp(`^${parts.join('')}$`);
}
