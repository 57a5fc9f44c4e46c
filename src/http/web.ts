import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Random } from '../ports/system.ts';
import { prefixOf } from './guard.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

/** Pages of the web UI: the first segment of an address, besides the root. */
const PLACES = ['m', 'i', 'models', 'runs', 'compare', 'data', 'activity', 'settings', 'why', 'new'];

interface Asset {
  readonly type: string;
  readonly plain: Buffer;
  readonly brotli: Buffer | undefined;
  readonly gzip: Buffer | undefined;
  readonly etag: string;
}

export interface Web {
  readonly page: string;
  /** Of the one script that stands in the page: it sets the theme before anything is drawn. */
  readonly scriptHashes: readonly string[];
  readonly assets: ReadonlyMap<string, Asset>;
}

/** The built UI, or undefined where it was not built. Read once: it is half a megabyte, and what is served cannot change under a page. */
export async function loadWeb(folder: string): Promise<Web | undefined> {
  const page = await readFile(join(folder, 'index.html'), 'utf8').catch(() => undefined);
  if (page === undefined) return undefined;
  const names = [
    ...(await readdir(folder)).filter((name) => name in { 'favicon.svg': 1 }),
    ...(await readdir(join(folder, 'assets'))).map((name) => `assets/${name}`),
  ];
  const assets = new Map<string, Asset>();
  for (const name of names) {
    const type = TYPES[extname(name)];
    if (type !== undefined) assets.set(`/${name}`, await readAsset(folder, name, type));
  }
  return { page, scriptHashes: scriptHashesOf(page), assets };
}

const scriptHashesOf = (page: string): readonly string[] =>
  [...page.matchAll(/<script>([\s\S]*?)<\/script>/g)].map(
    ([, text = '']) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`,
  );

async function readAsset(folder: string, name: string, type: string): Promise<Asset> {
  const path = join(folder, name);
  const [plain, brotli, gzip] = await Promise.all([
    readFile(path),
    readFile(`${path}.br`).catch(() => undefined),
    readFile(`${path}.gz`).catch(() => undefined),
  ]);
  return {
    type,
    plain,
    brotli,
    gzip,
    etag: `"${createHash('sha256').update(plain).digest('base64url').slice(0, 22)}"`,
  };
}

export interface WebDeps {
  readonly random: Random;
  /** The project of a request's address (`/p/NAME`). */
  readonly projectOf: (request: FastifyRequest) => string | undefined;
}

/** Mounts pages and assets. Assets are named by their content, so browsers keep them for ever. */
export function mountWeb(app: FastifyInstance, deps: WebDeps, web: Web): void {
  const page = (request: FastifyRequest, reply: FastifyReply) => sendPage(deps, web, request, reply);
  app.get('/', { exposeHeadRoute: false }, page);
  for (const place of PLACES) {
    app.get(`/${place}`, { exposeHeadRoute: false }, page);
    app.get(`/${place}/*`, { exposeHeadRoute: false }, page);
  }
  for (const [path, asset] of web.assets)
    app.get(path, { exposeHeadRoute: false }, (request, reply) => sendAsset(asset, path, request, reply));
}

function sendAsset(asset: Asset, path: string, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const isNamedByContent = path.startsWith('/assets/');
  reply
    .type(asset.type)
    .header('etag', asset.etag)
    .header('vary', 'accept-encoding')
    .header('cache-control', isNamedByContent ? 'public, max-age=31536000, immutable' : 'public, max-age=3600');
  if (request.headers['if-none-match'] === asset.etag) return reply.code(304).send();
  const accepted = String(request.headers['accept-encoding'] ?? '');
  if (asset.brotli && /\bbr\b/.test(accepted)) return reply.header('content-encoding', 'br').send(asset.brotli);
  if (asset.gzip && /\bgzip\b/.test(accepted)) return reply.header('content-encoding', 'gzip').send(asset.gzip);
  return reply.send(asset.plain);
}

const NONCE_BYTES = 16;

/** The UI's one page; with 404, it also tells a person that an address is none. */
export function sendPage(
  deps: WebDeps,
  { page, scriptHashes }: Web,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const bytes = new Uint8Array(NONCE_BYTES);
  deps.random.fill(bytes);
  const nonce = Buffer.from(bytes).toString('base64');
  const project = deps.projectOf(request);
  const base = `${prefixOf(request.headers)}${project === undefined ? '' : `/p/${encodeURIComponent(project)}`}/`;
  const html = page
    .replace('<base href="/" />', `<base href="${base}" />`)
    .replace('name="csp-nonce" content=""', `name="csp-nonce" content="${nonce}"`);
  return reply
    .type('text/html; charset=utf-8')
    .header('cache-control', 'no-store')
    .header('content-security-policy', policy(nonce, scriptHashes))
    .send(html);
}

/** Nothing but this server's own files runs; styles that the UI makes at run time carry the page's nonce. */
const policy = (nonce: string, scriptHashes: readonly string[]): string =>
  [
    "default-src 'none'",
    `script-src ${["'self'", ...scriptHashes].join(' ')}`,
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' data: blob:",
    "font-src 'self'",
    "connect-src 'self'",
    "frame-src 'self' blob:",
    "base-uri 'self'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
