import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eachDatabase } from '../../../test/support/db.ts';
import { ACTOR, createMonitoringWorld, type MonitoringWorld } from '../../../test/support/monitoring-world.ts';
import { tempDir } from '../../../test/support/temp.ts';
import { findHold } from '../../registry/index.ts';
import { getEndpoint, getRollout } from '../../serving/index.ts';
import { listIncidents } from '../incidents/incidents.ts';
import { onRolledBack } from '../incidents/subscriptions.ts';
import { sendLabels } from '../labels/labels.ts';
import { lights } from '../lights.ts';
import { getMonitor } from '../overview.ts';
import { createMonitoringRuntime } from '../runtime.ts';
import { labelsSchema } from '../types.ts';
import { getRehearsal, type RehearsalView } from './rehearsals.ts';
import { endAbandoned, startRehearsal } from './start.ts';

eachDatabase((_name, open) => {
  async function live(): Promise<MonitoringWorld> {
    const w = await createMonitoringWorld(await open(), tempDir());
    await w.deployFirst();
    await w.ship({ day: 0 });
    await w.ship({ day: 1, n: 3 });
    await w.look();
    return w;
  }

  async function ended(w: MonitoringWorld, started: RehearsalView): Promise<RehearsalView> {
    for (let i = 0; i < 2_000; i++) {
      const now = await getRehearsal(w.deps, ACTOR, started.id);
      if (now.state !== 'running') return now;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    throw new Error('The rehearsal did not end');
  }

  test('a unit change is rehearsed: named, marked, apart from real windows, and retraining is held back meanwhile', async () => {
    const w = await live();
    const before = JSON.stringify((await getMonitor(w.deps, ACTOR, { model: 'churn', days: 9 })).windows);
    const rehearsal = await ended(
      w,
      await startRehearsal(w.deps, ACTOR, { kind: 'unit-change', model: 'churn', column: 'x1', factor: 1.609344 }),
    );
    assert.equal(rehearsal.state, 'done', rehearsal.report.sentence);
    assert.match(
      rehearsal.report.sentence,
      /^alarm after \d+ of 603 rows \(\d+ (minutes|hours|days) of event time\) with x1 ×1\.609344: DATA broken/,
    );
    assert.match(rehearsal.report.alarm!, /x1 ×1\.61 in all \d+ rows/);
    assert.ok(
      rehearsal.report.acted.some((line) =>
        /retraining was held back while it lasted: data rehearsal incident/.test(line),
      ),
    );
    assert.match(rehearsal.report.cost!, /real windows are untouched/);
    const { items } = await listIncidents(w.deps, ACTOR, { limit: 10 });
    assert.deepEqual(
      items.map(({ state, rehearsal: id }) => [state, id]),
      [['resolved', rehearsal.id]],
    );
    assert.equal(JSON.stringify((await getMonitor(w.deps, ACTOR, { model: 'churn', days: 9 })).windows), before);
    assert.equal((await lights(w.deps, ACTOR.projectId, 'churn')).data.state, 'green');
  });

  test('missing values are rehearsed', async () => {
    const w = await live();
    const rehearsal = await ended(
      w,
      await startRehearsal(w.deps, ACTOR, { kind: 'nulls', model: 'churn', column: 'x2', rows: 80 }),
    );
    assert.match(rehearsal.report.sentence, /x2: \d+ of \d+ values missing/);
  });

  test('a dry run says what would be done, and does nothing', async () => {
    const w = await live();
    const plan = (input: Omit<Parameters<typeof startRehearsal>[2], 'model'>) =>
      startRehearsal(w.deps, ACTOR, { ...input, model: 'churn', dryRun: true });
    const unit = await plan({ kind: 'unit-change', column: 'x1', factor: 100, rows: 50 });
    assert.equal(unit.state, 'planned');
    assert.match(
      unit.report.sentence,
      /^50 logged rows go through "churn" once more with x1 ×100\. Its requests are tagged/,
    );
    const broken = await plan({ kind: 'broken-model', fault: 'errors', share: 0.4 });
    assert.match(
      broken.report.sentence,
      /^a version of v1 that fails on 40 % of the rows is rolled out .* HELD until resume/,
    );
    assert.match((await plan({ kind: 'late-labels' })).report.sentence, /no label comes/);
    await assert.rejects(plan({ kind: 'shift', column: 'nothing' }), /is no column that the model watches/);
    await assert.rejects(getRehearsal(w.deps, ACTOR, unit.id), { code: 'not_found' });
  });

  test('one rehearsal at a time, and only of what is live', async () => {
    const w = await live();
    await assert.rejects(startRehearsal(w.deps, ACTOR, { kind: 'nulls', model: 'nobody' }), /no endpoint "nobody"/);
    const started = await startRehearsal(w.deps, ACTOR, { kind: 'shift', model: 'churn', column: 'x0' });
    await assert.rejects(startRehearsal(w.deps, ACTOR, { kind: 'nulls', model: 'churn' }), /is under way/);
    await ended(w, started);
    await assert.rejects(
      startRehearsal(w.deps, ACTOR, { kind: 'new-category', model: 'churn' }),
      /no text column in which a category could be new \(x0, x1, x2\); rehearse shift/,
    );
    await assert.rejects(
      startRehearsal(w.deps, ACTOR, { kind: 'shift', model: 'churn', column: 'city' }),
      /"city" is no column that the model watches; shift can be done to: x0, x1, x2/,
    );
  });

  test('before any request training rows are sent, dated now, and nothing real is moved', async () => {
    const w = await createMonitoringWorld(await open(), tempDir());
    await w.deployFirst();
    const rehearsal = await ended(w, await startRehearsal(w.deps, ACTOR, { kind: 'shift', model: 'churn' }));
    assert.equal(rehearsal.state, 'done', rehearsal.report.sentence);
    assert.match(rehearsal.report.sentence, /^alarm after \d+ of 600 rows with x\d shifted by 0\.\d+: DATA /);
    assert.match(
      rehearsal.report.cost!,
      /600 training rows \(\d+ kept ones, again and again\), for no request was logged yet/,
    );
    assert.match(rehearsal.report.cost!, /real windows are untouched/);
    assert.equal((await getEndpoint(w.deps.serving, ACTOR, 'churn')).eventClock, null);
  });

  test('a rehearsal without an alarm says why: too few rows, or too little for the budget', async () => {
    const w = await live();
    const few = await ended(w, await startRehearsal(w.deps, ACTOR, { kind: 'nulls', model: 'churn', rows: 20 }));
    assert.match(
      few.report.sentence,
      /^no alarm in 20 rows with 30 % of x\d missing: 20 rows are too few: a window is judged from 50 rows on/,
    );
    const little = await ended(
      w,
      await startRehearsal(w.deps, ACTOR, { kind: 'shift', model: 'churn', column: 'x0', amount: 0.01, rows: 60 }),
    );
    assert.match(
      little.report.sentence,
      /^no alarm in 60 rows with x0 shifted by .*below what the budget of 1 false alarm in 90 days lets through/,
    );
    assert.equal(little.report.alarm, null);
  });

  test('labels that stop are seen on the performance light, as a rehearsal and for real', async () => {
    const w = await live();
    const assumed = await ended(
      w,
      await startRehearsal(w.deps, ACTOR, { kind: 'late-labels', model: 'churn', rows: 40 }),
    );
    assert.match(
      assumed.report.sentence,
      /^alarm after 4 days of event time without labels \(40 predictions; no label came here yet, so a delay of 1 day is assumed\): DATA labels stopped since /,
    );
    assert.equal(assumed.report.alarmAfterEventMs, 4 * 86_400_000);
    assert.equal((await lights(w.deps, ACTOR.projectId, 'churn')).performance.state, 'grey');
    for (let day = 1; day < 14; day++) {
      const rows = await w.ship({ day, n: 60 });
      const labels = rows.map(({ id, score }) => ({ prediction_id: id, value: Number(score > 0.5) }));
      if (day < 8) await sendLabels(w.deps, ACTOR, labelsSchema.parse({ endpoint: 'churn', labels }));
      await w.look();
    }
    const light = (await lights(w.deps, ACTOR.projectId, 'churn')).performance;
    assert.equal(light.state, 'amber', light.sentence);
    assert.match(light.sentence, /^incident \d+: DATA labels stopped since 2026-01-13/);
    const { items } = await listIncidents(w.deps, ACTOR, { limit: 10 });
    assert.deepEqual(items.filter(({ cause, rehearsal }) => cause === 'labels' && rehearsal === null).length, 1);
    assert.match(items[0]!.verdict, /labels reach to 2026-01-12, 3 days behind, usually none; 180 predictions/);
    assert.deepEqual(items[0]!.actions, []);
  });

  test('a server that stops in the middle leaves a rehearsal that says so, and nothing that holds on', async () => {
    const w = await live();
    const started = await startRehearsal(w.deps, ACTOR, { kind: 'unit-change', model: 'churn', column: 'x1' });
    for (let i = 0; (await getRehearsal(w.deps, ACTOR, started.id)).incident === null && i < 2_000; i++)
      await new Promise((resolve) => setTimeout(resolve, 5));
    await w.deps.runtime.stop();
    const state = (await getRehearsal(w.deps, ACTOR, started.id)).state;
    w.world.time += 1;
    await endAbandoned({ ...w.deps, runtime: createMonitoringRuntime(w.world.time) });
    const ended = await getRehearsal(w.deps, ACTOR, started.id);
    if (state === 'running') {
      assert.equal(ended.state, 'failed');
      assert.match(ended.report.sentence, /^failed: the server that ran it stopped after \d+ requests.*run it again$/);
    }
    const { items } = await listIncidents(w.deps, ACTOR, { state: 'open', limit: 10 });
    assert.deepEqual(items, []);
  });

  test('a rolled back version is an incident until the hold is lifted', async () => {
    const w = await live();
    const endpoint = await getEndpoint(w.deps.serving, ACTOR, 'churn');
    const { rollout } = await getRollout(w.deps.serving, ACTOR, { name: 'churn' });
    const event = {
      id: '01900000-0000-7000-8000-000000000001',
      topic: 'serving.rolled_back' as const,
      projectId: ACTOR.projectId,
      key: 'k',
      createdAt: 0,
      payload: {
        endpoint: 'churn',
        model: 'churn',
        from: 2,
        to: 1,
        rolloutId: rollout.id,
        reason: 'failed 12 of 40 requests',
      },
    };
    await onRolledBack(w.deps, event);
    await onRolledBack(w.deps, event);
    const { items } = await listIncidents(w.deps, ACTOR, { limit: 10 });
    assert.equal(items.length, 1);
    assert.match(items[0]!.verdict, /^MODEL v2 was rolled back to v1\. v1 answers\.\nfailed 12 of 40 requests\./);
    assert.equal(await findHold(w.deps.registry, ACTOR.projectId, 'churn'), undefined);
    await w.look();
    assert.equal((await listIncidents(w.deps, ACTOR, { limit: 10 })).items[0]!.resolution, 'churn was resumed');
    assert.equal(endpoint.champion, 1);
  });
});
