import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { chromiumMissing, lookAt, openBrowser, openPage, shoot, violations } from '../support/browser.ts';
import { endRollout, type OpenFlights, openFlights } from '../support/flights.ts';
import { breakData } from '../support/needs.ts';
import { waitFor } from '../support/ports.ts';

const skip = chromiumMissing() ?? false;

let browser: Browser;
let flights: OpenFlights;
let url: string;
let open: number;
before(async () => {
  if (skip) return;
  [browser, flights] = await Promise.all([openBrowser(), openFlights()]);
  url = flights.levain.url;
  await settle();
  open = await breakData(flights);
});
after(async () => {
  await browser?.close();
  await flights?.close();
});

/** The story ends in the middle of a rollout; a rehearsal of another version needs it over. */
async function settle(): Promise<void> {
  const { levain } = flights;
  const { rollout } = await levain.get('/endpoints/flights');
  if (rollout === null) return;
  await levain.post('/endpoints/flights/rollout', { action: 'abort' });
  await waitFor('the end of the rollout', async () =>
    assert.equal((await levain.get('/endpoints/flights')).rollout, null),
  );
  await levain.post('/models/flights/resume', undefined);
}

const get = (path: string) => flights.levain.get(path);
const chartDrawn = (page: Page) => page.locator('.uplot').first().waitFor();

async function confirm(page: Page, verb: string, reason?: string): Promise<void> {
  const dialog = page.getByRole('dialog');
  if (reason !== undefined) await dialog.getByLabel(/^Reason/).fill(reason);
  await dialog.getByRole('button', { name: verb, exact: true }).click();
  await dialog.waitFor({ state: 'detached' });
}

async function at(path: string): Promise<{ page: Page; faults: string[] }> {
  const { page, faults } = await openPage(browser, url);
  await page.goto(path);
  return { page, faults };
}

test('an open incident shows verdict, evidence, what did not change, and the affected predictions', { skip }, () =>
  lookAt(browser, url, {
    name: 'incident-open',
    path: `/i/${open}`,
    ready: async (page) => {
      await page.getByText(/^DATA broken since/).waitFor();
      await page
        .getByText(/Rollback will NOT help/)
        .first()
        .waitFor();
      await chartDrawn(page);
      await page.getByRole('region', { name: 'Affected predictions' }).first().waitFor();
    },
  }),
);

test('a resolved performance incident shows what came true against what was predicted', { skip }, async () => {
  const { items } = await get('/incidents?limit=100');
  const found = items.find(
    ({ cause, state }: { cause: string; state: string }) => cause === 'performance' && state === 'resolved',
  );
  assert.ok(found, 'the story has one');
  await lookAt(browser, url, {
    name: 'incident-performance',
    path: `/i/${found.number}`,
    ready: async (page) => {
      await page.getByText('It is over; nothing is left to do.').waitFor();
      await chartDrawn(page);
    },
  });
});

test('a rehearsal’s incident is marked as one, and says why by its rehearsal', { skip }, async () => {
  const { items } = await get('/incidents?limit=100');
  const rehearsed = items.find(
    ({ rehearsal, cause }: { rehearsal: string | null; cause: string }) => rehearsal !== null && cause === 'broken',
  );
  const { page, faults } = await at(`/i/${rehearsed.number}`);
  await page.getByRole('link', { name: 'REHEARSAL' }).click();
  await page.waitForURL(/\/why\//);
  await page.getByText(/^The rehearsal unit-change of flights is done/).waitFor();
  assert.deepEqual(faults, []);
  await page.context().close();
});

test('every affected prediction is exported as CSV and as JSON lines, with its inputs', { skip }, async () => {
  const { page } = await at(`/i/${open}`);
  const { total } = await get(`/incidents/${open}/predictions`);
  const csv = await download(page, 'CSV', 1);
  assert.match(csv[0]!, /^version,prediction_id,.*input\.distance/);
  assert.equal(csv.length - 1, total);
  const lines = await download(page, 'JSON lines', 0);
  assert.equal(lines.length, total);
  assert.ok('distance' in JSON.parse(lines[0]!).inputs);
  await page.context().close();
});

/** The chart has a CSV too: `nth` counts both. */
async function download(page: Page, name: string, nth: number): Promise<string[]> {
  const link = page.getByRole('link', { name, exact: true });
  await link.waitFor();
  assert.ok(nth >= 0);
  const [file] = await Promise.all([page.waitForEvent('download'), link.click()]);
  return readFileSync(await file.path(), 'utf8')
    .trimEnd()
    .split('\n');
}

test('a row leads to why the prediction was answered so, with what each column did', { skip }, async () => {
  const { page, faults } = await at(`/i/${open}`);
  const table = page.getByRole('region', { name: 'Affected predictions' });
  await table.getByRole('link').first().click();
  await page.waitForURL(/\/why\/[0-9a-f-]{36}$/);
  await page.getByRole('list', { name: 'What moved the answer' }).waitFor({ timeout: 60_000 });
  await page.getByText(/answers as the champion because/).waitFor();
  assert.deepEqual(await violations(page), []);
  await shoot(page, 'why-prediction');
  assert.deepEqual(faults, []);
  await page.context().close();
});

test('the fallback goes on and off again, each with its consequence', { skip }, async () => {
  const { page } = await at(`/i/${open}`);
  await page.getByRole('button', { name: 'Fallback on' }).click();
  await page
    .getByRole('dialog')
    .getByText(/Every request to flights is answered by/)
    .waitFor();
  await confirm(page, 'Fallback on');
  await page.getByRole('button', { name: 'Fallback off' }).waitFor();
  assert.equal((await get('/endpoints/flights')).fallback.active, true);
  await page.getByRole('button', { name: 'Fallback off' }).click();
  await confirm(page, 'Fallback off');
  await page.getByRole('button', { name: 'Fallback on' }).waitFor();
  assert.equal((await get('/endpoints/flights')).fallback.active, false);
  await page.context().close();
});

test('an incident is acknowledged and then resolved with a note, which stands in the timeline', { skip }, async () => {
  const { page, faults } = await at(`/i/${open}`);
  await page.getByRole('button', { name: 'Acknowledge' }).click();
  await confirm(page, 'Acknowledge');
  await page.getByRole('button', { name: 'Acknowledge' }).waitFor({ state: 'detached' });
  assert.equal((await get(`/incidents/${open}`)).state, 'acknowledged');
  await page.getByRole('button', { name: 'Resolve' }).click();
  await confirm(page, 'Resolve', 'the feed sends miles again');
  await page.getByText('It is over; nothing is left to do.').waitFor();
  const incident = await get(`/incidents/${open}`);
  assert.deepEqual([incident.state, incident.resolution], ['resolved', 'the feed sends miles again']);
  await page.getByText('by local: the feed sends miles again').first().waitFor();
  assert.deepEqual(faults, []);
  await page.context().close();
});

test('who is overtaken while writing a note is told by whom, and keeps the note', { skip }, async () => {
  const again = await breakData(flights);
  const { page, faults } = await at(`/i/${again}`);
  await page.getByRole('button', { name: 'Resolve' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel(/^Reason/).fill('mine');
  await flights.levain.post(`/incidents/${again}/resolve`, { reason: 'theirs' });
  await dialog.getByText('local resolved it meanwhile (theirs)').waitFor();
  assert.equal(await dialog.getByLabel(/^Reason/).inputValue(), 'mine');
  assert.equal(await dialog.getByRole('button', { name: 'Resolve', exact: true }).isDisabled(), true);
  assert.deepEqual(await violations(page), []);
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await page.getByText('It is over; nothing is left to do.').waitFor();
  assert.deepEqual(faults, []);
  await page.context().close();
});

test('a version that a rehearsal breaks is rolled back, and its hold is lifted on the page of its incident', {
  skip,
}, async () => {
  await endRollout(flights);
  await flights.levain.run(['rehearse', 'broken-model', 'flights', '--yes'], [10]);
  const number = await waitFor('the incident', async () => {
    const { items } = await get('/incidents?state=open');
    const found = items.find(({ cause }: { cause: string }) => cause === 'rolled_back');
    assert.ok(found);
    return found.number as number;
  });
  const { page } = await at(`/i/${number}`);
  await page
    .getByText(/was rolled back to/)
    .first()
    .waitFor();
  await page.getByRole('link', { name: 'REHEARSAL' }).waitFor();
  await shoot(page, 'incident-rolled-back');
  assert.deepEqual(await violations(page), []);
  await page.getByRole('button', { name: 'Resume' }).click();
  await confirm(page, 'Resume');
  await page.getByText('It is over; nothing is left to do.').waitFor();
  assert.equal((await get('/status')).models[0].hold, null);
  await page.context().close();
});

test('retraining is started from an incident', { skip }, async () => {
  const number = await breakData(flights);
  const before = (await get('/pipeline-runs?pipeline=flights&limit=1')).items[0].id;
  const { page } = await at(`/i/${number}`);
  await page.getByText('Broken rows are nothing to train on: mend the data first.').waitFor();
  await page.getByRole('button', { name: 'Retrain' }).click();
  await confirm(page, 'Retrain');
  const [run] = (await get('/pipeline-runs?pipeline=flights&limit=1')).items;
  assert.notEqual(run.id, before);
  assert.equal(run.dataMode, 'latest');
  await flights.levain.post(`/pipeline-runs/${run.id}/cancel`, undefined);
  await page.context().close();
});

test('a number that no incident has says so, and a why without an answer too', { skip }, async () => {
  const { page } = await at('/i/999999');
  await page.getByText('There is no incident 999999').waitFor();
  assert.deepEqual(await violations(page), []);
  await page.goto('/why/nothing-like-this');
  await page.getByText(/Nothing here is called "nothing-like-this"/).waitFor();
  await page.context().close();
});

test('why of a version, a run and a step opens into the reasons behind it', { skip }, async () => {
  const { models } = await get('/status');
  const name = `flights@v${models[0].version}`;
  const { page } = await at(`/why/${encodeURIComponent(name)}`);
  await page.getByText(new RegExp(`^${name} answers as the champion because`)).waitFor();
  await page
    .getByText(/^Run [0-9a-f]{7} of flights started because/)
    .first()
    .waitFor();
  await page.getByText(/\/train$/).click();
  await page.getByText(/^Step train of run [0-9a-f]{7}/).waitFor();
  await page.context().close();
  await lookAt(browser, url, {
    name: 'why-version',
    path: `/why/${encodeURIComponent(name)}`,
    ready: (shown) =>
      shown
        .getByText(/^Run [0-9a-f]{7} of flights started because/)
        .first()
        .waitFor(),
  });
});

test('who may only read is refused in words, with the request to quote, and keeps what was written', {
  skip,
}, async () => {
  const { items } = await get('/incidents?state=open');
  const number = items[0]?.number ?? (await breakData(flights));
  const { token: admin } = await flights.levain.post('/users', { name: 'ann', role: 'admin' });
  const answer = await fetch(`${url}/api/levain/v1/users`, {
    method: 'POST',
    headers: { authorization: `Bearer ${admin}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'bob', role: 'viewer' }),
  });
  const { token } = (await answer.json()) as { token: string };
  const { page } = await openPage(browser, url);
  await page.setExtraHTTPHeaders({ authorization: `Bearer ${token}` });
  await page.goto(`/i/${number}`);
  await page.getByRole('button', { name: 'Resolve' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel(/^Reason/).fill('it looks fine to me');
  await dialog.getByRole('button', { name: 'Resolve', exact: true }).click();
  await dialog
    .getByRole('alert')
    .getByText(/bob may not do this: it needs the permission "write"/)
    .waitFor();
  await dialog.getByText(/^request [0-9a-f-]{36}$/).waitFor();
  assert.equal(await dialog.getByLabel(/^Reason/).inputValue(), 'it looks fine to me');
  await shoot(page, 'incident-refused');
  await page.context().close();
});
