import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eachDatabase } from '../../test/support/db.ts';
import { LOCAL, trackingDeps } from '../../test/support/tracking.ts';
import {
  createExperiment,
  createRun,
  deleteRun,
  finishRun,
  logBatch,
  logMetrics,
  restoreRun,
  settleSeals,
} from './index.ts';
import { chartMetric, summarizeMetrics } from './metric-charts.ts';
import { changeRun } from './run-edits.ts';
import {
  defaultColumns,
  type LoggedColumn,
  listLoggedKeys,
  MAX_CELL_LENGTH,
  matchRuns,
  type RunTableQuery,
  readRunTable,
} from './run-table.ts';

const ALL: RunTableQuery = { experimentId: null, view: 'active', since: null, limit: 100, columns: [] };
const at = (metrics: Readonly<Record<string, number>>, step = 0) =>
  Object.entries(metrics).map(([key, value]) => ({ key, value, step, timestamp: 1_000 + step }));
const pairs = (record: Readonly<Record<string, string>>) =>
  Object.entries(record).map(([key, value]) => ({ key, value }));
const textsOf = (column: Extract<LoggedColumn, { kind: 'text' }>) =>
  column.codes.map((code) => column.texts[code] ?? null);

eachDatabase((_name, open) => {
  test('a table holds every run once, and the columns that were asked for, with what is missing told from NaN', async () => {
    const deps = await trackingDeps(await open());
    const first = await createRun(deps, LOCAL, { experimentId: 0, name: 'first', user: 'ana', startedAt: 1_000 });
    const second = await createRun(deps, LOCAL, { experimentId: 0, name: 'second', startedAt: 2_000 });
    await logBatch(deps, LOCAL, {
      runId: first.id,
      metrics: at({ loss: Number.NaN, top: Number.POSITIVE_INFINITY }),
      params: pairs({ depth: '5', long: 'x'.repeat(5_000) }),
      tags: pairs({ 'levain.pipeline': 'churn', 'levain.step': 'train' }),
    });
    const table = await readRunTable(deps, LOCAL, {
      ...ALL,
      columns: ['metrics.loss', 'metrics.top', 'params.depth', 'params.long', 'params.none'],
    });
    assert.deepEqual(table.ids, [second.id, first.id]);
    assert.deepEqual([table.total, table.names, table.startedAt], [2, ['second', 'first'], [2_000, 1_000]]);
    assert.deepEqual(table.user, { texts: ['', 'ana'], codes: [0, 1] });
    assert.deepEqual(table.pipeline, { texts: ['churn'], codes: [-1, 0] });
    const [loss, top, depth, long, none] = table.columns;
    assert.deepEqual(loss, { id: 'metrics.loss', kind: 'number', values: [null, 'NaN'] });
    assert.deepEqual(top, { id: 'metrics.top', kind: 'number', values: [null, 'Infinity'] });
    assert.ok(depth?.kind === 'text' && long?.kind === 'text' && none?.kind === 'text');
    assert.deepEqual(
      [textsOf(depth), textsOf(none)],
      [
        [null, '5'],
        [null, null],
      ],
    );
    assert.equal(textsOf(long)[1]?.length, MAX_CELL_LENGTH);
    await assert.rejects(readRunTable(deps, LOCAL, { ...ALL, columns: ['depth'] }), { code: 'invalid' });
  });

  test('`since` answers what is new, what ended and what still runs; a deleted run leaves and comes back', async () => {
    const deps = await trackingDeps(await open());
    const old = await createRun(deps, LOCAL, { experimentId: 0 });
    await finishRun(deps, LOCAL, { id: old.id, status: 'FINISHED' });
    const running = await createRun(deps, LOCAL, { experimentId: 0 });
    const later = deps.clock.now() + 60_000;
    assert.deepEqual((await readRunTable(deps, LOCAL, { ...ALL, since: later })).ids, [running.id]);
    await deleteRun(deps, LOCAL, old.id);
    assert.deepEqual((await readRunTable(deps, LOCAL, ALL)).ids, [running.id]);
    assert.deepEqual((await readRunTable(deps, LOCAL, { ...ALL, view: 'deleted' })).ids, [old.id]);
    await restoreRun(deps, LOCAL, old.id);
    assert.equal((await readRunTable(deps, LOCAL, ALL)).total, 2);
  });

  test('a filter answers ids, in one experiment or in all, and says what is wrong with it', async () => {
    const deps = await trackingDeps(await open());
    const { id: experimentId } = await createExperiment(deps, LOCAL, { name: 'e' });
    const good = await createRun(deps, LOCAL, { experimentId });
    const bad = await createRun(deps, LOCAL, { experimentId: 0 });
    await logMetrics(deps, LOCAL, { runId: good.id, metrics: at({ loss: 0.1 }) });
    await logMetrics(deps, LOCAL, { runId: bad.id, metrics: at({ loss: 0.2 }) });
    const match = (filter: string, experiment: number | null = null) =>
      matchRuns(deps, LOCAL, { experimentId: experiment, view: 'active', filter });
    assert.deepEqual(await match('metrics.loss < 0.15'), [good.id]);
    assert.deepEqual(await match('metrics.loss < 1', 0), [bad.id]);
    await assert.rejects(match('metrics.loss < abc'), { code: 'invalid', message: /numeric value/ });
  });

  test('the keys say which parameters tell runs apart, and those are shown first', async () => {
    const deps = await trackingDeps(await open());
    for (const depth of ['3', '5', '8']) {
      const { id } = await createRun(deps, LOCAL, { experimentId: 0 });
      await logBatch(deps, LOCAL, {
        runId: id,
        metrics: at({ loss: 1 }),
        params: pairs({ depth, seed: '7' }),
        tags: [],
      });
    }
    const keys = await listLoggedKeys(deps, LOCAL);
    assert.deepEqual(keys.params, [
      { key: 'depth', runs: 3, varies: true },
      { key: 'seed', runs: 3, varies: false },
    ]);
    assert.deepEqual(defaultColumns(keys), ['metrics.loss', 'params.depth']);
  });

  test('a chart reads sealed and open points alike, of some runs on one axis', async () => {
    const deps = await trackingDeps(await open());
    const { id: sealed } = await createRun(deps, LOCAL, { experimentId: 0, startedAt: 500 });
    const { id: open_ } = await createRun(deps, LOCAL, { experimentId: 0, startedAt: 900 });
    const points = Array.from({ length: 200 }, (_, step) => at({ loss: step === 77 ? Number.NaN : step }, step)[0]!);
    await logMetrics(deps, LOCAL, { runId: sealed, metrics: points });
    for (const step of [0, 100]) await logMetrics(deps, LOCAL, { runId: open_, metrics: at({ loss: -step }, step) });
    await settleSeals();
    const runIds = [sealed, open_];
    const exact = await chartMetric(deps, LOCAL, { runIds, key: 'loss', axis: 'step', slots: 300 });
    assert.deepEqual([exact.exact, exact.x.length, exact.lines.map(({ count }) => count)], [true, 200, [200, 2]]);
    assert.deepEqual([exact.lines[0]!.nan, exact.lines[1]!.mean[100]], [[77], -100]);
    const coarse = await chartMetric(deps, LOCAL, { runIds, key: 'loss', axis: 'step', slots: 20 });
    assert.deepEqual([coarse.exact, coarse.x.length], [false, 20]);
    const relative = await chartMetric(deps, LOCAL, { runIds, key: 'loss', axis: 'relative', slots: 300 });
    assert.equal(relative.x[0], 100);
    assert.deepEqual((await chartMetric(deps, LOCAL, { runIds, key: 'nothing', axis: 'step', slots: 20 })).x, []);
    await assert.rejects(chartMetric(deps, LOCAL, { runIds: ['0'], key: 'loss', axis: 'step', slots: 20 }), {
      code: 'not_found',
    });
    assert.deepEqual(await summarizeMetrics(deps, LOCAL, sealed), [
      { key: 'loss', count: 200, nans: 1, low: 0, high: 199 },
    ]);
    assert.deepEqual(await summarizeMetrics(deps, LOCAL, open_), [
      { key: 'loss', count: 2, nans: 0, low: -100, high: 0 },
    ]);
  });

  test('name and tags of a run change together, and removing a tag twice is fine', async () => {
    const deps = await trackingDeps(await open());
    const { id } = await createRun(deps, LOCAL, {
      experimentId: 0,
      name: 'before',
      tags: pairs({ team: 'a', gone: 'x' }),
    });
    const edit = { id, name: 'after', tags: { team: 'b', gone: null, 'mlflow.note.content': 'why' } };
    await changeRun(deps, LOCAL, edit);
    const run = await changeRun(deps, LOCAL, edit);
    assert.equal(run.name, 'after');
    assert.deepEqual(Object.fromEntries(run.tags.map(({ key, value }) => [key, value])), {
      team: 'b',
      'mlflow.note.content': 'why',
      'mlflow.runName': 'after',
    });
    await deleteRun(deps, LOCAL, id);
    await assert.rejects(changeRun(deps, LOCAL, { id, name: 'x' }), { code: 'precondition_failed' });
  });
});
