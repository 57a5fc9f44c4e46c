import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { lookAt, openBrowser, openPage } from '../support/browser.ts';
import { type OpenFlights, openFlights } from '../support/flights.ts';
import { curve, type MlflowClient, mlflowClient } from '../support/tracked-runs.ts';

const HUGE_NAME = `${'ünï-côdé <b>名前</b> مرحبا '.repeat(14)}end`.slice(0, 250);
const STARTED = Date.parse('2026-01-05T10:00:00Z');

let flights: OpenFlights;
let browser: Browser;
let url: string;
let client: MlflowClient;
/** By name. */
const ids = new Map<string, string>();

before(async () => {
  [flights, browser] = await Promise.all([openFlights(), openBrowser()]);
  url = flights.levain.url;
  client = mlflowClient(url);
  const experiment = await client.experiment('sweep');
  for (let i = 0; i < 5; i++) {
    const name = i === 4 ? HUGE_NAME : `trial-${i}`;
    const id = await client.createRun({ name, experiment, startedAt: STARTED + i * 60_000, tags: { team: 'delays' } });
    await client.log(id, {
      params: { depth: String(2 + i), rate: String(0.1 * (5 - i)), seed: '7' },
      metrics: [
        ...curve('loss', 300, i, STARTED),
        { key: 'score', value: i / 10, step: 0, timestamp: STARTED },
        { key: 'odd', value: i === 0 ? 'NaN' : i === 1 ? 'Infinity' : i, step: 0, timestamp: STARTED },
      ],
    });
    await client.end(id, i === 3 ? 'FAILED' : 'FINISHED');
    ids.set(i === 4 ? 'huge' : name, id);
  }
});

after(async () => {
  await browser?.close();
  await flights?.close();
});

const ready = (page: Page): Promise<unknown> => page.getByRole('link', { name: 'trial-3' }).first().waitFor();
const rowNames = (page: Page): Promise<string[]> =>
  page.locator('tbody tr[data-row] td:nth-child(2)').allTextContents();
const search = (page: Page, text: string): Promise<void> =>
  page.getByRole('searchbox', { name: 'Search runs' }).fill(text);
const settled = (page: Page, words: RegExp): Promise<unknown> =>
  page.locator('output', { hasText: words }).first().waitFor();

/** A page of its own that ends with the test; what it threw fails it. */
async function withPage(path: string, use: (page: Page) => Promise<void>): Promise<void> {
  const { page, context, faults } = await openPage(browser, url);
  await page.goto(path);
  await use(page);
  assert.deepEqual(faults, []);
  await context.close();
}

test('runs can be looked at, at both widths in both themes', () =>
  lookAt(browser, url, { name: 'runs', path: '/runs', ready }));

test('pipeline runs can be looked at', () =>
  lookAt(browser, url, {
    name: 'runs-pipelines',
    path: '/runs?kind=pipelines',
    ready: (page) => page.getByText('registered').first().waitFor(),
  }));

test('runs that code logged and runs of pipelines stand in one table, the latter with the step that made them', () =>
  withPage('/runs', async (page) => {
    await ready(page);
    await page.getByRole('link', { name: 'flights / train' }).first().waitFor();
  }));

test('words filter by what a run is called, and Escape shows all again', () =>
  withPage('/runs', async (page) => {
    await ready(page);
    const all = (await rowNames(page)).length;
    await search(page, 'trial');
    await settled(page, /^4 of \d+ runs/);
    assert.deepEqual((await rowNames(page)).sort(), ['trial-0', 'trial-1', 'trial-2', 'trial-3']);
    await page.getByRole('searchbox', { name: 'Search runs' }).press('Escape');
    await settled(page, /^\d+ runs/);
    assert.equal((await rowNames(page)).length, all);
  }));

test("MLflow's grammar filters on the server, and what is wrong with a filter is told at the box", () =>
  withPage('/runs', async (page) => {
    await ready(page);
    await search(page, "metrics.score < 0.25 and params.seed = '7'");
    await settled(page, /^3 of/);
    assert.deepEqual((await rowNames(page)).sort(), ['trial-0', 'trial-1', 'trial-2']);
    await search(page, 'metrics.score < abc');
    assert.match(await page.getByRole('alert').innerText(), /numeric value.*abc/);
    await search(page, "attributes.nothing = 'x'");
    await page
      .getByRole('alert')
      .getByText(/Invalid attribute key 'nothing'/)
      .waitFor();
  }));

test('a column sorts by its numbers, NaN and missing last, and the sorting stands in the address', () =>
  withPage('/runs?q=params.seed+%3D+%277%27&cols=metrics.odd,metrics.score,params.rate', async (page) => {
    await settled(page, /^5 of/);
    await page.getByRole('button', { name: 'odd' }).click();
    await page.waitForURL(/sort=-metrics\.odd/);
    assert.deepEqual((await rowNames(page)).slice(0, 2), ['trial-1', HUGE_NAME]);
    assert.equal((await rowNames(page)).at(-1), 'trial-0');
    await page.getByRole('button', { name: 'rate' }).click();
    await page.waitForURL(/sort=params\.rate/);
    assert.equal((await rowNames(page))[0], HUGE_NAME);
  }));

test('any metric, parameter or tag can be a column, chosen by name and kept in the address', () =>
  withPage('/runs', async (page) => {
    await ready(page);
    await page.getByRole('button', { name: 'Columns' }).click();
    await page.getByRole('searchbox', { name: 'Find a column' }).fill('team');
    await page.getByRole('checkbox', { name: 'team' }).click();
    await page.getByRole('columnheader', { name: 'team' }).waitFor();
    assert.match(page.url(), /tags\.team/);
    await page.reload();
    await page.getByRole('gridcell', { name: 'delays' }).first().waitFor();
  }));

test('runs are selected by keys, compared, and back brings the selection back', () =>
  withPage('/runs?q=trial', async (page) => {
    await settled(page, /^4 of/);
    await page.locator('h1').click();
    for (const key of ['j', 'x', 'j', 'x']) await page.keyboard.press(key);
    await page.getByText('2 selected').waitFor();
    await page.getByRole('button', { name: 'Compare' }).click();
    await page.getByRole('heading', { name: 'Compare 2 runs' }).waitFor();
    await page.goBack();
    await page.getByText('2 selected').waitFor();
    assert.match(page.url(), /q=trial/);
  }));

test('Enter opens the run in focus', () =>
  withPage('/runs?q=trial-2', async (page) => {
    await settled(page, /^1 of/);
    await page.locator('h1').click();
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await page.waitForURL(new RegExp(`/runs/${ids.get('trial-2')}`));
  }));

test('a deleted run leaves the table, stands among the deleted ones, and comes back', () =>
  withPage('/runs?q=trial-3', async (page) => {
    await settled(page, /^1 of/);
    await page.getByRole('checkbox', { name: `select ${ids.get('trial-3')}` }).click();
    await page.getByRole('button', { name: 'Delete' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText(/take no more writes/).waitFor();
    await dialog.getByRole('button', { name: 'Delete' }).click();
    await settled(page, /^0 of/);
    await page.goto('/runs?state=deleted');
    await page.getByRole('checkbox', { name: `select ${ids.get('trial-3')}` }).click();
    await page.getByRole('button', { name: 'Restore' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Restore' }).click();
    await settled(page, /^0 runs/);
    await page.goto('/runs?q=trial-3');
    await settled(page, /^1 of/);
  }));

test('a run that starts while the table is open stands in it by itself', () =>
  withPage('/runs?q=newcomer', async (page) => {
    await settled(page, /^0 of/);
    const id = await client.createRun({ name: 'newcomer' });
    await page.getByRole('link', { name: 'newcomer' }).waitFor();
    await page.getByRole('gridcell', { name: 'running' }).waitFor();
    await client.end(id, 'KILLED');
    await page.getByRole('gridcell', { name: 'killed' }).waitFor();
  }));

test('some runs beside each other can be looked at', () =>
  lookAt(browser, url, {
    name: 'compare',
    path: `/compare?runs=${['trial-0', 'trial-1', 'trial-2', 'huge'].map((name) => ids.get(name)).join(',')}&smooth=0.6`,
    ready: async (page) => {
      await page.locator('canvas').first().waitFor();
      await page.getByRole('heading', { name: 'What differs' }).waitFor();
    },
  }));

test('a comparison shows what differs, and the same on demand', () =>
  withPage(`/compare?runs=${ids.get('trial-0')},${ids.get('trial-1')}`, async (page) => {
    const table = page.getByRole('region', { name: 'Comparison' });
    await table.getByRole('cell', { name: 'depth', exact: true }).waitFor();
    assert.equal(await table.getByRole('cell', { name: 'seed', exact: true }).count(), 0);
    assert.equal(await table.getByRole('cell', { name: 'NaN' }).count(), 1);
    await page.getByRole('switch', { name: /that are the same/ }).click({ force: true });
    await table.getByRole('cell', { name: 'seed', exact: true }).waitFor();
    assert.match(page.url(), /all=/);
  }));
