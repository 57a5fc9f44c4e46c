import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { takeSnapshot } from '../../src/cli/snapshot.ts';
import { envelopeOf, levain, startUp, type UpData } from '../support/cli.ts';
import { waitFor } from '../support/ports.ts';
import { tempDir } from '../support/temp.ts';

const folders: string[] = [];
function newFolder(): string {
  const folder = tempDir();
  folders.push(folder);
  return folder;
}
after(async () => {
  for (const folder of folders) await levain(folder, ['down']);
});

interface Gateway {
  readonly pid: number;
  readonly url: string;
}
const gatewayOf = (folder: string): Gateway =>
  JSON.parse(readFileSync(join(folder, '.levain', 'gateway.json'), 'utf8')) as Gateway;
const isUp = async (url: string): Promise<void> => assert.ok((await fetch(url)).ok);
const isDown = (url: string): Promise<void> => assert.rejects(fetch(url));

test('up answers on both ports and stops both when it is told to', async () => {
  const up = await startUp(newFolder());
  assert.equal(await (await fetch(`${up.url}/health`)).text(), 'OK');
  await isUp(`${up.gatewayUrl}/v2/health/live`);
  assert.equal(await up.end('SIGTERM'), 0);
  await isDown(`${up.url}/health`);
  await isDown(`${up.gatewayUrl}/v2/health/live`);
});

test('Ctrl-C stops both and ends with 130', async () => {
  const up = await startUp(newFolder());
  assert.equal(await up.end('SIGINT'), 130);
  await isDown(`${up.gatewayUrl}/v2/health/live`);
});

test('a signal that comes twice, as timeout and npm send it, still stops both', async () => {
  const up = await startUp(newFolder());
  up.process.kill('SIGTERM');
  await sleep(30);
  assert.equal(await up.end('SIGTERM'), 0);
  await isDown(`${up.gatewayUrl}/v2/health/live`);
});

test('a gateway that is killed comes back on its port', async () => {
  const folder = newFolder();
  const up = await startUp(folder);
  const { pid } = gatewayOf(folder);
  process.kill(pid, 'SIGKILL');
  await waitFor('another gateway', () => assert.notEqual(gatewayOf(folder).pid, pid));
  await waitFor('its answer', () => isUp(`${up.gatewayUrl}/v2/health/live`));
  await up.end('SIGTERM');
});

test('a killed server leaves the gateway serving, and the next up adopts it on the same ports', async () => {
  const folder = newFolder();
  const first = await startUp(folder);
  const { pid } = gatewayOf(folder);
  await first.end('SIGKILL');
  await isUp(`${first.gatewayUrl}/v2/health/live`);
  const second = await startUp(folder, []);
  assert.equal(second.url, first.url);
  assert.equal(second.adoptedGateway, true);
  assert.equal(gatewayOf(folder).pid, pid);
  await second.end('SIGTERM');
  await isDown(`${first.gatewayUrl}/v2/health/live`);
});

test('down ends a gateway whose server is gone', async () => {
  const folder = newFolder();
  const up = await startUp(folder);
  await up.end('SIGKILL');
  const down = envelopeOf<{ server: boolean; gateway: boolean }>(await levain(folder, ['down', '--json']));
  assert.deepEqual([down.data.server, down.data.gateway], [false, true]);
  await isDown(`${up.gatewayUrl}/v2/health/live`);
});

test('up -d returns when it is ready, and down ends what it left running', async () => {
  const folder = newFolder();
  const result = await levain(folder, ['up', '-d', '--port', '0', '--gateway-port', '0', '--json']);
  assert.equal(result.code, 0, result.stdout + result.stderr);
  const { url, gatewayUrl } = envelopeOf<UpData>(result).data;
  await isUp(`${url}/health`);
  assert.equal((await levain(folder, ['down'])).code, 0);
  await isDown(`${url}/health`);
  await isDown(`${gatewayUrl}/v2/health/live`);
});

test('a second server on the same data directory is refused, and named is who has it', async () => {
  const folder = newFolder();
  const up = await startUp(folder);
  const second = await levain(folder, ['up', '--port', '0', '--json']);
  assert.equal(second.code, 5);
  const { error } = envelopeOf(second);
  assert.match(error?.message ?? '', new RegExp(`in use by Levain process ${up.pid}`));
  await up.end('SIGTERM');
});

test('a port that is in use is a sentence and exit code 5, for either of the two, and leaves nothing behind', async (t) => {
  const folder = newFolder();
  const other = createServer().listen(0, '127.0.0.1');
  t.after(() => other.close());
  await new Promise((resolve) => other.once('listening', resolve));
  const { port } = other.address() as { port: number };
  for (const args of [
    ['--port', String(port), '--gateway-port', '0'],
    ['--port', '0', '--gateway-port', String(port)],
  ]) {
    const result = await levain(folder, ['up', ...args, '--json']);
    assert.equal(result.code, 5, result.stdout);
    assert.match(envelopeOf(result).error?.message ?? '', new RegExp(`Port ${port} on 127.0.0.1 is in use`));
  }
  assert.match((await levain(folder, ['down'])).stdout, /Nothing runs/);
});

test('a data directory that cannot be used is a sentence, never a stack', async () => {
  const folder = newFolder();
  writeFileSync(join(folder, 'file'), '');
  for (const dataDir of ['file', 'file/below']) {
    const result = await levain(folder, ['up', '--data-dir', dataDir]);
    assert.equal(result.code, 1);
    assert.match(result.stderr, /^error: The data directory .* choose another with --data-dir/);
    assert.doesNotMatch(result.stderr, /\n\s+at /);
  }
});

test('something in the way inside the data directory is named', async () => {
  for (const name of ['server.log', 'gateway.log', 'gateway', 'up.log']) {
    const folder = newFolder();
    mkdirSync(join(folder, '.levain'));
    if (name === 'gateway') writeFileSync(join(folder, '.levain', name), '');
    else mkdirSync(join(folder, '.levain', name));
    const detach = name === 'up.log' ? ['-d'] : [];
    const result = await levain(folder, ['up', ...detach, '--port', '0', '--gateway-port', '0', '--json']);
    assert.equal(result.code, 1, result.stdout + result.stderr);
    const { code, message } = envelopeOf(result).error!;
    assert.deepEqual(
      [code, message],
      ['unavailable', `${join(folder, '.levain', name)} is in the way; move it elsewhere`],
    );
    assert.match((await levain(folder, ['down'])).stdout, /Nothing runs/);
  }
});

test('records of servers and gateways that are damaged count as none', async () => {
  const folder = newFolder();
  const up = await startUp(folder);
  await up.end('SIGTERM');
  const inDataDir = (name: string) => join(folder, '.levain', name);
  writeFileSync(inDataDir('server.json'), '{"pid":1,"url":"http://127.0.0.1:1","port":999999}');
  writeFileSync(inDataDir('gateway.json'), '{"pid":1,"url":5,"port":-7}');
  writeFileSync(inDataDir(join('gateway', 'gateway-id.json')), 'garbage');
  writeFileSync(inDataDir('server-of-folder.json'), '{"dataDir":5}');
  assert.match((await levain(folder, ['status'])).stderr, /No Levain answers at/);
  const again = await startUp(folder);
  await isUp(`${again.gatewayUrl}/v2/health/live`);
  await again.end('SIGTERM');
});

test('a data directory in the middle of the project is no part of its snapshot', async () => {
  const folder = newFolder();
  writeFileSync(join(folder, 'levain.yaml'), 'name: churn\n');
  const up = await startUp(folder, ['--port', '0', '--gateway-port', '0', '--data-dir', 'state']);
  const { sourceManifest } = await takeSnapshot(folder, []);
  await up.end('SIGTERM');
  assert.deepEqual(
    sourceManifest.map(({ path }) => path),
    ['levain.yaml'],
  );
});

test('a levain.yaml that cannot be read is named as such', async () => {
  const folder = newFolder();
  const upHere = ['up', '--port', '0', '--gateway-port', '0', '--json'];
  mkdirSync(join(folder, 'levain.yaml'));
  assert.match(envelopeOf(await levain(folder, upHere)).error?.message ?? '', /levain\.yaml is a folder/);
  rmdirSync(join(folder, 'levain.yaml'));
  symlinkSync('nowhere', join(folder, 'levain.yaml'));
  const result = await levain(folder, upHere);
  assert.equal(result.code, 1);
  assert.match(envelopeOf(result).error?.message ?? '', /levain\.yaml is a link to nothing/);
});

test('a wrong levain.yaml stops up before anything starts, naming line and key', async () => {
  const folder = newFolder();
  writeFileSync(join(folder, 'levain.yaml'), 'name: churn\nstpes: { train: { run: "true" } }\n');
  const result = await levain(folder, ['up', '--port', '0', '--gateway-port', '0', '--json']);
  assert.equal(result.code, 2);
  assert.match(envelopeOf(result).error?.message ?? '', /levain\.yaml:2.*"stpes".*steps/);
  assert.match((await levain(folder, ['down'])).stdout, /Nothing runs/);
});

test('without a server, a command says which one starts it', async () => {
  const folder = newFolder();
  const result = await levain(folder, ['models', '--url', 'http://127.0.0.1:9', '--json']);
  assert.equal(result.code, 1);
  assert.equal(envelopeOf(result).error?.hint, 'levain up');
});
