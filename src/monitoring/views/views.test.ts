import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eachDatabase } from '../../../test/support/db.ts';
import {
  ACTOR,
  createMonitoringWorld,
  DAY,
  type MonitoringWorld,
  type Shipped,
  START,
} from '../../../test/support/monitoring-world.ts';
import { tempDir } from '../../../test/support/temp.ts';
import { sendLabels } from '../labels/labels.ts';
import { getMonitor } from '../overview.ts';
import { labelsSchema } from '../types.ts';
import { getDistribution, quantilesOf } from './distribution.ts';
import { getDrift } from './drift.ts';
import { getMarks } from './marks.ts';
import { getOutcomes, reliabilityOf } from './outcomes.ts';
import { getRule } from './rule.ts';
import { getScores } from './scores.ts';
import { getSettings } from './settings.ts';

const at = (day: number): number => START + day * DAY;

eachDatabase((_name, open) => {
  /** Two ordinary days, then one whose second column is shifted; labels for the first two. */
  async function world(): Promise<{ w: MonitoringWorld; rows: readonly Shipped[] }> {
    const w = await createMonitoringWorld(await open(), tempDir());
    await w.deployFirst();
    const rows = [...(await w.ship({ day: 0 })), ...(await w.ship({ day: 1 }))];
    await w.ship({ day: 2, spoil: ([a, b, c]) => [a!, b! * 0.5 + 0.5, c!] });
    await w.ship({ day: 3, n: 5 });
    const labels = rows.map(({ id, score }) => ({ prediction_id: id, value: w.random() < score ? 1 : 0 }));
    await sendLabels(w.deps, ACTOR, labelsSchema.parse({ endpoint: 'churn', labels }));
    await w.look();
    return { w, rows };
  }

  test('drift tells every column in every window, and which cells the rule counted', async () => {
    const { w } = await world();
    const view = await getDrift(w.deps, ACTOR, { model: 'churn', days: 30 });
    assert.deepEqual(
      view.columns.map(({ name, kind }) => `${name} ${kind}`),
      ['x0 numeric', 'x1 numeric', 'x2 numeric'],
    );
    assert.deepEqual(
      view.windows.map(({ start, rows }) => `${start.slice(0, 10)} ${rows}`),
      ['2026-01-05 600', '2026-01-06 600', '2026-01-07 600'],
    );
    const moved = view.cells.map((row) => row.map((cell) => cell!.significant));
    assert.deepEqual(moved, [
      [false, false, false],
      [false, false, true],
      [false, false, false],
    ]);
    const monitor = await getMonitor(w.deps, ACTOR, { model: 'churn', days: 30 });
    for (const [i, feature] of monitor.features.entries())
      assert.equal(view.cells[i]!.at(-1)!.effect, feature['effect'], 'the newest window is what the monitor shows');
  });

  test('a distribution compares the days asked for with the reference, in its bins', async () => {
    const { w } = await world();
    const view = await getDistribution(w.deps, ACTOR, { model: 'churn', column: 'x1', from: at(2), to: at(2) });
    const live = view.bins.reduce((sum, bin) => sum + bin.live, 0);
    assert.equal(live, 600);
    assert.equal(view.live.rows, 600);
    assert.ok(view.live.quantiles![2]! > 0.7 && view.live.quantiles![2]! < 0.8, `median ${view.live.quantiles![2]}`);
    assert.ok(view.test!.p < 1e-6);
    const both = await getDistribution(w.deps, ACTOR, { model: 'churn', column: 'x1', from: at(0), to: at(2) });
    assert.equal(both.live.rows, 1_800);
    const score = await getDistribution(w.deps, ACTOR, { model: 'churn', from: at(0), to: at(0) });
    assert.equal(score.column, null);
    assert.equal(score.live.rows, 600);
    await assert.rejects(
      getDistribution(w.deps, ACTOR, { model: 'churn', column: 'x9', from: at(0), to: at(0) }),
      /"x9" is not a watched column/,
    );
  });

  test('scores of a day average as its rows did', async () => {
    const { w, rows } = await world();
    const { days } = await getScores(w.deps, ACTOR, { model: 'churn', days: 30 });
    const first = rows.filter((row) => row.at < at(1));
    const mean = first.reduce((sum, row) => sum + row.score, 0) / first.length;
    assert.ok(Math.abs(days[0]!.mean - mean) < 1e-9);
    assert.equal(days[0]!.rows, 600);
  });

  test('outcomes are those of the days asked for, whole and by slice', async () => {
    const { w } = await world();
    const monitor = await getMonitor(w.deps, ACTOR, { model: 'churn', days: 30 });
    const one = await getOutcomes(w.deps, ACTOR, { model: 'churn', from: at(0), to: at(0), slice: 'x0' });
    assert.equal(one.loss, monitor.performance[0]!.loss);
    assert.equal(one.labelled, 600);
    assert.equal(
      one.reliability.reduce((sum, bin) => sum + bin.rows, 0),
      600,
    );
    assert.equal(
      one.slices!.values.reduce((sum, slice) => sum + slice.labelled, 0),
      600,
    );
    const weighted = one.slices!.values.reduce((sum, slice) => sum + slice.loss! * slice.labelled, 0) / 600;
    assert.ok(Math.abs(weighted - one.loss!) < 1e-9);
    const none = await getOutcomes(w.deps, ACTOR, { model: 'churn', from: at(2), to: at(2) });
    assert.deepEqual([none.labelled, none.loss, none.calibrationError], [0, null, null]);
    await assert.rejects(getOutcomes(w.deps, ACTOR, { model: 'churn', from: at(9), to: at(9) }), /No version answered/);
    await assert.rejects(getOutcomes(w.deps, ACTOR, { model: 'churn', from: at(0), to: at(99) }), /1 to 62 days/);
  });

  test('a rule shows what it decided by, window by window', async () => {
    const { w } = await world();
    const rule = await getRule(w.deps, ACTOR, { model: 'churn', rule: 'data.nulls', days: 30 });
    assert.equal(rule.windows.length, 3);
    assert.equal(rule.falseAlarms.perDays, 90);
    assert.ok(rule.falseAlarms.ofRule! > 0);
    await assert.rejects(getRule(w.deps, ACTOR, { model: 'churn', rule: 'constructor', days: 30 }), /There is no rule/);
  });

  test('marks tell deploys by event time; settings tell what was applied and how labels come', async () => {
    const { w } = await world();
    const marks = await getMarks(w.deps, ACTOR, { model: 'churn', days: 30 });
    assert.deepEqual(
      marks.filter(({ kind }) => kind === 'deploy').map(({ at: when, label }) => `${when.slice(0, 10)} ${label}`),
      ['2026-01-05 v1'],
    );
    const settings = await getSettings(w.deps, ACTOR, { model: 'churn' });
    assert.deepEqual(settings.columns, ['x0', 'x1', 'x2']);
    assert.equal(settings.labels.source, null);
    assert.equal(settings.labels.status.labels, 1_200);
    assert.deepEqual(settings.retrainOn, ['performance']);
    assert.equal(settings.evaluatedTo, new Date(at(3)).toISOString());
  });
});

test('quantiles lie evenly in their bin', () => {
  assert.deepEqual(quantilesOf([10], [4, 0], { min: 0, max: 10 }), [0.5, 2.5, 5, 7.5, 9.5]);
});

test('a model that is right on average has no gap in any bin', () => {
  const bins = reliabilityOf('binary', { p: Float64Array.of(0.05, 0.05, 0.95), y: Float64Array.of(0, 0, 1) });
  assert.deepEqual(
    bins.map(({ low, rows, observed }) => [low, rows, observed]),
    [
      [0, 2, 0],
      [0.9, 1, 1],
    ],
  );
});
