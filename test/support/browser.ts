import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const CHROMIUMS = [process.env['LEVAIN_CHROMIUM'] ?? '', '/usr/bin/chromium', '/usr/bin/chromium-browser'];

export const SIZES = { desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } } as const;
export type Size = keyof typeof SIZES;
export type Theme = 'light' | 'dark';

const findChromium = (): string | undefined => CHROMIUMS.find((path) => path && existsSync(path));

/** Why no page can be opened here; undefined where one can. */
export const chromiumMissing = (): string | undefined =>
  findChromium() ? undefined : 'Chromium is not installed (Debian: apt install chromium)';

/** The machine's own Chromium, headless. */
export async function openBrowser(): Promise<Browser> {
  const executablePath = findChromium();
  if (!executablePath) throw new Error(chromiumMissing());
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
}

export interface PageOptions {
  readonly size?: Size;
  readonly theme?: Theme;
}

/** A page of a fresh context. What it throws, logs as an error or asks of another host is kept in `faults`. */
export async function openPage(
  browser: Browser,
  baseURL: string,
  { size = 'desktop', theme = 'light' }: PageOptions = {},
): Promise<{ page: Page; context: BrowserContext; faults: string[] }> {
  const context = await browser.newContext({
    baseURL,
    viewport: SIZES[size],
    colorScheme: theme,
    reducedMotion: 'reduce',
    hasTouch: size === 'phone',
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(`threw ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error' && !/Failed to load resource/.test(message.text())) faults.push(message.text());
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(baseURL) && !/^(data|blob):/.test(request.url()))
      faults.push(`asked ${request.url()} of another host`);
  });
  return { page, context, faults };
}

interface AxeViolation {
  readonly id: string;
  readonly help: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
}

/** What axe finds wrong with the page as it stands; one line a violation, with the element. */
export async function violations(page: Page): Promise<string[]> {
  if (!(await page.evaluate('"axe" in window'))) await page.evaluate(axeSource);
  const found = (await page.evaluate('axe.run().then((result) => result.violations)')) as readonly AxeViolation[];
  return found.flatMap(({ id, help, nodes }) =>
    nodes.map((node) => `${id}: ${help}: ${node.html.slice(0, 200)} ${node.failureSummary?.slice(0, 300) ?? ''}`),
  );
}

/** Whether the page is wider than its window: on a phone nothing may scroll sideways but what is meant to. */
export async function overflow(page: Page): Promise<number> {
  return page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
}

/** Writes a screenshot of the whole page where `LEVAIN_TEST_SHOTS` names a folder. */
export async function shoot(page: Page, name: string): Promise<void> {
  const folder = process.env['LEVAIN_TEST_SHOTS'];
  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}

export interface Look {
  /** Names the screenshots. */
  readonly name: string;
  readonly path: string;
  /** Waits for what must stand on the page, and opens what must be open. */
  readonly ready: (page: Page) => Promise<unknown>;
  readonly sizes?: readonly Size[];
}

/** One page at both widths in both themes: nothing thrown, nothing asked of others, nothing too wide, nothing that axe finds. */
export async function lookAt(browser: Browser, baseURL: string, look: Look): Promise<void> {
  for (const size of look.sizes ?? (Object.keys(SIZES) as Size[])) {
    for (const theme of ['light', 'dark'] as const) {
      const { page, context, faults } = await openPage(browser, baseURL, { size, theme });
      await page.goto(look.path);
      await look.ready(page);
      await shoot(page, `${look.name}-${size}-${theme}`);
      const what = `${look.name} at ${size} width, ${theme}`;
      assert.deepEqual(faults, [], what);
      assert.deepEqual(await violations(page), [], what);
      assert.ok((await overflow(page)) <= 0, `${what} is ${await overflow(page)} px wider than its window`);
      await context.close();
    }
  }
}
