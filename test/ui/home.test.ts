import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { chromiumMissing, lookAt, openBrowser, openPage, overflow, shoot, violations } from '../support/browser.ts';
import { type OpenFlights, openFlights } from '../support/flights.ts';
import { breakData, failRun, waitForApproval } from '../support/needs.ts';
import { waitFor } from '../support/ports.ts';

const skip = chromiumMissing() ?? false;

let browser: Browser;
let flights: OpenFlights;
let url: string;
before(async () => {
  if (skip) return;
  [browser, flights] = await Promise.all([openBrowser(), openFlights()]);
  url = flights.levain.url;
  await settle();
});
after(async () => {
  await browser?.close();
  await flights?.close();
});

/** What the story left open is not what these tests are about. */
async function settle(): Promise<void> {
  const { needsYou } = await flights.levain.get('/status');
  for (const need of needsYou)
    if (need.kind === 'incident') await flights.levain.post(`/incidents/${need.number}/resolve`, undefined);
}

const needs = (page: Page) => page.getByRole('region', { name: 'Needs you' });
const kinds = async (): Promise<string[]> => {
  const { needsYou } = await flights.levain.get('/status');
  return needsYou.map(({ kind }: { kind: string }) => kind);
};
/** Presses the button that opens, says yes in the dialog, and waits until the dialog is gone. */
async function confirm(page: Page, verb: string, reason?: string): Promise<void> {
  const dialog = page.getByRole('dialog');
  if (reason !== undefined) await dialog.getByLabel(/^Reason/).fill(reason);
  await dialog.getByRole('button', { name: verb, exact: true }).click();
  await dialog.waitFor({ state: 'detached' });
}

test('where nothing needs anybody home says so in one sentence, and shows the models', { skip }, () =>
  lookAt(browser, url, {
    name: 'home-calm',
    path: '/',
    ready: async (page) => {
      await needs(page).getByText('Nothing needs you.').waitFor();
      await page
        .getByText(/^v\d+ \d+/)
        .filter({ visible: true })
        .first()
        .waitFor();
    },
  }),
);

test('the row of a model has its five lights, each with its sentence and a way to its evidence', { skip }, async () => {
  const { models } = await flights.levain.get('/status');
  const { page } = await openPage(browser, url);
  await page.goto('/');
  const row = page.getByRole('row', { name: /flights/ });
  for (const light of ['service', 'data', 'predictions', 'performance', 'business']) {
    const link = row.getByRole('link', { name: new RegExp(`^${light}: (good|watch|bad|unknown)$`) });
    assert.ok((await link.getAttribute('title'))?.includes(models[0].lights[light].sentence), light);
  }
  await row.getByRole('link', { name: /^performance: (good|watch|bad|unknown)$/ }).click();
  await page.waitForURL(/\/m\/flights\/monitor\?light=performance$/);
  await page.goBack();
  await page.waitForURL(/\/$/);
  await page.context().close();
});

test('what needs somebody appears by itself: an incident, an approval and a failed run', { skip }, async () => {
  const { page, faults } = await openPage(browser, url);
  await page.goto('/');
  await needs(page).getByText('Nothing needs you.').waitFor();
  await breakData(flights);
  await failRun(flights);
  await waitForApproval(flights);
  await needs(page).getByText('waits for approval').waitFor();
  await needs(page)
    .getByText(/of report failed: .*exit code 3/)
    .waitFor();
  await needs(page)
    .getByText(/flights DATA broken since/)
    .waitFor();
  assert.deepEqual(faults, []);
  await page.context().close();
  await lookAt(browser, url, {
    name: 'home-needs',
    path: '/',
    ready: (shown) => needs(shown).getByText('You approve v').waitFor(),
  });
});

test('an incident is acknowledged where it stands, and goes to the end of the list', { skip }, async () => {
  const { page } = await openPage(browser, url);
  await page.goto('/');
  const broken = needs(page).getByRole('listitem').filter({ hasText: 'DATA broken' });
  await broken.getByRole('button', { name: 'Acknowledge' }).click();
  await page.getByRole('dialog').getByText('nobody else is called').waitFor();
  await shoot(page, 'home-acknowledge');
  assert.deepEqual(await violations(page), []);
  await confirm(page, 'Acknowledge');
  await needs(page).getByText('acknowledged by local').waitFor();
  const { items } = await flights.levain.get('/incidents?state=acknowledged');
  assert.equal(items[0].acknowledgedBy, 'local');
  assert.equal((await kinds()).at(-1), 'incident');
  await page.context().close();
});

test('a failed run is run again from here', { skip }, async () => {
  const { page } = await openPage(browser, url);
  const before = (await flights.levain.get('/pipeline-runs?pipeline=report')).items.length;
  await page.goto('/');
  await needs(page).getByRole('button', { name: 'Run again' }).click();
  await confirm(page, 'Run again');
  await waitFor('another run', async () => {
    const { items } = await flights.levain.get('/pipeline-runs?pipeline=report');
    assert.equal(items.length, before + 1);
    assert.equal(items[0].state, 'failed');
  });
  await needs(page)
    .getByText(/of report failed/)
    .waitFor();
  await page.context().close();
});

test('a version is approved on a phone, with the sentence that says what one approves', { skip }, async () => {
  const { levain } = flights;
  const [version] = (await levain.get('/models')).items[0].waiting;
  const { sentence } = await levain.get(`/models/flights/versions/${version}/approval`);
  const { page, faults } = await openPage(browser, url, { size: 'phone' });
  await page.goto('/');
  await needs(page).getByText(sentence).waitFor();
  await needs(page).getByRole('button', { name: 'Approve' }).tap();
  await page.getByRole('dialog').getByText(sentence).waitFor();
  await shoot(page, 'home-approve-phone');
  assert.deepEqual(await violations(page), []);
  await confirm(page, 'Approve', 'looked at the slices');
  await needs(page).getByText('waits for approval').waitFor({ state: 'detached' });
  const approved = await levain.get(`/models/flights/versions/${version}`);
  assert.equal(approved.approval, 'approved');
  assert.equal(approved.decision.reason, 'looked at the slices');
  assert.deepEqual(faults, []);
  await page.context().close();
});

test('traffic is rolled back on a phone, and the hold that follows is lifted from home', { skip }, async () => {
  const { page } = await openPage(browser, url, { size: 'phone' });
  const [incident] = (await flights.levain.get('/incidents?state=acknowledged')).items;
  await page.goto(`/i/${incident.number}`);
  await page.getByRole('button', { name: 'Roll back' }).tap();
  await page
    .getByRole('dialog')
    .getByText(/is HELD: no retraining or promotion until resume/)
    .waitFor();
  await shoot(page, 'incident-rollback-phone');
  await confirm(page, 'Roll back', 'complaints');
  const { models } = await flights.levain.get('/status');
  assert.match(models[0].hold.reason, /complaints/);
  await page.goto('/');
  await needs(page)
    .getByText(/flights is HELD/)
    .waitFor();
  await needs(page).getByRole('button', { name: 'Resume' }).tap();
  await confirm(page, 'Resume');
  await needs(page)
    .getByText(/flights is HELD/)
    .waitFor({ state: 'detached' });
  assert.equal((await flights.levain.get('/status')).models[0].hold, null);
  await page.context().close();
});

test('models are searched, sorted and shown with their columns by the address', { skip }, async () => {
  const { page, faults } = await openPage(browser, url);
  await page.goto('/models');
  await page.getByRole('searchbox', { name: 'Search models' }).fill('nothing like it');
  await page.getByText('No model here is like').waitFor();
  await page.waitForURL(/q=nothing/);
  await page.getByRole('searchbox', { name: 'Search models' }).fill('fli');
  await page.getByRole('row', { name: /flights/ }).waitFor();
  await page.getByRole('button', { name: /^last deploy/ }).click();
  await page.waitForURL(/sort=-?deploy/);
  await page.reload();
  await page.getByRole('row', { name: /flights/ }).waitFor();
  assert.equal(await page.getByRole('searchbox', { name: 'Search models' }).inputValue(), 'fli');
  assert.deepEqual(faults, []);
  await page.context().close();
  await lookAt(browser, url, {
    name: 'models',
    path: '/models',
    ready: (shown) => shown.getByText('labelled').filter({ visible: true }).first().waitFor(),
  });
});

test('200 models with names of every kind stay in their window and are found', { skip }, async () => {
  for (const name of manyNames()) await register(name);
  const { page: phone, faults } = await openPage(browser, url, { size: 'phone' });
  const { page: wide, faults: wideFaults } = await openPage(browser, url);
  for (const page of [phone, wide]) {
    await page.goto('/models');
    await page.getByText('201', { exact: true }).waitFor();
    assert.ok((await overflow(page)) <= 0);
    assert.deepEqual(await violations(page), []);
  }
  await shoot(phone, 'models-many-phone');
  await shoot(wide, 'models-many');
  await wide.getByRole('searchbox', { name: 'Search models' }).fill('model-199');
  await wide.getByText('1 of 201').waitFor();
  await wide.getByRole('row', { name: /model-199/ }).waitFor();
  await wide.getByRole('searchbox', { name: 'Search models' }).fill(STRANGE[0]!);
  await wide.getByText('1 of 201').waitFor();
  assert.deepEqual([...faults, ...wideFaults], []);
  await phone.context().close();
  await wide.context().close();
});

const STRANGE = ['<img src=x onerror=alert(1)>', 'x'.repeat(200), 'نموذج الرحلات', '航班延误'];

const manyNames = (): string[] => Array.from({ length: 200 }, (_, i) => STRANGE[i] ?? `model-${i}`);

/** As MLflow's clients do: a name that nothing is deployed of. */
async function register(name: string): Promise<void> {
  const answer = await fetch(`${url}/api/2.0/mlflow/registered-models/create`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name }),
  });
  assert.equal(answer.status, 200, await answer.text());
}
