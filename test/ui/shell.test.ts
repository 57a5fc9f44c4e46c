import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { runLevain } from '../../scripts/quickstart/levain.ts';
import { chromiumMissing, lookAt, openBrowser, openPage, shoot, violations } from '../support/browser.ts';
import { type OpenFlights, openFlights } from '../support/flights.ts';
import { waitFor } from '../support/ports.ts';

const skip = chromiumMissing();
let browser: Browser;
let flights: OpenFlights;
let url: string;
before(async () => {
  if (skip) return;
  [browser, flights] = await Promise.all([openBrowser(), openFlights()]);
  url = flights.levain.url;
});
after(async () => {
  await browser?.close();
  await flights?.close();
});

const focused = (page: Page): Promise<string> =>
  page.evaluate(`[document.activeElement.tagName, document.activeElement.textContent].join(' ')`);
const heading = (page: Page, name: string | RegExp) => page.getByRole('heading', { level: 1, name }).waitFor();
const rail = (page: Page) => page.getByRole('navigation', { name: 'Places' });
const path = (page: Page): string => page.url().slice(url.length);

async function open(at: string): Promise<Page> {
  const { page } = await openPage(browser, url);
  await page.goto(at);
  await rail(page).waitFor();
  return page;
}

async function search(page: Page, text: string): Promise<void> {
  await page.keyboard.press('/');
  await page.getByRole('combobox', { name: 'Search' }).fill(text);
}

test('g and a letter go to each place, the tab says its name and the heading has the focus', { skip }, async () => {
  const page = await open('/');
  for (const [key, to, word] of [
    ['m', '/models', 'Models'],
    ['r', '/runs', 'Runs'],
    ['d', '/data', 'Data'],
    ['a', '/activity', 'Activity'],
    ['s', '/settings', 'Settings'],
  ] as const) {
    await page.keyboard.press('g');
    await page.keyboard.press(key);
    await page.waitForURL(`${url}${to}`);
    await heading(page, word);
    await waitFor('focus', async () => assert.equal(await focused(page), `H1 ${word}`));
    assert.equal(await page.title(), `${word} · Levain`);
    assert.equal(await rail(page).getByRole('link', { name: word }).getAttribute('aria-current'), 'page');
  }
  await page.keyboard.press('g');
  await page.keyboard.press('h');
  await page.waitForURL(`${url}/`);
  await page.context().close();
});

test('keys are letters where somebody types', { skip }, async () => {
  const page = await open('/runs');
  const filter = page.locator('[data-filter]').first();
  await filter.click();
  await page.keyboard.type('g/?');
  assert.equal(await filter.inputValue(), 'g/?');
  assert.equal(await page.getByRole('dialog').count(), 0);
  await page.context().close();
});

test('a question mark lists all keys, and Escape closes the list', { skip }, async () => {
  const page = await open('/models');
  await page.keyboard.press('?');
  const keys = page.getByRole('dialog', { name: 'Keys' });
  await keys.getByText('select the row', { exact: true }).waitFor();
  await shoot(page, 'shell-keys');
  assert.deepEqual(await violations(page), []);
  await page.keyboard.press('Escape');
  await keys.waitFor({ state: 'detached' });
  await page.context().close();
});

test('search finds a model, a version, a data set, an incident and a page by name', { skip }, async () => {
  const page = await open('/settings');
  const cases: readonly (readonly [string, string, string])[] = [
    ['flights', 'flights', '/m/flights'],
    ['flights v2', 'flights v2', '/m/flights/versions/2'],
    ['flights monitor', 'flights Monitor', '/m/flights/monitor'],
    ['data set flights', 'flights', '/data/flights'],
    ['incident 1', '1', '/i/1'],
    ['activity', 'Activity', '/activity'],
  ];
  for (const [text, name, to] of cases) {
    await search(page, text);
    await page.getByRole('option').first().waitFor();
    const best = page.locator('[role=option][aria-selected=true]');
    await best.getByText(name, { exact: true }).waitFor();
    await page.keyboard.press('Enter');
    await waitFor(text, () => assert.equal(path(page), to));
  }
  await page.context().close();
});

test('search finds a run by the end of its id, and says where nothing is called so', { skip }, async () => {
  const { items } = await flights.levain.get('/runs?limit=1');
  const id: string = items[0].id;
  const page = await open('/');
  await search(page, id.slice(-7));
  await page.getByRole('option', { name: id }).waitFor();
  await page.keyboard.press('Enter');
  await page.waitForURL(`${url}/runs/${id}`);
  await search(page, 'no such thing');
  await page.getByText('Nothing here is called that').waitFor();
  await page.context().close();
});

test('search and its hits look right and are read out', { skip }, () =>
  lookAt(browser, url, {
    name: 'shell-search',
    path: '/models',
    async ready(page) {
      await rail(page).waitFor();
      await page.getByRole('button', { name: 'Search' }).click();
      await page.getByRole('combobox', { name: 'Search' }).fill('flights');
      await page.getByRole('option', { name: 'flights Monitor' }).waitFor();
    },
  }),
);

test('arrow keys choose a hit, and the field says which', { skip }, async () => {
  const page = await open('/');
  await search(page, 'flights');
  await page.getByRole('option').nth(2).waitFor();
  await page.keyboard.press('ArrowDown');
  const chosen = page.locator('[role=option][aria-selected=true]');
  assert.equal(await page.getByRole('combobox').getAttribute('aria-activedescendant'), await chosen.getAttribute('id'));
  await page.context().close();
});

test('the dark theme is there before anything is drawn, and a choice of another one stays', { skip }, async () => {
  const { page, context } = await openPage(browser, url, { theme: 'dark' });
  const scheme = (): Promise<string> => page.evaluate('document.documentElement.dataset.mantineColorScheme');
  await page.route('**/assets/index-*.js', (route) => route.abort());
  await page.goto('/');
  assert.equal(await scheme(), 'dark', 'without the UI’s own script');
  await page.unroute('**/assets/index-*.js');
  await page.reload();
  await page.getByRole('button', { name: 'Theme: as the system' }).click();
  await page.getByRole('button', { name: 'Theme: light' }).waitFor();
  assert.equal(await scheme(), 'light');
  await page.route('**/assets/index-*.js', (route) => route.abort());
  await page.reload();
  assert.equal(await scheme(), 'light', 'the choice, before the script');
  await context.close();
});

test('back and forward bring back page, view and place in the page', { skip }, async () => {
  const page = await open('/runs');
  await page.getByRole('columnheader', { name: 'run', exact: true }).getByRole('button').click();
  await page.waitForURL(/sort=/);
  const sorted = path(page);
  await rail(page).getByRole('link', { name: 'Activity' }).click();
  await heading(page, 'Activity');
  await page.evaluate('scrollTo(0, 400)');
  const top = Number(await page.evaluate('scrollY'));
  await rail(page).getByRole('link', { name: 'Data' }).click();
  await heading(page, 'Data');
  await page.goBack();
  await heading(page, 'Activity');
  await waitFor('the place in the page', async () =>
    assert.ok(Math.abs(Number(await page.evaluate('scrollY')) - top) < 5),
  );
  await page.goBack();
  await page.waitForURL(`${url}${sorted}`);
  await page.goForward();
  await page.waitForURL(`${url}/activity`);
  await page.context().close();
});

test('an address that leads nowhere, and a model that is not there, say so in the shell', { skip }, async () => {
  await lookAt(browser, url, {
    name: 'shell-unknown',
    path: '/nope/<b>at</b>/all',
    async ready(page) {
      await heading(page, 'No such page');
      await rail(page).waitFor();
    },
  });
  const page = await open('/m/unknown-model');
  await page.getByText('unknown-model').nth(1).waitFor();
  assert.ok(await rail(page).isVisible());
  await page.context().close();
});

test('rows are walked, selected and opened with keys, and a row is a real link', { skip }, async () => {
  const page = await open('/data');
  await heading(page, 'Data');
  const link = page
    .getByRole('row', { name: /flights/ })
    .getByRole('link')
    .first();
  assert.match((await link.getAttribute('href')) ?? '', /data\/flights/);
  await page.keyboard.press('j');
  await waitFor('focus on the first row', async () => assert.match(await focused(page), /^TR flights/));
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/data\/flights/);
  await page.context().close();
});

test('a chart zooms by dragging, shows all again, hides and isolates its lines, and has its numbers', {
  skip,
}, async () => {
  const page = await open('/m/flights');
  const chart = page.locator('figure', { hasText: 'by day' }).first();
  const over = chart.locator('.u-over');
  await over.scrollIntoViewIfNeeded();
  const box = (await over.boundingBox())!;
  const middle = box.y + box.height / 2;
  await page.mouse.move(box.x + box.width * 0.3, middle);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.6, middle, { steps: 5 });
  await page.mouse.up();
  const all = chart.getByRole('button', { name: 'Show all' });
  await all.waitFor();
  await all.click();
  await all.waitFor({ state: 'hidden' });

  const lines = chart.locator('button[aria-pressed]');
  assert.ok((await lines.count()) > 1);
  await lines.first().click();
  assert.equal(await lines.first().getAttribute('aria-pressed'), 'false');
  await lines.first().click({ modifiers: ['Shift'] });
  assert.equal(await lines.first().getAttribute('aria-pressed'), 'true');
  assert.equal(await lines.nth(1).getAttribute('aria-pressed'), 'false');

  const saved = page.waitForEvent('download');
  await chart.getByRole('button', { name: /^CSV/ }).click();
  const text = readFileSync(await (await saved).path(), 'utf8');
  assert.match(text, /^time,/);
  assert.match(text, /\n\d{4}-\d\d-\d\dT[\d:.]+Z,/);
  await chart.getByRole('button', { name: /^Table/ }).click();
  await chart.getByRole('table').waitFor();
  assert.equal(await chart.getByRole('row').count(), text.trim().split('\n').length);
  assert.deepEqual(await violations(page), []);
  await page.context().close();
});

test('a page that throws keeps the shell, says what happened, and can be tried again', { skip }, async () => {
  const page = await open('/settings');
  // An answer of another shape than the page believes in.
  await page.route('**/api/levain/v1/datasets', (route) => route.fulfill({ json: { items: [null] } }));
  await rail(page).getByRole('link', { name: 'Data' }).click();
  await heading(page, 'This page failed');
  await shoot(page, 'shell-crashed');
  assert.deepEqual(await violations(page), []);
  await page.unroute('**/api/levain/v1/datasets');
  await rail(page).getByRole('link', { name: 'Runs' }).click();
  await heading(page, 'Runs');
  await page.context().close();
});

test('a part that an upgrade took away is loaded again with the page, once', { skip }, async () => {
  const page = await open('/settings');
  let loads = 0;
  page.on('load', () => loads++);
  const gone = (name: string): boolean => /\/assets\/page-[\w-]+\.js$/.test(name);
  await page.route(
    (at) => gone(at.pathname),
    (route) => route.fulfill({ status: 404, body: 'gone' }),
  );
  // The newer page begins with another script.
  await page.route(`${url}/`, async (route) => {
    const body = await (await route.fetch()).text();
    await route.fulfill({
      body: body.replace(/assets\/index-[\w-]+\.js/, 'assets/index-newer000.js'),
      contentType: 'text/html',
    });
  });
  const reloaded = page.waitForEvent('load');
  await rail(page).getByRole('link', { name: 'Activity' }).click();
  await reloaded;
  // Still gone: it is said, and not tried for ever.
  await heading(page, 'This page failed');
  assert.equal(loads, 1);
  await page.unrouteAll();
  await page.getByRole('button', { name: 'Reload' }).click();
  await heading(page, 'Activity');
  await page.context().close();
});

test('what a run logs appears by itself', { skip }, async () => {
  const page = await open('/runs');
  await heading(page, 'Runs');
  const asApi = async (call: string, body: object): Promise<{ run: { info: { run_id: string } } }> => {
    const answer = await fetch(`${url}/api/2.0/mlflow/${call}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return (await answer.json()) as { run: { info: { run_id: string } } };
  };
  const { run } = await asApi('runs/create', {
    experiment_id: '0',
    run_name: 'while-you-watch',
    start_time: Date.now(),
  });
  await page.getByText('while-you-watch').first().waitFor();
  await page.goto(`/runs/${run.info.run_id}`);
  await heading(page, 'while-you-watch');
  await asApi('runs/log-metric', {
    run_id: run.info.run_id,
    key: 'loss',
    value: 0.4321,
    timestamp: Date.now(),
    step: 1,
  });
  await page.getByText('0.432').first().waitFor();
  await page.context().close();
});

test('a server that is away is told, nothing on the screen or typed is lost, and it goes on by itself', {
  skip,
}, async () => {
  const page = await open('/m/flights');
  await heading(page, 'flights');
  await search(page, 'hold flights');
  await page.getByRole('option', { name: 'Hold flights' }).waitFor();
  await page.keyboard.press('Enter');
  const reason = page.getByRole('dialog').getByLabel('Reason');
  await reason.fill('looking at the numbers');
  const { pid } = JSON.parse(readFileSync(join(flights.place.dataDir, 'server.json'), 'utf8')) as { pid: number };
  process.kill(pid, 'SIGKILL');
  await page.getByText('The server does not answer since').waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Hold' }).click();
  await page.getByRole('dialog').getByRole('alert').waitFor();
  assert.equal(await reason.inputValue(), 'looking at the numbers');
  await shoot(page, 'shell-lost');
  assert.equal(await page.getByRole('heading', { level: 1, name: 'flights' }).count(), 1);

  await runLevain(flights.place, ['up', '-d', '--port', new URL(url).port]);
  await page.getByText('The server does not answer since').waitFor({ state: 'hidden', timeout: 30_000 });
  await page.getByRole('dialog').getByRole('button', { name: 'Hold' }).click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.getByText('HELD', { exact: true }).first().waitFor();
  await flights.levain.post('/models/flights/resume', {});
  await page.getByText('HELD', { exact: true }).first().waitFor({ state: 'detached' });
  await page.context().close();
});

test('a place that is asked for while the server is away is there when it is back', { skip }, async () => {
  const { page, context } = await openPage(browser, url);
  await page.goto('/settings');
  await rail(page).waitFor();
  await context.setOffline(true);
  await rail(page).getByRole('link', { name: 'Activity' }).click();
  await page.getByRole('heading', { name: 'The server does not answer' }).waitFor();
  await context.setOffline(false);
  await page.getByRole('button', { name: 'Try again' }).click();
  await heading(page, 'Activity');
  await context.close();
});

test('people log in at the page that they asked for, and a session that ends loses nothing', { skip }, async () => {
  const { place } = flights;
  const added = await runLevain(place, ['users', 'add', 'ann', '--yes']);
  const { token } = added.data as { token: string };
  const asAnn = (at: string, method: string, body: object): Promise<Response> =>
    fetch(`${url}/api/levain/v1${at}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  await asAnn('/users', 'POST', { name: 'vic', role: 'viewer', password: 'correct horse' });

  await lookAt(browser, url, {
    name: 'shell-login',
    path: '/m/flights',
    ready: (page) => page.getByRole('heading', { name: 'Log in to Levain' }).waitFor(),
  });

  const { page, context } = await openPage(browser, url);
  await page.goto('/m/flights/versions/2');
  const login = page.getByRole('dialog', { name: 'Log in to Levain' });
  await login.getByLabel('Name').fill('vic');
  await login.getByLabel('Password').fill('wrong horse');
  await page.keyboard.press('Enter');
  await login.getByText('The name or the password is wrong').waitFor();
  await login.getByLabel('Password').fill('correct horse');
  await page.keyboard.press('Enter');
  await heading(page, 'flights');
  assert.equal(path(page), '/m/flights/versions/2');

  // A viewer is told what is missing, by the server.
  await page.goto('/m/flights?do=hold');
  const dialog = page.getByRole('dialog', { name: /Hold/ });
  await dialog.getByLabel('Reason').fill('typed before');
  await dialog.getByRole('button', { name: 'Hold' }).click();
  await dialog.getByText('vic may not do this').waitFor();
  await shoot(page, 'shell-forbidden');

  await context.clearCookies();
  await dialog.getByRole('button', { name: 'Hold' }).click();
  await login.getByText('Your session has ended').waitFor();
  await login.getByRole('button', { name: 'Log in with a token' }).click();
  await login.getByLabel('Token').fill(token);
  await page.keyboard.press('Enter');
  await login.waitFor({ state: 'detached' });
  assert.equal(await dialog.getByLabel('Reason').inputValue(), 'typed before');
  await dialog.getByRole('button', { name: 'Cancel' }).click();

  await page.getByRole('button', { name: 'ann: account' }).click();
  await page.getByText('may admin').waitFor();
  await page.getByRole('button', { name: 'Log out' }).click();
  await login.waitFor();
  const after = await page.evaluate(`fetch('/api/levain/v1/projects').then((answer) => answer.status)`);
  assert.equal(after, 401);
  await context.close();
});
