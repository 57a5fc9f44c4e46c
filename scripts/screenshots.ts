import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openBrowser, openPage, type Size, type Theme } from '../test/support/browser.ts';

/**
 * The pictures of the documentation, from a server that the quick start filled: `node scripts/screenshots.ts --url URL --out FOLDER`.
 * `--all` takes every page in every look instead, for looking at what was changed.
 */
const { values } = parseArgs({
  options: {
    url: { type: 'string', default: 'http://127.0.0.1:4747' },
    out: { type: 'string', default: 'docs/images' },
    all: { type: 'boolean', default: false },
    only: { type: 'string' },
  },
});

type Look = readonly [Size, Theme];
const EVERY: readonly Look[] = [
  ['desktop', 'light'],
  ['desktop', 'dark'],
  ['phone', 'light'],
  ['phone', 'dark'],
];
/** How long a page may take to become quiet, charts included. */
const QUIET_MS = 10_000;

interface Shot {
  readonly name: string;
  readonly path: string;
  /** Looks that the documentation shows; none: only with `--all`. */
  readonly looks: readonly Look[];
  /** The page to its end, not the window alone. */
  readonly whole?: true;
}

// biome-ignore lint/suspicious/noExplicitAny: answers of many routes
const ask = async (path: string): Promise<any> => (await fetch(`${values.url}/api/levain/v1${path}`)).json();

async function shots(): Promise<readonly Shot[]> {
  const [{ items: incidents }, { items: runs }, { items: versions }] = await Promise.all([
    ask('/incidents?limit=50'),
    ask('/pipeline-runs?limit=50'),
    ask('/models/flights/versions'),
  ]);
  const incident = incidents.find((each: { rehearsal: unknown }) => !each.rehearsal) ?? incidents[0];
  const rehearsal = incidents.find((each: { rehearsal: unknown }) => each.rehearsal) ?? incidents[0];
  const version = versions.find((each: { gate: unknown }) => each.gate) ?? versions[0];
  const tracked = version.source?.trackedRunId ?? version.runId;
  const both: readonly Look[] = [
    ['desktop', 'light'],
    ['phone', 'dark'],
  ];
  const light: readonly Look[] = [['desktop', 'light']];
  const dark: readonly Look[] = [['desktop', 'dark']];
  return [
    { name: 'home', path: '/', looks: both },
    { name: 'models', path: '/models', looks: [] },
    { name: 'model', path: '/m/flights', looks: light, whole: true },
    { name: 'live', path: '/m/flights/live', looks: light },
    { name: 'monitor', path: '/m/flights/monitor?light=performance', looks: dark, whole: true },
    { name: 'versions', path: '/m/flights/versions', looks: light },
    { name: 'version', path: `/m/flights/versions/${version.version}`, looks: [] },
    { name: 'pipeline', path: `/m/flights/pipeline?run=${runs[0].id}`, looks: light },
    { name: 'incident', path: `/i/${incident.number}`, looks: both },
    { name: 'rehearsal', path: `/i/${rehearsal.number}`, looks: [] },
    { name: 'why', path: `/why/${runs[0].id}`, looks: [] },
    { name: 'runs', path: '/runs', looks: light },
    ...(tracked ? [{ name: 'run', path: `/runs/${tracked}`, looks: [] }] : []),
    { name: 'data', path: '/data', looks: [] },
    { name: 'dataset', path: '/data/flights', looks: [] },
    { name: 'activity', path: '/activity', looks: [] },
    { name: 'settings', path: '/settings', looks: [] },
    { name: 'new', path: '/new', looks: [] },
  ];
}

mkdirSync(values.out, { recursive: true });
const browser = await openBrowser();
for (const { name, path, looks, whole } of await shots()) {
  if (values.only && !values.only.split(',').includes(name)) continue;
  for (const [size, theme] of values.all ? EVERY : looks) {
    const { page, context, faults } = await openPage(browser, values.url, { size, theme });
    await page.goto(path);
    await page.waitForLoadState('networkidle', { timeout: QUIET_MS }).catch(() => {});
    await page
      .locator('canvas, [aria-label="Loading"]')
      .first()
      .waitFor({ timeout: 500 })
      .catch(() => {});
    await page.waitForTimeout(300);
    const suffix = values.all || looks.length > 1 ? `-${size}-${theme}` : '';
    await page.screenshot({ path: join(values.out, `${name}${suffix}.png`), fullPage: values.all || whole === true });
    if (faults.length > 0) process.stderr.write(`${name}: ${faults.join('; ')}\n`);
    await context.close();
  }
}
await browser.close();
