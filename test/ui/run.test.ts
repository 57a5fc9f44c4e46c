import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { lookAt, openBrowser, openPage } from '../support/browser.ts';
import { type OpenFlights, openFlights } from '../support/flights.ts';
import { waitFor } from '../support/ports.ts';
import { curve, type MlflowClient, mlflowClient } from '../support/tracked-runs.ts';

const HUGE_NAME = `${'ünï-côdé <b>名前</b> مرحبا '.repeat(14)}end`.slice(0, 250);
const STARTED = Date.parse('2026-01-05T10:00:00Z');
const LINE = `${'x'.repeat(99)}\n`;
const MANY_LINES = 1_000_000;
/** Tries what an artifact could try: the page around it, its cookies, another request. */
const HOSTILE = `<h1 id="said">A report</h1><img src="nothing" onerror="document.getElementById('said').textContent='ran'">
<script>document.getElementById('said').textContent='ran';parent.document.title='owned';document.cookie='stolen=1';fetch('/api/levain/v1/status')</script>`;

let flights: OpenFlights;
let browser: Browser;
let url: string;
let client: MlflowClient;
let run: string;
let empty: string;
let running: string;

before(async () => {
  [flights, browser] = await Promise.all([openFlights(), openBrowser()]);
  url = flights.levain.url;
  client = mlflowClient(url);
  run = await client.createRun({
    name: HUGE_NAME,
    startedAt: STARTED,
    tags: {
      team: 'delays',
      'mlflow.source.name': 'train.py',
      'mlflow.source.git.commit': '3f2a9c1d5e6b7a8c9d0e1f2a3b4c5d6e7f8a9b0c',
      'mlflow.source.git.diff': '-lr = 0.1\n+lr = 0.05\n',
    },
  });
  await client.log(run, {
    params: Object.fromEntries(
      Array.from({ length: 500 }, (_, i) => [`p${i}`, i === 7 ? 'y'.repeat(5_000) : String(i)]),
    ),
    metrics: [
      ...curve('loss', 10_000, 1, STARTED),
      { key: 'never', value: 'NaN', step: 0, timestamp: STARTED },
      { key: 'endless', value: 'Infinity', step: 0, timestamp: STARTED },
      ...Array.from({ length: 30 }, (_, step) => ({
        key: 'gaps',
        value: step % 7 === 3 ? 'NaN' : step,
        step,
        timestamp: STARTED + step,
      })),
      ...curve('system/cpu_utilization_percentage', 50, 2, STARTED),
    ],
  });
  await client.artifact(run, 'report.html', HOSTILE);
  await client.artifact(run, 'data/rows.csv', 'name,value\n"a, quoted",1\nb,2\n');
  await client.artifact(run, 'data/deep/answer.json', '{"answer":42}');
  await client.artifact(run, 'weights.bin', new Uint8Array(4_096));
  await client.artifact(run, 'log.txt', LINE.repeat(MANY_LINES));
  await client.end(run, 'FINISHED');
  empty = await client.createRun({ name: 'empty' });
  running = await client.createRun({ name: 'running' });
  await client.metric(running, 'loss', 1, 0);
});

after(async () => {
  await browser?.close();
  await flights?.close();
});

async function withPage(path: string, use: (page: Page) => Promise<void>, allowed = /^$/): Promise<void> {
  const { page, context, faults } = await openPage(browser, url);
  await page.goto(path);
  await use(page);
  assert.deepEqual(
    faults.filter((fault) => !allowed.test(fault)),
    [],
  );
  await context.close();
}

test('a run can be looked at, with a huge name, NaN, gaps and 500 parameters', () =>
  lookAt(browser, url, {
    name: 'run',
    path: `/runs/${run}`,
    ready: async (page) => {
      await page.locator('canvas').first().waitFor();
      await page.getByRole('cell', { name: 'p0', exact: true }).waitFor();
    },
  }));

test('a run that logged nothing can be looked at', () =>
  lookAt(browser, url, {
    name: 'run-empty',
    path: `/runs/${empty}`,
    ready: (page) => page.getByText('This run measured nothing.').waitFor(),
  }));

test('charts of a run can be looked at, smoothed', () =>
  lookAt(browser, url, {
    name: 'run-charts',
    path: `/runs/${run}?tab=charts&smooth=0.8`,
    ready: (page) => page.locator('canvas').nth(1).waitFor(),
  }));

test('a run of a pipeline says its step, its data and the version that it became', async () => {
  const answer = await fetch(`${url}/api/levain/v1/models/flights/versions`);
  const { items } = (await answer.json()) as { items: { runId: string; version: number; aliases: string[] }[] };
  const champion = items.find(({ aliases }) => aliases.includes('champion'))!;
  await withPage(`/runs/${champion.runId}`, async (page) => {
    await page.getByRole('link', { name: 'flights / train' }).waitFor();
    await page.getByText('the champion').waitFor();
    await page
      .getByRole('link', { name: /^flights v\d+$/ })
      .first()
      .waitFor();
    await page.getByRole('link', { name: 'why it ran' }).click();
    await page.waitForURL(/\/why\//);
  });
});

test('metrics say their latest, lowest and highest value; NaN and infinity are named, never zero', () =>
  withPage(`/runs/${run}`, async (page) => {
    const table = page.getByRole('region', { name: 'Metrics' });
    const never = table.getByRole('row', { name: /never/ });
    await never.getByText('1, 1 NaN').waitFor();
    assert.equal(await never.getByRole('cell').nth(1).innerText(), 'NaN');
    assert.equal(
      await table
        .getByRole('row', { name: /endless/ })
        .getByRole('cell')
        .nth(1)
        .innerText(),
      '∞',
    );
    await table.getByRole('row', { name: /loss/ }).getByText('9\u202f999').waitFor();
  }));

test('500 parameters are found by what they hold', () =>
  withPage(`/runs/${run}`, async (page) => {
    await page.getByRole('searchbox', { name: 'Find a parameter' }).fill('p42=42');
    await page.getByRole('cell', { name: 'p42', exact: true }).waitFor();
    const table = page.getByRole('region', { name: 'Parameters' });
    assert.equal(await table.getByRole('row').count(), 2);
  }));

test('axis, smoothing and scale of the charts stand in the address, and a range that is zoomed into gets finer', () =>
  withPage(`/runs/${run}?tab=charts`, async (page) => {
    await page.getByText('loss by step').waitFor();
    await page.getByText('Since start').click();
    await page.waitForURL(/x=relative/);
    await page.getByText('loss by minutes since the start of the run').waitFor();
    const box = (await page.locator('figure', { hasText: 'loss by' }).locator('.u-over').boundingBox())!;
    const asked = page.waitForRequest(/runs\/chart.*from=/);
    await page.mouse.move(box.x + box.width * 0.3, box.y + 20);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.4, box.y + 20, { steps: 4 });
    await page.mouse.up();
    await asked;
  }));

test('NaN points are not drawn and the chart says how many', () =>
  withPage(`/runs/${run}?tab=charts`, async (page) => {
    await page.getByText('Not drawn: 4 NaN (not a number).').waitFor();
    await page.getByText('Not drawn: 1 infinite.').waitFor();
  }));

test('an artifact that is a page runs nothing and reads nothing of ours', () =>
  withPage(
    `/runs/${run}?tab=files&file=report.html`,
    async (page) => {
      const frame = page.frameLocator('iframe');
      assert.equal(await frame.locator('#said').innerText(), 'A report');
      assert.notEqual(await page.title(), 'owned');
      assert.equal((await page.context().cookies()).length, 0);
      const opened = await fetch(`${url}/api/levain/v1/runs/${run}/artifacts/report.html`);
      assert.match(opened.headers.get('content-security-policy') ?? '', /^sandbox; default-src 'none'/);
    },
    // The browser says that it refused, which is what is wanted.
    /Blocked script execution|Content Security Policy/,
  ));

test('a text of 100 MB is shown a window at a time, to its end', () =>
  withPage(`/runs/${run}?tab=files&file=log.txt`, async (page) => {
    const text = page.locator('pre').first();
    await text.waitFor();
    assert.ok((await text.innerText()).length < 200_000);
    await page.getByRole('button', { name: 'End' }).click();
    await page.getByText(/of 100.MB/).waitFor();
    await waitFor('the last lines', async () => assert.ok((await text.innerText()).endsWith('x\n')));
    assert.ok((await text.innerText()).length < 200_000);
  }));

test('tables and JSON are shown as what they are, folders open, and what is chosen stands in the address', () =>
  withPage(`/runs/${run}?tab=files`, async (page) => {
    await page.getByText('data', { exact: true }).click();
    await page.getByRole('button', { name: /rows\.csv/ }).click();
    await page.getByRole('cell', { name: 'a, quoted' }).waitFor();
    await page.getByText('deep', { exact: true }).click();
    await page.getByRole('button', { name: /answer\.json/ }).click();
    await page.getByText('"answer": 42').waitFor();
    assert.match(page.url(), /file=data%2Fdeep%2Fanswer\.json|file=data\/deep\/answer\.json/);
    await page.getByRole('button', { name: /weights\.bin/ }).click();
    await page.getByText(/only the code which wrote them reads/).waitFor();
  }));

test('artifacts can be looked at', () =>
  lookAt(browser, url, {
    name: 'run-files',
    path: `/runs/${run}?tab=files&file=data/rows.csv`,
    ready: (page) => page.getByRole('cell', { name: 'a, quoted' }).waitFor(),
  }));

test('a note and a tag are written, and MLflow reads them', () =>
  withPage(`/runs/${empty}`, async (page) => {
    await page.getByRole('button', { name: 'Edit the note' }).click();
    await page.getByRole('textbox', { name: 'Note' }).fill('First try.\nKeep.');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('First try.').waitFor();
    await page.getByRole('textbox', { name: 'Tag', exact: true }).fill('stage');
    await page.getByRole('textbox', { name: 'Value of the tag' }).fill('draft');
    await page.getByRole('button', { name: 'Set' }).click();
    await page.getByText('draft').waitFor();
    const answer = await fetch(`${url}/api/2.0/mlflow/runs/get?run_id=${empty}`);
    const { data } = ((await answer.json()) as { run: { data: { tags: { key: string; value: string }[] } } }).run;
    const tags = Object.fromEntries(data.tags.map(({ key, value }) => [key, value]));
    assert.deepEqual([tags['mlflow.note.content'], tags['stage']], ['First try.\nKeep.', 'draft']);
    await page.getByRole('button', { name: 'Remove the tag stage' }).click();
    await page.getByText('draft').waitFor({ state: 'detached' });
  }));

test('a run that still measures shows each point by itself', () =>
  withPage(`/runs/${running}`, async (page) => {
    const row = page.getByRole('region', { name: 'Metrics' }).getByRole('row', { name: /loss/ });
    await row.getByRole('cell', { name: '1', exact: true }).first().waitFor();
    await client.metric(running, 'loss', 0.125, 41);
    await row.getByText('0.125').first().waitFor();
    await row.getByText('41').waitFor();
  }));

test('a run that is not there says so, with the id to quote', () =>
  withPage('/runs/0123456789abcdef0123456789abcdef', async (page) => {
    await page.getByRole('heading', { name: 'Not found' }).waitFor();
    await page.getByText(/^request /).waitFor();
  }));
