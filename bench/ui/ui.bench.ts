/**
 * The web UI's speed in headless Chromium, beside the UI of the real `mlflow server` where it has the function.
 *
 *     vite build web && node bench/ui/ui.bench.ts [--runs 10000] [--points 10000] [--no-mlflow]
 *
 * Needs Chromium, and uv for mlflow 3.17.2. Both servers hold the same runs; ours also the flights story (`LEVAIN_TEST_WORLD` keeps
 * it between runs). Every figure is the median of a few rounds in fresh pages on one browser. Seconds differ between machines and
 * with what else they do: the load average is printed. What is measured:
 *
 * - first load: bytes of the page, scripts and styles as they travel, until it is idle
 * - interactive: cold browser cache, from the navigation until the first content can be clicked
 * - table: from a key in the search box, and from a jump of the scrollbar, until the rows are painted
 * - charts: from the navigation until every chart of the page has its lines
 * - live: from the answer to `log-metric` until the value is on the page
 * - heap: JavaScript heap after collection, before and after thousands of events and page changes
 */
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import type { Browser } from 'playwright-core';
import { openBrowser } from '../../test/support/browser.ts';
import { openFlights } from '../../test/support/flights.ts';
import { mlflowClient } from '../../test/support/tracked-runs.ts';
import { chartsDrawn, heapGrowth, interactive, liveLatency, tableFigures, transferred } from './measure.ts';
import { startMlflow } from './mlflow.ts';
import { seedCharts, seedRuns } from './seed.ts';

const { values: options } = parseArgs({
  options: {
    runs: { type: 'string', default: '10000' },
    points: { type: 'string', default: '10000' },
    'no-mlflow': { type: 'boolean', default: false },
  },
});
const [RUNS, POINTS, METRICS, CHARTED] = [Number(options.runs), Number(options.points), 20, 10];

const rows: (readonly [what: string, ours: string, theirs: string, bar: string])[] = [];
const report = (what: string, ours: string, theirs: string, bar: string): void => {
  rows.push([what, ours, theirs, bar]);
  console.error(`${what}: ${ours} (mlflow: ${theirs})`);
};
const ms = (value: number | undefined): string => (value === undefined ? '—' : `${value.toFixed(0)} ms`);
const kb = (value: number | undefined): string => (value === undefined ? '—' : `${(value / 1_000).toFixed(0)} KB`);

const flights = await openFlights();
const browser = await openBrowser();
const mlflow = options['no-mlflow']
  ? undefined
  : await startMlflow({ runs: RUNS, charted: CHARTED, metrics: METRICS, points: POINTS });
try {
  await measure(browser, flights.levain.url);
} finally {
  await browser.close();
  await flights.close();
  mlflow?.stop();
}
console.log(
  `Load average ${loadavg()[0]!.toFixed(1)}; ${RUNS} runs; ${METRICS} charts × ${CHARTED} runs × ${POINTS} points.\n`,
);
console.log('| what | Levain | mlflow 3.17.2 | bar |\n|---|---|---|---|');
for (const row of rows) console.log(`| ${row.join(' | ')} |`);

async function measure(opened: Browser, url: string): Promise<void> {
  const client = mlflowClient(url);
  const ids = await seedCharts(client, { runs: CHARTED, metrics: METRICS, points: POINTS });
  await seedRuns(client, RUNS - CHARTED);
  const theirs = mlflow && { home: `${mlflow.url}/#/experiments/0/runs`, url: mlflow.url };

  const load = await transferred(opened, `${url}/`);
  const their = theirs && (await transferred(opened, theirs.home));
  report('first load, compressed as it travels', kb(load), kb(their), '220 KB');

  const home = await interactive(opened, `${url}/`, 'h1');
  report('Home interactive, cold', ms(home), '—', '1,000 ms');
  const model = await interactive(opened, `${url}/m/flights`, 'h1');
  report('a model page interactive, cold', ms(model), '—', '1,000 ms');

  const table = await tableFigures(opened, `${url}/runs`);
  report(
    `${RUNS} runs: page until its rows stand, cold`,
    ms(table.open),
    ms(theirs && (await interactive(opened, theirs.home, '[role=row] a'))),
    '',
  );
  report(`${RUNS} runs: scroll to the middle`, ms(table.scroll), 'pages of 100', '150 ms');
  report(`${RUNS} runs: filter by words`, ms(table.words), '—', '150 ms');
  report(`${RUNS} runs: filter by the grammar`, ms(table.grammar), '—', '150 ms');

  const charts = await chartsDrawn(opened, `${url}/compare?runs=${ids.join(',')}`, METRICS);
  const what = `${METRICS} charts × ${CHARTED} runs × ${POINTS} points`;
  report(`${what}: drawn`, ms(charts.wall), '—', '1,000 ms');
  report(`${what}: CPU of the page`, ms(charts.cpu), '—', '');

  const live = await liveLatency(opened, url, client);
  report("a live run's point on the page", ms(live), 'polls every 30 s', '500 ms');

  const heap = await heapGrowth(opened, url, client, ids[0]!);
  report(
    'heap before and after an hour of events',
    `${(heap.before / 1e6).toFixed(1)} → ${(heap.after / 1e6).toFixed(1)} MB`,
    '—',
    'does not grow',
  );
}
