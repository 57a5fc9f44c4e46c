import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { ServerAddress } from '../client/client.ts';
import { AppError } from '../kernel/errors.ts';

export const DEFAULT_PORT = 4747;

/** What a folder remembers: its local server's data directory (the port may change), or a server elsewhere. */
export type FolderRecord = { readonly dataDir: string } | { readonly url: string };

/** What a running server says of itself in its data directory. */
export interface ServerRecord {
  readonly url: string;
  readonly pid: number;
  readonly gatewayUrl?: string;
}

type Env = Readonly<Record<string, string | undefined>>;

const recordPath = (folder: string): string => join(folder, '.levain', 'server-of-folder.json');

export async function findFolderRecord(folder: string): Promise<FolderRecord | undefined> {
  const record = await readJson<Record<string, unknown>>(recordPath(folder));
  if (typeof record?.['url'] === 'string') return { url: record['url'] };
  return typeof record?.['dataDir'] === 'string' ? { dataDir: record['dataDir'] } : undefined;
}

export async function saveFolderRecord(folder: string, record: FolderRecord): Promise<void> {
  await writeJson(recordPath(folder), record);
}

export async function findServerRecord(dataDir: string): Promise<ServerRecord | undefined> {
  const record = await readJson<ServerRecord>(join(dataDir, 'server.json'));
  return typeof record?.url === 'string' && URL.canParse(record.url) ? record : undefined;
}

/** `--data-dir`, else LEVAIN_DATA_DIR, else what this folder recorded, else `.levain` here. */
export async function resolveDataDir(cwd: string, env: Env, given: unknown): Promise<string> {
  const named = typeof given === 'string' ? given : env['LEVAIN_DATA_DIR'];
  if (named) return resolve(cwd, named);
  const record = await findFolderRecord(cwd);
  return record && 'dataDir' in record ? record.dataDir : join(cwd, '.levain');
}

/** `--url`, else LEVAIN_URL, else the server of this folder, else LEVAIN_PORT or the default port; with the token that belongs to it. */
export async function resolveServer(
  cwd: string,
  env: Env,
  given: { readonly url?: string | undefined; readonly project?: string | undefined },
): Promise<ServerAddress> {
  const base =
    given.url ??
    env['LEVAIN_URL'] ??
    (await urlOfFolder(cwd, env)) ??
    `http://127.0.0.1:${env['LEVAIN_PORT'] || DEFAULT_PORT}`;
  const url = withProject(checkUrl(base), given.project);
  const token = env['LEVAIN_TOKEN'] ?? (await findToken(env, url));
  return token === undefined ? { url } : { url, token };
}

async function urlOfFolder(cwd: string, env: Env): Promise<string | undefined> {
  const record = await findFolderRecord(cwd);
  if (record && 'url' in record) return record.url;
  const dataDir = env['LEVAIN_DATA_DIR'] ?? record?.dataDir ?? join(cwd, '.levain');
  return (await findServerRecord(dataDir))?.url;
}

function checkUrl(text: string): string {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) {
    throw new AppError(
      'invalid',
      `"${text}" is not the address of a server; write for example http://127.0.0.1:${DEFAULT_PORT}`,
    );
  }
  return text.replace(/\/+$/, '');
}

function withProject(url: string, project: string | undefined): string {
  if (project === undefined || project === 'main') return url;
  return `${url.replace(/\/p\/[^/]+$/, '')}/p/${encodeURIComponent(project)}`;
}

/** The project that an address names. */
export const projectOf = (url: string): string => decodeURIComponent(/\/p\/([^/]+)$/.exec(url)?.[1] ?? 'main');

const tokensPath = (env: Env): string =>
  join(env['LEVAIN_CONFIG_DIR'] ?? join(env['XDG_CONFIG_HOME'] ?? join(homedir(), '.config'), 'levain'), 'tokens.json');

async function findToken(env: Env, url: string): Promise<string | undefined> {
  return (await readJson<Record<string, string>>(tokensPath(env)))?.[new URL(url).origin];
}

/** Keeps a token for all projects of a server, in a file that only its owner reads. */
export async function saveToken(env: Env, url: string, token: string): Promise<void> {
  const path = tokensPath(env);
  const tokens = (await readJson<Record<string, string>>(path)) ?? {};
  await writeJson(path, { ...tokens, [new URL(url).origin]: token });
}

async function readJson<T>(path: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as T;
  } catch {
    return undefined;
  }
}

async function writeJson(path: string, value: unknown): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    const part = `${path}.${process.pid}.part`;
    await writeFile(part, `${JSON.stringify(value)}\n`, { mode: 0o600 });
    await chmod(part, 0o600);
    await rename(part, path);
  } catch (error) {
    throw new AppError(
      'unavailable',
      `${path} cannot be written (${(error as Error).message}); check the folder's owner and mode`,
    );
  }
}
