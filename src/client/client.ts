import { AppError, type ErrorCode } from '../kernel/errors.ts';

export type Query = Readonly<Record<string, string | number | boolean | null | undefined | readonly string[]>>;

export interface CallOptions {
  readonly query?: Query;
  readonly signal?: AbortSignal | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What fetch takes, and a query. */
export type FetchInit = NonNullable<Parameters<typeof fetch>[1]> & { readonly query?: Query };

/** A request whose answer is read whole. */
export interface PlainRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | ReadableStream | null;
  readonly signal?: AbortSignal | undefined;
}

export type PlainAnswer = Pick<Response, 'ok' | 'status' | 'statusText' | 'url' | 'text'>;

/** How plain requests travel. Rejects where nobody answers, and when the signal aborts. */
export type Transport = (url: string, request: PlainRequest) => Promise<PlainAnswer>;

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

/**
 * `address` is asked before each call: a server may come up, or come back elsewhere, between two. `transport` takes all but
 * `Client.fetch`; a short-lived process spares itself loading `fetch` by one of its own.
 */
export function createClient(address: () => Promise<ServerAddress>, transport: Transport = byFetch): Client {
  const json = async <T>(method: string, path: string, body: unknown, options: CallOptions = {}): Promise<T> => {
    const headers = { ...options.headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
    const text = body === undefined ? null : JSON.stringify(body);
    return call<T>(await address(), path, options, { method, headers, body: text });
  };
  const call = async <T>(
    server: ServerAddress,
    path: string,
    { query, signal }: CallOptions,
    request: PlainRequest,
  ): Promise<T> => {
    const headers = { ...authorizationOf(server), ...request.headers };
    return answerOf<T>(
      await reaching(server, signal, () => transport(urlOf(server, path, query), { ...request, headers, signal })),
    );
  };
  return {
    address,
    fetch: async (path, init = {}) => fetchFrom(await address(), path, init),
    get: (path, options) => json('GET', path, undefined, options),
    post: (path, body = {}, options) => json('POST', path, body, options),
    put: (path, body = {}, options) => json('PUT', path, body, options),
    patch: (path, body = {}, options) => json('PATCH', path, body, options),
    delete: (path, options) => json('DELETE', path, undefined, options),
    upload: async (path, body, options = {}) => {
      const headers = { 'content-type': 'application/octet-stream', ...options.headers };
      return call(await address(), path, options, { method: options.method ?? 'PUT', headers, body });
    },
  };
}

/** The default transport. */
export const byFetch: Transport = (url, { signal, ...request }) =>
  fetch(url, {
    ...request,
    ...(signal ? { signal } : {}),
    ...(request.body instanceof ReadableStream ? { duplex: 'half' } : {}),
  });

async function fetchFrom(server: ServerAddress, path: string, { query, ...init }: FetchInit): Promise<Response> {
  const headers = new Headers(init.headers);
  for (const [name, value] of Object.entries(authorizationOf(server))) if (!headers.has(name)) headers.set(name, value);
  return reaching(server, init.signal, () => fetch(urlOf(server, path, query), { ...init, headers }));
}

const authorizationOf = ({ token }: ServerAddress): Record<string, string> =>
  token ? { authorization: `Bearer ${token}` } : {};

const urlOf = (server: ServerAddress, path: string, query: Query | undefined): string =>
  `${server.url}${path.startsWith('//') ? path.slice(1) : `/api/levain/v1${path}`}${toQueryString(query)}`;

/** A server that nobody reached is `unavailable`; an abort stays what it is. */
async function reaching<T>(
  { url }: ServerAddress,
  signal: AbortSignal | null | undefined,
  send: () => Promise<T>,
): Promise<T> {
  try {
    return await send();
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new AppError('unavailable', `No Levain answers at ${url}`, { hint: 'levain up', url }, error);
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

async function answerOf<T>(response: PlainAnswer): Promise<T> {
  const text = await response.text();
  if (response.ok) return (text === '' ? undefined : parseJson(text)) as T;
  throw toError(response, text);
}

/** The server's error again as an AppError; anything else that answers badly is `unavailable`. */
export function toError(response: PlainAnswer, text: string): AppError {
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
