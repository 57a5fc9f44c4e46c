import { ApiError } from '../errors.ts';
import type { AnswerOf, BodyOf, CallName, ParamsOf, QueryOf } from './routes.ts';

export type CallOptions<C extends CallName> = (unknown extends ParamsOf<C>
  ? { readonly params?: undefined }
  : { readonly params: ParamsOf<C> }) &
  (undefined extends BodyOf<C> ? { readonly body?: BodyOf<C> } : { readonly body: BodyOf<C> }) & {
    readonly query?: QueryOf<C>;
    readonly signal?: AbortSignal;
  };

type Arguments<C extends CallName> =
  Record<never, never> extends CallOptions<C> ? [options?: CallOptions<C>] : [options: CallOptions<C>];

/** Where the page stands, a path prefix and a project's `/p/NAME` included. */
export const BASE = new URL(document.baseURI).pathname.replace(/\/$/, '');

/** The project that the address names, and what stands before it: a proxy's prefix, or nothing. */
export const PROJECT = decode(/\/p\/([^/]+)$/.exec(BASE)?.[1]);
export const PREFIX = BASE.replace(/\/p\/[^/]+$/, '');

function decode(text: string | undefined): string | undefined {
  return text === undefined ? undefined : decodeURIComponent(text);
}

/** The address of a route, for links to files and streams. */
export function addressOf(path: string, params: object = {}, query: object = {}): string {
  const filled = path.replace(/:([A-Za-z_]+)/g, (_, name: string) =>
    encodeURIComponent(String((params as Record<string, unknown>)[name] ?? '')),
  );
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, String(value));
  const text = search.toString();
  return `${BASE}/api/levain/v1${filled}${text ? `?${text}` : ''}`;
}

/** Calls a route of the server: `call('GET /models/:model', { params: { model } })`. Types are the route's own. Throws `ApiError`. */
export async function call<C extends CallName>(name: C, ...[options]: Arguments<C>): Promise<AnswerOf<C>> {
  const [method, path] = name.split(' ') as [string, string];
  const { params, query, body, signal } = (options ?? {}) as {
    params?: object;
    query?: object;
    body?: unknown;
    signal?: AbortSignal;
  };
  const text = await textAt(addressOf(path, params, query), {
    method,
    ...(signal && { signal }),
    ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  return (text === '' ? undefined : JSON.parse(text)) as AnswerOf<C>;
}

/** A file of the server as text, from the address that `fileAddress` gives. Throws `ApiError`. */
export const readText = (address: string, signal: AbortSignal): Promise<string> => textAt(address, { signal });

/** The address of a file below a route that ends in `/*`; for links too. */
export const fileAddress = (path: `${string}/*`, params: object, file: string): string =>
  addressOf(path.slice(0, -1), params) + file.split('/').map(encodeURIComponent).join('/');

async function textAt(address: string, init: RequestInit): Promise<string> {
  let response: Response;
  try {
    response = await fetch(address, init);
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new ApiError('unreachable', 0, 'The server does not answer');
  }
  const text = await response.text();
  if (response.ok) return text;
  throw toError(response.status, text);
}

export function toError(status: number, text: string): ApiError {
  try {
    const { error } = JSON.parse(text) as {
      error: { code: string; message: string; hint?: string; requestId?: string; details?: Record<string, unknown> };
    };
    return new ApiError(error.code, status, error.message, error);
  } catch {
    return new ApiError('unknown', status, `The server answered ${status} with something that is not JSON`);
  }
}
