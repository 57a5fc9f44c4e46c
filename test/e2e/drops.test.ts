import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type App, startApp } from '../../src/app.ts';
import { notebookOf } from '../support/penguins.ts';
import { testLog } from '../support/system.ts';
import { tempDir } from '../support/temp.ts';

const dataDir = join(tempDir(), 'data');
const open = (): Promise<App> => startApp({ dataDir, host: '127.0.0.1', port: 0, log: testLog() });

let app: App;
let [ann, eve] = ['', ''];
before(async () => {
  app = await open();
  ann = await addUser('ann', 'admin', '');
  eve = await addUser('eve', 'viewer', ann);
});
after(() => app.close());

async function addUser(name: string, role: string, token: string): Promise<string> {
  const answer = await send<{ token: string }>('POST', '/users', { name, role }, token);
  return answer.body.token;
}

async function send<T>(
  method: string,
  path: string,
  body: unknown,
  token: string,
): Promise<{ readonly status: number; readonly body: T }> {
  const response = await fetch(`${app.url}/api/levain/v1${path}`, {
    method,
    headers: {
      'content-type': typeof body === 'string' ? 'application/octet-stream' : 'application/json',
      ...(token !== '' && { authorization: `Bearer ${token}` }),
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as T };
}

interface Drop {
  readonly id: string;
  readonly state: string;
  readonly folder: string;
  readonly outcomes: readonly { readonly error: { readonly code: string; readonly message: string } | null }[];
}

/** Announces and sends one notebook, and starts it. */
async function drop(cells: readonly string[], token: string): Promise<Drop> {
  const text = notebookOf(cells);
  const files = [{ path: 'a b.ipynb', sizeBytes: Buffer.byteLength(text) }];
  const { body } = await send<Drop>('POST', '/drops', { files }, token);
  const sent = await send('PUT', `/drops/${body.id}/content?path=${encodeURIComponent('a b.ipynb')}`, text, token);
  assert.equal(sent.status, 200);
  const started = await send<Drop>('POST', `/drops/${body.id}/start`, {}, token);
  assert.equal(started.status, 200, JSON.stringify(started.body));
  return started.body;
}

async function ended(id: string, token: string): Promise<Drop> {
  for (;;) {
    const { body } = await send<Drop>('GET', `/drops/${id}`, undefined, token);
    if (body.state !== 'running') return body;
    await sleep(100);
  }
}

const tokens = async (): Promise<string[]> =>
  (await send<{ items: { name: string }[] }>('GET', '/tokens', undefined, ann)).body.items.map(({ name }) => name);

test('who may only read can see drops, and neither make nor start one', async () => {
  const files = [{ path: 'a.py', sizeBytes: 0 }];
  assert.equal((await send('POST', '/drops', { files }, eve)).status, 403);
  assert.equal((await send('GET', '/drops', undefined, eve)).status, 200);
  assert.equal((await send('GET', '/drops', undefined, '')).status, 401);
});

test('the commands run with a token of who dropped, which ends with them; a notebook without a model is refused in words', async () => {
  const started = await drop(['import math\nprint(math.pi)'], ann);
  assert.ok((await tokens()).some((name) => name.startsWith(`drop ${started.id}`)));
  const { state, outcomes } = await ended(started.id, ann);
  assert.equal(state, 'failed');
  assert.match(outcomes[0]?.error?.message ?? '', /model/);
  for (let tries = 0; (await tokens()).some((name) => name.startsWith('drop ')); tries++) {
    assert.ok(tries < 100, 'the token outlives the commands');
    await sleep(50);
  }
  const { body } = await send<{ text: string }>('GET', `/drops/${started.id}/log`, undefined, ann);
  assert.match(body.text, /^\$ levain adopt a b\.ipynb --yes\n/);
});

test('what runs takes no files and no second start, survives a restart of the server, and can be cancelled', async () => {
  const { id, folder } = await drop(['import time\ntime.sleep(600)'], ann);
  assert.equal((await send('POST', `/drops/${id}/start`, {}, ann)).status, 409);
  const more = await send('POST', `/drops/${id}/files`, { files: [{ path: 'b.csv', sizeBytes: 1 }] }, ann);
  assert.equal(more.status, 409);
  await app.close();
  app = await open();
  for (let log = ''; !/cell 1 of 1/.test(log); await sleep(100)) {
    const chunk = await send<{ text: string; finished: boolean }>('GET', `/drops/${id}/log`, undefined, ann);
    log = chunk.body.text;
    assert.equal(chunk.body.finished, false, log);
  }
  const { body } = await send<Drop>('GET', `/drops/${id}`, undefined, ann);
  assert.equal(body.state, 'running');
  assert.match(readFileSync(join(folder, 'a b.ipynb'), 'utf8'), /time\.sleep/);
  const cancelled = await send<Drop>('POST', `/drops/${id}/cancel`, undefined, ann);
  assert.equal(cancelled.body.state, 'cancelled', JSON.stringify(cancelled.body));
});
