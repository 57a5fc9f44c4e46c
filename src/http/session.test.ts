import assert from 'node:assert/strict';
import { getRandomValues } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openSqlite } from '../adapters/sqlite/index.ts';
import {
  addPerson,
  createAuthenticator,
  createProject,
  createToken,
  type IdentityDeps,
  identityRoutes,
  issueGatewayToken,
} from '../identity/index.ts';
import { DEFAULT_PROJECT_ID } from '../kernel/ids.ts';
import { migrate } from '../migrations/index.ts';
import type { Db } from '../ports/db.ts';
import type { Log } from '../ports/system.ts';
import { createBus } from './bus.ts';
import { createHttpServer, type HttpServer } from './server.ts';
import { sessionRoutes } from './session.ts';

const PASSWORD = 'correct horse';
const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };
const owner = { projectId: DEFAULT_PROJECT_ID, user: 'local', kind: 'user' } as const;
let folder: string;
let db: Db;
let server: HttpServer;
let deps: IdentityDeps;
let host: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'levain-session-'));
  db = await openSqlite({ path: join(folder, 'db.sqlite') });
  await migrate(db);
  const clock = { now: () => Date.now() };
  const random = { fill: (bytes: Uint8Array) => void getRandomValues(bytes) };
  deps = { db, clock, random, log: silent } as unknown as IdentityDeps;
  const authenticator = createAuthenticator(deps);
  const routes = [...identityRoutes(deps, authenticator), ...sessionRoutes(deps, authenticator)];
  const base = { clock, random, log: silent, host: '127.0.0.1', version: 'test', bus: createBus() };
  server = createHttpServer({ ...base, routes, authenticator } as never);
  host = `127.0.0.1:${await server.listen(0)}`;
  await createProject(deps, owner, { name: 'other' });
  await addPerson(deps, owner, { name: 'ann', role: 'admin', password: PASSWORD });
  await addPerson(deps, owner, { name: 'vic', role: 'viewer', password: PASSWORD });
});

after(async () => {
  await server.close();
  await db.close();
  await rm(folder, { recursive: true });
});

const ownPage = () => ({ origin: `http://${host}` });

function ask(path: string, method = 'GET', headers: Record<string, string> = {}, body?: unknown): Promise<Response> {
  const json = body === undefined ? {} : { body: JSON.stringify(body) };
  return fetch(`http://${host}${path}`, {
    method,
    headers: { ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
    ...json,
  });
}

const SESSION = '/api/levain/v1/session';

async function begin(body: unknown, headers: Record<string, string> = {}): Promise<string> {
  const answer = await ask(SESSION, 'POST', { ...ownPage(), ...headers }, body);
  assert.equal(answer.status, 200, await answer.clone().text());
  return answer.headers.get('set-cookie') ?? '';
}

const cookieOf = (setCookie: string): string => setCookie.split(';', 1)[0]!;

test('nobody is told so, and that a login is needed', async () => {
  const session = await (await ask(SESSION)).json();
  assert.deepEqual(session, { user: null, isOpen: false, isSession: false, permissions: ['public'] });
  const refused = await ask('/api/levain/v1/projects');
  assert.equal(refused.status, 401);
  // Basic would make browsers ask by themselves.
  assert.match(refused.headers.get('www-authenticate') ?? '', /^Bearer/);
});

test('name and password begin a session that no script reads and no other site sends', async () => {
  const cookie = await begin({ user: 'ann', password: PASSWORD });
  assert.match(cookie, /^levain-session-\d+=lv_u_[\w-]+; Path=\/; Max-Age=2592000; HttpOnly; SameSite=Strict$/);
  const session = (await (await ask(SESSION, 'GET', { cookie: cookieOf(cookie) })).json()) as Record<string, unknown>;
  assert.equal(session['user'], 'ann');
  assert.ok((session['permissions'] as string[]).includes('admin'));
  assert.equal((await ask('/api/levain/v1/projects', 'GET', { cookie: cookieOf(cookie) })).status, 200);
});

test('behind a proxy the cookie is of its path, and safe where the proxy speaks TLS', async () => {
  const headers = { 'x-forwarded-prefix': '/tools/levain', 'x-forwarded-proto': 'https' };
  const cookie = await begin({ user: 'ann', password: PASSWORD }, headers);
  assert.match(cookie, /; Path=\/tools\/levain\/; .*; Secure$/);
});

test('a session changes something only from a page of this server', async () => {
  const cookie = cookieOf(await begin({ user: 'ann', password: PASSWORD }));
  const path = '/api/levain/v1/projects';
  const without = await ask(path, 'POST', { cookie }, { name: 'stolen' });
  assert.equal(without.status, 403);
  const foreign = await ask(path, 'POST', { cookie, origin: 'http://evil.example' }, { name: 'stolen' });
  assert.equal(foreign.status, 403);
  assert.equal((await ask(path, 'POST', { cookie, ...ownPage() }, { name: 'mine' })).status, 200);
  const proxied = { cookie, origin: 'https://mlops.example', 'sec-fetch-site': 'same-origin' };
  assert.equal((await ask(path, 'POST', proxied, { name: 'proxied' })).status, 200);
});

test('a session has the rights of its user in each project, and no more', async () => {
  const cookie = cookieOf(await begin({ user: 'vic', password: PASSWORD }));
  assert.equal((await ask('/api/levain/v1/projects', 'GET', { cookie })).status, 200);
  const refused = await ask('/api/levain/v1/projects', 'POST', { cookie, ...ownPage() }, { name: 'no' });
  assert.equal(refused.status, 403);
  assert.match(((await refused.json()) as { error: { message: string } }).error.message, /vic may not/);
  assert.equal((await ask('/p/other/api/levain/v1/projects', 'GET', { cookie })).status, 403);
});

test('a wrong password and a token of a gateway begin nothing', async () => {
  const wrong = await ask(SESSION, 'POST', ownPage(), { user: 'ann', password: 'wrong horse' });
  assert.equal(wrong.status, 401);
  assert.equal(wrong.headers.get('set-cookie'), null);
  const gateway = await ask(SESSION, 'POST', ownPage(), { token: await issueGatewayToken(deps) });
  assert.equal(gateway.status, 403);
});

test('logging out ends the session on the server, and not the token that it began with', async () => {
  const token = await createToken(deps, { user: 'ann', name: 'ci' });
  const cookie = cookieOf(await begin({ token }));
  assert.equal((await ask('/api/levain/v1/projects', 'GET', { cookie })).status, 200);
  const ended = await ask(SESSION, 'DELETE', { cookie, ...ownPage() });
  assert.match(ended.headers.get('set-cookie') ?? '', /Max-Age=0/);
  assert.equal((await ask('/api/levain/v1/projects', 'GET', { cookie })).status, 401);
  // Whoever has an old cookie can still log in again.
  assert.equal((await ask(SESSION, 'GET', { cookie })).status, 200);
  assert.equal((await ask('/api/levain/v1/projects', 'GET', { authorization: `Bearer ${token}` })).status, 200);
});
