import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createUvEnvironments } from '../../src/adapters/uv/index.ts';
import { environmentsContract } from './environments.contract.ts';

const folders: string[] = [];
const folder = async (): Promise<string> => {
  const path = await mkdtemp(join(tmpdir(), 'levain-envs-'));
  folders.push(path);
  return path;
};
after(async () => {
  for (const path of folders) await rm(path, { recursive: true, force: true });
});

environmentsContract('uv', async () => createUvEnvironments({ dataDir: await folder() }));

test('what a killed build left behind is not taken for an environment and is built anew', async () => {
  const dataDir = await folder();
  const environments = createUvEnvironments({ dataDir });
  const lock = '# python: 3.11\nsix==1.17.0\n';
  const digest = environments.digestOf(lock);
  await mkdir(join(dataDir, 'envs', digest, 'bin'), { recursive: true });
  await writeFile(join(dataDir, 'envs', digest, 'bin', 'python'), 'half');
  await writeFile(join(dataDir, 'envs', `${digest}.building`), '999999999\n');
  assert.equal(await environments.find(digest), undefined);
  const built = await environments.build(lock);
  assert.deepEqual(await environments.find(digest), built);
  assert.deepEqual(await readdir(join(dataDir, 'envs')), [digest]);
});

test('a LEVAIN_UV that is not a program is named', async () => {
  const environments = createUvEnvironments({ dataDir: await folder(), env: { LEVAIN_UV: '/no/uv' } });
  await assert.rejects(environments.build('# python: 3.11\n'), {
    code: 'precondition_failed',
    message: /LEVAIN_UV is "\/no\/uv"/,
  });
});
