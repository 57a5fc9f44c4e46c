import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { waitFor } from '../../../test/support/ports.ts';
import { tempDir } from '../../../test/support/temp.ts';
import { createLog, systemClock } from './index.ts';

test('a line is JSON with its time, level, message and fields, and children add theirs', async () => {
  const file = join(tempDir(), 'server.log');
  const log = createLog({ name: 'server', file });
  log.debug('not written');
  log.child({ runId: 'r1' }).warn('slow', { ms: 3 });
  const line = await waitFor('the line', async () => {
    const text = await readFile(file, 'utf8');
    return JSON.parse(text) as Record<string, unknown>;
  });
  assert.equal(line['msg'], 'slow');
  assert.equal(line['level'], 'warn');
  assert.equal(line['name'], 'server');
  assert.equal(line['runId'], 'r1');
  assert.equal(line['ms'], 3);
  assert.ok(!Number.isNaN(Date.parse(String(line['time']))));
  assert.equal((await stat(file)).mode & 0o777, 0o600);
});

test('a sleep ends at once with an abort and never rejects', async () => {
  const controller = new AbortController();
  const sleeping = systemClock.sleep(10 ** 12, controller.signal);
  controller.abort();
  await sleeping;
  await systemClock.sleep(10 ** 12, AbortSignal.abort());
  await systemClock.sleep(0);
});

test('a log whose disk is full stops nobody', {
  skip: process.platform !== 'linux' && 'only Linux has /dev/full',
}, async () => {
  const program = [
    `import { createLog } from ${JSON.stringify(new URL('./index.ts', import.meta.url).href)};`,
    "const log = createLog({ name: 'server', file: '/dev/full' });",
    "log.info('lost');",
    "setTimeout(() => { log.info('lost too'); console.log('still here'); process.exit(0); }, 100);",
  ].join('\n');
  const args = ['--input-type=module-typescript', '--eval', program];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 20_000 });
  assert.equal(stdout, 'still here\n');
});
