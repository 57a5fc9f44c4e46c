import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import { eachDatabase } from '../../test/support/db.ts';
import {
  applyFolder,
  closePipelines,
  pipelinesDeps,
  projectFolder,
  runToEnd,
  sourceOf,
  untilEnd,
  writeProjectFile,
} from '../../test/support/pipelines.ts';
import { LOCAL } from '../../test/support/tracking.ts';
import { attemptOf } from './attempts.ts';
import { cancelRun, type PipelinesDeps, startPipelinesWork, startRun, whyStep } from './index.ts';

const bytesOf = async (deps: PipelinesDeps, digest: string | undefined) =>
  Buffer.from(await deps.content.bytes(digest!, 1_000_000)).toString();

eachDatabase((_name, open) => {
  const cleanups: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });
  const working = async (more: Partial<PipelinesDeps> = {}): Promise<PipelinesDeps> => {
    const db = await open();
    const deps = await pipelinesDeps(db, more);
    const work = startPipelinesWork(deps, { takeOver: true });
    cleanups.push(
      () => db.close(),
      () => closePipelines(deps),
      () => work.stop(),
    );
    return deps;
  };
  const TWO_STEPS = {
    'levain.yaml': [
      'name: two',
      'params: { greeting: hello }',
      'steps:',
      '  first: { run: sh first.sh, in: [first.sh], out: [first.txt] }',
      '  second: { run: "cat first.txt > second.txt; echo done", in: [first.txt], out: [second.txt] }',
    ].join('\n'),
    'first.sh': 'echo "$LEVAIN_PARAM_GREETING" > first.txt\n',
  };

  test('steps run in the order of their files, and what they put out is kept', async () => {
    const deps = await working();
    await applyFolder(deps, await projectFolder(TWO_STEPS));
    const { run, steps } = await runToEnd(deps, { pipeline: 'two' });
    assert.equal(run.state, 'succeeded', JSON.stringify(run.failure));
    assert.equal(run.summary, 'succeeded: 2 steps ran, 0 were cached');
    assert.equal(run.draft, false);
    assert.equal(await bytesOf(deps, steps['second']?.outputs?.files?.[0]?.digest), 'hello\n');
    assert.equal(steps['first']?.reason, 'first run');
    assert.equal(steps['first']?.outputs?.trackedRuns?.length, 1);
  });

  test('a second run is cached with its reason; a change names what changed, and equal bytes stop the wave', async () => {
    const deps = await working();
    const folder = await projectFolder(TWO_STEPS);
    await applyFolder(deps, folder);
    const first = await runToEnd(deps, { pipeline: 'two' });
    const second = await runToEnd(deps, { pipeline: 'two' });
    assert.deepEqual([second.steps['first']?.state, second.steps['second']?.state], ['cached', 'cached']);
    assert.equal(
      second.steps['first']?.reason,
      `cached from run ${first.run.id.slice(-7)}: same command, code, environment`,
    );
    assert.deepEqual(second.steps['second']?.outputs, first.steps['second']?.outputs);

    await writeProjectFile(folder, 'first.sh', 'echo hello > first.txt\n');
    await applyFolder(deps, folder);
    const third = await runToEnd(deps, { pipeline: 'two' });
    assert.equal(third.steps['first']?.state, 'ok');
    assert.equal(third.steps['first']?.reason, 're-ran because first.sh changed');
    assert.equal(third.steps['second']?.state, 'cached', 'the bytes that it reads are the same');

    const other = await runToEnd(deps, { pipeline: 'two', params: { greeting: 'bye' } });
    assert.equal(other.steps['second']?.reason, 're-ran because parameter greeting changed');
    const why = await whyStep(deps, LOCAL.projectId, { id: other.run.id.slice(-7), step: 'first' });
    assert.deepEqual(
      why.parts.filter((part) => part.changed).map((part) => part.what),
      ['parameter greeting'],
    );
  });

  test('a failing step fails the run with its last words, and what waits for it is skipped', async () => {
    const deps = await working();
    await applyFolder(
      deps,
      await projectFolder({
        'levain.yaml':
          'name: bad\nsteps:\n  a: { run: "echo so far; echo no such column >&2; exit 3" }\n  b: { run: "true", needs: [a] }\n',
      }),
    );
    const { run, steps } = await runToEnd(deps, { pipeline: 'bad' });
    assert.equal(run.state, 'failed');
    assert.deepEqual([run.failure?.kind, run.failure?.exitCode], ['exit', 3]);
    assert.equal(run.failure?.message, 'a ended with exit code 3: no such column');
    assert.ok(run.failure?.logTail.includes('so far'));
    assert.equal(steps['b']?.state, 'skipped');
    const again = await runToEnd(deps, { pipeline: 'bad' });
    assert.equal(again.steps['a']?.state, 'failed', 'a failure is never cached');
    assert.equal(again.steps['a']?.reason, 'its last attempt did not succeed');
  });

  test('a notebook that is not in the project, or none, fails its step with what to do', async () => {
    const deps = await working();
    const yaml = 'name: nb\nsteps: { a: { notebook: a.ipynb } }\n';
    const folder = await projectFolder({ 'levain.yaml': yaml });
    const failureOf = async (): Promise<string | undefined> => {
      await applyFolder(deps, folder);
      return (await runToEnd(deps, { pipeline: 'nb' })).run.failure?.message;
    };
    assert.match((await failureOf()) ?? '', /^steps\.a names a\.ipynb, which is not in the project; .*\.levainignore/);
    await writeProjectFile(folder, 'a.ipynb', 'hello,\nno json');
    assert.match((await failureOf()) ?? '', /^a\.ipynb is not a notebook: [^\n]*not valid JSON$/);
    await writeProjectFile(folder, 'a.ipynb', '{"nbformat": 3, "worksheets": []}');
    assert.match((await failureOf()) ?? '', /nbformat 3; open it in a current Jupyter and save it/);
  });

  test('the last words of a step come without the colours of a terminal', async () => {
    const deps = await working();
    const yaml = `name: red\nsteps: { a: { run: 'printf "\\033[31mno such column\\033[0m\\n"; exit 1' } }\n`;
    await applyFolder(deps, await projectFolder({ 'levain.yaml': yaml }));
    const { run } = await runToEnd(deps, { pipeline: 'red' });
    assert.equal(run.failure?.message, 'a ended with exit code 1: no such column');
    assert.ok(run.failure?.logTail.includes('no such column'));
  });

  test('retries are further attempts in clean copies', async () => {
    const deps = await working();
    const yaml =
      'name: retry\nsteps:\n  a: { run: "test ! -e made || exit 9; touch made; case $PWD in *.a.3/src) echo ok > out;; *) exit 1;; esac", out: [out], retry: { max: 2, backoff: 1ms } }\n';
    await applyFolder(deps, await projectFolder({ 'levain.yaml': yaml }));
    const { run, steps } = await runToEnd(deps, { pipeline: 'retry' });
    assert.equal(run.state, 'succeeded', JSON.stringify(run.failure));
    assert.equal(steps['a']?.attempt, 3);
  });

  test('a step that takes too long is stopped', async () => {
    const deps = await working();
    await applyFolder(
      deps,
      await projectFolder({ 'levain.yaml': 'name: slow\nsteps: { a: { run: sleep 600, timeout: 300ms } }\n' }),
    );
    const { run } = await runToEnd(deps, { pipeline: 'slow' });
    assert.equal(run.failure?.kind, 'timeout');
    assert.match(run.failure?.message ?? '', /longer than its timeout of 0\.3 s/);
  });

  test('an output that was promised and not written fails the step', async () => {
    const deps = await working();
    await applyFolder(
      deps,
      await projectFolder({ 'levain.yaml': 'name: none\nsteps: { a: { run: "true", out: [model.pkl] } }\n' }),
    );
    const { run } = await runToEnd(deps, { pipeline: 'none' });
    assert.equal(run.failure?.kind, 'output');
    assert.match(run.failure?.message ?? '', /did not write model\.pkl/);
  });

  test('a cancelled run stops its step', async () => {
    const deps = await working();
    await applyFolder(
      deps,
      await projectFolder({ 'levain.yaml': 'name: long\nsteps: { a: { run: "echo up; sleep 600" } }\n' }),
    );
    const run = await startRun(deps, LOCAL, { pipeline: 'long' });
    const attempt = attemptOf(deps, { runId: run.id, name: 'a', attempt: 1 });
    const log = () => readFile(join(attempt.folder, 'log'), 'utf8').catch(() => '');
    while (!(await log()).includes('up'));
    await cancelRun(deps, LOCAL.projectId, run.id);
    const ended = await untilEnd(deps, run);
    assert.deepEqual([ended.run.state, ended.steps['a']?.state], ['cancelled', 'cancelled']);
    assert.equal((await deps.executor.inspect({ id: attempt.id, attemptDir: attempt.folder })).state, 'exited');
  });

  test('a step gets its declared secrets alone, and they are masked in what it said', async () => {
    const deps = await working();
    await deps.secrets.set('DB_URL', 'postgres://hunter2');
    await applyFolder(
      deps,
      await projectFolder({
        'levain.yaml': 'name: hush\nsteps:\n  a: { run: "echo got $DB_URL; exit 1", secrets: [DB_URL] }\n',
      }),
    );
    const { run } = await runToEnd(deps, { pipeline: 'hush' });
    assert.equal(run.failure?.message, 'a ended with exit code 1: got ***');
    assert.ok(!JSON.stringify(run).includes('hunter2'));
    await applyFolder(
      deps,
      await projectFolder({ 'levain.yaml': 'name: lost\nsteps:\n  a: { run: "true", secrets: [NOT_SET] }\n' }),
    );
    const missing = await runToEnd(deps, { pipeline: 'lost' });
    assert.match(missing.run.failure?.message ?? '', /needs the secret NOT_SET/);
  });

  test('a file that differs from the applied one makes a draft', async () => {
    const deps = await working();
    const folder = await projectFolder(TWO_STEPS);
    await applyFolder(deps, folder);
    const same = await startRun(deps, LOCAL, { pipeline: 'two', source: await sourceOf(deps, folder) });
    await writeProjectFile(folder, 'first.sh', 'echo draft > first.txt\n');
    const draft = await runToEnd(deps, { pipeline: 'two', source: await sourceOf(deps, folder) });
    assert.deepEqual([same.draft, draft.run.draft], [false, true]);
    assert.equal(await bytesOf(deps, draft.steps['second']?.outputs?.files?.[0]?.digest), 'draft\n');
  });

  test('independent steps run at the same time', async () => {
    const deps = await working({ env: { ...process.env, TMPDIR: await projectFolder({}) } });
    const meet = (own: string, other: string) =>
      `touch $TMPDIR/${own}; until test -e $TMPDIR/${other}; do sleep 0.02; done`;
    const yaml = `name: both\nsteps:\n  a: { run: "${meet('a', 'b')}" }\n  b: { run: "${meet('b', 'a')}" }\n`;
    await applyFolder(deps, await projectFolder({ 'levain.yaml': yaml }));
    const { run } = await runToEnd(deps, { pipeline: 'both' });
    assert.equal(run.state, 'succeeded');
  });
});
