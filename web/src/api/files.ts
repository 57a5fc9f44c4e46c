import { ApiError } from '../errors.ts';
import { addressOf } from './client.ts';

/** Who has files of its own: a run, or a model that one logged. */
export interface FileOwner {
  readonly kind: 'runs' | 'logged-models';
  readonly id: string;
}

/** The address of a file, for links, images and frames. */
export const fileAddress = ({ kind, id }: FileOwner, path: string): string =>
  addressOf(`/${kind}/:id/artifacts/`, { id }) + path.split('/').map(encodeURIComponent).join('/');

export interface FilePart {
  readonly bytes: Uint8Array;
  /** Of the whole file. */
  readonly sizeBytes: number;
}

/** A stretch of a file: however large it is, no more than `length` comes. Throws `ApiError`. */
export async function readFilePart(
  owner: FileOwner,
  path: string,
  { start, length }: { readonly start: number; readonly length: number },
  signal: AbortSignal,
): Promise<FilePart> {
  let response: Response;
  try {
    response = await fetch(fileAddress(owner, path), {
      signal,
      headers: { range: `bytes=${start}-${start + length - 1}` },
    });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new ApiError('unreachable', 0, 'The server does not answer');
  }
  // An empty file has no range at all.
  if (response.status === 416) return { bytes: new Uint8Array(), sizeBytes: 0 };
  if (!response.ok) throw new ApiError('unknown', response.status, `The file could not be read (${response.status})`);
  const bytes = new Uint8Array(await response.arrayBuffer());
  const total = /\/(\d+)$/.exec(response.headers.get('content-range') ?? '')?.[1];
  return { bytes, sizeBytes: total === undefined ? bytes.length : Number(total) };
}
