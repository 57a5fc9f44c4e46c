import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eachDatabase } from '../../test/support/db.ts';
import { LOCAL, trackingDeps } from '../../test/support/tracking.ts';
import { sqlOf } from '../ports/db.ts';
import type { TrackingTables } from './index.ts';
import {
  createLoggedModel,
  createRun,
  getLoggedModel,
  getRun,
  listMetricHistory,
  logMetrics,
  type MetricInput,
  settleSeals,
  type TrackingDeps,
} from './index.ts';

const point = (step: number, value: number, timestamp = step): MetricInput => ({ key: 'loss', value, timestamp, step });

const historyOf = async (deps: TrackingDeps, runId: string, limit = 25_000): Promise<(readonly number[])[]> => {
  const points: (readonly number[])[] = [];
  let after: string | undefined;
  do {
    const page = await listMetricHistory(deps, LOCAL, { runId, key: 'loss', limit, after });
    points.push(...page.items.map(({ step, timestamp, value }) => [step, timestamp, value]));
    after = page.next;
  } while (after);
  return points;
};

eachDatabase((_name, open) => {
  test('the latest value is the largest by step, time and value, not the last to come', async () => {
    const deps = await trackingDeps(await open());
    const { id: runId } = await createRun(deps, LOCAL, { experimentId: 0 });
    for (const metric of [point(5, 1), point(3, 9), point(5, 0.5), point(5, 2, 4)]) {
      await logMetrics(deps, LOCAL, { runId, metrics: [metric] });
    }
    assert.deepEqual((await getRun(deps, LOCAL, runId)).metrics, [point(5, 1)]);
    await logMetrics(deps, LOCAL, { runId, metrics: [point(9, 3), point(7, 4), point(9, 2)] });
    assert.deepEqual((await getRun(deps, LOCAL, runId)).metrics, [point(9, 3)]);
  });

  test('exact duplicates are dropped, so a retry changes nothing', async () => {
    const deps = await trackingDeps(await open());
    const { id: runId } = await createRun(deps, LOCAL, { experimentId: 0 });
    const metrics = [point(1, 1), point(1, 1), point(1, 2), point(2, Number.NaN), point(2, Number.NaN)];
    await logMetrics(deps, LOCAL, { runId, metrics });
    await logMetrics(deps, LOCAL, { runId, metrics });
    assert.deepEqual(await historyOf(deps, runId), [
      [1, 1, 1],
      [1, 1, 2],
      [2, 2, Number.NaN],
    ]);
  });

  test('infinities are kept as the largest doubles, and negative steps are fine', async () => {
    const deps = await trackingDeps(await open());
    const { id: runId } = await createRun(deps, LOCAL, { experimentId: 0 });
    const metrics = [point(-3, Number.POSITIVE_INFINITY, 1), point(-2, Number.NEGATIVE_INFINITY, 2)];
    await logMetrics(deps, LOCAL, { runId, metrics });
    assert.deepEqual(await historyOf(deps, runId), [
      [-3, 1, Number.MAX_VALUE],
      [-2, 2, -Number.MAX_VALUE],
    ]);
    await assert.rejects(logMetrics(deps, LOCAL, { runId, metrics: [point(2 ** 53, 1, 1)] }), { code: 'invalid' });
  });

  test('a long series is sealed, and its history is whole and in order, late points and retries included', async () => {
    const deps = await trackingDeps(await open());
    const { id: runId } = await createRun(deps, LOCAL, { experimentId: 0 });
    const total = 9_000;
    for (let at = 0; at < total; at += 50) {
      const metrics = Array.from({ length: 50 }, (_, i) => point(at + i, Math.sin(at + i), 10_000 + at + i));
      await logMetrics(deps, LOCAL, { runId, metrics });
    }
    await settleSeals();
    const chunks = await deps.db.read((tx) =>
      sqlOf<TrackingTables>(tx).selectFrom('metric_chunk').selectAll().execute(),
    );
    assert.ok(chunks.length >= 2, `${chunks.length} chunks`);
    await logMetrics(deps, LOCAL, { runId, metrics: [point(10, Math.sin(10), 10_010), point(11, 42, 10_011)] });
    const history = await historyOf(deps, runId, 1_700);
    assert.equal(history.length, total + 1);
    assert.deepEqual(history[11], [11, 10_011, Math.sin(11)]);
    assert.deepEqual(history[12], [11, 10_011, 42]);
    assert.deepEqual(history.at(-1), [total - 1, 10_000 + total - 1, Math.sin(total - 1)]);
    for (let i = 1; i < history.length; i++) assert.ok(history[i]![1]! >= history[i - 1]![1]!);
    assert.deepEqual((await getRun(deps, LOCAL, runId)).metrics[0]?.step, total - 1);
  });

  test('a large batch is sealed at once, a retry of it stores nothing, and order does not matter', async () => {
    const deps = await trackingDeps(await open());
    const { id: runId } = await createRun(deps, LOCAL, { experimentId: 0 });
    const metrics = Array.from({ length: 1_000 }, (_, i) => point(999 - i, i % 7 === 0 ? Number.NaN : i, 5_000 - i));
    await logMetrics(deps, LOCAL, { runId, metrics });
    await logMetrics(deps, LOCAL, { runId, metrics });
    await logMetrics(deps, LOCAL, { runId, metrics: [metrics[3]!, point(2_000, 1, 9_000)] });
    const chunks = await deps.db.read((tx) =>
      sqlOf<TrackingTables>(tx).selectFrom('metric_chunk').selectAll().execute(),
    );
    assert.equal(chunks.length, 1);
    const history = await historyOf(deps, runId, 300);
    assert.equal(history.length, 1_001);
    assert.deepEqual(history[0], [0, 4_001, 999]);
    assert.deepEqual((await getRun(deps, LOCAL, runId)).metrics, [point(2_000, 1, 9_000)]);
  });

  test('writers that come together lose nothing', async () => {
    const deps = await trackingDeps(await open());
    const { id: runId } = await createRun(deps, LOCAL, { experimentId: 0 });
    const calls = Array.from({ length: 60 }, (_, i) =>
      logMetrics(deps, LOCAL, { runId, metrics: [point(i, i), { ...point(i, i), key: `k${i % 7}` }] }),
    );
    await Promise.all(calls);
    assert.equal((await historyOf(deps, runId)).length, 60);
    assert.equal((await getRun(deps, LOCAL, runId)).metrics.length, 8);
  });

  test('a metric that names a logged model belongs to the run and to the model', async () => {
    const deps = await trackingDeps(await open());
    const { id: runId } = await createRun(deps, LOCAL, { experimentId: 0 });
    const { modelId } = await createLoggedModel(deps, LOCAL, { experimentId: 0, name: 'm', sourceRunId: runId });
    const context = { modelId, datasetName: 'd', datasetDigest: '1' };
    await logMetrics(deps, LOCAL, { runId, metrics: [{ ...point(1, 0.5), ...context }, point(1, 0.5)] });
    await logMetrics(deps, LOCAL, { runId, metrics: [{ ...point(2, 0.7), ...context }] });
    assert.deepEqual((await getRun(deps, LOCAL, runId)).metrics, [{ ...point(2, 0.7), ...context }]);
    assert.equal((await historyOf(deps, runId)).length, 2);
    assert.deepEqual((await getLoggedModel(deps, LOCAL, modelId)).metrics, [{ ...point(2, 0.7), ...context, runId }]);
  });

  test('a history of an unknown run is not found, and of an unknown key empty', async () => {
    const deps = await trackingDeps(await open());
    const { id: runId } = await createRun(deps, LOCAL, { experimentId: 0 });
    assert.deepEqual(await historyOf(deps, runId), []);
    await assert.rejects(listMetricHistory(deps, LOCAL, { runId: 'nope', key: 'loss' }), { code: 'not_found' });
  });
});
