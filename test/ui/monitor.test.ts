import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { number, percent, pValue } from '../../web/src/ui/format.ts';
import { lookAt, openBrowser, openPage, shoot, violations } from '../support/browser.ts';
import { type OpenFlights, openFlights } from '../support/flights.ts';
import { waitFor } from '../support/ports.ts';

let browser: Browser;
let flights: OpenFlights;
before(async () => {
  [browser, flights] = await Promise.all([openBrowser(), openFlights()]);
});
after(async () => {
  await browser?.close();
  await flights?.close();
});

const PATH = '/m/flights/monitor';
const url = (): string => flights.levain.url;
const monitorOf = (days = 90) => flights.levain.get(`/models/flights/monitor?days=${days}`);

const standing = async (page: Page): Promise<void> => {
  await page.getByRole('grid', { name: 'Drift of each column in each window, by effect size' }).waitFor();
  await page.getByRole('region', { name: 'Numbers of the distribution' }).waitFor();
  await page.getByRole('img', { name: 'Reliability diagram' }).waitFor();
  await page.getByRole('img', { name: /^Scores by day/ }).waitFor();
};

async function open(path = PATH): Promise<{ page: Page; faults: string[] }> {
  const { page, faults } = await openPage(browser, url());
  await page.goto(path);
  return { page, faults };
}

const search = (page: Page): Record<string, string> => Object.fromEntries(new URL(page.url()).searchParams);

test('the monitor stands at both widths in both themes', () =>
  lookAt(browser, url(), { name: 'monitor', path: PATH, ready: standing }));

test('a rule with its numbers stands at both widths in both themes', () =>
  lookAt(browser, url(), {
    name: 'monitor-rule',
    path: `${PATH}?light=performance&rule=performance.loss&column=distance`,
    ready: async (page) => {
      await page.getByRole('region', { name: 'Rule performance.loss' }).getByText('false alarms').waitFor();
      await standing(page);
    },
  }));

test('labels and settings stand at both widths in both themes', () =>
  lookAt(browser, url(), {
    name: 'monitor-settings',
    path: `${PATH}?view=settings`,
    ready: async (page) => {
      await page.getByRole('heading', { name: 'What is watched' }).waitFor();
      await page.getByRole('img', { name: /^Predictions and labels by day/ }).waitFor();
    },
  }));

test('lights and columns say what the command line says', async () => {
  const ask = () => flights.levain.run(['monitor', 'flights', '--days', '90', '--features']);
  // Right after the start no gateway has reported yet.
  await waitFor('the gateway', async () =>
    assert.doesNotMatch((await ask()).data.lights.service.sentence, /no gateway answers/),
  );
  const { data: told } = await ask();
  const { page } = await open();
  await standing(page);
  const lights = page.getByRole('list', { name: 'Lights' });
  for (const [name, { sentence }] of Object.entries(told.lights as Record<string, { sentence: string }>)) {
    const text = await lights.getByRole('button', { name: new RegExp(`^${name}: `) }).innerText();
    assert.ok(text.includes(sentence), `${text} tells ${sentence}`);
  }
  const rows = page.getByRole('region', { name: /^Watched columns/ }).locator('tbody tr');
  assert.equal(await rows.count(), told.features.length);
  for (const feature of told.features) {
    const cells = await rows.filter({ hasText: feature.name }).locator('td').allInnerTexts();
    assert.deepEqual(
      [cells[0], cells[1], cells[2], cells[4]],
      [feature.name, number(feature.effect), pValue(feature.p), percent(feature.importance)],
    );
  }
  await page.context().close();
});

test('the number that a rule used is two clicks away, with its threshold, its window and its part of the false alarms', async () => {
  const { page } = await open();
  await standing(page);
  await page
    .getByRole('list', { name: 'Lights' })
    .getByRole('button', { name: /^data: / })
    .click();
  await page.getByRole('region', { name: 'Rules of the data light' }).getByText('data.nulls', { exact: true }).click();
  const panel = page.getByRole('region', { name: 'Rule data.nulls' });
  const rule = await flights.levain.get('/models/flights/monitor/rules/data.nulls?days=90');
  const last = rule.windows.at(-1);
  await panel.getByText(rule.meaning).waitFor();
  const facts = await panel.locator('dl').innerText();
  assert.ok(facts.includes(`${percent(last.value)} (share of the worst column)`), facts);
  assert.ok(facts.includes(percent(last.threshold)), facts);
  assert.ok(facts.includes(last.start.slice(0, 10)), facts);
  assert.ok(facts.includes(`${number(rule.falseAlarms.ofRule)} of 1 in 90 days`), facts);
  const windows = panel.getByRole('region', { name: 'Windows of data.nulls' }).locator('tbody tr');
  assert.ok((await windows.count()) >= Math.min(20, rule.windows.length));
  assert.deepEqual(search(page), { light: 'data', rule: 'data.nulls' });
  assert.deepEqual(await violations(page), []);
  await page.context().close();
});

test('the heat map goes by keyboard, and what it chooses is a step of the history', async () => {
  const { page } = await open();
  await standing(page);
  const drift = await flights.levain.get('/models/flights/monitor/drift?days=90');
  const grid = page.getByRole('grid', { name: 'Drift of each column in each window, by effect size' });
  const names = await grid.locator('tbody th').allInnerTexts();
  assert.deepEqual([...names].sort(), drift.columns.map((column: { name: string }) => column.name).sort());
  await grid.locator('td[tabindex="0"]').focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('End');
  await page.keyboard.press('ArrowLeft');
  const row = names[1]!;
  const window = drift.windows.at(-2);
  const index = drift.columns.findIndex((column: { name: string }) => column.name === row);
  const cell = drift.cells[index].at(-2);
  const told = await page.locator('output').filter({ hasText: row }).innerText();
  assert.ok(told.includes(window.start.slice(0, 10)), told);
  assert.ok(told.includes(`effect ${number(cell.effect)}`), told);
  assert.ok(told.includes(`p ${pValue(cell.p)}`), told);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: `Reference against live: ${row}` }).waitFor();
  assert.deepEqual(search(page), { column: row, from: window.start.slice(0, 10) });
  await page.keyboard.press('Home');
  await page.keyboard.press('Enter');
  await page.waitForURL((at) => at.searchParams.get('from') === drift.windows[0].start.slice(0, 10));
  await page.goBack();
  assert.equal(search(page)['from'], window.start.slice(0, 10));
  assert.equal(await page.getByLabel('From', { exact: true }).inputValue(), window.start.slice(0, 10));
  await page.goBack();
  assert.deepEqual(search(page), {});
  await page.goForward();
  assert.equal(await page.getByLabel('From', { exact: true }).inputValue(), window.start.slice(0, 10));
  await page.context().close();
});

test('a point of the scatter and a row of the table choose the same column', async () => {
  const { page } = await open();
  await standing(page);
  await page.getByRole('button', { name: /^distance: effect/ }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Reference against live: distance' }).waitFor();
  await page
    .getByRole('region', { name: /^Watched columns/ })
    .getByText('origin', { exact: true })
    .click();
  await page.getByRole('heading', { name: 'Reference against live: origin' }).waitFor();
  await page
    .getByRole('region', { name: /^Watched columns/ })
    .getByRole('button', { name: 'importance' })
    .click();
  assert.equal(search(page)['columns-sort'], '-importance');
  await page.goBack();
  await page.getByRole('heading', { name: 'Reference against live: distance' }).waitFor();
  await page.context().close();
});

test('two windows are compared in the same bins, and the CSV holds what the server counted', async () => {
  const { windows } = await monitorOf();
  const to = windows.at(-1).start.slice(0, 10);
  const from = new Date(Date.parse(to) - 2 * 864e5).toISOString().slice(0, 10);
  const before = new Date(Date.parse(from) - 3 * 864e5).toISOString().slice(0, 10);
  const { page } = await open(`${PATH}?column=distance&from=${from}&to=${to}`);
  await standing(page);
  await page.getByRole('button', { name: 'Compare with the 3 days before' }).click();
  assert.equal(search(page)['thenFrom'], before);
  const numbers = page.getByRole('region', { name: 'Numbers of the distribution' });
  await numbers.getByRole('columnheader', { name: new RegExp(`^${before}`) }).waitFor();
  const span = (a: string, b: string) =>
    flights.levain.get(`/models/flights/monitor/distribution?column=distance&from=${a}&to=${b}`);
  const [now, then] = [
    await span(from, to),
    await span(before, new Date(Date.parse(from) - 864e5).toISOString().slice(0, 10)),
  ];
  const cells = await numbers.getByRole('row', { name: /^mean/ }).locator('td').allInnerTexts();
  assert.deepEqual(cells, [number(now.reference.mean), number(now.live.mean), number(then.live.mean)]);
  await shoot(page, 'monitor-compared');
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: new RegExp(`^CSV: distance, ${from}`) }).click(),
  ]);
  const lines = readFileSync(await download.path(), 'utf8')
    .trim()
    .split('\r\n')
    .slice(1);
  const live = lines.map((line) => Number(line.split(',').at(-4)));
  assert.deepEqual(
    live,
    now.bins.map((bin: { live: number }) => bin.live),
  );
  await page.context().close();
});

test('calibration and slices are those of the days that were chosen', async () => {
  const { performance } = await monitorOf();
  const day = performance.findLast((each: { labelled: number }) => each.labelled > 0).day;
  const outcomes = await flights.levain.get(`/models/flights/monitor/outcomes?from=${day}&to=${day}&slice=origin`);
  const { page } = await open(`${PATH}?from=${day}&slice=origin`);
  await standing(page);
  const slices = page.getByRole('region', { name: 'Slices by origin' });
  const rows = slices.locator('tbody tr');
  await rows.first().waitFor();
  const names = await rows.locator('td:first-child').allInnerTexts();
  assert.deepEqual(
    names,
    outcomes.slices.values.map((slice: { value: string }) => slice.value),
  );
  const points = page.getByRole('img', { name: 'Reliability diagram' }).locator('circle');
  assert.equal(await points.count(), outcomes.reliability.length);
  await page.context().close();
});

test('a column that is not watched is refused in the server’s words, and days without traffic are said to be empty', async () => {
  const { page } = await open(`${PATH}?column=distanze`);
  await page.getByRole('alert').getByText('"distanze" is not a watched column').waitFor();
  await page.goto(`${PATH}?column=distance&from=1999-01-01`);
  await page.getByText('No rows came in these days').waitFor();
  await page.goto(`${PATH}?rule=nothing`);
  await page.getByRole('alert').getByText('There is no rule "nothing"').waitFor();
  assert.deepEqual(await violations(page), []);
  await page.context().close();
});

test('labels are checked line by line, sent, and counted at once', async () => {
  const { page } = await open(`${PATH}?view=settings`);
  const box = page.getByLabel('Labels', { exact: true });
  await box.fill('prediction_id,value,at\n,1,\nabc,,\nabc,1,yesterday-ish\nabc,1,2001-05-01 10:00\n');
  const problems = page.getByRole('list', { name: 'Lines that cannot be read' }).getByRole('listitem');
  assert.deepEqual(await problems.allInnerTexts(), [
    'line 2: names 0 predictions; give exactly one of prediction_id, caller_id, entity',
    'line 3: has no value',
    'line 4: "yesterday-ish" is not a time; write ISO 8601, for example 2026-01-31T12:00:00Z',
  ]);
  assert.ok(await page.getByRole('button', { name: /^Send .*labels?$/ }).isDisabled());
  await shoot(page, 'monitor-label-problems');
  assert.deepEqual(await violations(page), []);
  const before = await flights.levain.get('/labels/status?endpoint=flights');
  await box.fill('caller_id,value\nnobody-asked-1,20\nnobody-asked-2,3\n');
  await page.getByRole('button', { name: 'Send 2 labels' }).click();
  await page.getByRole('dialog').getByText('days with new labels are judged again').waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Send', exact: true }).click();
  await page.getByText('2 wait for their predictions').waitFor();
  const status = await flights.levain.get('/labels/status?endpoint=flights');
  assert.equal(status.pending, before.pending + 2);
  await page.getByText(`${status.pending} labels wait for their predictions`).first().waitFor();
  assert.equal(await box.inputValue(), '');
  await page.context().close();
});

test('what the server does not answer is said, and the labels that were typed stay', async () => {
  const { page } = await open(`${PATH}?view=settings`);
  const box = page.getByLabel('Labels', { exact: true });
  await box.fill('caller_id,value\nx,1\n');
  await page.getByRole('button', { name: 'Send 1 label' }).click();
  await page.context().setOffline(true);
  await page.getByRole('dialog').getByRole('button', { name: 'Send', exact: true }).click();
  await page.getByRole('dialog').getByRole('alert').getByText('The server does not answer').waitFor();
  await page.context().setOffline(false);
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
  assert.equal(await box.inputValue(), 'caller_id,value\nx,1\n');
  await page.context().close();
});
