import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createLog, systemClock, systemRandom } from '../adapters/system/index.ts';
import { ENGINE_FORMAT } from '../engines/model.ts';
import { AppError, isAppError, messageOf } from '../kernel/errors.ts';
import { identityOf } from '../main/process-identity.ts';
import { saveRecord } from '../main/records.ts';
import type { PythonWorkers } from '../ports/python-worker.ts';
import type { Log } from '../ports/system.ts';
import { type Gateway, type GatewayOptions, startGateway } from './gateway.ts';

const HELP = `levain gateway: answers predictions

  --data-dir DIR   where the server lives (LEVAIN_DATA_DIR, else .levain)
  --host HOST      address to listen on (LEVAIN_GATEWAY_HOST, else 127.0.0.1)
  --port PORT      port for predictions; 0 takes a free one (LEVAIN_GATEWAY_PORT, else 4748)
  --server URL     the control plane (LEVAIN_SERVER_URL, else the url in DIR/server.json, read before each call)

Its own folder is LEVAIN_GATEWAY_DIR, else DIR/gateway. Its token comes from the file descriptor LEVAIN_GATEWAY_TOKEN_FD, from
LEVAIN_GATEWAY_TOKEN, from the file LEVAIN_GATEWAY_TOKEN_FILE, else from the file "token" in its folder.
`;

/** Exit code where the port is taken: whoever started this chooses another, or waits. */
const PORT_TAKEN = 98;

/** The gateway process. Prints one line of JSON with its address when it answers; SIGTERM lets it finish. */
async function main(): Promise<void> {
  const settings = readSettings();
  if (settings === undefined) {
    process.stdout.write(HELP);
    return;
  }
  const log = createLog({ name: 'gateway' });
  surviveParent();
  const gateway = await startGateway(optionsOf(settings, log));
  stopOnSignals(gateway, log);
  const record = { ...identityOf(process.pid), url: gateway.url, port: Number(new URL(gateway.url).port) };
  saveRecord(join(settings.dataDir, 'gateway.json'), record);
  process.stdout.write(`${JSON.stringify({ gatewayUrl: gateway.url })}\n`);
}

interface Settings {
  readonly dataDir: string;
  readonly dir: string;
  readonly host: string;
  readonly port: number;
  readonly server: string | undefined;
}

/** Options, then the environment; undefined for `--help`. Imported by the command line, this file has no options of its own. */
function readSettings(): Settings | undefined {
  const { env } = process;
  const { values } = parseArgs({
    args: import.meta.main ? process.argv.slice(2) : [],
    options: {
      'data-dir': { type: 'string', default: env['LEVAIN_DATA_DIR'] ?? '.levain' },
      host: { type: 'string', default: env['LEVAIN_GATEWAY_HOST'] ?? '127.0.0.1' },
      port: { type: 'string', default: env['LEVAIN_GATEWAY_PORT'] ?? '4748' },
      server: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return undefined;
  const dataDir = resolve(values['data-dir']);
  const dir = resolve(env['LEVAIN_GATEWAY_DIR'] ?? join(dataDir, 'gateway'));
  return {
    dataDir,
    dir,
    host: values.host,
    port: parsePort(values.port),
    server: values.server ?? env['LEVAIN_SERVER_URL'],
  };
}

function optionsOf({ dataDir, dir, host, port, server }: Settings, log: Log): GatewayOptions {
  return {
    dir,
    host,
    port,
    version: versionOfPackage(),
    serverUrl: server === undefined ? () => recordedServer(dataDir) : async () => server,
    token: tokenSource(process.env['LEVAIN_GATEWAY_TOKEN_FILE'] ?? join(dir, 'token')),
    formats: [ENGINE_FORMAT],
    clock: systemClock,
    random: systemRandom,
    log,
    workers: lazyPythonWorkers(dataDir, log),
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
  process.on('SIGTERM', () => stop('SIGTERM'));
  process.on('SIGINT', () => stop('SIGINT'));
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
function lazyPythonWorkers(dataDir: string, log: Log): PythonWorkers {
  let created: Promise<PythonWorkers> | undefined;
  const get = (): Promise<PythonWorkers> => {
    created ??= import('../adapters/python-worker/index.ts').then(({ createPythonWorkers }) =>
      createPythonWorkers({
        clock: systemClock,
        log,
        pythonPath: fileURLToPath(new URL('../../python', import.meta.url)),
        envsDir: join(dataDir, 'envs'),
      }),
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
  const isTaken = isAppError(error, 'unavailable') && error.details?.['code'] === 'EADDRINUSE';
  process.exit(isTaken ? PORT_TAKEN : isAppError(error, 'invalid') ? 2 : 1);
});
