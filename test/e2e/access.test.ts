import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { type App, startApp } from '../../src/app.ts';
import { isAppError } from '../../src/kernel/errors.ts';
import { postgresMissing, startPostgres } from '../support/postgres.ts';
import { testLog } from '../support/system.ts';
import { tempDir } from '../support/temp.ts';

const start = (dataDir: string, host = '127.0.0.1'): Promise<App> =>
  startApp({ dataDir, host, port: 0, log: testLog() });

async function addAdmin(app: App): Promise<string> {
  const response = await fetch(`${app.url}/api/levain/v1/users`, {
    method: 'POST',
    body: JSON.stringify({ name: 'ann', role: 'admin' }),
  });
  assert.equal(response.status, 200, await response.clone().text());
  return ((await response.json()) as { token: string }).token;
}

const urlOf = (path: string): string =>
  (/^\/(api|ajax-api|internal|version|health)/.test(path) ? path : `/api/levain/v1${path}`)
    .replace(/:[A-Za-z_]+/g, 'x')
    .replace('*', 'x');

test('once there are users, every route but the public ones asks who is there', async () => {
  const app = await start(join(tempDir(), 'data'));
  try {
    const token = await addAdmin(app);
    const open: string[] = [];
    for (const { method, path, permission } of app.routes) {
      if (permission === 'public') continue;
      const response = await fetch(app.url + urlOf(path), { method });
      await response.body?.cancel();
      if (response.status !== 401) open.push(`${method} ${path} answered ${response.status}`);
    }
    assert.deepEqual(open, []);
    assert.ok(app.routes.length > 50);
    const known = await fetch(`${app.url}/api/levain/v1/users`, { headers: { authorization: `Bearer ${token}` } });
    assert.equal(known.status, 200);
  } finally {
    await app.close();
  }
});

test('what a gateway may do needs the token of a gateway, also while everything else is open', async () => {
  const app = await start(join(tempDir(), 'data'));
  try {
    const internal = app.routes.filter(({ permission }) => permission === 'gateway');
    assert.ok(internal.length > 0);
    for (const { method, path } of internal) {
      const response = await fetch(app.url + urlOf(path), { method });
      await response.body?.cancel();
      assert.equal(response.status, 403, `${method} ${path}`);
    }
  } finally {
    await app.close();
  }
});

test('another address than the loopback one needs an administrator first', async () => {
  const dataDir = join(tempDir(), 'data');
  await assert.rejects(
    start(dataDir, '0.0.0.0'),
    (error) => isAppError(error, 'forbidden') && /before it has an administrator/.test(error.message),
  );
  const app = await start(dataDir);
  await addAdmin(app);
  await app.close();
  const open = await start(dataDir, '0.0.0.0');
  const response = await fetch(`http://127.0.0.1:${open.port}/api/levain/v1/activity`);
  assert.equal(response.status, 401);
  await open.close();
});

test('the interface describes every route of ours, each with its schemas', async () => {
  const app = await start(join(tempDir(), 'data'));
  try {
    const response = await fetch(`${app.url}/api/levain/v1/openapi.json`);
    assert.equal(response.status, 200, await response.clone().text());
    const document = (await response.json()) as { paths: Record<string, unknown> };
    assert.ok(Object.keys(document.paths).length > 20);
    assert.ok(document.paths['/api/levain/v1/activity']);
  } finally {
    await app.close();
  }
});

const missing = postgresMissing();
test('the same server stands on PostgreSQL, and finds its state again', { skip: missing ?? false }, async () => {
  const cluster = await startPostgres();
  await cluster.run('create database app');
  const db = cluster.url('app');
  const startOn = (): Promise<App> => startApp({ dataDir: join(tempDir(), 'data'), db, port: 0, log: testLog() });
  const first = await startOn();
  const token = await addAdmin(first);
  await first.close();
  const second = await startOn();
  try {
    const response = await fetch(`${second.url}/api/levain/v1/users`, {
      headers: { authorization: `Bearer ${token}` },
    });
    assert.equal(response.status, 200);
    assert.equal((await fetch(`${second.url}/api/levain/v1/status`)).status, 401);
  } finally {
    await second.close();
  }
});
