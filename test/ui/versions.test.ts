import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { lookAt, openBrowser, openPage, shoot, violations } from '../support/browser.ts';
import { type OpenFlights, openFlights } from '../support/flights.ts';
import { waitFor } from '../support/ports.ts';

const RUN_MS = 300_000;
let browser: Browser;
let flights: OpenFlights;
let url: string;
/** Three versions after those of the story, which wait for a person. */
let [first, second, third] = [0, 0, 0];
before(async () => {
  [browser, flights] = await Promise.all([openBrowser(), openFlights()]);
  url = flights.levain.url;
  await makeVersionsThatWait();
});
after(async () => {
  await browser?.close();
  await flights?.close();
});

const get = (path: string) => flights.levain.get(path);
const post = (path: string, body: unknown = {}) => flights.levain.post(path, body);
const version = (number: number) => get(`/models/flights/versions/${number}`);

/** The file asks a person at every retraining, and for slices; three small trainings, one after another. */
async function makeVersionsThatWait(): Promise<void> {
  const path = join(flights.place.folder, 'levain.yaml');
  const text = readFileSync(path, 'utf8')
    .replace('retrain: auto', 'retrain: human')
    .replace('max_rows: 150000', 'max_rows: 30000')
    .replace('window: 31d', 'window: 7d')
    .replace('pass: better }', 'pass: { not_worse: 0.5 }, slices: [origin] }');
  writeFileSync(path, text);
  await flights.levain.run(['apply']);
  for (const seed of [1, 2, 3]) {
    const { id } = await post('/pipelines/flights/runs', { params: { seed } });
    const until = Date.now() + RUN_MS;
    for (;;) {
      const { run } = await get(`/pipeline-runs/${id}`);
      if (run.state === 'succeeded' || run.state === 'waiting') break;
      assert.ok(!['failed', 'cancelled'].includes(run.state) && Date.now() < until, `${run.state}: ${run.summary}`);
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
  const made: { version: number; approval: string }[] = (await get('/models/flights/versions')).items.slice(0, 3);
  assert.deepEqual(
    made.map(({ approval }) => approval),
    ['waiting', 'waiting', 'waiting'],
  );
  [third = 0, second = 0, first = 0] = made.map(({ version: number }) => number);
}

const inDialog = (page: Page, name: string) => page.getByRole('dialog').getByRole('button', { name, exact: true });
const closed = (page: Page) => page.getByRole('dialog').waitFor({ state: 'detached' });
const verdict = (page: Page, number: number) => page.getByRole('navigation', { name: `Verdict on v${number}` });

test('the versions read at both widths and in both themes, those that wait among them', () =>
  lookAt(browser, url, {
    name: 'versions',
    path: '/m/flights/versions',
    ready: async (page) => {
      await page
        .getByRole('row', { name: /waits for approval/ })
        .nth(2)
        .waitFor();
      await page.getByRole('row', { name: /champion \d+/ }).waitFor();
    },
  }));

test('a version that waits says what one approves, on a page that reads at both widths and in both themes', () =>
  lookAt(browser, url, {
    name: 'version-waiting',
    path: `/m/flights/versions/${first}`,
    ready: async (page) => {
      const { sentence } = await get(`/models/flights/versions/${first}/approval`);
      await page.getByText(sentence).waitFor();
      await page.getByRole('region', { name: 'Slices' }).getByText('origin =').first().waitFor();
      await page.getByRole('img', { name: /^Paired difference in log loss/ }).waitFor();
      await page.getByRole('region', { name: 'Files' }).getByText('model.pkl').waitFor();
      await page.getByText('Flavours: python_function').waitFor();
      await page.getByText('scikit-learn').first().waitFor();
    },
  }));

test('two versions beside each other show only what differs, at both widths and in both themes', () =>
  lookAt(browser, url, {
    name: 'versions-compared',
    path: `/m/flights/versions/${first}?with=1`,
    ready: async (page) => {
      const code = page.getByRole('region', { name: 'what differs in levain.yaml' });
      await code.getByText('− params: { max_rows: 150000, seed: 7 }').waitFor();
      await code.getByText('+ params: { max_rows: 30000, seed: 7 }').waitFor();
      await page.getByRole('region', { name: 'Made of' }).getByText('training rows').waitFor();
      await page.getByRole('region', { name: 'Parameters of both' }).getByText('trees__random_state').waitFor();
      assert.equal(await page.getByText('what differs in features.py').count(), 0);
    },
  }));

test('a version of a rehearsal and one that is not there say so', async () => {
  const { page, context, faults } = await openPage(browser, url);
  const { items } = await get('/models/flights/versions');
  const rehearsed = items.find(({ rehearsal }: { rehearsal: string | null }) => rehearsal !== null);
  await page.goto(`/m/flights/versions/${rehearsed.version}`);
  await page.getByText('A version that was made for a rehearsal is never compared').waitFor();
  assert.equal(await page.getByRole('button', { name: /Deploy/ }).count(), 0);
  assert.deepEqual(await violations(page), []);
  await page.goto('/m/flights/versions/99');
  await page.getByText('Model "flights" has no version 99').waitFor();
  assert.deepEqual(faults, []);
  await context.close();
});

test('rows are walked and opened by the keyboard, two of them are compared, and back brings the filter back', async () => {
  const { page, context, faults } = await openPage(browser, url);
  await page.goto('/m/flights/versions');
  await page.getByLabel('Filter versions').fill('passed');
  await page.waitForURL('**q=passed*');
  const table = page.getByRole('region', { name: 'Versions' });
  await table.getByRole('row', { name: /REHEARSAL/ }).waitFor({ state: 'detached' });
  await table.focus();
  await page.keyboard.press('j');
  await page.keyboard.press('x');
  await page.keyboard.press('j');
  await page.keyboard.press('x');
  await page.getByRole('button', { name: `Compare v${third} with v${second}` }).click();
  await page.waitForURL(`**/versions/${third}?with=${second}*`);
  await page.getByText(/^The code is the same/).waitFor();
  await page.goBack();
  await page.waitForURL('**q=passed*');
  assert.equal(await page.getByLabel('Filter versions').inputValue(), 'passed');
  await page.keyboard.press('Tab');
  await table.focus();
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await page.waitForURL(`**/m/flights/versions/${third}`);
  assert.deepEqual(faults, []);
  await context.close();
});

test('a file of a version downloads as the bytes that it is made of', async () => {
  const { page, context } = await openPage(browser, url);
  await page.goto(`/m/flights/versions/${first}`);
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('region', { name: 'Files' }).getByRole('link', { name: 'features.py' }).click(),
  ]);
  assert.equal(download.suggestedFilename(), 'features.py');
  assert.equal(
    readFileSync(await download.path(), 'utf8'),
    readFileSync(join(flights.place.folder, 'features.py'), 'utf8'),
  );
  await context.close();
});

test('approving keeps the note, starts the rollout, and the page shows both by itself', async () => {
  const { page, context, faults } = await openPage(browser, url);
  await page.goto('/m/flights');
  await page
    .getByRole('listitem')
    .filter({ hasText: `v${first} waits for approval` })
    .getByRole('link', { name: 'review' })
    .click();
  await page.waitForURL(`**/m/flights/versions/${first}`);
  await page
    .getByRole('region', { name: `Approval of v${first}` })
    .getByRole('button', { name: 'Approve' })
    .click();
  const { sentence } = await get(`/models/flights/versions/${first}/approval`);
  await page.getByRole('dialog').getByText(sentence).waitFor();
  await page.getByLabel('Reason (optional)').fill('slices look fine');
  await inDialog(page, 'Approve').click();
  await closed(page);
  const approved = await version(first);
  assert.deepEqual([approved.approval, approved.decision.reason], ['approved', 'slices look fine']);
  await verdict(page, first).getByText('approved', { exact: true }).waitFor();
  await page.getByText('slices look fine').first().waitFor();
  await waitFor('the rollout', async () => assert.equal((await get('/endpoints/flights')).rollout?.version, first));
  await page.getByRole('link', { name: new RegExp(`^v${first} (preflight|shadow|canary)`) }).waitFor();
  assert.deepEqual(faults, []);
  await context.close();
});

test('rejecting needs a reason, which the version keeps', async () => {
  const { page, context, faults } = await openPage(browser, url);
  await page.goto(`/m/flights/versions/${second}`);
  await page.getByRole('button', { name: 'Reject' }).first().click();
  assert.equal(await inDialog(page, 'Reject').isDisabled(), true);
  await page.getByLabel('Reason').fill('trained on too few rows');
  await inDialog(page, 'Reject').click();
  await closed(page);
  const rejected = await version(second);
  assert.deepEqual([rejected.approval, rejected.decision.reason], ['rejected', 'trained on too few rows']);
  await verdict(page, second).getByText('rejected', { exact: true }).waitFor();
  await shoot(page, 'version-rejected');
  assert.deepEqual(await violations(page), []);
  assert.deepEqual(faults, []);
  await context.close();
});

test('who approves what somebody else rejected meanwhile is told so, and keeps the words', async () => {
  const { page, context } = await openPage(browser, url);
  await page.route('**/events', (route) => route.abort());
  await page.goto(`/m/flights/versions/${third}`);
  await page.getByRole('button', { name: 'Approve' }).first().click();
  await page.getByLabel('Reason (optional)').fill('looks right');
  await post(`/models/flights/versions/${third}/reject`, { reason: 'somebody was faster' });
  await inDialog(page, 'Approve').click();
  await page.getByRole('dialog').getByText(`flights@v${third} does not wait for an approval; it is rejected`).waitFor();
  assert.equal(await page.getByLabel('Reason (optional)').inputValue(), 'looks right');
  await shoot(page, 'version-approval-conflict');
  await inDialog(page, 'Cancel').click();
  await verdict(page, third).getByText('rejected', { exact: true }).waitFor();
  await page.getByText('somebody was faster').first().waitFor();
  await context.close();
});

test('a version goes back into service from its page', async () => {
  await waitFor('the end of the rollout', async () => {
    if ((await get('/endpoints/flights')).rollout === null) return;
    await post('/endpoints/flights/rollout', { action: 'abort' });
    assert.equal((await get('/endpoints/flights')).rollout, null);
  });
  const { champion } = await get('/endpoints/flights');
  if ((await get('/status')).models[0].held !== null) await post('/models/flights/resume');
  const { page, context, faults } = await openPage(browser, url);
  await page.goto('/m/flights/versions/1');
  await page.getByRole('button', { name: 'Deploy v1' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText(`flights@v1 is rolled out against v${champion} on "flights"`).waitFor();
  await dialog.getByRole('combobox', { name: 'Rollout' }).click();
  await page.getByRole('option', { name: /^direct/ }).click();
  await dialog.getByText(`against v${champion} on "flights": 100 %`).waitFor();
  await inDialog(page, 'Deploy').click();
  await closed(page);
  await waitFor('v1', async () => assert.equal((await get('/endpoints/flights')).champion, 1));
  await page.getByText('champion 100').waitFor();
  await page.getByRole('button', { name: 'Roll back' }).waitFor();
  assert.deepEqual(faults, []);
  await context.close();
});

// The last one: from now on the server wants to know who asks.
test('who may not approve is told so, and nothing is approved', async () => {
  const { token: admin } = await post('/users', { name: 'ada', role: 'admin' });
  const call = async (path: string, body?: unknown) =>
    (
      await fetch(`${url}/api/levain/v1${path}`, {
        ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
        headers: { authorization: `Bearer ${admin}`, 'content-type': 'application/json' },
      })
    ).json() as Promise<Record<string, never>>;
  const { token } = await call('/users', { name: 'edda', role: 'editor' });
  const { page, context } = await openPage(browser, url);
  await context.setExtraHTTPHeaders({ authorization: `Bearer ${token}` });
  await page.goto(`/m/flights/versions/${second}`);
  await verdict(page, second).waitFor();
  const refused = await page.evaluate(
    async (number) =>
      (
        await fetch(`/api/levain/v1/models/flights/versions/${number}/approve`, {
          method: 'POST',
          body: '{}',
          headers: { 'content-type': 'application/json' },
        })
      ).status,
    second,
  );
  assert.equal(refused, 403);
  await context.close();
});
