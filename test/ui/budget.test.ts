import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { chromiumMissing, openBrowser, openPage } from '../support/browser.ts';
import { startUp, type Up } from '../support/cli.ts';
import { tempDir } from '../support/temp.ts';

/** Kilobytes of 1,000 bytes, as browsers count what they transfer. */
const BUDGET_BYTES = 220_000;
const PREFIX = '/tools/levain';
const DIST = fileURLToPath(new URL('../../web/dist/', import.meta.url));
const skip = chromiumMissing();

interface Chunk {
  readonly file: string;
  readonly isEntry?: boolean;
  readonly imports?: readonly string[];
  readonly css?: readonly string[];
}

const manifest = JSON.parse(readFileSync(join(DIST, '.vite/manifest.json'), 'utf8')) as Readonly<Record<string, Chunk>>;

/** A chunk with all that it imports before it runs: scripts and styles. */
function neededBy(names: readonly string[], seen = new Set<string>()): ReadonlySet<string> {
  const files = new Set<string>();
  for (const name of names) {
    if (seen.has(name)) continue;
    seen.add(name);
    const { file, css = [], imports = [] } = manifest[name]!;
    for (const each of [file, ...css, ...neededBy(imports, seen)]) files.add(each);
  }
  return files;
}

const entry = Object.keys(manifest).find((name) => manifest[name]!.isEntry)!;
const HOME = 'src/pages/home/page.tsx';
const gzipped = (file: string): number => statSync(join(DIST, `${file}.gz`)).size;

let browser: Browser | undefined;
let up: Up;
let proxy: Server;
let proxied: string;
const asked: string[] = [];

before(async () => {
  up = await startUp(tempDir());
  if (!skip) browser = await openBrowser();
  proxy = createProxy(new URL(up.url)).listen(0, '127.0.0.1');
  await new Promise((resolve) => proxy.once('listening', resolve));
  proxied = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
});
after(async () => {
  await browser?.close();
  proxy?.closeAllConnections();
  proxy?.close();
  await up?.end('SIGTERM');
});

/** What people put in front: takes the prefix off, says so, and speaks to the server by the server's own name. */
function createProxy(target: URL): Server {
  return createServer((incoming, outgoing) => {
    asked.push(incoming.url ?? '');
    if (!incoming.url?.startsWith(`${PREFIX}/`)) return outgoing.writeHead(404).end('not here');
    const forwarded = request(
      {
        host: target.hostname,
        port: target.port,
        method: incoming.method,
        path: incoming.url.slice(PREFIX.length),
        headers: { ...incoming.headers, host: target.host, 'x-forwarded-prefix': PREFIX },
      },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      },
    );
    forwarded.on('error', () => outgoing.destroy());
    outgoing.on('close', () => forwarded.destroy());
    return incoming.pipe(forwarded);
  });
}

test('the home page needs at most 220 KB of scripts and styles, gzipped', (context) => {
  const files = [...neededBy([entry, HOME])].map((file) => ({ file, bytes: gzipped(file) }));
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  context.diagnostic(`first load: ${(total / 1_000).toFixed(1)} KB in ${files.length} files`);
  const list = files.sort((a, b) => b.bytes - a.bytes).map(({ file, bytes }) => `${bytes} ${file}`);
  assert.ok(total <= BUDGET_BYTES, `${total} bytes of ${BUDGET_BYTES}:\n${list.join('\n')}`);
});

test('charts, graphs, search and login come when they are needed', () => {
  const first = neededBy([entry, HOME]);
  for (const name of ['src/ui/plot.tsx', 'src/ui/flow.tsx', 'src/search.tsx', 'src/login.tsx', 'src/keys.tsx'])
    assert.ok(!first.has(manifest[name]!.file), `${name} is in the first load`);
});

test('nothing of the build names another host to load from', () => {
  for (const file of globSync('**/*.{css,html}', { cwd: DIST }))
    assert.doesNotMatch(
      readFileSync(join(DIST, file), 'utf8'),
      /(?:url\(|@import|src=|href=)["']?\s*(?:https?:)?\/\//,
      file,
    );
});

test('the page lets only its own files run, and is never kept', async () => {
  const answer = await fetch(`${up.url}/`);
  const policy = answer.headers.get('content-security-policy') ?? '';
  assert.equal(answer.headers.get('cache-control'), 'no-store');
  assert.match(policy, /default-src 'none'/);
  assert.match(policy, /script-src 'self' 'sha256-[\w+/=]+';/);
  assert.match(policy, /frame-ancestors 'none'/);
  assert.doesNotMatch(policy, /unsafe|\*|https?:/);
  const again = (await fetch(`${up.url}/`)).headers.get('content-security-policy');
  assert.notEqual(policy, again, 'the nonce of styles is used once');
});

test('assets are named by their content, kept for ever, and sent as small as they get', async () => {
  for (const file of [manifest[entry]!.file, ...(manifest[entry]!.css ?? [])]) {
    assert.match(file, /^assets\/.+-[\w-]{8}\.(js|css)$/);
    const plain = await fetch(`${up.url}/${file}`, { headers: { 'accept-encoding': 'identity' } });
    assert.equal(plain.headers.get('cache-control'), 'public, max-age=31536000, immutable');
    assert.equal(plain.headers.get('content-encoding'), null);
    const bytes = await plain.text();
    for (const encoding of ['br', 'gzip']) {
      const small = await fetch(`${up.url}/${file}`, { headers: { 'accept-encoding': encoding } });
      assert.equal(small.headers.get('content-encoding'), encoding);
      assert.equal(await small.text(), bytes);
    }
    const etag = plain.headers.get('etag') ?? '';
    assert.equal((await fetch(`${up.url}/${file}`, { headers: { 'if-none-match': etag } })).status, 304);
  }
  assert.ok(existsSync(join(DIST, `${manifest[entry]!.file}.br`)));
});

test('an address that is none is told with 404, to people in the UI and to programs without it', async () => {
  const person = await fetch(`${up.url}/nope/at/all`, { headers: { accept: 'text/html' } });
  assert.equal(person.status, 404);
  assert.match(await person.text(), /<div id="root">/);
  const program = await fetch(`${up.url}/api/2.0/mlflow/nope`, { headers: { accept: 'text/html' } });
  assert.equal(program.status, 404);
  assert.doesNotMatch(await program.text(), /id="root"/);
});

test('a page runs no script that was put into it', { skip }, async () => {
  const { page, context } = await openPage(browser!, up.url);
  await page.goto('/');
  await page.getByRole('navigation', { name: 'Places' }).waitFor();
  // As a text: tests know no types of the browser.
  const violated = await page.evaluate(`(async () => {
    const directives = [];
    document.addEventListener('securitypolicyviolation', (event) => directives.push(event.effectiveDirective));
    const script = document.createElement('script');
    script.textContent = 'window.stolen = true';
    document.body.append(script);
    const image = document.createElement('img');
    image.src = 'http://127.0.0.1:9/pixel.png';
    document.body.append(image);
    await new Promise((resolve) => setTimeout(resolve, 300));
    return { directives, stolen: 'stolen' in window };
  })()`);
  assert.deepEqual(violated, { directives: ['script-src-elem', 'img-src'], stolen: false });
  await context.close();
});

test('behind a proxy with a path prefix every page, call, event and change stays under it', { skip }, async () => {
  const { page, context, faults } = await openPage(browser!, proxied);
  asked.length = 0;
  await page.goto(`${PREFIX}/`);
  await page.getByRole('heading', { name: 'Drop a notebook' }).waitFor();
  await page.getByRole('link', { name: 'Runs' }).click();
  await page.waitForURL(`${proxied}${PREFIX}/runs`);
  await page.getByRole('heading', { name: 'Runs' }).waitFor();
  await page.reload();
  await page.getByRole('heading', { name: 'Runs' }).waitFor();
  await page.goBack();
  await page.waitForURL(`${proxied}${PREFIX}/`);
  const made = await page.evaluate(
    async (prefix) =>
      (
        await fetch(`${prefix}/api/levain/v1/projects`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: '{"name":"proxied"}',
        })
      ).status,
    PREFIX,
  );
  assert.equal(made, 200, 'a change from our own page passes');
  await page.getByRole('button', { name: 'main: project' }).click();
  await page.getByRole('link', { name: 'proxied', exact: true }).click();
  await page.waitForURL(`${proxied}${PREFIX}/p/proxied/`);
  await page.getByRole('link', { name: 'Data' }).click();
  await page.waitForURL(`${proxied}${PREFIX}/p/proxied/data`);
  assert.deepEqual(faults, []);
  assert.deepEqual(
    asked.filter((url) => !url.startsWith(`${PREFIX}/`)),
    [],
  );
  assert.ok(asked.some((url) => url.startsWith(`${PREFIX}/api/levain/v1/events`)));
  assert.ok(asked.some((url) => url.startsWith(`${PREFIX}/p/proxied/api/levain/v1/`)));
  await context.close();
});
