import { AppError } from './errors.ts';

/** One page of a listing. `next` is opaque and present only when there is more. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly next?: string;
}

export interface PageRequest {
  readonly limit: number;
  readonly after?: string | undefined;
}

/** An opaque page token from a keyset position. */
export const toPageToken = (position: readonly unknown[]): string =>
  Buffer.from(JSON.stringify(position)).toString('base64url');

/** The position inside a token; throws `invalid` on anything that `toPageToken` did not make. */
export function parsePageToken(token: string): readonly unknown[] {
  try {
    const position: unknown = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
    if (Array.isArray(position)) return position;
  } catch {}
  throw new AppError('invalid', `The page token "${token.slice(0, 40)}" is not one of ours; start from the first page`);
}
