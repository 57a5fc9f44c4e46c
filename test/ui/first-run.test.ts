import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { lookAt, openBrowser, openPage, shoot, violations } from '../support/browser.ts';
import { startUp, type Up } from '../support/cli.ts';
import { notebookOf, PENGUIN_CELLS, penguins } from '../support/penguins.ts';
import { tempDir } from '../support/temp.ts';

const LONG_MS = 240_000;

const files = tempDir();
const [notebook, data] = [join(files, 'penguins.ipynb'), join(files, 'penguins.csv')];
let browser: Browser;
let up: Up;
before(async () => {
  writeFileSync(notebook, notebookOf(PENGUIN_CELLS));
  writeFileSync(data, penguins());
  [browser, up] = await Promise.all([openBrowser(), startUp(tempDir())]);
});
after(async () => {
  await browser?.close();
  await up?.end('SIGTERM');
});

const choose = async (page: Page, paths: readonly string[]): Promise<void> =>
  page
    .locator('input[type=file]')
    .first()
    .setInputFiles([...paths]);

const asked = async <T>(path: string): Promise<T> =>
  (await (await fetch(`${up.url}/api/levain/v1${path}`)).json()) as T;

test('an empty instance says what to drop, and the commands that do the same', () =>
  lookAt(browser, up.url, {
    name: 'first-run',
    path: '/',
    ready: async (page) => {
      await page.getByRole('heading', { name: 'Drop a notebook and its data here' }).waitFor();
      await page.getByText('levain adopt churn.ipynb').waitFor();
    },
  }));

test('a notebook without its data is refused with the reason; with the data it becomes a model that waits for approval', async () => {
  const { page, faults } = await openPage(browser, up.url);
  await page.goto('/');
  await choose(page, [notebook]);
  await page.waitForURL(/\/new\/[0-9a-f-]+$/);
  const refusal = page.getByRole('alert');
  await refusal.waitFor({ timeout: LONG_MS });
  assert.match(await refusal.innerText(), /penguins\.csv/);
  await shoot(page, 'drop-refused');
  assert.deepEqual(await violations(page), []);

  await choose(page, [data]);
  await page.getByText('running', { exact: true }).waitFor();
  await shoot(page, 'drop-running');
  const approve = page.getByRole('link', { name: 'Look at penguins and approve' });
  await approve.waitFor({ timeout: LONG_MS });
  await page.getByText('levain.yaml', { exact: true }).waitFor();
  assert.match(await page.getByLabel('what the commands say').innerText(), /\$ levain run/);
  await shoot(page, 'drop-waiting');
  assert.deepEqual(await violations(page), []);

  const { items } = await asked<{ items: { version: number }[] }>('/models/penguins/versions');
  assert.deepEqual(
    items.map(({ version }) => version),
    [1],
  );
  await approve.click();
  await page.waitForURL(/\/m\/penguins\/versions/);
  assert.deepEqual(faults, []);
});

test('a path that leads out of the folder, bytes beyond what was announced, and a strange id are refused', async () => {
  const send = (path: string, method: string, body: unknown): Promise<Response> =>
    fetch(`${up.url}/api/levain/v1${path}`, {
      method,
      headers: { 'content-type': typeof body === 'string' ? 'application/octet-stream' : 'application/json' },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  for (const path of ['../x.py', '/etc/x.py', 'a/../../x.py', '.ssh/config', 'a\\b.py', 'x\u0000.py', ''])
    assert.equal((await send('/drops', 'POST', { files: [{ path, sizeBytes: 1 }] })).status, 400, path);
  const answer = await send('/drops', 'POST', { files: [{ path: 'a.py', sizeBytes: 3 }] });
  const drop = (await answer.json()) as { readonly id: string; readonly state: string };
  assert.equal(drop.state, 'receiving');
  assert.equal((await send(`/drops/${drop.id}/content?path=a.py`, 'PUT', 'four')).status, 400);
  assert.equal((await send(`/drops/${drop.id}/content?path=b.py`, 'PUT', 'abc')).status, 400);
  const early = await send(`/drops/${drop.id}/start`, 'POST', {});
  assert.equal(early.status, 412);
  assert.match(await early.text(), /a\.py did not come whole/);
  assert.equal((await send(`/drops/${drop.id}/content?path=a.py`, 'PUT', 'abc')).status, 200);
  assert.equal((await fetch(`${up.url}/api/levain/v1/drops/..%2f..%2fx`)).status, 404);
});
