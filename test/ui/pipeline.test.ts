import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { chromiumMissing, lookAt, openBrowser, openPage, shoot, violations } from '../support/browser.ts';
import { type OpenFlights, openFlights } from '../support/flights.ts';
import { waitFor } from '../support/ports.ts';

const TAB = '/m/flights/pipeline';
const LOUD_LINES = 1_000_000;

/** A draft of the flights' pipeline: one step talks for a while, one fails twice, one puts out more than 100 MB. */
const DRAFT = `name: flights
params: { words: 60 }
steps:
  talks: { run: python talks.py, in: [talks.py] }
  loud: { run: python loud.py, in: [loud.py] }
  fails: { run: python fails.py, in: [fails.py], needs: [talks], retry: 1 }
  never: { run: python talks.py, in: [talks.py], needs: [fails] }
`;
const SCRIPTS = {
  'talks.py': `import time\nfor i in range(60):\n    print("word", i, flush=True)\n    time.sleep(0.1)\n`,
  'loud.py': `line = "x" * 100\nfor i in range(${LOUD_LINES}):\n    print("needle" if i == 400_000 else line, i)\n`,
  'fails.py': `import sys\nprint("<b>about to fail</b>")\nprint("because of this", file=sys.stderr)\nsys.exit(3)\n`,
};

describe('the pipeline tab', { skip: chromiumMissing() ?? false }, () => {
  let browser: Browser;
  let flights: OpenFlights;
  before(async () => {
    [browser, flights] = await Promise.all([openBrowser(), openFlights()]);
  });
  after(async () => {
    await browser?.close();
    await flights?.close();
  });

  const url = (): string => flights.levain.url;
  // biome-ignore lint/suspicious/noExplicitAny: answers of many routes
  const get = (path: string): Promise<any> => flights.levain.get(path);

  async function open(path = TAB): Promise<{ page: Page; faults: string[]; close: () => Promise<void> }> {
    const { page, context, faults } = await openPage(browser, url());
    await page.goto(path);
    await page.getByRole('heading', { name: /^Run [0-9a-f]{7}$/ }).waitFor();
    return { page, faults, close: () => context.close() };
  }

  const region = (page: Page, name: string) => page.getByRole('region', { name, exact: true });
  const newest = async () => (await get('/pipeline-runs?pipeline=flights&limit=1')).items[0];

  let draft = '';
  async function startDraft(): Promise<string> {
    const file = join(flights.place.folder, 'levain.yaml');
    const applied = readFileSync(file, 'utf8');
    writeFileSync(file, DRAFT);
    for (const [name, text] of Object.entries(SCRIPTS)) writeFileSync(join(flights.place.folder, name), text);
    const { data } = await flights.levain.run(['run', '--detach']);
    writeFileSync(file, applied);
    return data.run.id;
  }

  for (const view of ['graph', 'timeline'])
    test(`it stands whole at both widths and in both themes, as ${view}`, () =>
      lookAt(browser, url(), {
        name: `pipeline-${view}`,
        path: `${TAB}?view=${view}`,
        ready: async (page) => {
          await page.getByText('re-ran because data flights changed').waitFor();
          await region(page, 'Log of train').getByText('log loss', { exact: false }).first().waitFor();
          if (view === 'graph') await page.locator('.react-flow__node').nth(3).waitFor();
          else await page.getByRole('list', { name: 'Timeline' }).waitFor();
        },
      }));

  test('the applied file and what triggers came to stand there, with links to incidents and runs', async () => {
    const { page, close } = await open();
    const { text } = await get('/pipelines/flights');
    assert.equal((await page.getByLabel('The applied file').innerText()).trimEnd(), text.trimEnd());
    const { items } = await get('/pipelines/flights/triggers');
    const row = region(page, 'Triggers').locator('tbody tr').first();
    assert.match(await row.innerText(), /an alert of the light performance.*started a run/s);
    await row.getByRole('link').click();
    await page.waitForURL(new RegExp(`run=${items[0].last.runId}`));
    await close();
  });

  test('a run shows live what its step says, how it fails and is tried again, and why the next never ran', async () => {
    draft = await startDraft();
    const { page, faults, close } = await open(`${TAB}?run=${draft}&step=talks`);
    const log = region(page, 'Log of talks');
    await log
      .getByText(/^word \d+$/)
      .last()
      .waitFor();
    assert.equal((await get(`/pipeline-runs/${draft}`)).run.finishedAt, null, 'the log is seen while the run goes on');
    await page.getByText('DRAFT', { exact: true }).first().waitFor();
    await region(page, 'Differences').getByText('params.words').waitFor();
    await page.getByText('timeline', { exact: true }).click();
    const failed = page.getByRole('button', { name: 'fails', exact: true });
    await failed.click();
    await page
      .getByRole('alert')
      .getByText('run, exit code 3', { exact: false })
      .or(page.getByText(/exit code 3/))
      .first()
      .waitFor({ timeout: 60_000 });
    await page.getByLabel('Attempt').waitFor({ timeout: 60_000 });
    await waitFor('both attempts', async () =>
      assert.equal((await get(`/pipeline-runs/${draft}/steps/fails/attempts`)).items.length, 2),
    );
    await page.getByLabel('Attempt').selectOption('1');
    await page.waitForURL(/attempt=/);
    await region(page, 'Log of fails').getByText('<b>about to fail</b>', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'never', exact: true }).click();
    await page.getByText('It has not begun, so it has no log.').waitFor();
    assert.deepEqual(await violations(page), []);
    await shoot(page, 'pipeline-failed');
    assert.deepEqual(faults, []);
    await close();
  });

  test('a log of more than 100 MB is held in pieces: its end, its beginning, a line in the middle, and the whole as a file', async () => {
    const size = async (): Promise<number> =>
      (await get(`/pipeline-runs/${draft}/steps/loud/log?offset=-100`)).sizeBytes;
    await waitFor('the end of the loud step', async () => {
      const { steps } = await get(`/pipeline-runs/${draft}`);
      assert.equal(steps.find((step: { name: string }) => step.name === 'loud').state, 'ok');
    });
    assert.ok((await size()) > 100e6);
    const { page, faults, close } = await open(`${TAB}?run=${draft}&step=loud`);
    const log = region(page, 'Log of loud');
    await log.getByText(`x ${LOUD_LINES - 1}`, { exact: false }).waitFor();
    const held = async (): Promise<number> => Number(await log.getAttribute('data-lines'));
    assert.ok((await held()) < 5_000, `${await held()} lines are held`);
    assert.ok((await log.locator('div > div').count()) < 200, 'only what is seen is in the page');
    await page.getByRole('button', { name: 'To the beginning' }).click();
    await log.getByText(/^x+ 0$/).waitFor();
    await page.getByLabel('Search the log').fill('NEEDLE');
    await page.getByLabel('Search the log').press('Enter');
    await log.getByText('needle 400000', { exact: true }).waitFor({ timeout: 60_000 });
    assert.ok(await log.getByText('needle 400000', { exact: true }).isVisible());
    assert.ok((await held()) < 25_000);
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Download' }).click(),
    ]);
    assert.equal(statSync(await file.path()).size, await size());
    await shoot(page, 'pipeline-log');
    assert.deepEqual(faults, []);
    await close();
  });

  test('the applied file runs again with another parameter; the run is followed, and cancelled with its consequence', async () => {
    const { page, faults, close } = await open();
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('max_rows').fill('149000');
    assert.match(await dialog.innerText(), /steps whose inputs did not change are taken from the cache/);
    await dialog.getByRole('button', { name: 'Run', exact: true }).click();
    await dialog.waitFor({ state: 'detached' });
    const run = await newest();
    assert.deepEqual([run.params, run.dataMode, run.draft], [{ max_rows: 149_000 }, 'current', false]);
    await page.waitForURL(new RegExp(`run=${run.id}`));
    await page.getByRole('heading', { name: `Run ${run.id.slice(-7)}` }).waitFor();
    await page.getByText('max_rows = 149000').waitFor();
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    assert.match(await dialog.innerText(), /nothing is registered by this run/);
    await dialog.getByRole('button', { name: 'Cancel', exact: true }).last().click();
    await waitFor('the end', async () => assert.equal((await get(`/pipeline-runs/${run.id}`)).run.state, 'cancelled'));
    await page.getByText('cancelled', { exact: true }).first().waitFor();
    assert.deepEqual(faults, []);
    await close();
  });

  test('a run that is not there is told in words, beside what is there', async () => {
    const { page, context } = await openPage(browser, url());
    await page.goto(`${TAB}?run=ffffffff`);
    await page.getByText('There is no pipeline run "ffffffff"').waitFor();
    await page.getByRole('heading', { name: 'Triggers' }).waitFor();
    await context.close();
  });
});
