import assert from 'node:assert/strict';
import { copyFileSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { runLevain } from '../../scripts/quickstart/levain.ts';
import { bytes, count, number, percent } from '../../web/src/ui/format.ts';
import { lookAt, openBrowser, openPage, overflow, shoot, violations } from '../support/browser.ts';
import { type OpenFlights, openFlights } from '../support/flights.ts';
import { LONG_NAME, oddProject } from '../support/odd-data.ts';

let browser: Browser;
let flights: OpenFlights;
let odd: string;
before(async () => {
  [browser, flights, odd] = await Promise.all([openBrowser(), openFlights(), oddProject()]);
});
after(async () => {
  await browser?.close();
  await flights?.close();
});

const url = (): string => flights.levain.url;
const get = (path: string) => flights.levain.get(path);
const inOdd = (...args: string[]) => runLevain({ ...flights.place, folder: odd }, [...args, '--url', url()], [9]);

async function open(path: string): Promise<{ page: Page; faults: string[] }> {
  const { page, faults } = await openPage(browser, url());
  await page.goto(path);
  return { page, faults };
}

const region = (page: Page, name: string | RegExp) => page.getByRole('region', { name, exact: true });
/** What stands in the address; a number may stand in quotes. */
const search = (page: Page): Record<string, string> =>
  Object.fromEntries(
    [...new URL(page.url()).searchParams].map(([name, value]) => [name, value.replace(/^"(.*)"$/, '$1')]),
  );
const refusedVersion = async (): Promise<number> =>
  (await get('/datasets/flights/versions?limit=200')).items.find((each: { state: string }) => each.state === 'refused')
    .version;

test('the datasets stand at both widths in both themes', () =>
  lookAt(browser, url(), {
    name: 'data',
    path: '/data',
    ready: (page) => page.getByRole('link', { name: /^flights, newest v/ }).waitFor(),
  }));

test('a dataset stands at both widths in both themes', () =>
  lookAt(browser, url(), {
    name: 'dataset',
    path: '/data/flights?column=distance',
    ready: (page) => page.getByRole('img', { name: 'distribution of distance' }).last().waitFor(),
  }));

test('a refused version and the rows that broke it stand at both widths in both themes', async () => {
  const version = await refusedVersion();
  await lookAt(browser, url(), {
    name: 'dataset-refused',
    path: `/data/flights?version=${version}&view=contract`,
    ready: (page) => region(page, 'Rows that break a promise').getByText('broken.parquet').first().waitFor(),
  });
});

test('two versions compared stand at both widths in both themes', async () => {
  const version = await refusedVersion();
  await lookAt(browser, url(), {
    name: 'dataset-compared',
    path: `/data/flights?version=${version}&view=compare&column=origin`,
    ready: async (page) => {
      await page.getByText('rows added', { exact: true }).waitFor();
      await region(page, 'Rows added').locator('tbody tr').first().waitFor();
      await page.getByRole('list', { name: /^origin: / }).waitFor();
    },
  });
});

test('rows and readers stand at both widths in both themes', async () => {
  await lookAt(browser, url(), {
    name: 'dataset-rows',
    path: '/data/flights?view=rows&offset=100',
    ready: (page) => region(page, 'Rows of the version').locator('tbody tr').first().waitFor(),
  });
  await lookAt(browser, url(), {
    name: 'dataset-uses',
    path: '/data/flights?view=uses',
    ready: (page) => region(page, 'Runs').locator('tbody tr').first().waitFor(),
  });
});

test('versions and columns say what the command line says', async () => {
  const { data: listed } = await flights.levain.run(['data', 'list']);
  const { latest } = listed[0];
  const { page } = await open('/data');
  const row = region(page, 'Datasets').locator('tbody tr');
  await row.getByText(`v${latest.version}`, { exact: true }).waitFor();
  const cells = await row.locator('td').allInnerTexts();
  assert.deepEqual(
    [cells[0], cells[2], cells[3], cells[4], cells[5]],
    ['flights', `v${latest.version}`, count(latest.rowCount), bytes(latest.sizeBytes), String(latest.columnCount)],
  );
  await row.getByRole('link', { name: 'flights', exact: true }).click();
  await page.waitForURL('**/data/flights');
  const { data: shown } = await flights.levain.run(['data', 'show', `flights@v${latest.version}`]);
  for (const column of shown.profile.columns) {
    const told = region(page, 'Columns').locator('tbody tr').filter({ hasText: column.name });
    const [, kind, missing, distinct, , , median] = await told.locator('td').allInnerTexts();
    assert.deepEqual(
      [kind, missing, distinct, median],
      [
        column.kind,
        percent(column.nulls / shown.rowCount),
        count(column.distinct),
        number(column.number?.quantiles[3]),
      ],
    );
  }
  await page.context().close();
});

test('the broken version shows all its rows, and they can be taken along', async () => {
  const version = await refusedVersion();
  const { contract } = await get(`/datasets/flights/versions/${version}`);
  const kept = contract.checks.flatMap((check: { success: boolean; rows: unknown[] }) =>
    check.success ? [] : check.rows,
  );
  assert.equal(kept.length, 40);
  const { page } = await open(`/data/flights?version=${version}&view=contract`);
  await page.getByText('the version is refused, and no run uses it').waitFor();
  assert.equal(await region(page, 'Rows that break a promise').locator('tbody tr').count(), 40);
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Download as CSV' }).click(),
  ]);
  const lines = readFileSync(await download.path(), 'utf8')
    .trim()
    .split('\r\n');
  assert.equal(lines.length, 41);
  assert.match(lines[0]!, /^file,row,breaks,/);
  assert.match(lines[1]!, /^broken\.parquet,\d+,/);
  await page.context().close();
});

test('version, column and part stand in the address, and back and forward go through them', async () => {
  const { page } = await open('/data/flights');
  await region(page, 'Columns').getByText('distance', { exact: true }).click();
  await region(page, 'Column distance').waitFor();
  await region(page, 'Versions').getByText('v1', { exact: true }).click();
  await region(page, 'Version 1').waitFor();
  await page.getByText('Compare', { exact: true }).click();
  await page.getByText('from v2 to v1').waitFor();
  assert.deepEqual(search(page), { column: 'distance', version: '1', view: 'compare' });
  await page.goBack();
  await region(page, 'Column distance').waitFor();
  await page.goBack();
  assert.deepEqual(search(page), { column: 'distance' });
  await page.goForward();
  await region(page, 'Version 1').waitFor();
  assert.deepEqual(search(page), { column: 'distance', version: '1' });
  await page.context().close();
});

test('rows of a table are gone through by keyboard', async () => {
  const { page } = await open('/data/flights');
  const columns = region(page, 'Columns');
  await columns.focus();
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await region(page, 'Column delay').waitFor();
  await page.context().close();
});

test('a comparison tells rows as the server counted them, and columns as the command line does', async () => {
  const version = await refusedVersion();
  const [from, to] = [`flights@v${version}`, `flights@v${version + 1}`];
  const { data: diff } = await flights.levain.run(['data', 'diff', from, to]);
  const rows = await get(`/data-diff/rows?from=${from}&to=${to}`);
  const { page } = await open(`/data/flights?version=${version + 1}&view=compare&against=${version}`);
  const fact = async (name: string) =>
    page
      .locator('dl > div')
      .filter({ has: page.getByText(name, { exact: true }) })
      .locator('dd')
      .innerText();
  await page.getByText('rows added', { exact: true }).waitFor();
  assert.equal(await fact('rows added'), number(rows.added));
  assert.equal(await fact('rows removed'), number(rows.removed));
  assert.equal(await fact('rows the same'), number(rows.unchanged));
  assert.match(await fact('files removed'), /broken\.parquet/);
  const distance = diff.columns.find((column: { name: string }) => column.name === 'distance');
  const told = region(page, 'Columns compared').locator('tbody tr').filter({ hasText: 'distance' });
  const cells = await told.locator('td').allInnerTexts();
  assert.equal(cells[3], `${number(distance.mean.from)} → ${number(distance.mean.to)}`);
  assert.equal(cells[6], `${number(distance.max.from)} → ${number(distance.max.to)}`);
  assert.equal(await region(page, 'Rows removed').locator('tbody tr').count(), Math.min(20, rows.removed));
  await page.context().close();
});

test('a look at the source says that nothing is new, then makes a version of what is', async () => {
  await flights.levain.run(['data', 'add', 'flights']);
  const { page } = await open('/data/flights');
  const before = (await get('/datasets/flights/versions?limit=1')).items[0].version;
  const look = async (): Promise<void> => {
    await page.getByRole('button', { name: 'Look at the source' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Nothing is deleted').waitFor();
    await dialog.getByRole('button', { name: 'Look at the source' }).click();
    await dialog.waitFor({ state: 'hidden', timeout: 60_000 });
  };
  await look();
  await page.getByText('the same files as before, no new version').waitFor();
  const folder = join(flights.place.folder, 'data');
  const some = readdirSync(folder).find((name) => name.endsWith('.parquet'))!;
  copyFileSync(join(folder, some), join(folder, 'again.parquet'));
  await look();
  await page.getByText(`v${before + 1}: new; contract kept`).waitFor();
  await region(page, `Version ${before + 1}`).waitFor();
  assert.equal((await get('/datasets/flights/versions?limit=1')).items[0].version, before + 1);
  await page.context().close();
});

test('odd data is shown as it is: a long name, nothing but missing, one value, NaN and infinity, one row, no row', async () => {
  await inOdd('apply', '--yes');
  for (const name of ['odd', 'one', 'none']) await inOdd('data', 'add', name);
  const { page, faults } = await open('/data');
  await region(page, 'Datasets').getByText('never looked at').waitFor();
  await region(page, 'Datasets').getByText('v1 refused').waitFor();
  await page.goto('/data/odd');
  const columns = region(page, 'Columns');
  await columns.getByText(LONG_NAME, { exact: true }).waitFor();
  await columns.getByText('all missing').waitFor();
  await columns.getByText('always 5').waitFor();
  const wild = await columns.locator('tbody tr').filter({ hasText: 'wild' }).locator('td').allInnerTexts();
  assert.equal(wild[2], percent(0.1), 'NaN counts as missing');
  assert.equal(wild.at(-1), '—', 'what cannot be squared has no standard deviation');
  await columns.getByText(LONG_NAME, { exact: true }).click();
  await page.getByRole('heading', { name: LONG_NAME }).waitFor();
  assert.equal(search(page)['column'], LONG_NAME);
  await shoot(page, 'dataset-odd');
  assert.deepEqual(await violations(page), []);
  await page.goto('/data/odd?view=rows');
  await region(page, 'Rows of the version').getByText('<img src=x onerror=alert(1)>').first().waitFor();
  await region(page, 'Rows of the version').getByText('∞', { exact: true }).first().waitFor();
  await region(page, 'Rows of the version').getByText('−∞', { exact: true }).first().waitFor();
  await page.goto('/data/odd?view=contract');
  await page.getByText('the version is refused, and no run uses it').waitFor();
  for (const name of ['one', 'none']) {
    for (const view of ['columns', 'contract', 'rows', 'compare', 'uses']) {
      await page.goto(`/data/${name}?view=${view}`);
      await region(page, 'Version 1').waitFor();
      assert.deepEqual(await violations(page), [], `${name} ${view}`);
    }
  }
  await page.goto('/data/none?view=rows');
  await page.getByText('There is no row.').waitFor();
  await page.goto('/data/unseen');
  await page.getByText('nobody has looked at its source yet').waitFor();
  await page.goto('/data/nothing-at-all');
  await page.getByRole('alert').getByText('There is no dataset "nothing-at-all"').waitFor();
  assert.deepEqual(faults, []);
  await page.context().close();
  const phone = await openPage(browser, url(), { size: 'phone', theme: 'dark' });
  await phone.page.goto(`/data/odd?column=${encodeURIComponent(LONG_NAME)}`);
  await phone.page.getByRole('heading', { name: LONG_NAME }).waitFor();
  assert.ok((await overflow(phone.page)) <= 0);
  await shoot(phone.page, 'dataset-odd-phone');
  await phone.context.close();
});
