import {
  accessSync,
  appendFileSync,
  constants,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { acquireInstanceLock, type InstanceLock } from '../adapters/sqlite/instance-lock.ts';
import type { App } from '../app.ts';
import { isAppError, messageOf } from '../kernel/errors.ts';
import type { Log } from '../ports/system.ts';
import type { GatewayChild } from './gateway-child.ts';
import { ownIdentity } from './gateway-child.ts';
import { findServer, type ServerRecord, saveServer } from './records.ts';
import { inTheWay, toStorageError } from './storage-errors.ts';

export interface UpOptions {
  readonly dataDir: string;
  readonly host: string;
  /** Undefined: the port of last time, else 4747. 0: any free one. */
  readonly port: number | undefined;
  readonly gatewayPort: number | undefined;
  /** False for `levain server`: the control plane alone. */
  readonly withGateway: boolean;
  readonly db?: string | undefined;
  readonly objects?: string | undefined;
  /** A file, or stderr. */
  readonly logTo: 'file' | 'stderr';
  /** Ends everything that this started. */
  readonly signal: AbortSignal;
}

export interface Running {
  readonly url: string;
  readonly gatewayUrl: string | null;
  readonly dataDir: string;
  readonly adoptedGateway: boolean;
  /** Resolves when everything is stopped. */
  readonly ended: Promise<void>;
}

const DEFAULT_PORT = 4747;
const DEFAULT_GATEWAY_PORT = 4748;

/**
 * The control plane and, unless told otherwise, its gateway, on one data directory. Resolves when both answer; until
 * `signal` aborts they go on. Throws AppErrors in words for what a machine can lack: a free port, a writable directory.
 */
export async function startUp(options: UpOptions): Promise<Running> {
  prepareDataDir(options.dataDir);
  const lock = acquireInstanceLock(options.dataDir);
  try {
    return await startLocked(options, lock);
  } catch (error) {
    lock.release();
    throw isAppError(error) ? error : inTheWay(error);
  }
}

async function startLocked(options: UpOptions, lock: InstanceLock): Promise<Running> {
  const { createLog } = await import('../adapters/system/index.ts');
  const log = createLog({
    name: 'server',
    file: options.logTo === 'file' ? join(options.dataDir, 'server.log') : undefined,
  });
  reportCrashes(options.dataDir, options.logTo);
  const before = findServer(options.dataDir);
  let gateway: GatewayChild | undefined;
  const [app, child] = await bothOrNone(
    startAppFor(options, before, log, () => gateway?.url()),
    options.withGateway ? startGatewayFor(options, log) : Promise.resolve(undefined),
  );
  gateway = child;
  const gatewayUrl = gateway?.url() ?? null;
  saveServer(options.dataDir, { ...ownIdentity(), url: app.url, port: app.port, gatewayUrl, version: app.version });
  return {
    url: app.url,
    gatewayUrl,
    dataDir: options.dataDir,
    adoptedGateway: gateway?.adopted ?? false,
    ended: endOn(options.signal, async () => {
      log.info('Stopping');
      await Promise.all([gateway?.stop(), app.close()]);
      lock.release();
    }),
  };
}

async function startAppFor(
  { dataDir, db, objects, host, port }: UpOptions,
  before: ServerRecord | undefined,
  log: Log,
  gatewayUrl: () => string | undefined,
): Promise<App> {
  const { startApp } = await import('../app.ts');
  const wanted = port ?? before?.port ?? DEFAULT_PORT;
  return startApp({ dataDir, db, objects, host, port: wanted, formerPort: before?.port, gatewayUrl, log });
}

async function startGatewayFor({ dataDir, host, gatewayPort: port }: UpOptions, log: Log): Promise<GatewayChild> {
  const { systemClock: clock } = await import('../adapters/system/index.ts');
  const { superviseGateway } = await import('./gateway-child.ts');
  return superviseGateway({ dataDir, host, port, defaultPort: DEFAULT_GATEWAY_PORT, clock, log });
}

/** Both start at once. Where one fails, what the other started is ended; a gateway that was serving before goes on. */
async function bothOrNone(
  app: Promise<App>,
  gateway: Promise<GatewayChild | undefined>,
): Promise<[App, GatewayChild | undefined]> {
  const [first, second] = await Promise.allSettled([app, gateway]);
  if (first.status === 'fulfilled' && second.status === 'fulfilled') return [first.value, second.value];
  if (first.status === 'fulfilled') await first.value.close();
  if (second.status === 'fulfilled') await (second.value?.adopted ? second.value.release() : second.value?.stop());
  throw first.status === 'rejected' ? first.reason : (second as PromiseRejectedResult).reason;
}

/** A bug that no request owns: its stack goes to the log, a sentence to the terminal; what is durable stays whole. */
function reportCrashes(dataDir: string, logTo: UpOptions['logTo']): void {
  process.once('uncaughtException', (error) => {
    const line = JSON.stringify({ level: 'fatal', time: new Date().toISOString(), name: 'server', stack: error.stack });
    keepLine(logTo === 'file' ? join(dataDir, 'server.log') : undefined, line);
    process.stderr.write(`error: Levain failed here: ${messageOf(error)}; the log in ${dataDir} has the details\n`);
    process.exit(1);
  });
}

function keepLine(file: string | undefined, line: string): void {
  try {
    if (file) appendFileSync(file, `${line}\n`);
    else process.stderr.write(`${line}\n`);
  } catch {}
}

function endOn(signal: AbortSignal, stop: () => Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (): void => void stop().then(resolve, reject);
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
}

/** Makes the directory and proves that it takes a write. Throws `unavailable` in words. */
function prepareDataDir(dataDir: string): void {
  const probe = join(dataDir, `.probe-${process.pid}`);
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    accessSync(dataDir, constants.W_OK);
    const bytes = Buffer.alloc(65_536, 1);
    writeFileSync(probe, bytes);
    const isWhole = readFileSync(probe).equals(bytes);
    rmSync(probe);
    if (!isWhole) throw new Error('what was written does not read back');
    hideFromGit(dataDir);
  } catch (error) {
    throw toStorageError(dataDir, error);
  }
}

/** What `up -d` and the folder's record put there before the server has its first look. */
const OURS_FIRST: ReadonlySet<string> = new Set(['up.log', 'server-of-folder.json']);

/** A new data directory is no part of the project around it: not of its Git, and so not of its snapshots. */
function hideFromGit(dataDir: string): void {
  if (readdirSync(dataDir).every((name) => OURS_FIRST.has(name))) writeFileSync(join(dataDir, '.gitignore'), '*\n');
}
