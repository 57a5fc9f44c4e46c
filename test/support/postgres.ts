import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, realpathSync } from 'node:fs';
import { chown } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import pg from 'pg';
import { freePort, waitFor } from './ports.ts';

export interface PostgresCluster {
  url(database: string): string;
  /** Runs one statement on the maintenance database. */
  run(statement: string): Promise<void>;
}

let cluster: Promise<PostgresCluster> | undefined;

/** Why tests on PostgreSQL cannot run here, or undefined where they can. */
export function postgresMissing(): string | undefined {
  if (process.env['LEVAIN_TEST_POSTGRES'] || findProgram('initdb')) return undefined;
  return 'PostgreSQL is not installed (no initdb on the PATH or under /usr/lib/postgresql)';
}

/**
 * A throw-away cluster on a free loopback port, one a process, gone when the process ends, however it ends.
 * `LEVAIN_TEST_POSTGRES=postgres://levain@127.0.0.1:5432` uses a running one instead.
 */
export function startPostgres(): Promise<PostgresCluster> {
  const given = process.env['LEVAIN_TEST_POSTGRES'];
  cluster ??= given ? Promise.resolve(connectTo(given.replace(/\/$/, ''))) : startCluster();
  return cluster;
}

async function startCluster(): Promise<PostgresCluster> {
  const initdb = findProgram('initdb');
  if (!initdb) throw new Error(postgresMissing());
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'levain-pg-')));
  const user = process.getuid?.() === 0 ? ownerOfServers() : undefined;
  if (user) await chown(dir, user.uid, user.gid);
  const data = join(dir, 'data');
  execFileSync(initdb, ['-A', 'trust', '-U', 'levain', '-E', 'UTF8', '--locale=C', '--no-sync', '-D', data], {
    ...user,
    cwd: dir,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const port = await freePort();
  startServer({ dir, data, port, program: findProgram('postgres')!, user });
  const server = connectTo(`postgres://levain@127.0.0.1:${port}`);
  await waitFor('PostgreSQL', () => server.run('select 1'));
  return server;
}

interface ServerOptions {
  readonly dir: string;
  readonly data: string;
  readonly port: number;
  readonly program: string;
  readonly user: { readonly uid: number; readonly gid: number } | undefined;
}

/** The shell between us and the server waits on our end of a pipe: it closes when we end, even by SIGKILL. */
const WATCHED =
  '"$@" >log 2>&1 </dev/null & pid=$!; cat >/dev/null; kill -QUIT "$pid"; wait "$pid"; dir="$PWD"; cd /; rm -rf "$dir"';

function startServer({ dir, data, port, program, user }: ServerOptions): void {
  const settings = ['listen_addresses=127.0.0.1', `unix_socket_directories=${dir}`, 'fsync=off', 'max_connections=200'];
  const args = [program, '-D', data, '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])];
  const child = spawn('/bin/sh', ['-c', WATCHED, 'sh', ...args], {
    ...user,
    cwd: dir,
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  child.unref();
  (child.stdin as unknown as { unref(): void }).unref();
}

function connectTo(base: string): PostgresCluster {
  return {
    url: (database) => `${base}/${database}`,
    async run(statement) {
      const client = new pg.Client({ connectionString: `${base}/postgres` });
      await client.connect();
      await client.query(statement).finally(() => client.end());
    },
  };
}

function findProgram(name: string): string | undefined {
  const root = '/usr/lib/postgresql';
  const versions = existsSync(root) ? readdirSync(root).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [
    ...versions.map((version) => join(root, version, 'bin')),
    ...(process.env['PATH'] ?? '').split(delimiter),
  ];
  return folders.map((folder) => join(folder, name)).find(existsSync);
}

/** The server refuses to run as root. */
function ownerOfServers(): { uid: number; gid: number } {
  const id = (flag: string): number => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}
