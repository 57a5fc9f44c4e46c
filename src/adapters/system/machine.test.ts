import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { tempDir } from '../../../test/support/temp.ts';
import { createMachine } from './machine.ts';

const clock = { now: () => time, sleep: async () => {} };
let time = 0;

function openMachine(askDatabase = async (): Promise<unknown> => undefined) {
  const dataDir = tempDir();
  const env = { ...process.env, LEVAIN_UV: '/nowhere/uv' };
  return { dataDir, machine: createMachine({ dataDir, clock, askDatabase, env }) };
}

test('storage is told by kind, links not followed, and measured again after a minute', async () => {
  const { dataDir, machine } = openMachine();
  mkdirSync(join(dataDir, 'objects', 'ab'), { recursive: true });
  writeFileSync(join(dataDir, 'objects', 'ab', 'one'), Buffer.alloc(1_000));
  writeFileSync(join(dataDir, 'db.sqlite'), Buffer.alloc(300));
  writeFileSync(join(dataDir, 'db.sqlite-wal'), Buffer.alloc(20));
  writeFileSync(join(dataDir, 'before-0.1.0.sqlite'), Buffer.alloc(7));
  symlinkSync('/', join(dataDir, 'work'));
  const { items, freeBytes, isComplete } = await machine.storage();
  const sizes = Object.fromEntries(items.map(({ kind, sizeBytes }) => [kind, sizeBytes]));
  assert.equal(sizes['content'], 1_000);
  assert.equal(sizes['database'], 320);
  assert.equal(sizes['backups'], 7);
  assert.ok(sizes['runs']! < 100);
  assert.ok(freeBytes! > 0);
  assert.equal(isComplete, true);
  writeFileSync(join(dataDir, 'objects', 'two'), Buffer.alloc(500));
  assert.equal((await machine.storage()).items[0]!.sizeBytes, 1_000);
  time += 60_000;
  assert.equal((await machine.storage()).items[0]!.sizeBytes, 1_500);
});

test('what is missing is a finding with its fix, not an error', async () => {
  const { machine } = openMachine(async () => {
    throw new Error('the disk is gone');
  });
  const findings = new Map((await machine.check()).map((finding) => [finding.name, finding]));
  assert.equal(findings.get('node')!.state, 'ok');
  assert.deepEqual(findings.get('uv'), {
    name: 'uv',
    state: 'warning',
    detail: 'not found',
    fix: 'it is installed by itself when first needed',
  });
  assert.equal(findings.get('database')!.state, 'missing');
  assert.match(findings.get('database')!.detail, /the disk is gone/);
});
