import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { createLog, systemClock, systemRandom } from '../adapters/system/index.ts';
import { ENGINE_FORMAT } from '../engines/model.ts';
import { AppError, isAppError, messageOf } from '../kernel/errors.ts';
import type { PythonWorkers } from '../ports/python-worker.ts';
import type { Log } from '../ports/system.ts';
import { type Gateway, type GatewayOptions, startGateway } from './gateway.ts';

const HELP = `levain gateway: answers predictions

  --data-dir DIR   where the server lives (default: LEVAIN_DATA_DIR, else .levain)
  --host HOST      default 127.0.0.1
  --port PORT      default 4748; 0 takes a free one
  --server URL     the control plane (default: the url in DIR/server.json, read before each call)

The gateway token comes from the file descriptor LEVAIN_GATEWAY_TOKEN_FD, from LEVAIN_GATEWAY_TOKEN, or from DIR/gateway/token.
`;

/** The gateway process. Prints one line of JSON with its address when it answers; SIGTERM lets it finish. */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      'data-dir': { type: 'string' },
      host: { type: 'string', default: '127.0.0.1' },
      port: { type: 'string', default: '4748' },
      server: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const dataDir = resolve(values['data-dir'] ?? process.env['LEVAIN_DATA_DIR'] ?? '.levain');
  const log = createLog({ name: 'gateway' });
  surviveParent();
  const gateway = await startGateway(optionsOf(dataDir, values.host, parsePort(values.port), values.server, log));
  stopOnSignals(gateway, log);
  process.stdout.write(`${JSON.stringify({ gatewayUrl: gateway.url })}\n`);
}

function optionsOf(dataDir: string, host: string, port: number, server: string | undefined, log: Log): GatewayOptions {
  return {
    dir: join(dataDir, 'gateway'),
    host,
    port,
    version: versionOfPackage(),
    serverUrl: server === undefined ? () => recordedServer(dataDir) : async () => server,
    token: tokenSource(join(dataDir, 'gateway', 'token')),
    formats: [ENGINE_FORMAT],
    clock: systemClock,
    random: systemRandom,
    log,
    workers: lazyPythonWorkers(log),
  };
}

/** A pipe to a parent that has gone, or a closed terminal, ends nothing. */
function surviveParent(): void {
  process.stdout.on('error', () => undefined);
  process.stderr.on('error', () => undefined);
  process.on('SIGHUP', () => undefined);
}

function stopOnSignals(gateway: Gateway, log: Log): void {
  const stop = (signal: string): void => {
    log.info('The gateway stops', { signal });
    gateway.close().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error('The gateway did not stop in order', { error: messageOf(error) });
        process.exit(1);
      },
    );
  };
  process.once('SIGTERM', () => stop('SIGTERM'));
  process.once('SIGINT', () => stop('SIGINT'));
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new AppError('invalid', `--port "${text}" is not a port; give a number from 0 to 65535`);
  return port;
}

async function recordedServer(dataDir: string): Promise<string> {
  const path = join(dataDir, 'server.json');
  try {
    const { url } = JSON.parse(await readFile(path, 'utf8')) as { url?: unknown };
    if (typeof url === 'string') return url;
  } catch {}
  throw new AppError('unavailable', `No control plane is recorded in ${path}`);
}

/** The inherited descriptor is read once; the file, where there is none, each time, so that a new token is found. */
function tokenSource(path: string): () => Promise<string | undefined> {
  const descriptor = process.env['LEVAIN_GATEWAY_TOKEN_FD'];
  const inherited =
    descriptor === undefined ? process.env['LEVAIN_GATEWAY_TOKEN'] : readFileSync(Number(descriptor), 'utf8').trim();
  delete process.env['LEVAIN_GATEWAY_TOKEN'];
  if (inherited) return async () => inherited;
  return async () => {
    const text = await readFile(path, 'utf8').catch(() => '');
    return text.trim() || undefined;
  };
}

/** No Python, and none of its adapter, is loaded before a version needs it. */
function lazyPythonWorkers(log: Log): PythonWorkers {
  let created: Promise<PythonWorkers> | undefined;
  const get = (): Promise<PythonWorkers> => {
    created ??= import('../adapters/python-worker/index.ts').then(({ createPythonWorkers }) =>
      createPythonWorkers({ log }),
    );
    return created;
  };
  return {
    load: async (python, model) => (await get()).load(python, model),
    close: async () => (await created)?.close(),
  };
}

function versionOfPackage(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

main().catch((error: unknown) => {
  process.stderr.write(`${isAppError(error) ? error.message : ((error as Error).stack ?? messageOf(error))}\n`);
  process.exitCode = isAppError(error, 'invalid') ? 2 : 1;
});
