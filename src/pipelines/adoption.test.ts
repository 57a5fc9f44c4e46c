import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { closePipelines, notebookText, pipelinesDeps, projectFolder, untilEnd } from '../../test/support/pipelines.ts';
import { waitFor } from '../../test/support/ports.ts';
import { NOTEBOOK_REQUIREMENTS, pythonEnvironment } from '../../test/support/python-environment.ts';
import { tempDir } from '../../test/support/temp.ts';
import { LOCAL } from '../../test/support/tracking.ts';
import { openSqlite } from '../adapters/sqlite/index.ts';
import { attemptOf } from './attempts.ts';
import { startPipelinesWork } from './index.ts';

const SERVER = fileURLToPath(new URL('../../test/support/pipelines-server.ts', import.meta.url));

async function serverWithRun(
  dir: string,
  folder: string,
  pipeline: string,
): Promise<{ server: ChildProcess; runId: string }> {
  const server = spawn(process.execPath, [SERVER, dir, folder, pipeline], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(server.stdout!.setEncoding('utf8'), 'data');
  return { server, runId: String(line).trim() };
}

async function killHard(server: ChildProcess): Promise<void> {
  server.kill('SIGKILL');
  if (server.exitCode === null && server.signalCode === null) await once(server, 'exit');
}

/** Another server on the same data directory brings the run to its end. */
async function goOn(dir: string, runId: string) {
  const db = await openSqlite({ path: join(dir, 'db.sqlite') });
  const deps = await pipelinesDeps(db, {}, dir);
  const work = startPipelinesWork(deps);
  const ended = await untilEnd(deps, { projectId: LOCAL.projectId, id: runId });
  await work.stop();
  await closePipelines(deps);
  await db.close();
  return ended;
}

const logOf = (dir: string, runId: string, name: string) =>
  readFile(join(attemptOf({ workDir: join(dir, 'work') }, { runId, name, attempt: 1 }).folder, 'log'), 'utf8');

test('a step outlives kill -9 of its server, and the next server commits its outputs once', async () => {
  const dir = tempDir();
  const folder = await projectFolder({
    'levain.yaml':
      'name: slow\nsteps:\n  a: { run: "echo up; until test -e $PWD/go; do sleep 0.05; done; echo made > out; echo end", out: [out] }\n  b: { run: "cat out", in: [out] }\n',
  });
  const { server, runId } = await serverWithRun(dir, folder, 'slow');
  await waitFor('the step', async () => assert.match(await logOf(dir, runId, 'a'), /up/));
  await killHard(server);
  const attempt = attemptOf({ workDir: join(dir, 'work') }, { runId, name: 'a', attempt: 1 });
  await writeFile(join(attempt.src, 'go'), '');
  const { run, steps } = await goOn(dir, runId);
  assert.equal(run.state, 'succeeded', JSON.stringify(run.failure));
  assert.deepEqual([steps['a']?.attempt, steps['a']?.fence], [1, 2], 'adopted, not started anew');
  assert.equal(await logOf(dir, runId, 'a'), 'up\nend\n');
  assert.equal(await logOf(dir, runId, 'b'), 'made\n');
});

test('a notebook step outlives its server too', async () => {
  const dir = tempDir();
  const { lock } = await pythonEnvironment(NOTEBOOK_REQUIREMENTS);
  const cells = [
    'print("begun")',
    'import os, time\nwhile not os.path.exists("go"):\n    time.sleep(0.05)',
    'open("out", "w").write("made")',
  ];
  const folder = await projectFolder({
    'levain.yaml': 'name: book\nsteps: { a: { notebook: a.ipynb, out: [out] } }\n',
    'requirements.lock': lock,
    'a.ipynb': notebookText(cells),
  });
  const { server, runId } = await serverWithRun(dir, folder, 'book');
  await waitFor('the cell', async () => assert.match(await logOf(dir, runId, 'a'), /begun/));
  await killHard(server);
  const attempt = attemptOf({ workDir: join(dir, 'work') }, { runId, name: 'a', attempt: 1 });
  await writeFile(join(attempt.src, 'go'), '');
  const { run, steps } = await goOn(dir, runId);
  assert.equal(run.state, 'succeeded', JSON.stringify(run.failure));
  assert.deepEqual([steps['a']?.attempt, steps['a']?.fence], [1, 2]);
  assert.equal(steps['a']?.outputs?.notebook?.path, 'a.ipynb');
});

test('a step whose process vanished with its server is lost, and tried again where the file says so', async () => {
  const dir = tempDir();
  const folder = await projectFolder({
    'levain.yaml':
      'name: gone\nsteps:\n  a: { run: "case $PWD in *.a.1/src) echo up; sleep 600;; esac", retry: { max: 1, backoff: 1ms, when: [lost] } }\n',
  });
  const { server, runId } = await serverWithRun(dir, folder, 'gone');
  await waitFor('the step', async () => assert.match(await logOf(dir, runId, 'a'), /up/));
  await killHard(server);
  const attempt = attemptOf({ workDir: join(dir, 'work') }, { runId, name: 'a', attempt: 1 });
  const claim = await readFile(join(attempt.folder, 'claim'), 'utf8');
  process.kill(-Number(claim.split(' ')[2]), 'SIGKILL');
  const { run, steps } = await goOn(dir, runId);
  assert.equal(run.state, 'succeeded', JSON.stringify(run.failure));
  assert.equal(steps['a']?.attempt, 2);
});
