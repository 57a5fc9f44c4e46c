import { Readable } from 'node:stream';
import { AppError, messageOf } from '../../kernel/errors.ts';
import type { Source } from '../../ports/source.ts';

const HEADERS_LIMIT_MS = 30_000;

/** One file at a URL. Its stamp is the server's etag, or its date and size. */
export function httpSource(url: string): Source {
  if (!URL.canParse(url)) throw new AppError('invalid', `"${url}" is not a URL`);
  const { host, pathname } = new URL(url);
  const name = decodeURIComponent(pathname.split('/').at(-1) || host);
  return {
    async list() {
      const { headers } = await request(url, 'HEAD');
      const sizeBytes = Number(headers.get('content-length') ?? 0);
      const stamp = headers.get('etag') ?? `${headers.get('last-modified') ?? ''}-${sizeBytes}`;
      return [{ name, sizeBytes, stamp }];
    },
    async open() {
      const { body } = await request(url, 'GET');
      return body ? Readable.fromWeb(body as Parameters<typeof Readable.fromWeb>[0]) : Readable.from([]);
    },
  };
}

async function request(url: string, method: 'GET' | 'HEAD'): Promise<Response> {
  const { origin, pathname } = new URL(url);
  const shown = origin + pathname;
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(new Error('no answer in 30 s')), HEADERS_LIMIT_MS);
  const answer = await fetch(url, { method, signal: limit.signal })
    .catch((error) => {
      throw new AppError(
        'unavailable',
        `${shown} cannot be reached (${messageOf((error as Error).cause ?? error)})`,
        undefined,
        error,
      );
    })
    .finally(() => clearTimeout(timer));
  if (answer.ok) return answer;
  await answer.body?.cancel();
  if (answer.status === 404 || answer.status === 410) throw new AppError('not_found', `There is no ${shown}`);
  throw new AppError('unavailable', `${shown} answered ${answer.status}`);
}
