import assert from 'node:assert/strict';
import { getRandomValues } from 'node:crypto';
import { request as rawRequest } from 'node:http';
import { Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Authenticator } from '../identity/index.ts';
import { AppError } from '../kernel/errors.ts';
import { DEFAULT_PROJECT_ID } from '../kernel/ids.ts';
import type { Log } from '../ports/system.ts';
import { type Route, route } from '../wire/route.ts';
import { createBus } from './bus.ts';
import { createHttpServer, type HttpServer } from './server.ts';

const logged: unknown[] = [];
const log: Log = {
  debug() {},
  info() {},
  warn() {},
  error: (message, fields) => void logged.push({ message, fields }),
  child: () => log,
};

const authenticator: Authenticator = {
  async identify({ project }) {
    if (project === 'none') throw new AppError('not_found', 'There is no project "none"');
    return {
      actor: { projectId: project ?? DEFAULT_PROJECT_ID, user: 'local', kind: 'user' },
      permissions: new Set(['public', 'read', 'write']),
    };
  },
  forget() {},
};

let aborted = 0;
const routes: Route[] = [
  route(
    {
      method: 'GET',
      path: '/things/:id',
      permission: 'read',
      summary: 'A thing',
      params: z.object({ id: z.string() }),
      query: z.object({ limit: z.coerce.number().int().max(10).default(3) }),
    },
    async ({ actor, params, query }) => ({ project: actor.projectId, id: params.id, limit: query.limit }),
  ),
  route(
    {
      method: 'POST',
      path: '/things',
      permission: 'write',
      summary: 'Make a thing',
      body: z.object({ name: z.string(), steps: z.array(z.object({ size: z.number() })).default([]) }),
      bodyLimitBytes: 1000,
    },
    async ({ body }) => body,
  ),
  route(
    {
      method: 'POST',
      path: '/labels',
      permission: 'write',
      summary: 'One of several types',
      body: z.object({ value: z.union([z.string(), z.number(), z.boolean()]) }),
    },
    async ({ body }) => body,
  ),
  route({ method: 'GET', path: '/admin', permission: 'admin', summary: 'Not for you' }, async () => ({})),
  route({ method: 'GET', path: '/bug', permission: 'read', summary: 'Fails' }, async () => {
    throw new Error('secret detail');
  }),
  route(
    { method: 'PUT', path: '/api/2.0/upload/*', permission: 'write', summary: 'Bytes', body: 'stream' },
    async ({ body }) => {
      let size = 0;
      for await (const chunk of body) size += chunk.length;
      return {
        raw: true,
        status: 201,
        headers: { 'content-type': 'text/plain' },
        body: Readable.from([`${size} bytes`]),
      };
    },
  ),
  route(
    { method: 'PUT', path: '/late', permission: 'write', summary: 'Reads when told to', body: 'stream' },
    async ({ body }) => {
      reached();
      await told;
      for await (const _ of body);
      return {};
    },
  ),
  route({ method: 'GET', path: '/wait', permission: 'read', summary: 'Waits' }, async ({ signal }) => {
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    aborted++;
    return {};
  }),
];

const [{ promise: hasReached, resolve: reached }, { promise: told, resolve: tell }] = [
  Promise.withResolvers<void>(),
  Promise.withResolvers<void>(),
];

let server: HttpServer;
let url: string;
let port: number;

before(async () => {
  const random = { next: Math.random, fill: (bytes: Uint8Array) => void getRandomValues(bytes) };
  const clock = { now: () => 1_000, sleep: async () => {} };
  server = createHttpServer({
    routes,
    authenticator,
    bus: createBus(),
    clock,
    random,
    log,
    host: '127.0.0.1',
    version: '0',
  });
  port = await server.listen(0);
  url = `http://127.0.0.1:${port}`;
});
after(() => server.close());

interface Failure {
  readonly error: { readonly code: string; readonly message: string; readonly requestId: string };
}
const failureOf = async (response: Response): Promise<Failure['error']> => ((await response.json()) as Failure).error;

test('a route answers under our prefix, with its parameters checked and completed', async () => {
  const response = await fetch(`${url}/api/levain/v1/things/a%20b?limit=5`);
  assert.deepEqual(await response.json(), { project: DEFAULT_PROJECT_ID, id: 'a b', limit: 5 });
});

test('/p/NAME before any route chooses the project', async () => {
  const response = await fetch(`${url}/p/shop/api/levain/v1/things/x`);
  assert.deepEqual(await response.json(), { project: 'shop', id: 'x', limit: 3 });
  assert.equal((await fetch(`${url}/p/none/api/levain/v1/things/x`)).status, 404);
});

test('bad input is 400 and names the field, what was expected and what came', async () => {
  const response = await fetch(`${url}/api/levain/v1/things/x?limit=many`);
  assert.equal(response.status, 400);
  const { code, message } = await failureOf(response);
  assert.equal(code, 'invalid');
  assert.match(message, /query\.limit: expected number.*got "many"/);
  const nested = await fetch(`${url}/api/levain/v1/things`, {
    method: 'POST',
    body: JSON.stringify({ name: 'x', steps: [{ size: 1 }, { size: 'big' }] }),
  });
  assert.match((await failureOf(nested)).message, /body\.steps\.1\.size: expected number.*got "big"/);
  const either = await fetch(`${url}/api/levain/v1/labels`, { method: 'POST', body: '{"value":[1]}' });
  assert.equal((await failureOf(either)).message, 'body.value: expected string, number or boolean; got [1]');
});

test('an address that cannot be decoded is refused in our form', async () => {
  const response = await fetch(`${url}/api/levain/v1/things/%zz`);
  assert.equal(response.status, 400);
  const { code, message, requestId } = await failureOf(response);
  assert.equal(code, 'invalid');
  assert.match(message, /%zz/);
  assert.ok(requestId);
});

test('a body that is no JSON, or too large, is refused in words', async () => {
  const broken = await fetch(`${url}/api/levain/v1/things`, { method: 'POST', body: '{"name":' });
  assert.equal(broken.status, 400);
  assert.match((await failureOf(broken)).message, /The body is not JSON/);
  const large = await fetch(`${url}/api/levain/v1/things`, {
    method: 'POST',
    body: JSON.stringify({ name: 'x'.repeat(2000) }),
  });
  assert.equal(large.status, 413);
  const missing = await fetch(`${url}/api/levain/v1/things`, { method: 'POST' });
  assert.equal(missing.status, 400);
});

test('a bug is 500 with a request id, and its stack is only in the log', async () => {
  const response = await fetch(`${url}/api/levain/v1/bug`);
  assert.equal(response.status, 500);
  const text = await response.text();
  assert.doesNotMatch(text, /secret detail|server\.test/);
  const { requestId } = (JSON.parse(text) as Failure).error;
  assert.match(JSON.stringify(logged), new RegExp(`${requestId}.*secret detail`));
});

test('a route that needs more than the caller has is forbidden', async () => {
  assert.equal((await fetch(`${url}/api/levain/v1/admin`)).status, 403);
});

test('an absolute route takes a stream and answers with one', async () => {
  const response = await fetch(`${url}/p/shop/api/2.0/upload/a/b.bin`, {
    method: 'PUT',
    body: Buffer.alloc(3_000_000),
  });
  assert.equal(response.status, 201);
  assert.equal(await response.text(), '3000000 bytes');
});

test('a sender that goes away before anybody reads what it sends is told apart from a bug', async () => {
  const request = rawRequest(`${url}/api/levain/v1/late`, { method: 'PUT', headers: { 'content-length': '1000000' } });
  const failed = new Promise((resolve) => request.once('error', resolve));
  request.write(Buffer.alloc(1_000));
  await hasReached;
  request.destroy(new Error('gone'));
  await failed;
  await sleep(50);
  tell();
  assert.equal((await fetch(`${url}/api/levain/v1/things/x`)).status, 200);
});

test('what is not there is JSON under our prefix and HTML elsewhere; a wrong method is 405', async () => {
  const ours = await fetch(`${url}/api/levain/v1/nothing`);
  assert.equal(ours.status, 404);
  assert.match(ours.headers.get('content-type') ?? '', /json/);
  const foreign = await fetch(`${url}/api/2.0/mlflow/nothing`, { method: 'POST' });
  assert.equal(foreign.status, 404);
  assert.match(foreign.headers.get('content-type') ?? '', /html/);
  const wrong = await fetch(`${url}/api/levain/v1/things/x`, { method: 'DELETE' });
  assert.equal(wrong.status, 405);
  assert.equal(wrong.headers.get('allow'), 'GET');
});

test('another host name or another page is not answered on loopback', async () => {
  assert.equal(await statusWith({ host: 'evil.example' }), 403);
  assert.equal(await statusWith({ host: `localhost:${port}` }), 200);
  assert.equal(await statusWith({ host: `127.0.0.1:${port}`, origin: 'https://evil.example' }), 403);
  assert.equal(await statusWith({ host: `127.0.0.1:${port}`, origin: 'null' }), 403);
  assert.equal(await statusWith({ host: `127.0.0.1:${port}`, origin: `http://127.0.0.1:${port}` }), 200);
});

test('the interface describes itself as OpenAPI 3.1', async () => {
  const document = (await (await fetch(`${url}/api/levain/v1/openapi.json`)).json()) as {
    openapi: string;
    paths: Record<string, Record<string, { parameters: { name: string }[] }>>;
  };
  assert.equal(document.openapi, '3.1.0');
  const operation = document.paths['/api/levain/v1/things/{id}']?.['get'];
  assert.deepEqual(
    operation?.parameters.map(({ name }) => name),
    ['id', 'limit'],
  );
});

test('a change is hinted to who listens, coalesced', async () => {
  const controller = new AbortController();
  const response = await fetch(`${url}/api/levain/v1/events`, { signal: controller.signal });
  assert.match(response.headers.get('content-type') ?? '', /event-stream/);
  await Promise.all([1, 2].map(() => fetch(`${url}/api/levain/v1/things`, { method: 'POST', body: '{"name":"n"}' })));
  let text = '';
  for await (const chunk of response.body!) {
    text += Buffer.from(chunk).toString();
    if (text.includes('data:')) break;
  }
  controller.abort();
  assert.match(text, /data: {"changed":\["things"\]}/);
});

test('a handler hears that its client went away', async () => {
  const before = aborted;
  const controller = new AbortController();
  const waiting = fetch(`${url}/api/levain/v1/wait`, { signal: controller.signal });
  setTimeout(() => controller.abort(), 50);
  await assert.rejects(waiting);
  while (aborted === before) await new Promise((resolve) => setTimeout(resolve, 10));
});

test('the first page is HTML without scripts', async () => {
  const text = await (await fetch(`${url}/`)).text();
  assert.match(text, /<h1>Levain<\/h1>/);
  assert.doesNotMatch(text, /<script/);
});

function statusWith(headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = rawRequest({ port, host: '127.0.0.1', path: '/health', headers }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    request.on('error', reject).end();
  });
}
