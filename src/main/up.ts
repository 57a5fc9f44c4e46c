import { accessSync, constants, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { acquireInstanceLock, type InstanceLock } from '../adapters/sqlite/instance-lock.ts';
import { AppError, messageOf } from '../kernel/errors.ts';
import type { GatewayChild } from './gateway-child.ts';
import { ownIdentity } from './gateway-child.ts';
import { findServer, saveServer } from './records.ts';

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
    throw error;
  }
}

async function startLocked(options: UpOptions, lock: InstanceLock): Promise<Running> {
  const { startApp, createAppLog } = await import('../app.ts');
  const { systemClock } = await import('../adapters/system/index.ts');
  const log = createAppLog(options.logTo === 'file' ? join(options.dataDir, 'server.log') : undefined);
  const before = findServer(options.dataDir);
  let gateway: GatewayChild | undefined;
  const app = await startApp({
    dataDir: options.dataDir,
    db: options.db,
    objects: options.objects,
    host: options.host,
    port: options.port ?? before?.port ?? DEFAULT_PORT,
    formerPort: before?.port,
    gatewayUrl: () => gateway?.url(),
    log,
  });
  try {
    if (options.withGateway) {
      const { superviseGateway } = await import('./gateway-child.ts');
      const { dataDir, host, gatewayPort: port } = options;
      gateway = await superviseGateway({
        dataDir,
        host,
        port,
        defaultPort: DEFAULT_GATEWAY_PORT,
        clock: systemClock,
        log,
      });
    }
  } catch (error) {
    await app.close();
    throw error;
  }
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
    if (!readFileSync(probe).equals(bytes)) throw new Error('what was written does not read back');
  } catch (error) {
    throw toStorageError(dataDir, error);
  } finally {
    rmSync(probe, { force: true });
  }
}

function toStorageError(dataDir: string, error: unknown): AppError {
  const { code } = error as { code?: string };
  const what: Record<string, string> = {
    ENOSPC: `The disk of the data directory ${dataDir} is full; free some space or choose another with --data-dir`,
    EDQUOT: `The quota of the data directory ${dataDir} is used up; free some space or choose another with --data-dir`,
    EROFS: `The data directory ${dataDir} is on a read-only disk; choose another with --data-dir`,
    EACCES: `The data directory ${dataDir} cannot be written by this user; change its owner or choose another with --data-dir`,
    EPERM: `The data directory ${dataDir} cannot be written by this user; change its owner or choose another with --data-dir`,
    ENOTDIR: `The data directory ${dataDir} cannot be made, because a file is in its way; choose another with --data-dir`,
    EEXIST: `The data directory ${dataDir} is a file; choose another with --data-dir`,
  };
  const message = what[code ?? ''] ?? `The data directory ${dataDir} cannot be used (${messageOf(error)})`;
  return new AppError('unavailable', message, { dataDir }, error);
}
