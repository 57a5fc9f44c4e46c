import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AppError } from '../kernel/errors.ts';
import type { Clock, Log } from '../ports/system.ts';
import { identityOf, isSame } from './process-identity.ts';
import {
  findGateway,
  findLive,
  forgetGateway,
  type GatewayRecord,
  type StartedGateway,
  saveGateway,
} from './records.ts';

const START_LIMIT_MS = 20_000;
const STOP_LIMIT_MS = 10_000;
const LOOK_EVERY_MS = 200;
const FIRST_PAUSE_MS = 100;
const LAST_PAUSE_MS = 30_000;
const STEADY_AFTER_MS = 60_000;
/** The gateway's exit code for a port that is taken. */
const PORT_TAKEN = 98;

export interface GatewayOptions {
  readonly dataDir: string;
  readonly host: string;
  /** Undefined: the port it had, else `defaultPort`. 0: any free one. */
  readonly port: number | undefined;
  readonly defaultPort: number;
  readonly clock: Clock;
  readonly log: Log;
}

export interface GatewayChild {
  /** It served before this process started. */
  readonly adopted: boolean;
  /** Where it answers now. */
  url(): string;
  /** Stops watching and leaves it serving. */
  release(): void;
  /** Ends it; resolves when it is gone. */
  stop(): Promise<void>;
}

/** Adopts the gateway that serves this data directory, or starts one; starts it again on its port whenever it dies. */
export async function superviseGateway(options: GatewayOptions): Promise<GatewayChild> {
  const adopted = await adopt(options);
  let record = adopted ?? (await start(options, portOf(options)));
  const watching = new AbortController();
  const watch = keepAlive(
    options,
    () => record,
    (next) => {
      record = next;
    },
    watching.signal,
  );
  return {
    adopted: adopted !== undefined,
    url: () => record.url,
    release: () => watching.abort(),
    async stop() {
      watching.abort();
      await watch;
      await stopGateway(options.dataDir, options.clock);
    },
  };
}

/** Ends the gateway of a data directory, if it lives: TERM, ten seconds, KILL. Answers whether there was one. */
export async function stopGateway(dataDir: string, clock: Clock): Promise<boolean> {
  const record = findLive(findGateway(dataDir));
  if (!record) return false;
  await endProcess(record, clock);
  forgetGateway(dataDir);
  return true;
}

/** TERM, ten seconds, KILL. */
export async function endProcess(
  identity: { pid: number; startTime: string; bootId: string },
  clock: Clock,
): Promise<void> {
  const until = clock.now() + STOP_LIMIT_MS;
  signal(identity.pid, 'SIGTERM');
  while (isSame(identity)) {
    if (clock.now() > until) signal(identity.pid, 'SIGKILL');
    await clock.sleep(20);
  }
}

async function adopt(options: GatewayOptions): Promise<GatewayRecord | undefined> {
  const { dataDir, port, clock, log } = options;
  const record = findLive(findGateway(dataDir));
  if (!record) return undefined;
  if (port !== undefined && port !== 0 && port !== record.port) {
    await endProcess(record, clock);
    return undefined;
  }
  const ready =
    record.url === null
      ? await awaitReady(options, record, () => (isSame(record) ? undefined : 1))
      : (record as GatewayRecord);
  log.info('Adopted the gateway', { gatewayPid: ready.pid, url: ready.url });
  return ready;
}

const portOf = ({ port, dataDir, defaultPort }: GatewayOptions): number =>
  port ?? findGateway(dataDir)?.port ?? defaultPort;

/** Recorded as soon as it has a process number, so that it is found again if this process dies now. */
async function start(options: GatewayOptions, port: number): Promise<GatewayRecord> {
  const child = spawnGateway(options, port);
  if (child.pid === undefined) {
    throw new AppError('unavailable', 'The gateway could not be started; is the process limit reached?');
  }
  let exitCode: number | undefined;
  child.once('exit', (code) => {
    exitCode = code ?? 1;
  });
  const record = { ...identityOf(child.pid), url: null, port };
  saveGateway(options.dataDir, record);
  const ready = await awaitReady(options, record, () => exitCode);
  options.log.info('The gateway is up', { gatewayPid: ready.pid, url: ready.url });
  return ready;
}

/** Waits for the line that names its address. */
async function awaitReady(
  options: GatewayOptions,
  record: StartedGateway,
  exitCode: () => number | undefined,
): Promise<GatewayRecord> {
  const until = options.clock.now() + START_LIMIT_MS;
  while (options.clock.now() < until) {
    const url = readyUrl(outputPath(options));
    if (url !== undefined) {
      const ready = { ...record, url, port: Number(new URL(url).port) };
      saveGateway(options.dataDir, ready);
      return ready;
    }
    const code = exitCode();
    if (code !== undefined) throw toStartError(options, record.port, code);
    await options.clock.sleep(10);
  }
  signal(record.pid, 'SIGKILL');
  throw new AppError(
    'unavailable',
    `The gateway did not come up within ${START_LIMIT_MS / 1000} s; see ${logPath(options)}`,
  );
}

function readyUrl(path: string): string | undefined {
  for (const line of tailOf(path)) {
    try {
      const { gatewayUrl } = JSON.parse(line) as { gatewayUrl?: unknown };
      if (typeof gatewayUrl === 'string') return gatewayUrl;
    } catch {}
  }
  return undefined;
}

const logPath = ({ dataDir }: GatewayOptions): string => join(dataDir, 'gateway.log');
const outputPath = ({ dataDir }: GatewayOptions): string => join(dataDir, 'gateway.out');

/** Files rather than pipes: nothing of the gateway ends with this process. */
function spawnGateway(options: GatewayOptions, port: number): ChildProcess {
  const main = fileURLToPath(new URL(`../gateway/main${extension()}`, import.meta.url));
  const output = openSync(outputPath(options), 'w', 0o600);
  const errors = openSync(logPath(options), 'a', 0o600);
  const args = ['--data-dir', options.dataDir, '--host', options.host, '--port', String(port)];
  try {
    const child = spawn(process.execPath, [...process.execArgv, main, ...args], {
      detached: true,
      stdio: ['ignore', output, errors],
      env: withoutGatewaySettings(process.env),
    });
    child.once('error', (error) => options.log.error('The gateway could not be started', { error: error.message }));
    child.unref();
    return child;
  } finally {
    closeSync(output);
    closeSync(errors);
  }
}

/** What is said for a gateway elsewhere does not count for ours. */
const withoutGatewaySettings = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !/^LEVAIN_(GATEWAY_|SERVER_URL$)/.test(name)));

/** `.ts` in a checkout, `.js` where it was compiled. */
const extension = (): string => (import.meta.url.endsWith('.ts') ? '.ts' : '.js');

function toStartError(options: GatewayOptions, port: number, exitCode: number): AppError {
  const last = tailOf(logPath(options)).at(-1) ?? 'it said nothing';
  if (exitCode === PORT_TAKEN) {
    const message = `Port ${port} on ${options.host} is in use; choose another one for predictions with --gateway-port`;
    return new AppError('conflict', message, { port });
  }
  return new AppError('unavailable', `The gateway ended at once (exit ${exitCode}): ${last}; see ${logPath(options)}`);
}

const TAIL_BYTES = 16_384;

/** The last lines of a file; none where it is not there. */
function tailOf(path: string): string[] {
  let file: number | undefined;
  try {
    file = openSync(path, 'r');
    const size = fstatSync(file).size;
    const bytes = Buffer.alloc(Math.min(TAIL_BYTES, size));
    readSync(file, bytes, 0, bytes.length, size - bytes.length);
    return bytes.toString('utf8').trimEnd().split('\n');
  } catch {
    return [];
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** A dead gateway is started again at once, then with growing pauses for as long as it keeps dying. */
async function keepAlive(
  options: GatewayOptions,
  current: () => GatewayRecord,
  replace: (record: GatewayRecord) => void,
  stopped: AbortSignal,
): Promise<void> {
  let pauseMs = FIRST_PAUSE_MS;
  let startedAt = options.clock.now();
  while (!stopped.aborted) {
    await options.clock.sleep(LOOK_EVERY_MS, stopped);
    if (stopped.aborted || isSame(current())) continue;
    if (options.clock.now() - startedAt > STEADY_AFTER_MS) pauseMs = FIRST_PAUSE_MS;
    options.log.warn('The gateway died; starting it again', { gatewayPid: current().pid, pauseMs });
    await options.clock.sleep(pauseMs, stopped);
    if (stopped.aborted) return;
    pauseMs = Math.min(pauseMs * 2, LAST_PAUSE_MS);
    startedAt = options.clock.now();
    try {
      replace(await start(options, current().port));
    } catch (error) {
      options.log.error('The gateway did not come back', { error: (error as Error).message });
    }
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {}
}

/** This process, for the records. */
export const ownIdentity = () => identityOf(process.pid);
