import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createLocalExecutor } from '../../src/adapters/executor-local/index.ts';
import { executorContract } from './executor.contract.ts';

executorContract('local', createLocalExecutor);

async function attempt(): Promise<{ root: string; attemptDir: string }> {
  const root = await mkdtemp(join(tmpdir(), 'levain-adopt-'));
  const attemptDir = join(root, 'attempt');
  await mkdir(attemptDir);
  return { root, attemptDir };
}

test('a step survives kill -9 of the process that started it and is adopted by another', async () => {
  const { root, attemptDir } = await attempt();
  const task = {
    id: `adopt-${process.pid}`,
    command: ['/bin/sh', '-c', 'echo begun; sleep 1; echo done; exit 4'],
    cwd: root,
    env: { PATH: '/usr/bin:/bin' },
    attemptDir,
  };
  const starter = spawn(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `import { createLocalExecutor } from ${JSON.stringify(new URL('../../src/adapters/executor-local/index.ts', import.meta.url).href)};
       await createLocalExecutor().start(${JSON.stringify(task)});
       console.log('started'); setInterval(() => {}, 1000);`,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  await once(starter.stdout, 'data');
  starter.kill('SIGKILL');
  await once(starter, 'exit');
  const executor = createLocalExecutor();
  assert.deepEqual(await executor.wait(task), { state: 'exited', exitCode: 4 });
  assert.equal(await readFile(join(attemptDir, 'log'), 'utf8'), 'begun\ndone\n');
  await rm(root, { recursive: true });
});

test('a claim of a process that is gone, of another boot or of another host is lost, with the reason', async () => {
  const { root, attemptDir } = await attempt();
  const executor = createLocalExecutor();
  const task = { id: 'gone', attemptDir };
  const first = { ...task, command: ['/bin/sh', '-c', 'sleep 60'], cwd: root, env: { PATH: '/usr/bin:/bin' } };
  await executor.start(first);
  while ((await executor.inspect(task)).state !== 'running');
  const claim = await readFile(join(attemptDir, 'claim'), 'utf8');
  const [host, boot, pid] = claim.split(' ');
  process.kill(-Number(pid), 'SIGKILL');
  assert.match(JSON.stringify(await executor.wait(task)), /"lost".*left no exit code/);
  await writeFile(join(attemptDir, 'claim'), `${host} other-boot ${pid} 1\n`);
  assert.match(JSON.stringify(await executor.inspect(task)), /"lost".*restarted/);
  await writeFile(join(attemptDir, 'claim'), `elsewhere ${boot} ${pid} 1\n`);
  assert.match(JSON.stringify(await executor.inspect(task)), /"lost".*elsewhere/);
  await rm(root, { recursive: true });
});

test('a reused process number is not taken for the step', async () => {
  const { root, attemptDir } = await attempt();
  const executor = createLocalExecutor();
  const task = { id: 'reused', attemptDir };
  await executor.start({ ...task, command: ['/bin/true'], cwd: root, env: {} });
  await executor.wait(task);
  const [host, boot] = (await readFile(join(attemptDir, 'claim'), 'utf8')).split(' ');
  await rm(join(attemptDir, 'exit'));
  await writeFile(join(attemptDir, 'claim'), `${host} ${boot} ${process.pid} 1\n`);
  assert.equal((await executor.inspect(task)).state, 'lost');
  await rm(root, { recursive: true });
});
