import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import type { Executor, TaskSpec } from '../../src/ports/executor.ts';

/** What every executor promises. `create` makes a fresh instance, as a restarted server would. */
export function executorContract(name: string, create: () => Executor): void {
  describe(`executor ${name}`, () => {
    const roots: string[] = [];
    const started: TaskSpec[] = [];
    after(async () => {
      for (const task of started) await create().cancel(task, 100);
      for (const root of roots) await rm(root, { recursive: true, force: true });
    });

    const task = async (script: string, env: Record<string, string> = {}): Promise<TaskSpec> => {
      const root = await mkdtemp(join(tmpdir(), 'levain-executor-'));
      roots.push(root);
      const attemptDir = join(root, 'attempt');
      await mkdir(attemptDir);
      const spec: TaskSpec = {
        id: `run-step-${roots.length}-${process.pid}`,
        command: ['/bin/sh', '-c', script],
        cwd: root,
        env: { PATH: '/usr/bin:/bin', ...env },
        attemptDir,
      };
      started.push(spec);
      return spec;
    };
    const logOf = (spec: TaskSpec) => readFile(join(spec.attemptDir, 'log'), 'utf8');

    test('a task runs in its folder with exactly its environment and leaves its log and exit code', async () => {
      const spec = await task('pwd; echo "$GREETING"; echo problem >&2; echo "[$HOME]"; exit 7', { GREETING: 'hello' });
      const executor = create();
      assert.deepEqual(await executor.inspect(spec), { state: 'unclaimed' });
      await executor.start(spec);
      assert.deepEqual(await executor.wait(spec), { state: 'exited', exitCode: 7 });
      assert.equal(await logOf(spec), `${spec.cwd}\nhello\nproblem\n[]\n`);
    });

    test('starting a task again, from here or from another executor, runs it once', async () => {
      const spec = await task('echo once; sleep 0.2');
      const [first, second] = [create(), create()];
      await Promise.all([first.start(spec), second.start(spec), first.start(spec)]);
      await second.wait(spec);
      await first.start(spec);
      assert.equal((await first.wait(spec)).state, 'exited');
      assert.equal(await logOf(spec), 'once\n');
    });

    test('another executor adopts a running task and learns its exit code', async () => {
      const spec = await task('sleep 0.5; exit 3');
      await create().start(spec);
      const other = create();
      const state = await other.inspect(spec);
      assert.ok(state.state === 'running' || state.state === 'unclaimed');
      assert.deepEqual(await other.wait(spec), { state: 'exited', exitCode: 3 });
    });

    test('an aborted wait leaves the task running', async () => {
      const spec = await task('sleep 30');
      const executor = create();
      await executor.start(spec);
      while ((await executor.inspect(spec)).state !== 'running');
      assert.equal((await executor.wait(spec, AbortSignal.abort())).state, 'running');
      await executor.cancel(spec, 2000);
    });

    test('cancel lets a task end by itself on TERM', async () => {
      const spec = await task('trap "echo bye; exit 5" TERM; echo up; while :; do sleep 0.05; done');
      const executor = create();
      await executor.start(spec);
      while (!(await logOf(spec)).includes('up'));
      await executor.cancel(spec, 5000);
      assert.deepEqual(await executor.inspect(spec), { state: 'exited', exitCode: 5 });
      assert.match(await logOf(spec), /bye/);
    });

    test('cancel kills what ignores TERM and sweeps what left the group', async () => {
      const spec = await task('trap "" TERM; setsid sleep 300 & echo "child $!"; while :; do sleep 0.05; done');
      const executor = create();
      await executor.start(spec);
      while (!(await logOf(spec)).includes('child'));
      const child = Number(/child (\d+)/.exec(await logOf(spec))![1]);
      await executor.cancel(spec, 200);
      await executor.cancel(spec, 200);
      const state = await executor.inspect(spec);
      assert.equal(state.state, 'exited');
      assert.equal(state.state === 'exited' && state.signal, 'SIGKILL');
      const stat = await readFile(`/proc/${child}/stat`, 'utf8').catch(() => 'gone');
      assert.ok(stat === 'gone' || stat.includes(') Z '), stat);
    });

    test('a cancelled task that was never started cannot start any more', async () => {
      const spec = await task('echo ran');
      const executor = create();
      await executor.cancel(spec);
      await executor.start(spec);
      assert.equal((await executor.wait(spec)).state, 'exited');
      await assert.rejects(logOf(spec));
    });

    test('a command that does not exist is an exit code, with the reason in the log', async () => {
      const spec = { ...(await task('')), command: ['/no/such/program'] };
      const executor = create();
      await executor.start(spec);
      assert.deepEqual(await executor.wait(spec), { state: 'exited', exitCode: 127 });
      assert.match(await logOf(spec), /no\/such\/program/);
    });
  });
}
