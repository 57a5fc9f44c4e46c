import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Authenticator, assertAllowed, type Identified } from '../identity/index.ts';
import { AppError } from '../kernel/errors.ts';
import type { Permission, RawResponse, Route } from '../wire/route.ts';
import { JSON_LIMIT_BYTES, limitStream, parseJsonBody, readBody, STREAM_LIMIT_BYTES } from './bodies.ts';
import type { Bus } from './bus.ts';
import { identifyRequest } from './session.ts';
import { validate } from './validate.ts';

export const API = '/api/levain/v1';

/** First path segments that are not under our own prefix: protocols of others, and the gateways' private routes. */
const ABSOLUTE = /^\/(api|ajax-api|internal|version|health|graphql|files|v1)(\/|$)/;

export const urlOf = (route: Pick<Route, 'path'>): string =>
  ABSOLUTE.test(route.path) ? route.path : `${API}${route.path}`;

export interface MountDeps {
  readonly authenticator: Authenticator;
  readonly bus: Bus;
  readonly projectOf: (request: IncomingMessage) => string | undefined;
  /** Controllers of requests under way: all are aborted when the server stops. */
  readonly underWay: Set<AbortController>;
}

/** Puts a route behind its permission, its schemas and its limits. */
export function mountRoute(app: FastifyInstance, deps: MountDeps, route: Route): void {
  const url = urlOf(route);
  app.route({
    method: route.method,
    url,
    exposeHeadRoute: false,
    handler: async (request, reply) => {
      const project = deps.projectOf(request.raw);
      const who = await identifyRequest(deps.authenticator, project, request.method, request.headers);
      assertAllowed(who, route.permission);
      const context = await contextOf(deps, route, who, request, reply);
      const answer = await route.handler(context);
      const topic = hintOf(route, context);
      if (topic !== undefined) deps.bus.publish({ projectId: who.actor.projectId, topic });
      return sendAnswer(reply, answer);
    },
  });
}

type Context = Parameters<Route['handler']>[0];

/** A dry run changes nothing, so nobody has to look again. */
const isDryRun = (body: unknown): boolean =>
  typeof body === 'object' && body !== null && (body as { dryRun?: unknown }).dryRun === true;

/** Searches and logins change nothing that a page shows; what gateways hand in hints by its events. */
const UNHINTED: ReadonlySet<Permission> = new Set(['read', 'public', 'gateway']);

function hintOf(route: Route, context: Context): string | undefined {
  if (route.method === 'GET' || isDryRun(context.body)) return undefined;
  if (route.hint) return route.hint(context);
  return UNHINTED.has(route.permission) ? undefined : (/^\/([a-z-]+)/.exec(route.path)?.[1] ?? 'all');
}

async function contextOf(
  deps: MountDeps,
  route: Route,
  { actor, permissions }: Identified,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Context> {
  let controller: AbortController | undefined;
  return {
    actor,
    permissions,
    params: route.params ? validate(route.params, request.params, 'path') : request.params,
    query: route.query ? validate(route.query, request.query, 'query') : request.query,
    body: await bodyOf(route, request),
    headers: request.headers,
    requestId: request.id,
    get signal(): AbortSignal {
      controller ??= watch(deps, reply);
      return controller.signal;
    },
  } as unknown as Context;
}

async function bodyOf(route: Route, request: FastifyRequest): Promise<unknown> {
  if (route.body === undefined) return undefined;
  const stream = (request.body ?? request.raw) as Readable;
  const limit = route.bodyLimitBytes ?? (route.body === 'stream' ? STREAM_LIMIT_BYTES : JSON_LIMIT_BYTES);
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > limit) {
    throw new AppError('too_large', `The body has ${announced} bytes; at most ${limit} are taken here`, {
      limitBytes: limit,
    });
  }
  if (route.body === 'stream') return limitStream(stream, limit);
  return validate(route.body, parseJsonBody(await readBody(stream, limit)), 'body');
}

function watch(deps: MountDeps, reply: FastifyReply): AbortController {
  const controller = new AbortController();
  deps.underWay.add(controller);
  reply.raw.once('close', () => {
    deps.underWay.delete(controller);
    if (!reply.raw.writableFinished) controller.abort();
  });
  return controller;
}

function sendAnswer(reply: FastifyReply, answer: unknown): FastifyReply {
  if (isRaw(answer)) {
    reply.code(answer.status ?? 200);
    for (const [name, value] of Object.entries(answer.headers ?? {})) reply.header(name, value);
    if (!reply.hasHeader('content-type')) reply.header('content-type', 'application/octet-stream');
    return reply.send(answer.body instanceof Uint8Array ? Buffer.from(answer.body) : answer.body);
  }
  if (answer === undefined) return reply.code(204).send();
  return reply.header('content-type', 'application/json; charset=utf-8').send(JSON.stringify(answer));
}

const isRaw = (answer: unknown): answer is RawResponse =>
  typeof answer === 'object' && answer !== null && (answer as { raw?: unknown }).raw === true;
