import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eachDatabase } from '../../test/support/db.ts';
import { LOCAL, trackingDeps } from '../../test/support/tracking.ts';
import {
  claimModelsOfAttempt,
  createExperiment,
  createLoggedModel,
  createRun,
  createStepRun,
  deleteExperiment,
  deleteRun,
  deleteTag,
  findExperiment,
  finishRun,
  getExperiment,
  getLoggedModel,
  getRun,
  logBatch,
  loggedModelsOfRun,
  logInputs,
  logMetrics,
  logParams,
  renameExperiment,
  restoreExperiment,
  restoreRun,
  runsOfAttempt,
  searchExperiments,
  searchRuns,
  setTags,
  updateRun,
} from './index.ts';

const SECOND = { ...LOCAL, projectId: LOCAL.projectId };

eachDatabase((_name, open) => {
  test('every project has a Default experiment 0, and ids count on from there', async () => {
    const deps = await trackingDeps(await open());
    assert.equal((await getExperiment(deps, LOCAL, 0)).name, 'Default');
    const first = await createExperiment(deps, LOCAL, { name: 'a', tags: [{ key: 'team', value: 'x' }] });
    const second = await createExperiment(deps, LOCAL, { name: 'b', artifactLocation: 's3://bucket/b' });
    assert.deepEqual([first.id, second.id], [1, 2]);
    assert.equal(first.artifactLocation, 'mlflow-artifacts:/1');
    assert.equal(second.artifactLocation, 's3://bucket/b');
    await assert.rejects(createExperiment(deps, SECOND, { name: 'a' }), { code: 'conflict' });
  });

  test('deleting an experiment deletes its runs, and restoring it brings back just these', async () => {
    const deps = await trackingDeps(await open());
    const { id } = await createExperiment(deps, LOCAL, { name: 'e' });
    const kept = await createRun(deps, LOCAL, { experimentId: id });
    const gone = await createRun(deps, LOCAL, { experimentId: id });
    await deleteRun(deps, LOCAL, gone.id);
    await deleteExperiment(deps, LOCAL, id);
    assert.equal((await getRun(deps, LOCAL, kept.id)).lifecycle, 'deleted');
    await assert.rejects(createRun(deps, LOCAL, { experimentId: id }), { code: 'precondition_failed' });
    await assert.rejects(renameExperiment(deps, LOCAL, { id, name: 'f' }), { code: 'precondition_failed' });
    await restoreExperiment(deps, LOCAL, id);
    assert.equal((await getRun(deps, LOCAL, kept.id)).lifecycle, 'active');
    assert.equal((await getRun(deps, LOCAL, gone.id)).lifecycle, 'deleted');
  });

  test('experiments are searched by name, tag and time, page by page', async () => {
    const deps = await trackingDeps(await open());
    for (const name of ['churn-a', 'churn-b', 'other']) {
      await createExperiment(deps, LOCAL, { name, tags: [{ key: 'kind', value: name.slice(0, 5) }] });
    }
    const byTag = await searchExperiments(deps, LOCAL, { filter: "tags.kind = 'churn'", limit: 10 });
    assert.deepEqual(byTag.items.map(({ name }) => name).sort(), ['churn-a', 'churn-b']);
    const like = await searchExperiments(deps, LOCAL, {
      filter: "name ILIKE 'CHURN-%'",
      orders: ['name DESC'],
      limit: 1,
    });
    assert.deepEqual(
      like.items.map(({ name }) => name),
      ['churn-b'],
    );
    const rest = await searchExperiments(deps, LOCAL, {
      filter: "name ILIKE 'CHURN-%'",
      orders: ['name DESC'],
      limit: 1,
      after: like.next,
    });
    assert.deepEqual(
      rest.items.map(({ name }) => name),
      ['churn-a'],
    );
    assert.equal(rest.next, undefined);
    assert.equal((await searchExperiments(deps, LOCAL, { filter: 'tag.kind is null', limit: 10 })).items.length, 1);
    assert.equal((await findExperiment(deps, LOCAL, 'other'))?.name, 'other');
    assert.equal(await findExperiment(deps, LOCAL, 'missing'), undefined);
  });

  test('a run carries its name in a tag, and either changes the other', async () => {
    const deps = await trackingDeps(await open());
    const run = await createRun(deps, LOCAL, { experimentId: 0, name: 'first' });
    await setTags(deps, LOCAL, { runId: run.id, tags: [{ key: 'mlflow.runName', value: 'second' }] });
    assert.equal((await getRun(deps, LOCAL, run.id)).name, 'second');
    await updateRun(deps, LOCAL, { id: run.id, name: 'third' });
    const { tags } = await getRun(deps, LOCAL, run.id);
    assert.deepEqual(tags, [{ key: 'mlflow.runName', value: 'third' }]);
    assert.match((await createRun(deps, LOCAL, { experimentId: 0 })).name, /^[a-z]+-[a-z]+-\d+$/);
    await assert.rejects(
      createRun(deps, LOCAL, { experimentId: 0, name: 'a', tags: [{ key: 'mlflow.runName', value: 'b' }] }),
      { code: 'invalid' },
    );
  });

  test('a parameter is written once, and a batch that changes one stores nothing', async () => {
    const deps = await trackingDeps(await open());
    const { id: runId } = await createRun(deps, LOCAL, { experimentId: 0 });
    await logParams(deps, LOCAL, { runId, params: [{ key: 'p', value: '1' }] });
    await logParams(deps, LOCAL, { runId, params: [{ key: 'p', value: '1' }] });
    await assert.rejects(logParams(deps, LOCAL, { runId, params: [{ key: 'p', value: '2' }] }), {
      message: `Changing param values is not allowed. Param with key='p' was already logged with value='1' for run ID='${runId}'. Attempted logging new value '2'.`,
    });
    const batch = {
      runId,
      params: [
        { key: 'q', value: '5' },
        { key: 'p', value: '3' },
      ],
      tags: [{ key: 't', value: 'x' }],
      metrics: [{ key: 'm', value: 1, timestamp: 1, step: 0 }],
    };
    await assert.rejects(logBatch(deps, LOCAL, batch), {
      message: `Changing param values is not allowed. Params were already logged='[{'key': 'p', 'old_value': '1', 'new_value': '3'}]' for run ID='${runId}'.`,
    });
    const run = await getRun(deps, LOCAL, runId);
    assert.deepEqual(run.params, [{ key: 'p', value: '1' }]);
    assert.deepEqual(run.metrics, []);
  });

  test('a deleted run takes nothing until it is restored', async () => {
    const deps = await trackingDeps(await open());
    const { id: runId } = await createRun(deps, LOCAL, { experimentId: 0 });
    const metrics = [{ key: 'm', value: 1, timestamp: 1, step: 0 }];
    await logMetrics(deps, LOCAL, { runId, metrics });
    await deleteRun(deps, LOCAL, runId);
    const message = `The run ${runId} must be in the 'active' state. Current state is deleted.`;
    await assert.rejects(logMetrics(deps, LOCAL, { runId, metrics }), { message });
    await assert.rejects(setTags(deps, LOCAL, { runId, tags: [{ key: 'a', value: 'b' }] }), { message });
    await assert.rejects(updateRun(deps, LOCAL, { id: runId, status: 'FAILED' }), { message });
    await restoreRun(deps, LOCAL, runId);
    await logMetrics(deps, LOCAL, { runId, metrics });
    await assert.rejects(logMetrics(deps, LOCAL, { runId: 'nope', metrics }), {
      message: 'Run with id=nope not found',
    });
    await assert.rejects(deleteTag(deps, LOCAL, { runId, key: 'nope' }), { code: 'not_found' });
  });

  test('a model that a step logs outside of any run is given to the run of its attempt', async () => {
    const deps = await trackingDeps(await open());
    const step = { ...LOCAL, kind: 'step' as const, attemptId: 'attempt-1' };
    const alone = await createLoggedModel(deps, step, { experimentId: 0, name: 'alone' });
    const other = await createLoggedModel(
      deps,
      { ...step, attemptId: 'attempt-2' },
      { experimentId: 0, name: 'other' },
    );
    const run = await createStepRun(deps, LOCAL, { experimentId: 0, attemptId: 'attempt-1' });
    const within = await createLoggedModel(deps, step, { experimentId: 0, name: 'within', sourceRunId: run.id });
    await claimModelsOfAttempt(deps, LOCAL, { attemptId: 'attempt-1', runId: run.id });
    const models = await loggedModelsOfRun(deps, LOCAL.projectId, run.id);
    assert.deepEqual(models.map(({ modelId }) => modelId).sort(), [alone.modelId, within.modelId].sort());
    assert.equal((await getLoggedModel(deps, LOCAL, other.modelId)).sourceRunId, '');
  });

  test('runs under a step token belong to its attempt, the first made first', async () => {
    const deps = await trackingDeps(await open());
    const step = { ...LOCAL, kind: 'step' as const, attemptId: 'attempt-1' };
    const first = await createRun(deps, step, { experimentId: 0 });
    const second = await createRun(deps, step, { experimentId: 0 });
    await createRun(deps, LOCAL, { experimentId: 0 });
    const other = await createStepRun(deps, LOCAL, { experimentId: 0, attemptId: 'attempt-2' });
    const runs = await runsOfAttempt(deps, LOCAL.projectId, 'attempt-1');
    assert.deepEqual(runs.map(({ id }) => id).sort(), [first.id, second.id].sort());
    assert.equal((await runsOfAttempt(deps, LOCAL.projectId, 'attempt-2'))[0]?.id, other.id);
  });

  test('finishing a run tells the others once', async () => {
    const deps = await trackingDeps(await open());
    const finished: string[] = [];
    deps.outbox.subscribe('test.finished', 'tracking.run_finished', async ({ payload }) => {
      finished.push(`${payload.runId} ${payload.status}`);
    });
    const run = await createRun(deps, LOCAL, { experimentId: 0 });
    await finishRun(deps, LOCAL, { id: run.id, status: 'FINISHED' });
    await updateRun(deps, LOCAL, { id: run.id, status: 'FAILED' });
    await deps.outbox.drain();
    assert.deepEqual(finished, [`${run.id} FINISHED`]);
  });

  test('runs are searched by metric, parameter, tag, attribute and dataset', async () => {
    const deps = await trackingDeps(await open());
    const { id: experimentId } = await createExperiment(deps, LOCAL, { name: 's' });
    const names = ['a', 'b', 'c', 'nan', 'bare'];
    const ids: Record<string, string> = {};
    for (const [i, name] of names.entries()) {
      const run = await createRun(deps, LOCAL, { experimentId, name, user: `u${i % 2}`, startedAt: 1_000 + i });
      ids[name] = run.id;
      if (name === 'bare') continue;
      await logBatch(deps, LOCAL, {
        runId: run.id,
        metrics: [{ key: 'acc', value: name === 'nan' ? Number.NaN : i / 10, timestamp: 1, step: 0 }],
        params: [{ key: 'lr', value: `0.${i}` }],
        tags: [{ key: 'my team', value: i < 2 ? 'Red' : 'blue_1' }],
      });
    }
    const dataset = { name: 'd', digest: '1', sourceType: 'local', source: '{}', schema: null, profile: null };
    const tags = [{ key: 'mlflow.data.context', value: 'training' }];
    await logInputs(deps, LOCAL, { runId: ids['b']!, datasets: [{ dataset, tags }], models: ['m-1'] });
    await logInputs(deps, LOCAL, { runId: ids['b']!, datasets: [{ dataset, tags }], models: ['m-1'] });

    const found = async (filter: string, orders: string[] = []): Promise<string> => {
      const { items } = await searchRuns(deps, LOCAL, { experimentIds: [experimentId], filter, orders, limit: 100 });
      return items.map(({ name }) => name).join(' ');
    };
    assert.equal(await found(''), 'bare nan c b a');
    assert.equal(await found('metrics.acc > 0.05'), 'c b');
    assert.equal(await found('metrics.acc >= 0'), 'c b a');
    assert.equal(await found('metrics.acc != 0.1'), 'nan c a');
    assert.equal(await found("params.lr = '0.1'"), 'b');
    assert.equal(await found("params.lr != '0.1'"), 'nan c a');
    assert.equal(await found("tags.`my team` LIKE 'R%'"), 'b a');
    assert.equal(await found("tags.`my team` LIKE 'r%'"), '');
    assert.equal(await found("tags.`my team` ILIKE 'r%'"), 'b a');
    assert.equal(await found("tags.`my team` LIKE 'blue__'"), 'nan c');
    assert.equal(await found('tags.`my team` IS NULL'), 'bare');
    assert.equal(await found('params.lr IS NOT NULL'), 'nan c b a');
    assert.equal(await found("attributes.run_name = 'c' and user_id = 'u0'"), 'c');
    assert.equal(await found('start_time < 1002'), 'b a');
    assert.equal(await found(`run_id IN ('${ids['a']}', '${ids['c']}')`), 'c a');
    assert.equal(await found(`run_id NOT IN ('${ids['a']}', '${ids['c']}')`), 'bare nan b');
    assert.equal(await found("dataset.name = 'd' AND datasets.context = 'training'"), 'b');
    assert.equal(await found("dataset.digest IN ('1', '2')"), 'b');
    assert.equal(await found('', ['metrics.acc ASC']), 'a b c nan bare');
    assert.equal(await found('', ['metrics.acc DESC']), 'c b a nan bare');
    assert.equal(await found('', ['params.lr DESC']), 'nan c b a bare');
    assert.equal(await found('', ['attributes.start_time ASC']), 'a b c nan bare');
    const run = await getRun(deps, LOCAL, ids['b']!);
    assert.equal(run.datasets.length, 1);
    assert.deepEqual(run.inputModels, ['m-1']);
  });

  test('a search pages through all runs, and other projects see none of them', async () => {
    const deps = await trackingDeps(await open());
    for (let i = 0; i < 7; i++) await createRun(deps, LOCAL, { experimentId: 0, startedAt: i });
    const seen: string[] = [];
    let after: string | undefined;
    do {
      const page = await searchRuns(deps, LOCAL, { experimentIds: [0], limit: 3, after });
      seen.push(...page.items.map(({ id }) => id));
      after = page.next;
    } while (after);
    assert.equal(new Set(seen).size, 7);
    await assert.rejects(searchRuns(deps, LOCAL, { experimentIds: [0], limit: 3, after: 'junk' }), { code: 'invalid' });
    assert.deepEqual((await searchRuns(deps, LOCAL, { experimentIds: [], limit: 3 })).items, []);
  });
});
