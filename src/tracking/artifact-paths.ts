import { AppError } from '../kernel/errors.ts';
import type { ArtifactRoot } from './types.ts';

const MAX_PATH_LENGTH = 1_024;
const SCHEME = 'mlflow-artifacts:';
const ROOT = /^(?:\d+\/(?:(?:models|traces)\/)?[\w-]+\/artifacts)(?=\/|$)/;

/**
 * A path of the artifact tree as a caller wrote it, checked: parts joined by `/`, none empty, `.` or `..`, nothing absolute,
 * nothing encoded on top, no back slashes, no control characters. Throws `invalid`. The empty path is the whole tree.
 */
export function parseArtifactPath(path: string): string {
  const trimmed = path.replace(/\/+$/, '');
  const isSafe =
    trimmed.length <= MAX_PATH_LENGTH &&
    !trimmed.startsWith('/') &&
    !/[\\#\p{Cc}]/u.test(trimmed) &&
    !/%(?:2f|2e|5c|00)/i.test(trimmed) &&
    !/^[A-Za-z]:/.test(trimmed) &&
    (trimmed === '' || trimmed.split('/').every((part) => part !== '' && part !== '.' && part !== '..'));
  if (!isSafe) throw new AppError('invalid', 'Invalid path');
  return trimmed;
}

/** Where a path of the tree belongs: the folder of a run, logged model or trace, and the rest; else the root `''`. */
export function splitArtifactPath(path: string): { readonly root: ArtifactRoot; readonly path: string } {
  const root = ROOT.exec(path)?.[0] ?? '';
  return { root, path: root === '' ? path : path.slice(root.length + 1) };
}

/**
 * The folder behind an artifact URI that is served by us, else null.
 * @example rootOf('mlflow-artifacts:/1/0193/artifacts') === '1/0193/artifacts'
 */
export function rootOf(uri: string): ArtifactRoot | null {
  if (!uri.startsWith(SCHEME)) return null;
  const path = uri
    .slice(SCHEME.length)
    .replace(/^\/\/[^/]*/, '')
    .replace(/^\/+/, '');
  return parseArtifactPath(path);
}
