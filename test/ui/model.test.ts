import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { lookAt, openBrowser, openPage, type PageOptions, shoot, violations } from '../support/browser.ts';
import { type OpenFlights, openFlights, startCanary } from '../support/flights.ts';
import { waitFor } from '../support/ports.ts';

const LONG_MS = 120_000;
const LONG_NAME = `<b>modèle ${'sehr-lang-'.repeat(20)} שלום`;

let browser: Browser;
let flights: OpenFlights;
let url: string;
let champion: number;
let challenger: number;
before(async () => {
  [browser, flights] = await Promise.all([openBrowser(), openFlights()]);
  url = flights.levain.url;
  ({ champion, challenger } = await startCanary(flights));
  assert.equal((await mlflow('registered-models/create', { name: LONG_NAME })).status, 200);
});
after(async () => {
  await browser?.close();
  await flights?.close();
});

const mlflow = (path: string, body: unknown): Promise<Response> =>
  fetch(`${url}/api/2.0/mlflow/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
const get = (path: string) => flights.levain.get(path);
const post = (path: string, body: unknown = {}) => flights.levain.post(path, body);
const status = async () => (await get('/status')).models.find((model: { name: string }) => model.name === 'flights');

async function open(path: string, options?: PageOptions): Promise<{ page: Page; close: () => Promise<void> }> {
  const { page, context, faults } = await openPage(browser, url, options);
  await page.goto(path);
  return {
    page,
    close: async () => {
      assert.deepEqual(faults, []);
      await context.close();
    },
  };
}

/** Opens an action from the menu, as a person does. */
async function choose(page: Page, action: RegExp): Promise<void> {
  await page.getByRole('button', { name: 'Actions' }).click();
  await page.getByRole('menuitem', { name: action }).click();
  await page.getByRole('dialog').waitFor();
}

const inDialog = (page: Page, name: string) => page.getByRole('dialog').getByRole('button', { name, exact: true });
const closed = (page: Page) => page.getByRole('dialog').waitFor({ state: 'detached' });
const header = (page: Page) => page.getByRole('main').locator('header').first();

test('the overview reads at both widths and in both themes, while a canary runs', () =>
  lookAt(browser, url, {
    name: 'model-overview',
    path: '/m/flights',
    ready: async (page) => {
      await page.getByRole('heading', { name: 'Performance now' }).waitFor();
      await page.locator('canvas').first().waitFor();
      await page.getByRole('list', { name: 'From data to endpoint' }).getByText(/rows/).waitFor();
      assert.match(
        await header(page).innerText(),
        new RegExp(`flights\\s+v${champion}\\s+75\\s%\\s*v${challenger} canary 25\\s%\\s*endpoint flights`),
      );
      const { items } = await get('/incidents?state=open');
      for (const { sentence } of items)
        await page
          .getByRole('list', { name: 'What needs somebody' })
          .getByText(sentence.slice(0, 30))
          .first()
          .waitFor();
    },
  }));

test('a model with a huge name that nobody deployed says so, and how to deploy it', () =>
  lookAt(browser, url, {
    name: 'model-not-deployed',
    path: `/m/${encodeURIComponent(LONG_NAME)}`,
    ready: async (page) => {
      await page.getByText(/No version of .* is live yet/).waitFor();
      await page.getByText('Nothing happened yet.').waitFor();
    },
  }));

for (const [what, text] of [
  ['rollback', 'Not undone: data, labels, answers given, running batches.'],
  ['deploy', 'Part of the URL that answers'],
  ['rehearse', 'REHEARSAL the rows of the last logged day'],
  ['retrain', 'steps that did not change'],
  ['fallback', 'until it is switched off'],
] as const)
  test(`the dialog of ${what} has an address of its own, and reads at both widths and in both themes`, () =>
    lookAt(browser, url, {
      name: `model-${what}`,
      path: `/m/flights?do=${what}`,
      ready: async (page) => {
        const dialog = page.getByRole('dialog');
        await dialog
          .getByText(new RegExp(text.replaceAll('.', '\\.'), 'i'))
          .first()
          .waitFor();
        await dialog.getByRole('button', { disabled: false }).last().waitFor();
      },
    }));

test('there is no such model: the page says it, and lists where they are', async () => {
  const { page, close } = await open('/m/nobody/versions');
  await page.getByText('There is no model called nobody.').waitFor();
  await close();
});

test('tabs are links that the arrows walk; back and forward bring them back', async () => {
  const { page, close } = await open('/m/flights');
  const tabs = page.getByRole('navigation', { name: 'Parts of flights' });
  await tabs.getByRole('link', { name: 'Overview' }).focus();
  for (let i = 0; i < 3; i++) await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  await page.waitForURL('**/m/flights/versions');
  await page.getByRole('region', { name: 'Versions' }).waitFor();
  assert.equal(await tabs.getByRole('link', { name: 'Versions' }).getAttribute('aria-current'), 'page');
  await page.goBack();
  await page.getByRole('heading', { name: 'Performance now' }).waitFor();
  await page.goForward();
  await page.getByRole('region', { name: 'Versions' }).waitFor();
  await close();
});

test('a hold needs a reason and shows everywhere; resume lifts it', async () => {
  const { page, close } = await open('/m/flights/versions');
  await choose(page, /^Hold/);
  assert.equal(await inDialog(page, 'Hold').isDisabled(), true);
  await page.getByLabel('Reason').fill('source under repair <b>');
  await inDialog(page, 'Hold').click();
  await closed(page);
  assert.equal((await status()).held, 'source under repair <b>');
  await header(page).getByText('HELD').waitFor();
  await page.getByRole('list', { name: 'What needs somebody' }).getByText('source under repair <b>.').waitFor();
  await shoot(page, 'model-held');
  assert.deepEqual(await violations(page), []);

  await page.getByRole('button', { name: 'Resume', exact: true }).click();
  await page.getByRole('dialog').getByText('is not rolled out by itself').waitFor();
  await inDialog(page, 'Resume').click();
  await closed(page);
  assert.equal((await status()).held, null);
  await header(page).getByText('HELD').waitFor({ state: 'detached' });
  await close();
});

test('a rollback that was decided on what is no longer so is refused, and says what is so now', async () => {
  const { page, context } = await openPage(browser, url);
  // This page hears of nothing that others do.
  await page.route('**/events', (route) => route.abort());
  await page.goto('/m/flights');
  await choose(page, /^Roll back/);
  const dialog = page.getByRole('dialog');
  await dialog.getByText(`v${challenger} → v${champion} (champion, warm)`).waitFor();
  await page.getByLabel(/Reason/).fill('complaints');
  await post('/endpoints/flights/rollout', { action: 'abort', reason: 'somebody else' });
  await waitFor('the abort', async () => assert.equal((await status()).rollout, null));
  await inDialog(page, 'Roll back').click();
  await dialog
    .getByText(`"flights" changed meanwhile: it would go from v${champion} to v${challenger}; look again`)
    .waitFor();
  await dialog.getByText('Not possible as things stand now').waitFor();
  assert.equal(await page.getByLabel(/Reason/).inputValue(), 'complaints');
  // It has looked again by itself.
  await dialog.getByText(`v${champion} → v${challenger}`).waitFor();
  await shoot(page, 'model-rollback-conflict');
  assert.equal((await status()).version, champion);
  await context.close();
});

test('a held model is deployed only by whoever lifts the hold; shares that do not rise are refused while typed', async () => {
  // The abort before held it.
  assert.notEqual((await status()).held, null);
  const { page, close } = await open('/m/flights');
  await choose(page, /^Deploy/);
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('combobox', { name: 'Version' }).click();
  await page.getByRole('option', { name: new RegExp(`^v${challenger} `) }).click();
  await dialog.getByText(`flights@v${challenger} is rolled out against v${champion} on "flights"`).waitFor();
  await dialog.getByRole('combobox', { name: 'Rollout' }).click();
  await page.getByRole('option', { name: /^canary/ }).click();
  await dialog.getByLabel('Shares in %').fill('50, 25');
  await dialog.getByText('shares that rise between 0 and 100').waitFor();
  assert.equal(await inDialog(page, 'Deploy').isDisabled(), true);
  await dialog.getByLabel('Shares in %').fill('10, 50');
  await dialog.getByText('replay → 10 % → 50 % → 100 %').waitFor();
  assert.equal(await inDialog(page, 'Deploy').isDisabled(), true);
  await dialog.getByLabel(/Lift the hold of flights/).check();
  await inDialog(page, 'Deploy').click();
  await closed(page);
  const { rollout, held } = await status();
  assert.equal(rollout.version, challenger);
  assert.equal(held, null);
  await header(page)
    .getByText(new RegExp(`v${challenger} (preflight|shadow|canary)`))
    .waitFor();
  await close();
});

test('promote skips what is left of a rollout', async () => {
  await waitFor('the canary', async () => assert.equal((await status()).rollout.state, 'canary'));
  const { page, close } = await open('/m/flights');
  await choose(page, new RegExp(`^Promote v${challenger}`));
  await page.getByRole('dialog').getByText(`v${champion} stays warm for a rollback.`).waitFor();
  await inDialog(page, 'Promote').click();
  await closed(page);
  await waitFor('the promotion', async () => assert.equal((await status()).version, challenger));
  await header(page)
    .getByRole('link', { name: `v${challenger}` })
    .waitFor();
  await close();
});

test('roll back tells what would change before it does it, and the page shows what came of it', async () => {
  const { page, close } = await open('/m/flights');
  await choose(page, /^Roll back/);
  const planned = await post('/rollbacks', { name: 'flights', dryRun: true });
  await page.getByRole('dialog').getByText(planned.sentence).waitFor();
  await page.getByLabel(/Reason/).fill('complaints');
  await inDialog(page, 'Roll back').click();
  await closed(page);
  const now = await status();
  assert.equal(now.version, champion);
  assert.match(now.held, /complaints/);
  await header(page).getByText('HELD').waitFor();
  await header(page)
    .getByRole('link', { name: `v${champion}` })
    .waitFor();
  await close();
  await post('/models/flights/resume');
});

test('a version goes to a new endpoint, and the header then asks which', async () => {
  const { page, close } = await open(`/m/flights/versions/${challenger}`);
  await page.getByRole('button', { name: `Deploy v${challenger}` }).click();
  const dialog = page.getByRole('dialog');
  await dialog
    .getByRole('textbox', { name: 'Endpoint' })
    .or(dialog.getByRole('combobox', { name: 'Endpoint' }))
    .fill('flights-eu');
  await dialog.getByText('as the first version of "flights-eu"').waitFor();
  await inDialog(page, 'Deploy').click();
  await closed(page);
  await waitFor('the version', async () => assert.equal((await get('/endpoints/flights-eu')).champion, challenger));
  const choice = header(page).getByRole('combobox', { name: 'Endpoint' });
  await choice.click();
  await page.getByRole('option', { name: 'endpoint flights-eu' }).click();
  await page.waitForURL('**endpoint=flights-eu*');
  await header(page)
    .getByRole('link', { name: `v${challenger}` })
    .waitFor();
  await shoot(page, 'model-two-endpoints');
  assert.deepEqual(await violations(page), []);
  await close();
});

test('the fallback answers with what was chosen until it is switched off', async () => {
  const { page, close } = await open('/m/flights');
  await choose(page, /^Fallback on/);
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('a constant').check();
  await dialog.getByLabel('Constant', { exact: true }).fill('maybe');
  await inDialog(page, 'Fallback on').click();
  await dialog.getByText(/The fallback of "flights" is "maybe"; flights answers 0 or 1/).waitFor();
  await dialog.getByLabel('Constant', { exact: true }).fill('0.2');
  await dialog.getByText('the constant 0.2').waitFor();
  await inDialog(page, 'Fallback on').click();
  await closed(page);
  const { fallback } = await get('/endpoints/flights');
  assert.deepEqual(fallback, { active: true, value: { kind: 'constant', value: 0.2 } });
  await header(page).getByText('fallback answers').waitFor();
  await page.getByRole('button', { name: 'Fallback off' }).click();
  await inDialog(page, 'Fallback off').click();
  await closed(page);
  assert.equal((await get('/endpoints/flights')).fallback.active, false);
  await header(page).getByText('fallback answers').waitFor({ state: 'detached' });
  await close();
});

test('a failure is rehearsed: what it would do, how it goes, and how it went', async () => {
  const { page, close } = await open('/m/flights');
  await choose(page, /^Rehearse/);
  const dialog = page.getByRole('dialog');
  await dialog.getByText('once more with distance ×1.609344').waitFor();
  await dialog.getByLabel(/^nulls/).check();
  await dialog.getByLabel('Raw column').fill('nothing');
  await dialog.getByText('"nothing" is no column that the model watches').waitFor();
  await dialog.getByLabel('Raw column').fill('distance');
  await dialog.getByLabel('Share of the rows (0 to 1)').fill('3');
  await dialog.getByText('a number from 0 to 1; got 3.').waitFor();
  await dialog.getByLabel('Share of the rows (0 to 1)').fill('0.5');
  await dialog.getByLabel('Rows', { exact: true }).fill('200');
  await dialog.getByText('200 logged rows go through "flights" once more with 50 % of distance missing.').waitFor();
  await inDialog(page, 'Rehearse').click();
  await dialog.getByText('REHEARSAL nulls of flights').waitFor();
  await dialog.getByText('done', { exact: true }).waitFor({ timeout: LONG_MS });
  const [latest] = (await get('/rehearsals')).items;
  assert.equal(latest.kind, 'nulls');
  assert.equal(latest.state, 'done');
  await dialog.getByText(latest.report.sentence).first().waitFor();
  if (latest.incident !== null) await dialog.getByRole('link', { name: `incident ${latest.incident}` }).waitFor();
  await shoot(page, 'model-rehearsed');
  assert.deepEqual(await violations(page), []);
  await dialog.getByRole('button', { name: 'Close', exact: true }).last().click();
  await closed(page);
  await close();
});

test('a retraining takes parameters for this once and leads to its run', async () => {
  const { page, close } = await open('/m/flights');
  await choose(page, /^Retrain/);
  await page.getByLabel('seed').fill('11');
  await page.getByText('for this run; the file says 7').waitFor();
  await inDialog(page, 'Retrain').click();
  await page.waitForURL('**/m/flights/pipeline?run=*');
  const id = new URL(page.url()).searchParams.get('run');
  const { run } = await get(`/pipeline-runs/${id}`);
  assert.deepEqual([run.params, run.dataMode], [{ seed: 11 }, 'latest']);
  await post(`/pipeline-runs/${id}/cancel`);
  await close();
});

// The last one: from now on the server wants to know who asks.
test('who may only look is told so, and what was typed stays', async () => {
  const admin = await post('/users', { name: 'ada', role: 'admin' });
  const added = await fetch(`${url}/api/levain/v1/users`, {
    method: 'POST',
    headers: { authorization: `Bearer ${admin.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'vera', role: 'viewer' }),
  });
  const { token } = (await added.json()) as { token: string };
  const { page, context } = await openPage(browser, url);
  await context.setExtraHTTPHeaders({ authorization: `Bearer ${token}` });
  await page.goto('/m/flights?do=deploy');
  await page.getByRole('dialog').getByText('vera may not do this: it needs the permission "deploy"').waitFor();
  assert.equal(await inDialog(page, 'Deploy').isDisabled(), true);
  await page.goto('/m/flights?do=retrain');
  await page.getByLabel('seed').fill('8');
  await inDialog(page, 'Retrain').click();
  await page.getByRole('dialog').getByText('vera may not do this: it needs the permission "write"').waitFor();
  await page.getByRole('dialog').getByText('Not allowed').waitFor();
  await page
    .getByRole('dialog')
    .getByText(/^request /)
    .waitFor();
  assert.equal(await page.getByLabel('seed').inputValue(), '8');
  await context.close();
});
