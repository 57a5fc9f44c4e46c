import { AppError, type ErrorCode } from '../kernel/errors.ts';

export type Query = Readonly<Record<string, string | number | boolean | null | undefined | readonly string[]>>;

export interface CallOptions {
  readonly query?: Query;
  readonly signal?: AbortSignal | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What fetch takes, and a query. */
export type FetchInit = NonNullable<Parameters<typeof fetch>[1]> & { readonly query?: Query };

type Body = NonNullable<FetchInit['body']>;

export interface ServerAddress {
  /** Without a trailing slash; with `/p/NAME` for a project other than `main`. */
  readonly url: string;
  readonly token?: string | undefined;
}

/**
 * Our HTTP interface, typed by the caller with the pillars' types. Paths are relative to /api/levain/v1 (`/runs/42`).
 * What the server refuses is thrown as the AppError that it was there, with `requestId` in its details; a server that does
 * not answer is `unavailable`.
 */
export interface Client {
  address(): Promise<ServerAddress>;
  get<T>(path: string, options?: CallOptions): Promise<T>;
  post<T>(path: string, body?: unknown, options?: CallOptions): Promise<T>;
  put<T>(path: string, body?: unknown, options?: CallOptions): Promise<T>;
  patch<T>(path: string, body?: unknown, options?: CallOptions): Promise<T>;
  delete<T>(path: string, options?: CallOptions): Promise<T>;
  /** Sends bytes as they are. */
  upload<T>(
    path: string,
    body: Uint8Array | ReadableStream,
    options?: CallOptions & { method?: 'PUT' | 'POST' },
  ): Promise<T>;
  /** The answer itself, for streams and for paths outside /api/levain/v1 (start them with `//`). */
  fetch(path: string, init?: FetchInit): Promise<Response>;
}

/** `address` is asked before each call: a server may come up, or come back elsewhere, between two. */
export function createClient(address: () => Promise<ServerAddress>): Client {
  const fetchPath: Client['fetch'] = async (path, init = {}) => send(await address(), path, init);
  const json = async <T>(method: string, path: string, body: unknown, options: CallOptions = {}): Promise<T> => {
    const headers = { ...options.headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
    return answerOf<T>(
      await fetchPath(path, toInit(method, options, headers, body === undefined ? null : JSON.stringify(body))),
    );
  };
  return {
    address,
    fetch: fetchPath,
    get: (path, options) => json('GET', path, undefined, options),
    post: (path, body = {}, options) => json('POST', path, body, options),
    put: (path, body = {}, options) => json('PUT', path, body, options),
    patch: (path, body = {}, options) => json('PATCH', path, body, options),
    delete: (path, options) => json('DELETE', path, undefined, options),
    upload: async (path, body, options = {}) => {
      const headers = { 'content-type': 'application/octet-stream', ...options.headers };
      return answerOf(await fetchPath(path, toInit(options.method ?? 'PUT', options, headers, body as Body)));
    },
  };
}

function toInit(
  method: string,
  options: CallOptions,
  headers: Readonly<Record<string, string>>,
  body: Body | null,
): FetchInit {
  return {
    method,
    headers,
    body,
    ...(options.query ? { query: options.query } : {}),
    ...(options.signal ? { signal: options.signal } : {}),
    ...(body instanceof ReadableStream ? { duplex: 'half' } : {}),
  };
}

async function send(address: ServerAddress, path: string, init: FetchInit): Promise<Response> {
  const root = path.startsWith('//') ? path.slice(1) : `/api/levain/v1${path}`;
  const url = `${address.url}${root}${toQueryString(init.query)}`;
  const headers = new Headers(init.headers);
  if (address.token && !headers.has('authorization')) headers.set('authorization', `Bearer ${address.token}`);
  try {
    return await fetch(url, { ...init, headers });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new AppError(
      'unavailable',
      `No Levain answers at ${address.url}`,
      { hint: 'levain up', url: address.url },
      error,
    );
  }
}

function toQueryString(query: Query | undefined): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query ?? {})) {
    if (value === null || value === undefined) continue;
    for (const item of Array.isArray(value) ? value : [value]) search.append(key, String(item));
  }
  const text = search.toString();
  return text === '' ? '' : `?${text}`;
}

async function answerOf<T>(response: Response): Promise<T> {
  const text = await response.text();
  if (response.ok) return (text === '' ? undefined : parseJson(text)) as T;
  throw toError(response, text);
}

/** The server's error again as an AppError; anything else that answers badly is `unavailable`. */
export function toError(response: Response, text: string): AppError {
  const body = parseJson(text) as
    | { error?: { code?: ErrorCode; message?: string; details?: object; requestId?: string } }
    | undefined;
  const error = body?.error;
  if (error?.code && error.message) {
    return new AppError(error.code, error.message, {
      ...error.details,
      requestId: error.requestId,
      status: response.status,
    });
  }
  const what = `${response.url} answered ${response.status} ${response.statusText}`;
  return new AppError(response.status === 404 ? 'not_found' : 'unavailable', `${what}; is that a Levain server?`, {
    status: response.status,
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
