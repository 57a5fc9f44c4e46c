import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createAnalytics } from '../../src/adapters/duckdb/index.ts';
import { isAppError } from '../../src/kernel/errors.ts';
import { analyticsContract } from './analytics.contract.ts';

analyticsContract('a DuckDB child process', (folder) => createAnalytics({ tempDir: join(folder, 'spill') }));

test('what needs more memory than the limit is refused, and the process goes on', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'levain-analytics-'));
  const analytics = createAnalytics({ tempDir: join(folder, 'spill'), memoryLimitBytes: 32 * 2 ** 20 });
  try {
    await assert.rejects(analytics.query('select length(list(x)::varchar) from range(100000000) t(x)'), (e) =>
      isAppError(e, 'too_large'),
    );
    assert.equal((await analytics.query('select 1 as one')).rowCount, 1);
  } finally {
    await analytics.close();
    await rm(folder, { recursive: true, force: true });
  }
});

test('an idle process leaves, and the next query starts another', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'levain-analytics-'));
  const analytics = createAnalytics({ tempDir: join(folder, 'spill'), idleMs: 0 });
  try {
    await analytics.run('create table mine as select 1 as x');
    let isGone = false;
    for (let i = 0; i < 500 && !isGone; i++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      isGone = await analytics.query('select x from mine').then(
        () => false,
        (error) => isAppError(error, 'invalid') && /mine/.test(error.message),
      );
    }
    assert.ok(isGone, 'the table of the first process is still there');
  } finally {
    await analytics.close();
    await rm(folder, { recursive: true, force: true });
  }
});

test('a process that is killed takes its queries with it, says so, and is started again', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'levain-analytics-'));
  const analytics = createAnalytics({ tempDir: join(folder, 'spill') });
  try {
    await analytics.query('select 1');
    const pid = Number((await readFile(`/proc/self/task/${process.pid}/children`, 'utf8')).trim().split(' ').at(-1));
    const endless = analytics.query(
      'select count(*) from range(1000000000) a(x), range(1000000000) b(y) where x * y % 7 = 3',
    );
    process.kill(pid, 'SIGKILL');
    await assert.rejects(endless, (e) => isAppError(e, 'unavailable') && /ended \(SIGKILL\)/.test(e.message));
    assert.equal((await analytics.query('select 1')).rowCount, 1);
  } finally {
    await analytics.close();
    await rm(folder, { recursive: true, force: true });
  }
});
