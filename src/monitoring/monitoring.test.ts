import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eachDatabase } from '../../test/support/db.ts';
import {
  ACTOR,
  createMonitoringWorld,
  DAY,
  type MonitoringWorld,
  type Shipped,
  START,
} from '../../test/support/monitoring-world.ts';
import { tempDir } from '../../test/support/temp.ts';
import { listActivity } from '../identity/index.ts';
import type { PipelineRun, RunState } from '../pipelines/index.ts';
import { insertRun } from '../pipelines/runs.store.ts';
import { setHold } from '../registry/index.ts';
import { acknowledge, getIncident, listIncidents } from './incidents/incidents.ts';
import { sendLabels } from './labels/labels.ts';
import { labelStatus } from './labels/status.ts';
import { lights } from './lights.ts';
import { getMonitor } from './overview.ts';
import { getStatus, getWatermark } from './status.ts';
import { labelsSchema } from './types.ts';
import { why } from './why/why.ts';

eachDatabase((_name, open) => {
  async function live(): Promise<MonitoringWorld> {
    const w = await createMonitoringWorld(await open(), tempDir());
    await w.deployFirst();
    return w;
  }

  const label = (w: MonitoringWorld, labels: readonly unknown[]) =>
    sendLabels(w.deps, ACTOR, labelsSchema.parse({ endpoint: 'churn', labels }));

  /** Labels that come true as often as was predicted, times `factor`. */
  const truths = (w: MonitoringWorld, rows: readonly Shipped[], factor = 1) =>
    rows.map(({ id, score }) => ({ prediction_id: id, value: w.random() < score * factor ? 1 : 0 }));

  const incidents = async (w: MonitoringWorld) => (await listIncidents(w.deps, ACTOR, { limit: 50 })).items;

  test('an ordinary day turns the lights green and opens nothing', async () => {
    const w = await live();
    for (let day = 0; day < 3; day++) {
      await w.ship({ day });
      await w.look();
    }
    const seen = await lights(w.deps, ACTOR.projectId, 'churn');
    assert.deepEqual(
      Object.entries(seen).map(([light, { state }]) => `${light} ${state}`),
      ['service green', 'data green', 'predictions green', 'performance grey', 'business grey'],
    );
    assert.deepEqual(await incidents(w), []);
  });

  test('a column in other units is named with its factor, and the incident ends with the next good day', async () => {
    const w = await live();
    await w.ship({ day: 0 });
    await w.ship({ day: 1, spoil: ([a, b, c]) => [a!, b! * 1.609344, c!], fromHour: 2 });
    await w.ship({ day: 2, n: 5 });
    await w.look();
    const [incident] = await incidents(w);
    assert.match(incident!.verdict, /^DATA broken since 2026-01-06 02:00\. Model unchanged \(v1\)\.\n/);
    assert.match(incident!.verdict, /x1 ×1\.61 in all 600 rows since 2026-01-06 02:00 \(miles → kilometres\?\)/);
    assert.match(incident!.verdict, /Retraining is held back while this lasts/);
    assert.equal(incident!.state, 'open');
    assert.equal((await lights(w.deps, ACTOR.projectId, 'churn')).data.state, 'red');
    await w.ship({ day: 2 });
    await w.ship({ day: 3, n: 5 });
    await w.look();
    const after = await getIncident(w.deps, ACTOR, incident!.number);
    assert.equal(after.state, 'resolved');
    assert.equal(after.resolution, 'the next window is as usual');
  });

  test('labels are kept once, corrected with their history, and wait for predictions that come later', async () => {
    const w = await live();
    const rows = await w.ship({ day: 0, n: 200 });
    const first = await label(w, truths(w, rows));
    assert.deepEqual([first.created, first.changed, first.unchanged, first.pending], [200, 0, 0, 0]);
    const id = rows[0]!.id;
    const now = await label(w, [{ prediction_id: id, value: 1 }]);
    const again = await label(w, [{ prediction_id: id, value: 1 }]);
    assert.equal(now.changed + now.unchanged, 1);
    assert.equal(again.unchanged, 1);
    const flipped = await label(w, [{ prediction_id: id, value: 0 }]);
    assert.equal(flipped.changed, 1);
    const told = await why(w.deps, ACTOR, id);
    assert.ok(
      told.lines.some((line) => /^ {2}label: 0 \(api, corrected (once|\d times)\)/.test(line)),
      told.lines.join('\n'),
    );
    const early = await label(w, [
      { caller_id: 'c-later', value: 1 },
      { entity: rows[1]!.entity, value: 1, at: new Date(rows[1]!.at).toISOString() },
    ]);
    assert.deepEqual([early.pending, early.created + early.changed + early.unchanged], [1, 1]);
    assert.equal((await labelStatus(w.deps, ACTOR, 'churn')).pending, 1);
  });

  test('a model that predicts too much is found by late labels, and retraining is asked for, not again within a day', async () => {
    const w = await live();
    for (let day = 0; day < 9; day++) {
      const rows = await w.ship({ day });
      await w.ship({ day: day + 1, n: 3 });
      await w.look();
      await label(w, truths(w, rows, 0.75));
      await w.look();
    }
    await w.look();
    const [incident] = await incidents(w);
    assert.equal(incident?.light, 'performance');
    assert.match(incident!.verdict, /^MODEL performance off since/);
    assert.match(incident!.verdict, /observed \d+ % where \d+ % was predicted over the last \d days/);
    assert.deepEqual(incident!.actions.map(({ decision }) => decision).at(-1), 'fired');
    const { items } = await listActivity(w.deps.identity, ACTOR, { limit: 100 });
    assert.ok(items.some(({ sentence }) => sentence.startsWith('Retraining of churn starts: incident')));
    const fired = incident!.actions.filter(({ decision }) => decision === 'fired').map(({ eventAt }) => eventAt);
    assert.equal(new Set(fired.map((at) => at.slice(0, 10))).size, fired.length);
    assert.ok(
      incident!.actions.some(({ guard }) => guard === 'cool_down'),
      JSON.stringify(incident!.actions),
    );
    const { performance } = await getMonitor(w.deps, ACTOR, { model: 'churn', days: 30 });
    assert.equal(performance.length, 9);
    assert.ok(performance[0]!.coverage > 0.99);
  });

  test('while data is broken a performance alarm joins its incident, and retraining is held back', async () => {
    const w = await live();
    for (let day = 0; day < 8; day++) {
      const rows = await w.ship({ day, spoil: ([a, b, c]) => [a!, day >= 4 ? b! * 1.609344 : b!, c!] });
      await w.ship({ day: day + 1, n: 3 });
      await label(w, truths(w, rows, 0.5));
      await w.look();
    }
    const all = await incidents(w);
    assert.deepEqual(
      all.map(({ cause }) => cause),
      ['broken'],
    );
    assert.ok(all[0]!.alerts.some(({ inhibited, light }) => inhibited && light === 'performance'));
  });

  test('failing requests are a service incident', async () => {
    const w = await live();
    await w.ship({ day: 0, errors: (i) => i % 5 === 0 });
    await w.ship({ day: 1, n: 3 });
    await w.look();
    const [incident] = await incidents(w);
    assert.match(incident!.verdict, /^SERVICE failing since .*\n120 of 600 requests failed \(20 %/);
    await w.deps.outbox.drain();
  });

  test('looking again changes nothing', async () => {
    const w = await live();
    const rows = await w.ship({ day: 0, spoil: ([a, b, c]) => [a!, b! * 100, c!] });
    await w.ship({ day: 1, n: 3 });
    await label(w, truths(w, rows));
    await w.look();
    const before = JSON.stringify([await incidents(w), await getMonitor(w.deps, ACTOR, { model: 'churn', days: 9 })]);
    w.deps.runtime.seen.clear();
    await w.look();
    assert.equal(
      JSON.stringify([await incidents(w), await getMonitor(w.deps, ACTOR, { model: 'churn', days: 9 })]),
      before,
    );
  });

  test('the watermark says when a replay may go on', async () => {
    const w = await live();
    await w.ship({ day: 0 });
    await w.ship({ day: 1, n: 3 });
    await w.deps.outbox.drain();
    const mark = await getWatermark(w.deps, ACTOR, 'churn');
    assert.equal(mark.evaluatedTo, mark.eventClock);
    assert.ok(Date.parse(mark.eventClock!) > START + DAY);
    const { models } = await getStatus(w.deps, ACTOR);
    assert.deepEqual(models[0]!.live, [{ version: 1, share: 1 }]);
  });

  test('what needs somebody says what it is of, since when, and what deals with it', async () => {
    const w = await live();
    await w.ship({ day: 0 });
    await w.ship({ day: 1, spoil: ([a, b, c]) => [a!, b! * 1.609344, c!], fromHour: 2 });
    await w.ship({ day: 2, n: 5 });
    await w.look();
    await setHold(w.deps.registry as never, ACTOR, { model: 'churn', reason: 'complaints' });
    await w.deps.db.write((tx) => insertRun(tx, failedRun(1, 'failed')));
    const { models, needsYou } = await getStatus(w.deps, ACTOR);
    const [{ number } = { number: 0 }] = await incidents(w);
    assert.deepEqual(
      needsYou.map(({ kind, model, command }) => [kind, model, command]),
      [
        ['incident', 'churn', `levain why ${number}`],
        ['run', 'churn', 'levain why 0000001'],
        ['hold', 'churn', 'levain resume churn'],
      ],
    );
    assert.equal(models[0]!.traffic?.total, 1_205);
    // Somebody looks at it, and a newer run gets through.
    await acknowledge(w.deps, ACTOR, number);
    await w.deps.db.write((tx) => insertRun(tx, failedRun(2, 'succeeded')));
    const after = await getStatus(w.deps, ACTOR);
    assert.deepEqual(
      after.needsYou.map(({ kind }) => kind),
      ['hold', 'incident'],
    );
  });

  const failedRun = (n: number, state: RunState): PipelineRun => ({
    projectId: ACTOR.projectId,
    id: `01900000-0000-7000-8000-00000000000${n}`,
    pipeline: 'churn',
    fileDigest: 'f',
    sourceDigest: 's',
    folder: '/churn',
    draft: false,
    trigger: { kind: 'manual', key: `k${n}`, asOf: null },
    dataMode: 'current',
    params: {},
    startedBy: 'ann',
    rehearsal: null,
    state,
    summary: 'step train failed',
    failure: null,
    model: null,
    version: null,
    cancelRequested: false,
    createdAt: START + n,
    startedAt: START + n,
    finishedAt: START + n,
  });
});
