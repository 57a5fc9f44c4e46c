import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eachDatabase } from '../../../test/support/db.ts';
import { ACTOR, createMonitoringWorld, type MonitoringWorld } from '../../../test/support/monitoring-world.ts';
import { tempDir } from '../../../test/support/temp.ts';
import { findHold } from '../../registry/index.ts';
import { getEndpoint, getRollout } from '../../serving/index.ts';
import { listIncidents } from '../incidents/incidents.ts';
import { onRolledBack } from '../incidents/subscriptions.ts';
import { lights } from '../lights.ts';
import { getMonitor } from '../overview.ts';
import { getRehearsal, type RehearsalView } from './rehearsals.ts';
import { startRehearsal } from './start.ts';

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
    assert.match(rehearsal.report.sentence, /^alarm after \d+ of 603 rows with x1 ×1\.609344: DATA broken/);
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
      await startRehearsal(w.deps, ACTOR, { kind: 'nulls', model: 'churn', column: 'x2' }),
    );
    assert.match(rehearsal.report.sentence, /x2: \d+ of \d+ values missing/);
  });

  test('one rehearsal at a time, and only of what is live', async () => {
    const w = await live();
    await assert.rejects(startRehearsal(w.deps, ACTOR, { kind: 'nulls', model: 'nobody' }), /no endpoint "nobody"/);
    const started = await startRehearsal(w.deps, ACTOR, { kind: 'shift', model: 'churn', column: 'x0' });
    await assert.rejects(startRehearsal(w.deps, ACTOR, { kind: 'nulls', model: 'churn' }), /is under way/);
    await ended(w, started);
    const wrong = await ended(w, await startRehearsal(w.deps, ACTOR, { kind: 'new-category', model: 'churn' }));
    assert.equal(wrong.state, 'failed');
    assert.match(wrong.report.sentence, /has no category column to rehearse/);
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
