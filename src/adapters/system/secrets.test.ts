import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { tempDir } from '../../../test/support/temp.ts';
import { isAppError } from '../../kernel/errors.ts';
import { openSecrets } from './index.ts';

test('a secret reads back, also after a restart, and its value is nowhere in clear text', async () => {
  const dataDir = tempDir();
  const secrets = await openSecrets({ dataDir });
  await secrets.set('SLACK_URL', 'https://hooks.example/very-secret ä');
  await secrets.set('DB_URL', 'postgres://a:b@c/d');
  await secrets.set('DB_URL', '');
  const again = await openSecrets({ dataDir });
  assert.equal(await again.find('SLACK_URL'), 'https://hooks.example/very-secret ä');
  assert.equal(await again.find('DB_URL'), '');
  assert.equal(await again.find('NO_SUCH'), undefined);
  assert.equal(await again.find('toString'), undefined);
  assert.deepEqual(await again.list(), ['DB_URL', 'SLACK_URL']);
  for (const name of await readdir(dataDir)) {
    const path = join(dataDir, name);
    assert.equal((await stat(path)).mode & 0o777, 0o600, name);
    assert.ok(!(await readFile(path)).includes('very-secret'), name);
  }
});

test('secrets that are set together are all kept', async () => {
  const secrets = await openSecrets({ dataDir: tempDir() });
  await Promise.all(Array.from({ length: 20 }, (_, i) => secrets.set(`S${i}`, `${i}`)));
  assert.equal((await secrets.list()).length, 20);
});

test('a value that was moved under another name or changed is refused', async () => {
  const dataDir = tempDir();
  const secrets = await openSecrets({ dataDir });
  await secrets.set('A', 'one');
  const path = join(dataDir, 'secrets.json');
  const { A } = JSON.parse(await readFile(path, 'utf8')) as { A: string };
  const changed = Buffer.from(A, 'base64');
  changed[changed.length - 1]! ^= 1;
  await writeFile(path, JSON.stringify({ B: A, C: changed.toString('base64'), D: 'short' }));
  for (const name of ['B', 'C', 'D']) {
    await assert.rejects(
      secrets.find(name),
      (error) => isAppError(error, 'unavailable') && error.message.includes(name),
    );
  }
});

test('a lost or wrong key is said so and nothing is overwritten', async () => {
  const dataDir = tempDir();
  await (await openSecrets({ dataDir })).set('A', 'one');
  await rm(join(dataDir, 'secrets.key'));
  await assert.rejects(openSecrets({ dataDir }), (error) => isAppError(error, 'unavailable'));
  await writeFile(join(dataDir, 'secrets.key'), randomBytes(32));
  await assert.rejects((await openSecrets({ dataDir })).find('A'), (error) => isAppError(error, 'unavailable'));
});

test('a name that is none and a value that is too long are refused', async () => {
  const secrets = await openSecrets({ dataDir: tempDir() });
  for (const name of ['', '1A', 'A-B', '$A', 'A'.repeat(101), '__proto__\n']) {
    await assert.rejects(secrets.set(name, 'x'), (error) => isAppError(error, 'invalid'), name);
  }
  await assert.rejects(secrets.set('A', 'x'.repeat(70_000)), (error) => isAppError(error, 'too_large'));
});

test('a removed secret is gone, the others stay, and removing it again says so', async () => {
  const secrets = await openSecrets({ dataDir: tempDir() });
  await secrets.set('A', 'one');
  await secrets.set('B', 'two');
  assert.equal(await secrets.remove('A'), true);
  assert.equal(await secrets.remove('A'), false);
  assert.equal(await secrets.find('A'), undefined);
  assert.deepEqual(await secrets.list(), ['B']);
  assert.equal(await secrets.find('B'), 'two');
});
