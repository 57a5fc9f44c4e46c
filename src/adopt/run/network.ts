import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';

/** How the notebook is kept off the network. */
export interface Isolation {
  readonly way: 'namespace' | 'audit' | 'open';
  /** One sentence for the report. */
  readonly sentence: string;
  /** The program under which the kernel starts. */
  readonly under: readonly string[];
  /** What the kernel's environment gets besides: where tracking is reached. */
  readonly env: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

interface TrackingServer {
  readonly url: string;
  readonly token: string | null;
}

/** From the mildest on; each is tried, nothing is assumed. The first is root's alone. */
const WAYS = [
  ['unshare', '--net'],
  ['unshare', '--net', '--map-current-user', '--keep-caps'],
  ['unshare', '--net', '--map-root-user'],
] as const;
/** Inside the namespace, where nothing else listens. */
const FORWARDED_PORT = 4747;
const CHECK_TIMEOUT_MS = 10_000;

/** @param python any Python: it only starts what follows. @param launcher path of levain_runtime/adopt/isolate.py */
export async function isolate(options: {
  readonly network: boolean;
  readonly python: string;
  readonly launcher: string;
  readonly server: TrackingServer | null;
}): Promise<Isolation> {
  const { python, launcher, server } = options;
  if (options.network)
    return { ...plain(server), way: 'open', sentence: 'The notebook had the network, as --network asks.' };
  for (const way of WAYS) {
    const start = [...way, python, launcher];
    if (!(await works([...start, '--check']))) continue;
    const bridge = server === null ? undefined : await listen(new URL(server.url));
    return {
      way: 'namespace',
      sentence: 'The notebook ran in a network namespace of its own: nothing but loopback was there.',
      under: [...start, ...(bridge ? ['--forward', String(FORWARDED_PORT), bridge.path] : []), '--'],
      env: server === null ? {} : tracking(forwarded(server.url), server.token),
      close: async () => bridge?.close(),
    };
  }
  return {
    ...plain(server),
    way: 'audit',
    sentence:
      'This machine permits no network namespaces: the notebook ran under an audit hook that refuses all addresses but loopback.',
  };
}

const plain = (server: TrackingServer | null): Pick<Isolation, 'under' | 'env' | 'close'> => ({
  under: [],
  env: server === null ? {} : tracking(server.url, server.token),
  close: async () => {},
});

function forwarded(url: string): string {
  const { pathname } = new URL(url);
  return `http://127.0.0.1:${FORWARDED_PORT}${pathname === '/' ? '' : pathname}`;
}

const tracking = (url: string, token: string | null): Record<string, string> => ({
  MLFLOW_TRACKING_URI: url,
  MLFLOW_REGISTRY_URI: url,
  ...(token !== null && { MLFLOW_TRACKING_TOKEN: token }),
});

async function works(command: readonly string[]): Promise<boolean> {
  const child = spawn(command[0]!, command.slice(1), { stdio: 'ignore', timeout: CHECK_TIMEOUT_MS });
  const failed = once(child, 'error').then(() => false);
  return Promise.race([once(child, 'close').then(([code]) => code === 0), failed]);
}

/** Bytes from a Unix socket to the server and back; the notebook's side of it is in the namespace. */
async function listen(url: URL): Promise<{ readonly path: string; close(): Promise<void> }> {
  // A socket's path has at most about a hundred characters.
  const folder = await mkdtemp(join(tmpdir(), 'levain-net-'));
  const path = join(folder, 's');
  const open = new Set<Socket>();
  const server: Server = createServer({ allowHalfOpen: true }, (inside) => {
    const outside = connectTo(url);
    for (const [from, to] of [
      [inside, outside],
      [outside, inside],
    ] as const) {
      open.add(from);
      from.pipe(to);
      from.on('error', () => to.destroy());
      from.on('close', () => open.delete(from));
    }
  });
  server.listen(path);
  await once(server, 'listening');
  return {
    path,
    async close() {
      for (const socket of open) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function connectTo(url: URL): Socket {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (url.protocol === 'https:') return connectTls({ host, servername: host, port: Number(url.port || 443) });
  return createConnection({ host, port: Number(url.port || 80), allowHalfOpen: true });
}
