import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import { eachDatabase } from '../../test/support/db.ts';
import {
  applyFolder,
  closePipelines,
  notebookText,
  pipelinesDeps,
  projectFolder,
  runToEnd,
  writeProjectFile,
} from '../../test/support/pipelines.ts';
import { LOCAL } from '../../test/support/tracking.ts';
import { isAppError } from '../kernel/errors.ts';
import { sha256 } from '../kernel/hash.ts';
import { getRun as getTrackedRun, listArtifactFolder, rootOf } from '../tracking/index.ts';
import { fileAdopted } from './adopted.ts';
import { getRunDetail, listRuns, type PipelinesDeps, startPipelinesWork } from './index.ts';
import type { AdoptedInput } from './types.ts';

const CSV = 'customer,months,left\na,1,Yes\nb,20,No\n';
const PROJECT = {
  'levain.yaml':
    'name: churn\ndata: { churn: { from: churn.csv, key: customer } }\nsteps: { train: { notebook: train.ipynb } }\n',
  'train.ipynb': ['import pandas', 'clf = 1'],
  'helper.py': 'x = 1\n',
  'churn.csv': CSV,
};
const T = Date.UTC(2026, 2, 1, 9, 5);

eachDatabase((_name, open) => {
  const cleanups: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });
  const working = async (): Promise<PipelinesDeps> => {
    const db = await open();
    const deps = await pipelinesDeps(db);
    const work = startPipelinesWork(deps, { takeOver: true });
    cleanups.push(
      () => db.close(),
      () => closePipelines(deps),
      () => work.stop(),
    );
    return deps;
  };

  /** The project applied, and what adopt would send of its run. */
  const applied = async (deps: PipelinesDeps) => {
    const folder = await projectFolder(PROJECT);
    const { sourceDigest } = await applyFolder(deps, folder, ['churn.csv']);
    const put = async (path: string, text: string) => ({ path, ...(await deps.content.put(Buffer.from(text))) });
    const input: AdoptedInput = {
      pipeline: 'churn',
      step: 'train',
      sourceDigest,
      ran: {
        notebook: sha256(notebookText(PROJECT['train.ipynb'])),
        data: { churn: [sha256(CSV)] },
        lock: null,
        platform: `${process.platform}-${process.arch}`,
      },
      startedAt: T - 12_000,
      endedAt: T,
      notebook: await put('train.ipynb', notebookText(['executed'])),
      log: await put('log.txt', 'cell 1 of 2\n'),
      exports: { clf: { files: [await put('model.pkl', 'bytes')], facts: { ok: true } } },
      metrics: { accuracy: 0.8 },
    };
    return { folder, input };
  };

  test('the step that adopt ran is cached in the next run, which says so', async () => {
    const deps = await working();
    const { input } = await applied(deps);
    const { runId, created } = await fileAdopted(deps, LOCAL, input);
    assert.equal(created, true);
    const { run, steps } = await getRunDetail(deps, LOCAL.projectId, runId);
    assert.deepEqual(
      [run.state, run.trigger.kind, run.summary, steps.map(({ name, state }) => [name, state])],
      [
        'succeeded',
        'adopt',
        'train was run by levain adopt in 12 s',
        [
          ['data:churn', 'ok'],
          ['train', 'ok'],
        ],
      ],
    );
    const next = await runToEnd(deps, { pipeline: 'churn' });
    assert.equal(next.steps['train']?.state, 'cached');
    assert.equal(
      next.steps['train']?.reason,
      'cached, adopt ran it at 2026-03-01 09:05 UTC: same notebook, data, code, environment',
    );
    assert.deepEqual(next.steps['train']?.outputs?.exports, steps[1]?.outputs?.exports);
  });

  test('its tracked run holds scores, lineage, executed notebook and log', async () => {
    const deps = await working();
    const { input } = await applied(deps);
    const { runId } = await fileAdopted(deps, LOCAL, input);
    const { run, steps } = await getRunDetail(deps, LOCAL.projectId, runId);
    const tracked = await getTrackedRun(deps.tracking, LOCAL, steps[1]?.outputs?.trackedRuns?.[0] ?? '');
    assert.equal(tracked.status, 'FINISHED');
    assert.deepEqual(
      tracked.metrics.map(({ key, value }) => [key, value]),
      [['accuracy', 0.8]],
    );
    const tags = Object.fromEntries(tracked.tags.map(({ key, value }) => [key, value]));
    assert.deepEqual(
      [tags['levain.pipeline_run'], tags['levain.step'], tags['levain.source'], tags['levain.adopted']],
      [runId, 'train', run.sourceDigest, 'true'],
    );
    const files = await listArtifactFolder(deps.tracking, LOCAL.projectId, `${rootOf(tracked.artifactUri)}/levain`);
    assert.deepEqual(
      files.map(({ name }) => name),
      ['log.txt', 'train.ipynb'],
    );
    assert.equal(await readFile(join(deps.workDir, `${runId}.train.1`, 'log'), 'utf8'), 'cell 1 of 2\n');
  });

  test("a notebook's own runs are kept as it made them, the first one linked", async () => {
    const deps = await working();
    const { input } = await applied(deps);
    const point = (value: number, step: number) => ({ key: 'loss', value, timestamp: T, step });
    const tracked = [
      { name: 'mine', startedAt: T, endedAt: T, params: { depth: '3' }, metrics: [point(2, 0), point(1, 1)] },
      { name: 'other', startedAt: T, endedAt: T },
    ];
    const { runId } = await fileAdopted(deps, LOCAL, { ...input, tracked });
    const { steps } = await getRunDetail(deps, LOCAL.projectId, runId);
    const runs = await Promise.all(
      (steps[1]?.outputs?.trackedRuns ?? []).map((id) => getTrackedRun(deps.tracking, LOCAL, id)),
    );
    assert.deepEqual(
      runs.map(({ name, params, metrics, tags }) => [
        name,
        params,
        metrics.map(({ value }) => value),
        tags.some(({ key }) => key === 'levain.pipeline_run'),
      ]),
      [
        ['mine', [{ key: 'depth', value: '3' }], [1], true],
        ['other', [], [], false],
      ],
    );
  });

  test('told twice it is one run', async () => {
    const deps = await working();
    const { input } = await applied(deps);
    const first = await fileAdopted(deps, LOCAL, input);
    const again = await fileAdopted(deps, LOCAL, input);
    assert.deepEqual(again, { ...first, created: false });
    assert.equal((await listRuns(deps, LOCAL.projectId, { limit: 10 })).items.length, 1);
  });

  test('what does not fit is refused by name and leaves no run', async () => {
    const deps = await working();
    const { folder, input } = await applied(deps);
    const refused = async (more: Partial<AdoptedInput>, message: RegExp) =>
      assert.rejects(fileAdopted(deps, LOCAL, { ...input, ...more }), (error) => {
        assert.ok(isAppError(error), String(error));
        assert.match(error.message, message);
        return true;
      });
    const { ran } = input;
    await refused({ ran: { ...ran, notebook: sha256('x') } }, /the step train has now \(train\.ipynb changed\)/);
    await refused(
      { ran: { ...ran, data: { churn: [sha256('x')] }, lock: sha256('l') } },
      /the environment, data churn/,
    );
    await refused({ ran: { ...ran, params: { seed: 1 } } }, /parameter seed/);
    await refused({ step: 'fit' }, /no notebook step "fit"/);
    await refused({ pipeline: 'other' }, /never applied/);
    await refused(
      { exports: { clf: { files: [{ path: 'm', digest: sha256('nobody sent this'), sizeBytes: 1 }], facts: {} } } },
      /./,
    );
    await writeProjectFile(folder, 'helper.py', 'x = 2\n');
    await applyFolder(deps, folder, ['churn.csv']);
    await refused({}, /another one than levain adopt saw/);
    assert.deepEqual((await listRuns(deps, LOCAL.projectId, { limit: 10 })).items, []);
  });
});
