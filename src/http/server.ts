import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Authenticator } from '../identity/index.ts';
import { AppError } from '../kernel/errors.ts';
import { uuidv7 } from '../kernel/ids.ts';
import type { Clock, Log, Random } from '../ports/system.ts';
import type { Route } from '../wire/route.ts';
import type { Bus } from './bus.ts';
import { trackConnections } from './connections.ts';
import { toErrorAnswer } from './errors.ts';
import { eventsRoute } from './events.ts';
import { assertSameSite, isLoopback, splitProject } from './guard.ts';
import { API, mountRoute, urlOf } from './mount.ts';
import { toOpenApi } from './openapi.ts';
import { homeRoute } from './page.ts';
import { mountWeb, sendPage, type Web } from './web.ts';

const DRAIN_MS = 5_000;
const MAX_PARAM_LENGTH = 2_000;
/** The plain page needs its own style and nothing else. */
const PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

export interface HttpDeps {
  readonly routes: readonly Route[];
  readonly authenticator: Authenticator;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly host: string;
  readonly version: string;
  /** The built UI; without it `/` is a plain page. */
  readonly web?: Web | undefined;
}

/** Not imported: an import of `node:http` loads WebSocket and fetch with it, 45 ms and 4 MiB. */
const { createServer } = process.getBuiltinModule('node:http');

export interface HttpServer {
  /** Listens; 0 takes any free port. Throws `conflict` where the port is in use. Answers the port. */
  listen(port: number): Promise<number>;
  /** A second port for the same routes, for clients that were given it earlier. */
  listenAlso(port: number): Promise<void>;
  /** Stops taking requests, ends long polls, lets the others finish for five seconds, then cuts them. */
  close(): Promise<void>;
  /** All that is mounted, for tests. */
  readonly mounted: readonly Route[];
}

export function createHttpServer(deps: HttpDeps): HttpServer {
  const projects = new WeakMap<IncomingMessage, string>();
  const underWay = new Set<AbortController>();
  const mounted = [...deps.routes, eventsRoute(deps.bus), openApiRoute(deps)];
  const app = createHost(deps, projects, mounted);
  for (const route of mounted) {
    mountRoute(app, { ...deps, underWay, projectOf: (request) => projects.get(request) }, route);
  }
  mountRoute(app, { ...deps, underWay, projectOf: (request) => projects.get(request) }, healthRoute);
  if (deps.web) mountWeb(app, { random: deps.random, projectOf: (request) => projects.get(request.raw) }, deps.web);
  else mountPlainPage(app, deps, projects);
  const others: Server[] = [];
  const connections = [trackConnections(app.server)];
  return {
    mounted,
    async listen(port) {
      await app.listen({ host: deps.host, port }).catch((error) => {
        throw toListenError(error, deps.host, port);
      });
      return (app.server.address() as AddressInfo).port;
    },
    async listenAlso(port) {
      const server = createServer((request, response) => app.routing(request, response));
      connections.push(trackConnections(server));
      await listen(server, deps.host, port);
      others.push(server);
    },
    async close() {
      for (const controller of underWay) controller.abort();
      const cut = setTimeout(() => {
        for (const server of [app.server, ...others]) server.closeAllConnections();
      }, DRAIN_MS);
      const closed = Promise.all([app.close(), ...others.map(closeServer)]);
      for (const each of connections) each.drain();
      await closed;
      clearTimeout(cut);
    },
  };
}

function mountPlainPage(app: FastifyInstance, deps: HttpDeps, projects: WeakMap<IncomingMessage, string>): void {
  const home = homeRoute(deps.routes, deps.version);
  app.get('/', { exposeHeadRoute: false }, async (request, reply) => {
    const project = projects.get(request.raw);
    const who = await deps.authenticator.identify({ project, authorization: request.headers.authorization });
    return reply
      .type('text/html; charset=utf-8')
      .header('content-security-policy', PAGE_POLICY)
      .send(await home(who, project));
  });
}

function createHost(
  deps: HttpDeps,
  projects: WeakMap<IncomingMessage, string>,
  mounted: readonly Route[],
): FastifyInstance {
  const app = fastify({
    logger: false,
    requestIdHeader: false,
    genReqId: () => uuidv7(deps.clock.now(), deps.random.fill),
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    frameworkErrors: (error, request, reply) => answerError(deps, error, request, reply),
    // Routes check by zod (validate.ts). Without these Fastify loads ajv and fast-json-stringify, 100 files that nothing asks.
    schemaController: { compilersFactory: { buildValidator: noCompiler, buildSerializer: noCompiler } },
    rewriteUrl(request) {
      const { url, project } = splitProject(request.url ?? '/');
      if (project !== undefined) projects.set(request as IncomingMessage, project);
      return url;
    },
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
  const onLoopback = isLoopback(deps.host);
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-content-type-options', 'nosniff');
    reply.header('x-frame-options', 'DENY');
    reply.header('referrer-policy', 'no-referrer');
    reply.header('x-request-id', request.id);
    assertSameSite(request.headers, request.method, onLoopback);
    done();
  });
  app.setErrorHandler((error, request, reply) => answerError(deps, error, request, reply));
  app.setNotFoundHandler((request, reply) => {
    if (deps.web === undefined || !isPersonsRequest(request)) return answerUnknown(request, reply, mounted);
    const web = { random: deps.random, projectOf: () => projects.get(request.raw) };
    return sendPage(web, deps.web, request, reply.code(404));
  });
  return app;
}

const noCompiler = (): never => {
  throw new Error('Routes declare zod schemas, not JSON schemas');
};

function answerError(deps: HttpDeps, error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const path = request.url.split('?', 1)[0]!;
  const ours = path.startsWith(API) || path.startsWith('/internal/');
  const { status, body } = toErrorAnswer(error, request.id, ours, deps.log.child({ method: request.method, path }));
  // A browser asks for name and password by itself where Basic is offered; our own page does that better.
  const scheme = ours ? 'Bearer realm="levain"' : 'Basic realm="levain", charset="UTF-8"';
  if (status === 401) reply.header('www-authenticate', scheme);
  return reply.code(status).header('content-type', 'application/json; charset=utf-8').send(JSON.stringify(body));
}

const OF_PROGRAMS = /^\/(api|ajax-api|internal|graphql|assets|v\d)(\/|$)/;

/** A browser that goes to an address, so that the UI can say that there is no such page. */
const isPersonsRequest = ({ method, url, headers }: FastifyRequest): boolean =>
  method === 'GET' && !OF_PROGRAMS.test(url) && /\btext\/html\b/.test(headers.accept ?? '');

/** JSON for our own clients; HTML elsewhere: MLflow's client reads a 404 that is not JSON as "this server has no such call". */
function answerUnknown(request: FastifyRequest, reply: FastifyReply, mounted: readonly Route[]): FastifyReply {
  const path = request.url.split('?', 1)[0]!;
  const allowed = mounted.filter((route) => patternOf(urlOf(route)).test(path)).map(({ method }) => method);
  const status = allowed.length > 0 ? 405 : 404;
  if (status === 405) reply.header('allow', [...new Set(allowed)].join(', '));
  if (path.startsWith(API)) {
    const message =
      status === 405
        ? `${path} takes ${allowed.join(', ')}, not ${request.method}`
        : `There is no ${request.method} ${path}`;
    return reply.code(status).send({ error: { code: 'not_found', message, requestId: request.id } });
  }
  const text = status === 405 ? 'Method Not Allowed' : 'Not Found';
  return reply
    .code(status)
    .type('text/html; charset=utf-8')
    .send(`<!doctype html><title>${status} ${text}</title><h1>${text}</h1>\n`);
}

/** Built only for requests that found no route. */
const patternOf = (url: string): RegExp =>
  new RegExp(
    `^${url
      .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
      .replace(/:[A-Za-z_]+/g, '[^/]+')
      .replace(/\*$/, '.*')}$`,
  );

const healthRoute: Route = {
  method: 'GET',
  path: '/health',
  permission: 'public',
  summary: 'OK while the server answers',
  handler: async () => ({ raw: true, headers: { 'content-type': 'text/plain' }, body: 'OK' }),
};

function openApiRoute(deps: HttpDeps): Route {
  let document: unknown;
  return {
    method: 'GET',
    path: '/openapi.json',
    permission: 'read',
    summary: 'This interface as OpenAPI 3.1',
    handler: async () => {
      document ??= toOpenApi(deps.routes, deps.version);
      return document;
    },
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(toListenError(error, host, port)));
    server.listen(port, host, resolve);
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}

function toListenError(error: unknown, host: string, port: number): unknown {
  const { code } = error as { code?: string };
  if (code === 'EADDRINUSE') {
    return new AppError(
      'conflict',
      `Port ${port} on ${host} is in use; choose another one with --port`,
      { port, host },
      error,
    );
  }
  if (code === 'EACCES' || code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    return new AppError(
      'invalid',
      `Cannot listen on ${host}:${port} (${code}); choose another --host or --port`,
      { port, host },
      error,
    );
  }
  return error;
}
