import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, realpathSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { freePort, waitFor } from './ports.ts';

const CACHE = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'levain-test', 'bin');
const PACKAGE = 'github.com/versity/versitygw/cmd/versitygw@latest';
const CREDENTIALS = { accessKeyId: 'levain', secretAccessKey: 'levain-secret' };

let server: Promise<string> | undefined;
let buckets = 0;

/** Why tests on S3 cannot run here, or undefined where they can. */
export function s3Missing(): string | undefined {
  if (findProgram('versitygw') || findProgram('go')) return undefined;
  return 'no S3 server: neither versitygw nor Go to install it is on the PATH';
}

/** An empty bucket on a throw-away versitygw, one a process, gone when the process ends. The first call may install it (a minute). */
export async function startS3(): Promise<{
  url: string;
  endpoint: string;
  region: string;
  credentials: typeof CREDENTIALS;
}> {
  server ??= startServer();
  const options = {
    url: `s3://test-${++buckets}`,
    endpoint: await server,
    region: 'us-east-1',
    credentials: CREDENTIALS,
  };
  const { S3Client, CreateBucketCommand } = await import('@aws-sdk/client-s3');
  const client = new S3Client({ ...options, forcePathStyle: true });
  await client.send(new CreateBucketCommand({ Bucket: options.url.slice('s3://'.length) }));
  client.destroy();
  return options;
}

/** As for PostgreSQL: the shell ends the server when our end of the pipe closes. */
const WATCHED =
  '"$@" >log 2>&1 </dev/null & pid=$!; cat >/dev/null; kill -KILL "$pid"; wait "$pid"; dir="$PWD"; cd /; rm -rf "$dir"';

async function startServer(): Promise<string> {
  const program = findProgram('versitygw') ?? (await install());
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'levain-s3-')));
  mkdirSync(join(dir, 'data'));
  const port = await freePort();
  const child = spawn(
    '/bin/sh',
    ['-c', WATCHED, 'sh', program, '--port', `127.0.0.1:${port}`, 'posix', join(dir, 'data')],
    {
      cwd: dir,
      env: { ...process.env, ROOT_ACCESS_KEY: CREDENTIALS.accessKeyId, ROOT_SECRET_KEY: CREDENTIALS.secretAccessKey },
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    },
  );
  child.unref();
  (child.stdin as unknown as { unref(): void }).unref();
  const endpoint = `http://127.0.0.1:${port}`;
  await waitFor('versitygw', () => fetch(endpoint).then((answer) => answer.text()));
  return endpoint;
}

async function install(): Promise<string> {
  mkdirSync(CACHE, { recursive: true });
  const child = spawn(findProgram('go')!, ['install', PACKAGE], {
    env: { ...process.env, GOBIN: CACHE },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const code = await new Promise((resolve) => child.once('exit', resolve));
  if (code !== 0) throw new Error(`go install ${PACKAGE} failed with exit code ${code}`);
  return join(CACHE, 'versitygw');
}

function findProgram(name: string): string | undefined {
  const folders = [CACHE, ...(process.env['PATH'] ?? '').split(delimiter), '/usr/local/go/bin'];
  return folders.map((folder) => join(folder, name)).find(existsSync);
}
