import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { chromiumMissing, lookAt, openBrowser, openPage, shoot, violations } from '../support/browser.ts';
import { type Canary, type OpenFlights, openFlights, startCanary } from '../support/flights.ts';
import { waitFor } from '../support/ports.ts';
import { tempDir } from '../support/temp.ts';

const MODEL = '/m/flights/live';

const words = (pattern: string): RegExp => new RegExp(pattern, 's');

describe('the live tab', { skip: chromiumMissing() ?? false }, () => {
  let browser: Browser;
  let flights: OpenFlights;
  let canary: Canary;
  before(async () => {
    [browser, flights] = await Promise.all([openBrowser(), openFlights()]);
    canary = await startCanary(flights);
  });
  after(async () => {
    await browser?.close();
    await flights?.close();
  });

  const url = (): string => flights.levain.url;
  // biome-ignore lint/suspicious/noExplicitAny: answers of many routes
  const get = (path: string): Promise<any> => flights.levain.get(path);

  async function open(path = MODEL): Promise<{ page: Page; faults: string[]; close: () => Promise<void> }> {
    const { page, context, faults } = await openPage(browser, url());
    await page.goto(path);
    await page.getByRole('heading', { name: 'Recent predictions' }).waitFor();
    await page.getByRole('form', { name: 'Try it' }).waitFor();
    return { page, faults, close: () => context.close() };
  }

  const table = (page: Page, name: string) => page.getByRole('region', { name, exact: true });
  const confirm = async (page: Page, verb: string): Promise<void> => {
    await page.getByRole('button', { name: verb, exact: true }).first().click();
    await page.getByRole('dialog').getByRole('button', { name: verb, exact: true }).click();
  };

  test('it stands whole at both widths and in both themes', () =>
    lookAt(browser, url(), {
      name: 'live',
      path: MODEL,
      ready: async (page) => {
        await page.getByRole('heading', { name: `Rollout of v${canary.challenger}` }).waitFor();
        await table(page, 'Traffic by version')
          .getByRole('link', { name: `v${canary.challenger}` })
          .waitFor();
        await table(page, 'Predictions').locator('tbody tr').first().waitFor();
        await page.getByRole('form', { name: 'Try it' }).waitFor();
        await page.locator('.uplot').nth(2).waitFor();
      },
    }));

  test('traffic is what the counters say, and its range stands in the address', async () => {
    const { page, close } = await open();
    const shown = table(page, 'Traffic by version').locator('tbody tr');
    await shown.first().waitFor();
    const week = await get('/endpoints/flights/traffic?hours=168');
    assert.equal(await shown.count(), week.versions.length);
    await page.getByText('30 days', { exact: true }).click();
    await waitFor('the range', () => assert.match(page.url(), /range=(%22)?720/));
    const month = await get('/endpoints/flights/traffic?hours=720');
    assert.ok(month.total.requests > week.total.requests);
    await waitFor('the month', async () => assert.equal(await shown.count(), month.versions.length));
    const marks = month.deploys.map(({ version }: { version: number }) => version);
    assert.ok(
      marks.includes(canary.challenger),
      `the champion of the story took all traffic within the month: ${marks}`,
    );
    await page.reload();
    await waitFor('the same range', async () => assert.equal(await shown.count(), month.versions.length));
    await close();
  });

  test('the form asks as any caller does: answer, version, id, and why, all of which the log has', async () => {
    const { page, faults, close } = await open();
    await page.getByLabel('distance double').fill('1234');
    await page.getByLabel('origin string').fill('ORD');
    await page.getByRole('button', { name: 'Ask', exact: true }).click();
    await page.getByRole('list', { name: 'Probabilities' }).waitFor();
    await page.getByRole('list', { name: 'What moved the answer' }).waitFor();
    const copy = page.locator('[aria-live=polite]').getByRole('button', { name: /copy/ });
    const id = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/.exec((await copy.getAttribute('aria-label')) ?? '')?.[0];
    const logged = await get(`/predictions/${id}`);
    assert.equal(logged.features.distance, 1234);
    assert.equal(logged.features.origin, 'ORD');
    assert.equal(logged.status, 'ok');
    assert.match(await page.locator('[aria-live=polite]').innerText(), new RegExp(`v${logged.version} answered`));
    assert.deepEqual(await violations(page), []);
    await shoot(page, 'try-it-answered');
    assert.deepEqual(faults, []);
    await close();
  });

  test("what the gateway refuses stands at its field in the gateway's words, and nothing typed is lost", async () => {
    const { page, close } = await open();
    const distance = page.getByLabel('distance double');
    await distance.fill('far away');
    await page.getByRole('button', { name: 'Ask', exact: true }).click();
    await page.getByRole('alert').getByText('far away', { exact: false }).waitFor();
    assert.equal(await distance.getAttribute('aria-invalid'), 'true');
    assert.match(await page.getByRole('alert').innerText(), /Refused \(400\).*distance.*far away/s);
    await page.getByRole('link', { name: 'Overview' }).click();
    await page.getByRole('link', { name: 'Live' }).click();
    await distance.waitFor();
    assert.equal(await distance.inputValue(), 'far away');
    await close();
  });

  test('several rows are asked at once, from the form and from JSON, and null is not an empty text', async () => {
    const { page, close } = await open();
    await page.getByRole('button', { name: 'Add a row' }).click();
    await page.getByLabel('origin is null').check();
    await page.getByText('JSON', { exact: true }).click();
    const json = page.getByLabel('Rows as JSON');
    const rows = JSON.parse(await json.inputValue());
    assert.equal(rows.length, 2);
    assert.equal(rows[1].origin, null);
    await json.fill('[{"distance": ');
    await page.getByText(/JSON/).nth(1).waitFor();
    assert.ok(await page.getByRole('button', { name: 'Ask', exact: true }).isDisabled());
    const three = [100, 200, 300].map((distance) => ({ ...rows[0], distance }));
    await json.fill(JSON.stringify(three));
    await page.getByRole('button', { name: 'Ask', exact: true }).click();
    await page.getByText('row 3').waitFor();
    assert.equal(await page.getByRole('list', { name: 'Probabilities' }).count(), 3);
    await page.getByText('form', { exact: true }).click();
    await page.getByText('row 3', { exact: true }).first().click();
    assert.equal(await page.getByLabel('distance double').inputValue(), '300');
    await close();
  });

  test('a row is filled from a recent prediction and from a row of the data', async () => {
    const { page, close } = await open();
    await page.getByRole('button', { name: 'From a row of the data' }).click();
    await page.getByLabel('Row of flights, the first is 0').fill('3');
    await page.getByRole('button', { name: 'Fill' }).click();
    await page.getByText(/^Row 3 of flights v/).waitFor();
    const { rows } = await get('/datasets/flights/versions/latest/rows?offset=3&limit=1');
    assert.equal(await page.getByLabel('distance double').inputValue(), String(rows[0].distance));
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'From a recent prediction' }).click();
    const { items } = await get('/predictions?endpoint=flights&limit=2');
    await page.getByRole('button', { name: new RegExp(items[1].id.slice(-7)) }).click();
    assert.equal(await page.getByLabel('distance double').inputValue(), String(items[1].features.distance ?? ''));
    await close();
  });

  test('curl, Python and TypeScript run as they are shown, and get the answer that the page got', async (t) => {
    const { page, close } = await open();
    await page.getByLabel('origin string').fill('O\'Hare "ORD" — 東京');
    await page.getByRole('button', { name: 'Add a row' }).click();
    // The same entity is answered by the same arm of the canary.
    await page.getByText('Ids and time of the request').click();
    await page.getByRole('textbox', { name: 'entity' }).fill('somebody');
    await page.getByRole('button', { name: 'Ask', exact: true }).click();
    await page.getByRole('list', { name: 'Probabilities' }).first().waitFor();
    const answered = await page.getByRole('list', { name: 'Probabilities' }).first().locator('[title]').allInnerTexts();
    const snippet = async (language: string): Promise<string> => {
      await page.getByRole('tab', { name: language }).click();
      await page.getByRole('button', { name: 'Copy', exact: true }).click();
      const copied = await page.evaluate('navigator.clipboard.readText()');
      assert.equal(copied, await page.getByLabel(`The request in ${language}`).innerText());
      return String(copied);
    };
    const folder = tempDir();
    const run = (command: string, args: readonly string[]): string => {
      const { stdout, stderr, status } = spawnSync(command, [...args], { encoding: 'utf8' });
      assert.equal(status, 0, stderr);
      return stdout;
    };
    const curl = JSON.parse(run('sh', ['-c', await snippet('curl')]));
    assert.equal(curl.outputs[0].shape[0], 2);
    const share = curl.outputs[1].data[0] as number;
    assert.ok(answered[0]?.startsWith((share * 100).toFixed(1).replace(/\.0$/, '')), `${answered} and ${share}`);
    writeFileSync(join(folder, 'ask.mts'), await snippet('TypeScript'));
    assert.match(
      run(process.execPath, [join(folder, 'ask.mts')]),
      new RegExp(`^200 .*${String(share).slice(0, 8)}`, 's'),
    );
    const python = await snippet('Python');
    writeFileSync(join(folder, 'ask.py'), python);
    if (spawnSync('python3', ['-c', 'import requests']).status !== 0) t.diagnostic('Python has no requests here');
    else assert.match(run('python3', [join(folder, 'ask.py')]), new RegExp(`^200 .*${String(share).slice(0, 8)}`, 's'));
    await close();
  });

  test('predictions are filtered in the address, and what came true is beside what was answered', async () => {
    const { page, close } = await open(`${MODEL}?label=known&v=${canary.challenger}`);
    const rows = table(page, 'Predictions').locator('tbody tr');
    await rows.first().waitFor();
    const known = await get(`/labels/predictions?endpoint=flights&label=known&version=${canary.challenger}&limit=5`);
    assert.ok(
      known.items.every(
        (item: { version: number; truth: object | null }) => item.version === canary.challenger && item.truth,
      ),
    );
    const first = await rows.first().innerText();
    assert.ok(first.includes(known.items[0].id.slice(-7)), first);
    await page.getByLabel('Label', { exact: true }).selectOption('missing');
    await page.waitForURL(/label=missing/);
    const missing = await get(
      `/labels/predictions?endpoint=flights&label=missing&version=${canary.challenger}&limit=1`,
    );
    await rows.first().getByText(missing.items[0].id.slice(-7)).waitFor();
    await page.getByLabel("Filter predictions by id, caller's id or entity").fill('no such id');
    await page.getByText('No prediction passes these filters.').waitFor();
    await close();
  });

  test('a row opens beside the list with all that is known of it, and Escape closes it', async () => {
    const { page, faults, close } = await open(`${MODEL}?label=known`);
    const row = table(page, 'Predictions').locator('tbody tr').nth(1);
    await row.click();
    const panel = page.getByRole('complementary', { name: /^Prediction / });
    await panel.getByRole('list', { name: 'What moved the answer' }).waitFor();
    await page.waitForURL(/prediction=/);
    const id = new URL(page.url()).searchParams.get('prediction') ?? '';
    const why = await get(`/why/${id}`);
    const text = await panel.innerText();
    assert.ok(text.includes(`${why.data.label.value} (${why.data.label.source})`), text);
    assert.ok(text.includes(String(why.data.prediction.features.distance)));
    assert.deepEqual(await violations(page), []);
    await shoot(page, 'prediction-panel');
    await page.keyboard.press('Escape');
    await panel.waitFor({ state: 'detached' });
    assert.deepEqual(faults, []);
    await close();
  });

  test('rows come in by themselves, not while paused; strange names are text', async () => {
    const { page, faults, close } = await open();
    const list = table(page, 'Predictions');
    await list.locator('tbody tr').first().waitFor();
    const ask = async (id: string): Promise<void> => {
      const { items } = await get('/predictions?endpoint=flights&limit=1');
      const inputs = Object.entries({ ...items[0].features, date: items[0].eventTime }).map(([name, value]) => ({
        name,
        shape: [1],
        datatype: typeof value === 'number' ? 'FP64' : 'BYTES',
        data: [value],
      }));
      const body = JSON.stringify({ id, inputs, parameters: { event_time: items[0].eventTime } });
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(`${flights.levain.gatewayUrl}/v2/models/flights/infer`, {
        method: 'POST',
        headers,
        body,
      });
      assert.equal(answer.status, 200, await answer.text());
    };
    await page.getByRole('button', { name: 'Pause' }).last().click();
    const strange = `<img src=x onerror="document.title='ran'"> ${'ש'.repeat(120)}`;
    await ask(strange);
    await waitFor('the log', async () => {
      const { items } = await get(`/labels/predictions?endpoint=flights&text=${encodeURIComponent('onerror')}`);
      assert.equal(items.length, 1);
    });
    assert.equal(await list.getByText('onerror', { exact: false }).count(), 0);
    await page.getByRole('button', { name: 'Go on' }).click();
    await list.getByText(strange, { exact: true }).waitFor({ state: 'attached' });
    await ask('the next one');
    await list.getByText('the next one', { exact: true }).waitFor({ state: 'attached' });
    assert.notEqual(await page.title(), 'ran');
    assert.deepEqual(faults, []);
    await close();
  });

  test('what passes the filters is exported whole, as CSV and as JSONL', async () => {
    const { page, close } = await open(`${MODEL}?v=${canary.challenger}&label=missing`);
    await table(page, 'Predictions').locator('tbody tr').first().waitFor();
    await page.getByRole('button', { name: 'Export' }).click();
    let logged = 0;
    for (let from = ''; ; ) {
      const part = await get(
        `/labels/predictions?endpoint=flights&version=${canary.challenger}&label=missing&limit=1000${from}`,
      );
      logged += part.items.length;
      if (part.next === undefined) break;
      from = `&after=${encodeURIComponent(part.next)}`;
    }
    for (const kind of ['CSV', 'JSONL']) {
      const [file] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('button', { name: kind, exact: true }).last().click(),
      ]);
      const lines = readFileSync(await file.path(), 'utf8')
        .trimEnd()
        .split('\n');
      assert.equal(lines.length, logged + (kind === 'CSV' ? 1 : 0));
      assert.ok(file.suggestedFilename().endsWith(kind.toLowerCase()));
      if (kind === 'JSONL') assert.equal(JSON.parse(lines[0]!).version, canary.challenger);
    }
    await close();
  });

  test('the fallback is switched on and off with its consequence, and the gateway follows', async () => {
    const { page, close } = await open();
    await confirm(page, 'Fallback on');
    await page.getByText('FALLBACK', { exact: true }).first().waitFor();
    const isFallback = async (): Promise<boolean> => (await get('/endpoints/flights')).fallback.active;
    assert.equal(await isFallback(), true);
    await shoot(page, 'live-fallback');
    await confirm(page, 'Fallback off');
    await waitFor('the model again', async () => assert.equal(await isFallback(), false));
    await page.getByRole('button', { name: 'Fallback on' }).waitFor();
    await close();
  });

  test('a rollout is paused, goes on and is aborted by hand; each says what follows, and the page shows what came of it', async () => {
    const { page, faults, close } = await open();
    const state = async (): Promise<string> => (await get('/endpoints/flights/rollout')).rollout.state;
    const rollout = page.getByRole('heading', { name: `Rollout of v${canary.challenger}` }).locator('xpath=../..');
    await rollout.getByRole('button', { name: 'Pause', exact: true }).click();
    const dialog = page.getByRole('dialog');
    assert.match(
      await dialog.innerText(),
      words(`v${canary.challenger} stays at 25.% of the traffic until somebody continues`),
    );
    await dialog.getByLabel('Reason (optional)').fill('looking at it');
    await dialog.getByRole('button', { name: 'Pause', exact: true }).click();
    await dialog.waitFor({ state: 'detached' });
    await rollout.getByText('looking at it', { exact: false }).first().waitFor();
    assert.equal(await state(), 'paused');
    assert.deepEqual(await violations(page), []);
    await shoot(page, 'rollout-paused');

    await rollout.getByRole('button', { name: 'Continue', exact: true }).click();
    assert.match(
      await dialog.innerText(),
      words(`v${canary.challenger} takes 25.% of the traffic, as before the pause`),
    );
    await dialog.getByRole('button', { name: 'Continue', exact: true }).click();
    await rollout.getByRole('button', { name: 'Pause', exact: true }).waitFor();
    assert.equal(await state(), 'canary');

    await rollout.getByRole('button', { name: 'Abort', exact: true }).click();
    assert.match(
      await dialog.innerText(),
      words(`v${canary.champion} answers all of it, within seconds.*flights is then HELD`),
    );
    await dialog.getByRole('button', { name: 'Abort', exact: true }).click();
    await page.getByText('HELD', { exact: true }).first().waitFor();
    await waitFor('the end', async () => assert.equal(await state(), 'aborted'));
    await rollout.getByText('aborted', { exact: true }).first().waitFor();
    assert.equal((await get('/status')).models[0].live[0].share, 1);
    await shoot(page, 'rollout-aborted');
    assert.deepEqual(faults, []);
    await close();
  });

  test('a hand on a rollout that is over is refused in words, and what was typed stays', async () => {
    await flights.levain.run(['resume', 'flights', '--yes'], [5]);
    await flights.levain.run(['deploy', `flights@v${canary.challenger}`, '--rollout', 'canary:25,50', '--yes']);
    const { page, close } = await open();
    const rollout = page.getByRole('heading', { name: `Rollout of v${canary.challenger}` }).locator('xpath=../..');
    await rollout.getByRole('button', { name: 'Abort', exact: true }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Reason (optional)').fill('wrong labels');
    await page.route('**/endpoints/flights/rollout', async (route) => {
      if (route.request().method() === 'POST') await flights.levain.run(['rollout', 'flights', '--abort', '--yes']);
      await route.continue();
    });
    await dialog.getByRole('button', { name: 'Abort', exact: true }).click();
    await dialog.getByRole('alert').waitFor();
    assert.match(await dialog.getByRole('alert').innerText(), /Not possible as things stand now/);
    assert.equal(await dialog.getByLabel('Reason (optional)').inputValue(), 'wrong labels');
    await close();
  });

  test('a link leads to a rollout that is over, with its evidence', async () => {
    const { items } = await get('/endpoints/flights/rollouts');
    const third = items.find(
      (item: { version: number; state: string }) => item.version === canary.challenger && item.state === 'done',
    );
    const { page, close } = await open(`${MODEL}?rollout=${third.id}`);
    await page.getByRole('heading', { name: `Rollout of v${canary.challenger}` }).waitFor();
    const evidence = table(page, 'Evidence of the rollout');
    await evidence.getByText('labels that differ').waitFor();
    assert.match(await evidence.innerText(), /rows, \d+.* units/);
    await table(page, 'What happened in the rollout').getByText('promoting').waitFor();
    await close();
  });
});
