import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { waitFor } from '../../../test/support/ports.ts';
import { type Isolation, isolate } from './network.ts';

const launcher = fileURLToPath(new URL('../../../python/levain_runtime/adopt/isolate.py', import.meta.url));
const CODE = `
import os, socket, subprocess, sys, urllib.request
try:
    print(urllib.request.urlopen(os.environ.get("MLFLOW_TRACKING_URI", "http://127.0.0.1:9") + "/runs").read().decode())
except OSError as error:
    print("no server")
try:
    socket.create_connection(("192.0.2.1", 80), 3)
except OSError as error:
    print(error.strerror or error)
sys.stdout.flush()
subprocess.run(["ps", "-o", "pid=", "--ppid", str(os.getpid())])
`;

async function runUnder(isolation: Isolation): Promise<string> {
  const [program, ...args] = [...isolation.under, 'python3', '-c', CODE];
  const child = spawn(program!, args, {
    env: { ...process.env, ...isolation.env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part) => (text += part));
  await once(child, 'close');
  return text;
}

const options = { network: false, python: 'python3', launcher };

test('in the namespace there is no network, and the server is reached through a socket', async (context) => {
  const server = createServer((request, response) => response.end(`told ${request.url}`)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const isolation = await isolate({ ...options, server: { url: `http://127.0.0.1:${port}/p/x`, token: 't' } });
  context.after(() => isolation.close());
  if (isolation.way !== 'namespace') return context.skip('this machine permits no network namespaces');
  const said = await runUnder(isolation);
  assert.match(said, /told \/p\/x\/runs\n.*unreachable/);
  assert.equal(isolation.env['MLFLOW_TRACKING_TOKEN'], 't');
  const forwarder = Number(said.trim().split('\n')[2]);
  await waitFor('the end of the forwarder', () => assert.throws(() => process.kill(forwarder, 0), { code: 'ESRCH' }));
});

test('without a server nothing is forwarded; with the network nothing stands before the kernel', async () => {
  const alone = await isolate({ ...options, server: null });
  assert.deepEqual(alone.env, {});
  if (alone.way === 'namespace') assert.match(await runUnder(alone), /^no server\n.*unreachable/);
  const open = await isolate({ ...options, network: true, server: null });
  assert.deepEqual([open.way, open.under], ['open', []]);
});
