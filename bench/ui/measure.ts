import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser, CDPSession, Page } from 'playwright-core';
import { SIZES } from '../../test/support/browser.ts';
import type { MlflowClient } from '../../test/support/tracked-runs.ts';

const ROUNDS = 5;
const PATIENCE_MS = 120_000;

/** A page with an empty cache; what it did is gone with it. */
async function fresh<T>(browser: Browser, use: (page: Page) => Promise<T>): Promise<T> {
  const context = await browser.newContext({ viewport: SIZES.desktop });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  try {
    return await use(page);
  } finally {
    await context.close();
  }
}

async function median(round: () => Promise<number>, rounds = ROUNDS): Promise<number> {
  const values: number[] = [];
  for (let i = 0; i < rounds; i++) values.push(await round());
  return values.sort((a, b) => a - b)[Math.floor(rounds / 2)]!;
}

/** Bytes of the document, scripts and styles as they travelled. */
export const transferred = (browser: Browser, address: string): Promise<number> =>
  fresh(browser, async (page) => {
    const session = await page.context().newCDPSession(page);
    await session.send('Network.enable');
    const kinds = new Map<string, string>();
    let total = 0;
    session.on('Network.responseReceived', ({ requestId, type }) => kinds.set(requestId, type));
    session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
      if (['Document', 'Script', 'Stylesheet'].includes(kinds.get(requestId) ?? '')) total += encodedDataLength;
    });
    await page.goto(address);
    await sleep(4_000);
    return total;
  });

/** Until `selector` stands and the main thread is free to answer a click. */
export const interactive = (browser: Browser, address: string, selector: string): Promise<number> =>
  median(() =>
    fresh(browser, async (page) => {
      const begun = performance.now();
      await page.goto(address, { waitUntil: 'commit' });
      await page.locator(selector).first().waitFor();
      await page.evaluate('new Promise((done) => requestAnimationFrame(() => setTimeout(done)))');
      return performance.now() - begun;
    }),
  );

/** Does something in the page and answers how long it took until `until` (an expression) holds and was painted. */
const timed = (page: Page, act: string, until: string): Promise<number> =>
  page.evaluate(`(async () => {
    const begun = performance.now();
    ${act};
    while (!(${until})) await new Promise((next) => requestAnimationFrame(next));
    await new Promise((next) => requestAnimationFrame(() => setTimeout(next)));
    return performance.now() - begun;
  })()`);

const typing = (text: string): string => `
    const box = document.querySelector('[data-filter]');
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(box, ${JSON.stringify(text)});
    box.dispatchEvent(new Event('input', { bubbles: true }))`;
const counted = (words: string): string => `/${words}/.test(document.querySelector('output')?.textContent ?? '')`;

/** Opening, scrolling and filtering the table of runs. Filtering counts from the key, the pause of typing included. */
export async function tableFigures(browser: Browser, address: string) {
  const open = await interactive(browser, address, 'tbody tr[data-row]');
  return fresh(browser, async (page) => {
    await page.goto(address);
    await page.locator('tbody tr[data-row]').first().waitFor();
    await sleep(1_000);
    let at = 0;
    const scroll = await median(() => {
      at += 1;
      const top = `view.scrollHeight * ${0.1 + at * 0.13}`;
      return timed(
        page,
        `const view = document.querySelector('[data-table]'); view.scrollTop = ${top}`,
        `[...document.querySelectorAll('tbody tr[data-row]')].some((row) => { const box = row.getBoundingClientRect(); const seen = view.getBoundingClientRect(); return box.top > seen.top + 60 && box.bottom < seen.bottom; })`,
      );
    });
    let round = 0;
    const words = await median(async () => {
      const took = await timed(page, typing(`run-${++round}00`), counted('^[1-9][0-9]* of'));
      await timed(page, typing(''), counted('^[0-9,]+ runs'));
      return took;
    });
    const grammar = await median(async () => {
      const took = await timed(
        page,
        typing(`metrics.loss < 0.${++round} and params.depth = '5'`),
        counted('^[1-9][0-9]* of'),
      );
      await timed(page, typing(''), counted('^[0-9,]+ runs'));
      return took;
    });
    return { open, scroll, words, grammar };
  });
}

/**
 * From the navigation until every chart has its lines, and the CPU of the page's main thread for it, which other work on the machine
 * does not change. The page is made tall enough that no chart waits to be seen.
 */
export async function chartsDrawn(browser: Browser, address: string, charts: number) {
  const cpu: number[] = [];
  const wall = await median(
    () =>
      fresh(browser, async (page) => {
        await page.setViewportSize({ width: 1_280, height: 6_000 });
        await page.goto(new URL(address).origin);
        await page.locator('h1').first().waitFor();
        await sleep(1_000);
        const session = await page.context().newCDPSession(page);
        await session.send('Performance.enable', { timeDomain: 'threadTicks' });
        const before = await taskMs(session);
        const to = address.slice(new URL(address).origin.length);
        const took = await timed(
          page,
          `history.pushState({}, '', ${JSON.stringify(to)}); dispatchEvent(new PopStateEvent('popstate'))`,
          `document.querySelectorAll('figure canvas').length >= ${charts}`,
        );
        cpu.push((await taskMs(session)) - before);
        return took;
      }),
    3,
  );
  return { wall, cpu: cpu.sort((a, b) => a - b)[1]! };
}

async function taskMs(session: CDPSession): Promise<number> {
  const { metrics } = await session.send('Performance.getMetrics');
  return (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? 0) * 1_000;
}

/** From the answer to `log-metric` until the value stands on the run's page. */
export const liveLatency = (browser: Browser, url: string, client: MlflowClient): Promise<number> =>
  fresh(browser, async (page) => {
    const id = await client.createRun({ name: 'live' });
    await client.metric(id, 'loss', 1, 0);
    await page.goto(`${url}/runs/${id}`);
    const table = page.getByRole('region', { name: 'Metrics' });
    await table.getByText('loss').waitFor();
    await sleep(1_000);
    let step = 0;
    return median(async () => {
      const value = `0.${100 + ++step}`;
      await client.metric(id, 'loss', Number(value), step);
      const begun = performance.now();
      await table.getByText(value).first().waitFor();
      const took = performance.now() - begun;
      await sleep(300);
      return took;
    }, 9);
  });

const EVENTS = 3_000;
const CHANGES = 60;

/** The heap after an hour's worth: thousands of events while the run's page is open, then many changes of page. */
export const heapGrowth = (browser: Browser, url: string, client: MlflowClient, runId: string) =>
  fresh(browser, async (page) => {
    const session = await page.context().newCDPSession(page);
    await session.send('HeapProfiler.enable');
    const heap = async (): Promise<number> => {
      await sleep(2_000);
      await session.send('HeapProfiler.collectGarbage');
      const { usedSize } = await session.send('Runtime.getHeapUsage');
      return usedSize;
    };
    const id = await client.createRun({ name: 'long' });
    const tour = async (times: number): Promise<void> => {
      for (let i = 0; i < times; i++) {
        for (const [place, ready] of PLACES) {
          await page.locator(`nav a[href$="${place}"]`).first().click();
          await page.getByRole('heading', { name: ready, level: 1 }).waitFor();
        }
      }
    };
    await page.goto(`${url}/runs/${runId}`);
    await tour(5);
    const before = await heap();
    for (let at = 0; at < EVENTS; at += 100) {
      await Promise.all(Array.from({ length: 10 }, (_, i) => client.metric(id, 'loss', i, at + i)));
    }
    await tour(CHANGES / PLACES.length);
    return { before, after: await heap() };
  });

const PLACES = [
  ['/runs', 'Runs'],
  ['/models', 'Models'],
  ['/data', 'Data'],
] as const;
