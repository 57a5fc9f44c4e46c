import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { chromiumMissing, lookAt, openBrowser, openPage, shoot, violations } from '../support/browser.ts';
import { type OpenFlights, openFlights } from '../support/flights.ts';
import { waitFor } from '../support/ports.ts';

const skip = chromiumMissing() ?? false;

let browser: Browser;
let flights: OpenFlights;
let url: string;
/** What the webhook of the test was sent. */
const received: { title: string; text: string }[] = [];
let hook: Server;
before(async () => {
  if (skip) return;
  hook = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    received.push(JSON.parse(Buffer.concat(chunks).toString()));
    response.end();
  });
  await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve));
  [browser, flights] = await Promise.all([openBrowser(), openFlights()]);
  url = flights.levain.url;
});
after(async () => {
  await browser?.close();
  await flights?.close();
  hook?.close();
});

const get = (path: string) => flights.levain.get(path);
const lines = (page: Page) => page.locator('main ol > li');

async function confirm(page: Page, verb: string): Promise<void> {
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: verb, exact: true }).click();
  await dialog.waitFor({ state: 'detached' });
}

async function at(path: string): Promise<{ page: Page; faults: string[] }> {
  const { page, faults } = await openPage(browser, url);
  await page.goto(path);
  return { page, faults };
}

test('the timeline holds everything but batches of labels, by day', { skip }, () =>
  lookAt(browser, url, {
    name: 'activity',
    path: '/activity',
    ready: async (page) => {
      await lines(page).first().waitFor();
      assert.equal(
        await lines(page)
          .filter({ hasText: /got [\d,]+ labels/ })
          .count(),
        0,
      );
      await page.getByRole('heading', { level: 2 }).first().waitFor();
    },
  }),
);

test('kinds, a model and a person filter it, in the address', { skip }, async () => {
  const { page, faults } = await at('/activity');
  await page.getByRole('button', { name: 'gate', exact: true }).click();
  await page.waitForURL(/kind=gate/);
  const { items } = await get('/activity?kind=gate&limit=1000');
  await waitFor('gates alone', async () => assert.equal(await lines(page).count(), items.length));
  await page.getByRole('button', { name: 'hold', exact: true }).click();
  await page.waitForURL(/kind=gate%2Chold|kind=gate,hold/);
  const both = await get('/activity?kind=gate,hold&limit=1000');
  await waitFor('gates and holds', async () => assert.equal(await lines(page).count(), both.items.length));
  await page.getByLabel('Model').selectOption('flights');
  await page.getByLabel('Done by').selectOption('levain');
  await page.waitForURL(/model=flights/);
  await page.reload();
  await lines(page).first().waitFor();
  assert.equal(await page.getByLabel('Done by').inputValue(), 'levain');
  assert.equal(await page.getByRole('button', { name: 'hold', exact: true }).getAttribute('aria-pressed'), 'true');
  assert.deepEqual(faults, []);
  await page.context().close();
});

test('older lines come as one scrolls, to the beginning', { skip }, async () => {
  // More than one page of them, however long the story became.
  for (let i = 0; i < 30; i++) {
    await flights.levain.post('/models/flights/hold', { reason: `look ${i}` });
    await flights.levain.post('/models/flights/resume', {});
  }
  const { page } = await at('/activity?kind=label,incident,rollout,run,data,gate,approval,rehearsal,hold,deploy');
  const { items } = await get('/activity?limit=1000');
  assert.ok(items.length > 100, `there are ${items.length} lines`);
  await lines(page).first().waitFor();
  await waitFor('the beginning', async () => {
    await page.mouse.wheel(0, 20_000);
    await page.evaluate('window.scrollTo(0, document.documentElement.scrollHeight)');
    assert.equal(await page.getByText('This is the beginning.').count(), 1);
  });
  assert.equal(await lines(page).count(), items.length);
  await page.context().close();
});

test('a line leads to its evidence, and back brings the list as it was', { skip }, async () => {
  const { page } = await at('/activity?kind=incident');
  await lines(page)
    .getByRole('link', { name: /^Incident \d+: flights/ })
    .first()
    .click();
  await page.waitForURL(/\/i\/\d+$/);
  await page.goBack();
  await page.waitForURL(/activity\?kind=incident$/);
  await lines(page).first().waitFor();
  await page.context().close();
});

test('what happens meanwhile appears by itself', { skip }, async () => {
  const { page } = await at('/activity');
  await lines(page).first().waitFor();
  await flights.levain.post('/models/flights/hold', { reason: 'quarter end' });
  await lines(page)
    .getByText(/flights is HELD.*quarter end/)
    .first()
    .waitFor();
  await flights.levain.post('/models/flights/resume', undefined);
  await lines(page)
    .getByText(/flights resumed by local/)
    .first()
    .waitFor();
  await page.context().close();
});

test('settings tell where the data lives, how much it is, and whether all is well', { skip }, () =>
  lookAt(browser, url, {
    name: 'settings',
    path: '/settings',
    ready: async (page) => {
      await page.getByText(flights.place.dataDir).waitFor();
      await page.getByText('SQLite, db.sqlite in the data directory').waitFor();
      await page.getByText(/used, /).waitFor({ timeout: 60_000 });
      await page.getByText('database', { exact: true }).first().waitFor();
      await page.getByText('answers', { exact: true }).waitFor();
      await page.getByText(/answers in \d+ ms/).waitFor({ timeout: 60_000 });
    },
  }),
);

test('a target of messages is listed, refused without its secret, and gets a test message once it has it', {
  skip,
}, async () => {
  const path = join(flights.place.folder, 'levain.yaml');
  writeFileSync(
    path,
    readFileSync(path, 'utf8').replace(
      'monitor:\n',
      'notify: { oncall: { webhook: $ONCALL_URL } }\nmonitor:\n  to: { page: oncall }\n',
    ),
  );
  await flights.levain.run(['apply', '--yes']);
  const { page, faults } = await at('/settings');
  await page.getByText('$ONCALL_URL is not set').waitFor();
  await page.getByRole('button', { name: 'Send a test' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Send a test' }).click();
  await page.getByRole('alert').getByText('secret ONCALL_URL, which is not set').waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();

  await page.getByRole('button', { name: 'Set a secret' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('oncall');
  await dialog.getByText('Capital letters').waitFor();
  await dialog.getByLabel('Name').fill('ONCALL_URL');
  await dialog.getByLabel('Value', { exact: true }).fill(`http://127.0.0.1:${(hook.address() as AddressInfo).port}/`);
  assert.deepEqual(await violations(page), []);
  await confirm(page, 'Set a secret');
  await page.getByText('$ONCALL_URL is set').waitFor();
  assert.deepEqual((await get('/secrets')).items, ['ONCALL_URL']);

  await page.getByRole('button', { name: 'Send a test' }).click();
  await confirm(page, 'Send a test');
  assert.match(received.at(-1)!.title, /Test of "oncall"/);
  assert.match(received.at(-1)!.text, /Sent by local/);
  await shoot(page, 'settings-messages');

  await page.getByRole('button', { name: 'Remove', exact: true }).click();
  await page.getByRole('dialog').getByText('It cannot be brought back.').waitFor();
  await confirm(page, 'Remove');
  await page.getByText('$ONCALL_URL is not set').waitFor();
  assert.deepEqual((await get('/secrets')).items, []);
  assert.deepEqual(faults, []);
  await page.context().close();
});

test('a gateway’s token is shown once', { skip }, async () => {
  const { page } = await at('/settings');
  await page.getByRole('button', { name: 'Create a token' }).click();
  await page.getByRole('dialog').getByLabel('What it is for').fill('edge-1');
  await page.getByRole('dialog').getByText('A gateway elsewhere hands in predictions').waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Create a token' }).click();
  const token = await page.getByText(/^lv_g_/).innerText();
  assert.match(token, /^lv_g_[\w-]{40,}$/);
  await page.keyboard.press('Escape');
  await page.getByText(token).waitFor();
  assert.deepEqual(await violations(page), []);
  await page.getByRole('button', { name: 'I have kept it' }).click();
  await page.getByText(token).waitFor({ state: 'detached' });
  await page.context().close();
});

test('the first person becomes administrator; people and tokens are then added and revoked by a session of theirs', {
  skip,
}, async () => {
  const { page } = await at('/settings');
  await page.getByRole('button', { name: 'Add a person' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('From then on every request needs a token').waitFor();
  await dialog.getByLabel('Name').fill('Ann Smith');
  await dialog.getByRole('button', { name: 'Add a person' }).click();
  await dialog
    .getByRole('alert')
    .getByText(/lower-case/)
    .waitFor();
  assert.equal(await dialog.getByLabel('Name').inputValue(), 'Ann Smith');
  await dialog.getByLabel('Name').fill('ann');
  await dialog.getByRole('button', { name: 'Add a person' }).click();
  const token = await page.getByText(/^lv_u_/).innerText();
  await shoot(page, 'settings-token-once');
  await page.context().close();

  const asAnn = { authorization: `Bearer ${token}` };
  const api = async (path: string) =>
    (await (await fetch(`${url}/api/levain/v1${path}`, { headers: asAnn })).json()) as {
      readonly items: readonly { readonly name: string }[];
    };
  const { page: hers } = await openPage(browser, url);
  await hers.setExtraHTTPHeaders(asAnn);
  await hers.goto('/settings');
  await hers.getByRole('region', { name: 'People' }).getByText('ann').waitFor();
  await hers.getByRole('button', { name: 'Create a token' }).click();
  await hers.getByRole('dialog').getByLabel('What it is for').fill('ci');
  await hers.getByRole('dialog').getByRole('button', { name: 'Create a token' }).click();
  await hers.getByText(/^lv_u_/).waitFor();
  await hers.getByRole('button', { name: 'I have kept it' }).click();
  const tokens = hers.getByRole('region', { name: 'Tokens' });
  await tokens.getByRole('row', { name: /ci/ }).getByRole('button', { name: 'Revoke' }).click();
  await confirm(hers, 'Revoke');
  await tokens.getByRole('row', { name: /ci/ }).waitFor({ state: 'detached' });
  assert.deepEqual(
    (await api('/tokens')).items.map(({ name }) => name),
    ['first'],
  );
  await hers.context().close();
});
