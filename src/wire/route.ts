import type { Readable } from 'node:stream';
import type { z } from 'zod';

/** What a caller may do; roles map to these. Every route declares one. `public` needs no login. */
export type Permission =
  | 'public'
  | 'read'
  | 'write'
  | 'deploy'
  | 'approve'
  | 'predict'
  | 'predict:backdate'
  | 'admin'
  | 'gateway';

/** Who calls, and in which project. `user` is a name for audit; `kind: step` is a running step's token. */
export interface Actor {
  readonly projectId: string;
  readonly user: string;
  readonly kind: 'user' | 'step' | 'gateway' | 'system';
  /** Set for `kind: step`: the attempt whose token this is. */
  readonly attemptId?: string;
}

/** A streamed or non-JSON answer. */
export interface RawResponse {
  readonly raw: true;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: Readable | Uint8Array | string;
}

export interface RouteContext<P, Q, B> {
  readonly actor: Actor;
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Aborted when the client goes away or the server stops. */
  readonly signal: AbortSignal;
  readonly requestId: string;
  /** What the actor may do in this project. */
  readonly permissions: ReadonlySet<Permission>;
}

/** A route as data: what it is, without a server. Paths are Fastify's (`/runs/:id`); ours are mounted under /api/levain/v1. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly permission: Permission;
  readonly summary: string;
  readonly params?: z.ZodType | undefined;
  readonly query?: z.ZodType | undefined;
  /** A zod schema, or 'stream' where the handler reads the raw body. */
  readonly body?: z.ZodType | 'stream' | undefined;
  readonly response?: z.ZodType | undefined;
  readonly bodyLimitBytes?: number | undefined;
  /**
   * What a call changed, for pages that listen: `runs`, or `runs/ID` where it is one of them. By default the first segment of the
   * path for all but GET; nothing where it answers undefined.
   */
  readonly hint?: ((context: RouteContext<never, never, never>) => string | undefined) | undefined;
  readonly handler: (context: RouteContext<never, never, never>) => Promise<unknown>;
}

type Infer<S, Fallback> = S extends z.ZodType ? z.output<S> : Fallback;
type Given<S> = S extends z.ZodType ? z.input<S> : undefined;

/** What a route takes and answers, for clients that are typed by it. There is no such value: the types alone count. */
export interface RouteTypes<P, Q, B, A> {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  readonly answer: A;
}

/** A route that still knows its method, its path and its types: what the web client reads, by type alone. */
export interface TypedRoute<M extends string, Path extends string, P, Q, B, A> extends Route {
  readonly method: Route['method'] & M;
  readonly path: Path;
  readonly types?: RouteTypes<P, Q, B, A>;
}

/** Declares a route; the handler's context is typed by the schemas. Answers JSON, or a `RawResponse`. */
export function route<
  const M extends Route['method'],
  const Path extends string,
  A,
  const P extends z.ZodType | undefined = undefined,
  const Q extends z.ZodType | undefined = undefined,
  const B extends z.ZodType | 'stream' | undefined = undefined,
>(
  spec: Omit<Route, 'handler' | 'method' | 'path' | 'params' | 'query' | 'body'> & {
    readonly method: M;
    readonly path: Path;
    params?: P;
    query?: Q;
    body?: B;
  },
  handler: (
    context: RouteContext<
      Infer<P, undefined>,
      Infer<Q, undefined>,
      B extends 'stream' ? Readable : Infer<B, undefined>
    >,
  ) => Promise<A>,
): TypedRoute<M, Path, Given<P>, Given<Q>, Given<B>, A> {
  return { ...spec, handler: handler as Route['handler'] };
}

/** Headers of an answer that is a file to keep: a browser saves it and never shows it as a page of ours. */
export const asFile = (path: string, sizeBytes: number): Readonly<Record<string, string>> => ({
  'content-type': 'application/octet-stream',
  'content-length': String(sizeBytes),
  'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent(path.split('/').at(-1) ?? path)}`,
  'content-security-policy': 'sandbox',
  'x-content-type-options': 'nosniff',
});
