import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createClient } from '../client/client.ts';
import { AppError } from '../kernel/errors.ts';
import type { CommandContext } from './command.ts';
import { findServerRecord, resolveDataDir, type ServerRecord, saveFolderRecord } from './records.ts';
import { transport } from './transport.ts';

const START_LIMIT_MS = 30_000;
const LOOK_EVERY_MS = 25;
const CONNECT_LIMIT_MS = 2_000;

export interface DetachOptions {
  readonly dataDir: string;
  /** Options of `up`, passed on. */
  readonly args: readonly string[];
  readonly cwd: string;
}

/** What a server tells anybody who asks. */
export interface ServerInfo {
  readonly name: 'levain';
  readonly version: string;
  readonly url: string;
  readonly gatewayUrl: string | null;
  /** Told on loopback only. */
  readonly dataDir: string | null;
}

/** The Levain that answers at an address; undefined where nothing, or something else, does. */
export async function findServerInfo(url: string): Promise<ServerInfo | undefined> {
  if (!(await isAnswered(url))) return undefined;
  try {
    const info = await createClient(async () => ({ url }), transport).get<ServerInfo>('/server', {
      signal: AbortSignal.timeout(2_000),
    });
    return info?.name === 'levain' ? info : undefined;
  } catch {
    return undefined;
  }
}

/** Whether anything listens there. Asked first, for `fetch` takes 50 ms to load, and mostly nothing does. */
function isAnswered(url: string): Promise<boolean> {
  const { hostname, port, protocol } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  const socket = connect({ host, port: Number(port || (protocol === 'https:' ? 443 : 80)), timeout: CONNECT_LIMIT_MS });
  return new Promise((resolve) => {
    const end = (answered: boolean) => () => {
      socket.destroy();
      resolve(answered);
    };
    socket.once('connect', end(true)).once('error', end(false)).once('timeout', end(false));
  });
}

/** Starts `levain up` so that it outlives this process; resolves when it is ready, throws what it said when it ends first. */
export async function startDetached({ dataDir, args, cwd }: DetachOptions): Promise<ServerRecord> {
  const outputPath = join(dataDir, 'up.log');
  const output = await openOutput(dataDir, outputPath);
  const entry = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? './entry.ts' : './entry.js', import.meta.url));
  const child = spawn(process.execPath, [...process.execArgv, entry, 'up', '--json', '--no-apply', ...args], {
    cwd,
    detached: true,
    stdio: ['ignore', output, output],
  });
  closeSync(output);
  child.unref();
  let ended = false;
  child.once('exit', () => {
    ended = true;
  });
  const until = Date.now() + START_LIMIT_MS;
  while (Date.now() < until) {
    const record = await findServerRecord(dataDir);
    if (record && record.pid === child.pid) return record;
    if (ended) throw toStartError(outputPath);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  throw new AppError('unavailable', `The server did not come up within ${START_LIMIT_MS / 1000} s; see ${outputPath}`);
}

async function openOutput(dataDir: string, path: string): Promise<number> {
  const { inTheWay, toStorageError } = await import('../main/storage-errors.ts');
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw toStorageError(dataDir, error);
  }
  try {
    return openSync(path, 'w', 0o600);
  } catch (error) {
    throw inTheWay(error);
  }
}

/** The error that the child printed as JSON, else its last line. */
function toStartError(outputPath: string): AppError {
  const lines = readFileSync(outputPath, 'utf8').trim().split('\n');
  for (const line of lines.reverse()) {
    try {
      const { error } = JSON.parse(line) as { error?: { code: AppError['code']; message: string; hint?: string } };
      if (error)
        return new AppError(error.code, error.message, error.hint === undefined ? undefined : { hint: error.hint });
    } catch {}
  }
  return new AppError('unavailable', `The server ended at once: ${lines[0] ?? 'it said nothing'}; see ${outputPath}`);
}

/** See `CommandContext.ensureServer`. */
export async function ensureServer(
  context: Pick<CommandContext, 'client' | 'out' | 'cwd' | 'env' | 'ask' | 'signal'>,
): Promise<void> {
  const { url } = await context.client.address();
  if (await findServerInfo(url)) return;
  if (context.env['LEVAIN_URL'] || !/^http:\/\/(127\.0\.0\.1|localhost|\[::1\])[:/]/.test(`${url}/`)) {
    throw new AppError('unavailable', `No Levain answers at ${url}`, { hint: 'levain up' });
  }
  const answer = await context.ask(`No Levain answers at ${url}. Start one here in the background?`);
  if (!answer) throw new AppError('unavailable', `No Levain answers at ${url}`, { hint: 'levain up' });
  const dataDir = await resolveDataDir(context.cwd, context.env, undefined);
  const since = Date.now();
  const tell = () => context.out.progress(`Starting Levain  ${((Date.now() - since) / 1_000).toFixed(1)} s`);
  const ticking = setInterval(tell, 1_000);
  tell();
  const record = await startDetached({ dataDir, args: ['--data-dir', dataDir], cwd: context.cwd }).finally(() =>
    clearInterval(ticking),
  );
  await saveFolderRecord(context.cwd, { dataDir });
  context.out.note(`Levain is ready at ${record.url}`);
}
