import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eachDatabase } from '../../../test/support/db.ts';
import { ACTOR, createWorld, type World } from '../../../test/support/serving-world.ts';
import { tempDir } from '../../../test/support/temp.ts';
import { listActivity } from '../../identity/index.ts';
import { findHold, resume } from '../../registry/index.ts';
import { currentDocument } from '../desired.ts';
import { getEndpoint } from '../endpoints.ts';
import { onVersionApproved } from '../events.ts';
import { rollback } from '../rollback.ts';
import { createServingRuntime } from '../runtime.ts';
import type { Rollout } from '../types.ts';
import { advanceAll } from '../work.ts';
import { advanceRollout } from './advance.ts';
import { controlRollout, getRollout } from './control.ts';
import { selectRollout } from './rollouts.store.ts';
import { deploy } from './start.ts';
import { applyIn } from './transitions.ts';

const CHAMPION_SEED = 7;
/** Draws another model of the same rows: other scores, some other labels. */
const CHALLENGER_SEED = 16;
const HOUR = 3_600_000;

eachDatabase((_name, open) => {
  const world = async (): Promise<World> => createWorld(await open(), tempDir());

  /** v1 live, with 300 logged requests. */
  async function withChampion(entities?: number): Promise<World> {
    const w = await world();
    await w.addVersion(1, CHAMPION_SEED);
    await deploy(w.deps, ACTOR, { model: 'churn' });
    await w.settle();
    w.time += HOUR;
    await w.send({ n: 300, ...(entities ? { entities } : {}) });
    await w.settle();
    return w;
  }

  const rolloutOf = async (w: World): Promise<Rollout> => (await getRollout(w.deps, ACTOR, { name: 'churn' })).rollout;

  async function drive(w: World, send: Parameters<World['send']>[0], looks = 60): Promise<Rollout> {
    for (let i = 0; i < looks; i++) {
      w.time += 30_000;
      await w.send(send);
      await w.settle();
      const rollout = await rolloutOf(w);
      if (!['preflight', 'shadow', 'canary', 'promoting'].includes(rollout.state)) return rollout;
    }
    return rolloutOf(w);
  }

  test('the first version goes live directly, once a gateway has loaded it', async () => {
    const w = await world();
    await w.addVersion(1, CHAMPION_SEED);
    const deployment = await deploy(w.deps, ACTOR, { model: 'churn' });
    assert.equal(deployment.rollout?.state, 'preflight');
    await advanceAll(w.deps);
    assert.equal((await rolloutOf(w)).state, 'preflight');
    await w.settle();
    const endpoint = await getEndpoint(w.deps, ACTOR, 'churn');
    assert.equal((await rolloutOf(w)).state, 'done');
    assert.equal(endpoint.champion, 1);
    assert.deepEqual(endpoint.urls, ['http://127.0.0.1:4748']);
    const [desired] = (await currentDocument(w.deps)).endpoints;
    assert.deepEqual(
      desired!.arms.map(({ role, weight }) => [role, weight]),
      [['champion', 1]],
    );
  });

  test('a version that does not load is aborted, without a hold, and the champion goes on', async () => {
    const w = await withChampion();
    const id = await w.addVersion(2, CHALLENGER_SEED);
    w.broken.set(id, 'no module named "churnlib"');
    await deploy(w.deps, ACTOR, { model: 'churn', version: 2 });
    await w.settle();
    const rollout = await rolloutOf(w);
    assert.equal(rollout.state, 'aborted');
    assert.match(rollout.reason ?? '', /did not load \(no module named "churnlib"\)/);
    assert.equal((await getEndpoint(w.deps, ACTOR, 'churn')).champion, 1);
    assert.equal(await findHold(w.deps.registry, ACTOR.projectId, 'churn'), undefined);
  });

  test('an honest version goes through replay, shadow and canary to all traffic, bakes, and is done', async () => {
    const w = await withChampion();
    await w.addVersion(2, CHALLENGER_SEED);
    await deploy(w.deps, ACTOR, { model: 'churn', version: 2 });
    const rollout = await drive(w, { n: 60 });
    assert.equal(rollout.state, 'baking', rollout.sentence);
    const { transitions, rollout: told } = await getRollout(w.deps, ACTOR, { name: 'churn' });
    assert.ok((told?.evidence?.replay?.rows ?? 0) > 0, 'what the replay found is known to the end');
    assert.deepEqual(
      transitions.map(({ to, weight }) => `${to} ${weight}`),
      ['preflight 0', 'shadow 0', 'shadow 0', 'canary 0.05', 'canary 0.25', 'canary 0.5', 'promoting 0', 'baking 0'],
    );
    const endpoint = await getEndpoint(w.deps, ACTOR, 'churn');
    assert.deepEqual([endpoint.champion, endpoint.previous], [2, 1]);
    const desired = (await currentDocument(w.deps)).endpoints[0]!;
    assert.deepEqual(
      desired.versions.map(({ version }) => version),
      [2, 1],
    );
    w.time += 2 * HOUR;
    await w.send({ n: 60 });
    await w.settle();
    assert.equal((await rolloutOf(w)).state, 'done');
    await w.deps.outbox.drain();
    assert.ok(
      w.published.some((text) => text.startsWith('serving.rollout_changed') && text.includes('"state":"done"')),
    );
  });

  test('a constant version is rolled back by the replay, before any traffic, and the model is held', async () => {
    const w = await withChampion();
    await w.addVersion(2, CHAMPION_SEED, { fault: { kind: 'constant', value: 0.27 } });
    await deploy(w.deps, ACTOR, { model: 'churn', version: 2 });
    await w.settle();
    const rollout = await rolloutOf(w);
    assert.equal(rollout.state, 'aborted');
    assert.match(rollout.reason ?? '', /v2 answers 0.27 to all 300 replayed requests|replayed answers differ/);
    assert.match((await findHold(w.deps.registry, ACTOR.projectId, 'churn'))?.reason ?? '', /^v2 was rolled back: /);
    await w.deps.outbox.drain();
    assert.equal(w.published.filter((text) => text.startsWith('serving.rolled_back')).length, 1);
    await assert.rejects(deploy(w.deps, ACTOR, { model: 'churn', version: 2 }), { code: 'conflict', message: /HELD/ });
  });

  test('a version that fails for a tenth of the entities is rolled back in shadow within 400 requests', async () => {
    const w = await withChampion(500);
    const bad = await w.addVersion(2, CHALLENGER_SEED);
    await deploy(w.deps, ACTOR, { model: 'churn', version: 2 });
    const fails = (versionId: string, unit: string): boolean => versionId === bad && unit.endsWith('3');
    const rollout = await drive(w, { n: 40, entities: 500, fails }, 10);
    assert.equal(rollout.state, 'aborted');
    assert.match(rollout.reason ?? '', /^v2 failed for \d+ of \d+ shadowed requests, v1 for 0 of the same/);
  });

  test('without traffic it pauses at its deadline, never promotes, and a person lets it go on', async () => {
    const w = await withChampion();
    w.section = { ...w.section, rollout: { kind: 'auto', atMostMs: 2 * HOUR } };
    await w.addVersion(2, CHALLENGER_SEED);
    await deploy(w.deps, ACTOR, { model: 'churn', version: 2 });
    await w.settle();
    w.time += 3 * HOUR;
    await w.send({ n: 3 });
    await w.settle();
    const paused = await rolloutOf(w);
    assert.equal(paused.state, 'paused');
    assert.match(paused.sentence, /^paused at shadow: \d+ of about \d+ requests needed\. continue \| wait \| abort$/);
    assert.equal((await controlRollout(w.deps, ACTOR, { name: 'churn', action: 'wait' })).state, 'shadow');
    assert.equal((await controlRollout(w.deps, ACTOR, { name: 'churn', action: 'pause' })).state, 'paused');
    assert.equal((await controlRollout(w.deps, ACTOR, { name: 'churn', action: 'continue' })).step, 1);
  });

  test('a canary that the gateway stopped is aborted with its reason', async () => {
    const w = await withChampion();
    const id = await w.addVersion(2, CHALLENGER_SEED);
    await deploy(w.deps, ACTOR, { model: 'churn', version: 2, rollout: { kind: 'canary', steps: [0.5] } });
    await w.settle();
    const { id: rolloutId } = await rolloutOf(w);
    const latch = {
      endpoint: 'churn',
      rolloutId,
      versionId: id,
      at: w.time,
      limit: 'errorRate' as const,
      value: 0.6,
      threshold: 0.5,
      requests: 25,
      reason: '15 of 25 requests failed, more than 50 %',
    };
    await w.report({ latched: [latch] });
    await advanceAll(w.deps);
    const rollout = await rolloutOf(w);
    assert.ok(['aborting', 'aborted'].includes(rollout.state));
    assert.equal(rollout.reason, '15 of 25 requests failed, more than 50 %');
    assert.equal((await currentDocument(w.deps)).endpoints[0]!.rollout, null);
  });

  test('a rollback goes back at once, says how many answers differ, and holds', async () => {
    const w = await withChampion();
    await w.addVersion(2, CHALLENGER_SEED);
    await deploy(w.deps, ACTOR, { model: 'churn', version: 2, rollout: { kind: 'direct' } });
    await w.settle();
    w.time += HOUR;
    await w.send({ n: 100 });
    const planned = await rollback(w.deps, ACTOR, { name: 'churn', dryRun: true });
    assert.match(
      planned.sentence,
      /^v2 → v1 \(last at 100 %, warm\)\. On the last 400 requests \d+ answers differ\. Not undone: data, labels, answers given, running batches\. churn is HELD: no retraining or promotion until resume\.$/,
    );
    assert.equal((await getEndpoint(w.deps, ACTOR, 'churn')).champion, 2);
    await assert.rejects(rollback(w.deps, ACTOR, { name: 'churn', from: 1 }), {
      code: 'conflict',
      message: '"churn" changed meanwhile: it would go from v2 to v1; look again',
    });
    await rollback(w.deps, ACTOR, { name: 'churn', from: 2, reason: 'complaints' });
    assert.equal((await getEndpoint(w.deps, ACTOR, 'churn')).champion, 1);
    assert.match((await findHold(w.deps.registry, ACTOR.projectId, 'churn'))?.reason ?? '', /complaints/);
    await assert.rejects(rollback(w.deps, ACTOR, { name: 'churn' }), { code: 'conflict' });
  });

  test('an abort while it bakes brings the version before back', async () => {
    const w = await withChampion();
    await w.addVersion(2, CHALLENGER_SEED);
    await deploy(w.deps, ACTOR, { model: 'churn', version: 2, rollout: { kind: 'blue_green' } });
    await w.settle();
    assert.equal((await rolloutOf(w)).state, 'baking');
    await controlRollout(w.deps, ACTOR, { name: 'churn', action: 'abort', reason: 'wrong labels' });
    await w.settle();
    assert.equal((await rolloutOf(w)).state, 'aborted');
    assert.equal((await getEndpoint(w.deps, ACTOR, 'churn')).champion, 1);
  });

  test('failures after the promotion roll back by themselves', async () => {
    const w = await withChampion();
    const bad = await w.addVersion(2, CHALLENGER_SEED);
    await deploy(w.deps, ACTOR, { model: 'churn', version: 2, rollout: { kind: 'blue_green' } });
    await w.settle();
    await w.send({ n: 100, fails: (versionId, unit) => versionId === bad && unit.endsWith('5') });
    await w.settle();
    const rollout = await rolloutOf(w);
    assert.equal(rollout.state, 'aborted');
    assert.match(rollout.reason ?? '', /^v2 failed for \d+ of 100 requests since it took all traffic/);
    assert.equal((await getEndpoint(w.deps, ACTOR, 'churn')).champion, 1);
  });

  test('a rehearsal is judged on its own requests, never promotes, and holds like a real one', async () => {
    const w = await withChampion();
    const bad = await w.addVersion(2, CHAMPION_SEED, { rehearsal: 'broken-1', approval: 'not_needed' });
    await assert.rejects(deploy(w.deps, ACTOR, { model: 'churn', version: 2 }), {
      code: 'conflict',
      message: /rehearsal/,
    });
    await deploy(w.deps, ACTOR, { model: 'churn', version: 2, rehearsal: 'broken-1' });
    const clock = (await getEndpoint(w.deps, ACTOR, 'churn')).eventClock;
    await drive(
      w,
      { n: 30, rehearsal: 'broken-1', fails: (versionId, unit) => versionId === bad && /[37]$/.test(unit) },
      8,
    );
    const rollout = await rolloutOf(w);
    assert.equal(rollout.state, 'aborted', rollout.sentence);
    assert.match(rollout.reason ?? '', /failed for/);
    const endpoint = await getEndpoint(w.deps, ACTOR, 'churn');
    assert.deepEqual([endpoint.champion, endpoint.eventClock], [1, clock]);
    assert.ok(await findHold(w.deps.registry, ACTOR.projectId, 'churn'));
    const { items } = await listActivity(w.deps.identity, ACTOR, { limit: 50, kinds: ['rehearsal'] });
    assert.ok(items.length >= 3);
  });

  test('an approved version starts by itself, once; a draft never; a held model tells why not', async () => {
    const w = await withChampion();
    const approved = (version: number) => ({ projectId: ACTOR.projectId, payload: { model: 'churn', version } });
    await w.addVersion(2, CHALLENGER_SEED, { draft: true });
    await onVersionApproved(w.deps, approved(2));
    assert.equal((await rolloutOf(w)).version, 1);
    await w.addVersion(3, CHALLENGER_SEED);
    await onVersionApproved(w.deps, approved(3));
    const first = await rolloutOf(w);
    await onVersionApproved(w.deps, approved(3));
    assert.deepEqual([first.version, (await rolloutOf(w)).id], [3, first.id]);
    await controlRollout(w.deps, ACTOR, { name: 'churn', action: 'abort' });
    await w.settle();
    await w.addVersion(4, CHALLENGER_SEED);
    await onVersionApproved(w.deps, approved(4));
    assert.equal((await rolloutOf(w)).version, 3);
    const { items } = await listActivity(w.deps.identity, ACTOR, { limit: 5, kinds: ['deploy'] });
    assert.match(items[0]!.sentence, /v4 was approved and not rolled out to "churn": churn is HELD/);
    await resume(w.deps.registry, ACTOR, { model: 'churn' });
    await deploy(w.deps, ACTOR, { model: 'churn' });
    assert.equal((await rolloutOf(w)).version, 4);
  });

  test('a look at a revision that is gone changes nothing', async () => {
    const w = await withChampion();
    await w.addVersion(2, CHALLENGER_SEED);
    await deploy(w.deps, ACTOR, { model: 'churn', version: 2 });
    const { id } = await rolloutOf(w);
    const old = (await w.deps.db.read((tx) => selectRollout(tx, ACTOR.projectId, id)))!;
    await w.report();
    const moved = await advanceRollout(w.deps, old);
    assert.equal(moved.revision, old.revision + 1);
    assert.equal((await advanceRollout(w.deps, old)).revision, moved.revision);
    await assert.rejects(
      w.deps.db.write((tx) => applyIn(tx, w.deps, old, { event: 'abort', sentence: 'late' })),
      { code: 'conflict' },
    );
  });

  test('a server that is killed in the middle decides the same from the log', async () => {
    const w = await withChampion();
    await w.addVersion(2, CHALLENGER_SEED);
    await deploy(w.deps, ACTOR, { model: 'churn', version: 2 });
    for (let i = 0; i < 6; i++) {
      w.time += 1_000;
      await w.send({ n: 20 });
      await w.settle();
    }
    const before = (await rolloutOf(w)).evidence;
    Object.assign(w.deps, { runtime: createServingRuntime() });
    await w.report();
    await w.send({ n: 0 });
    await w.settle();
    const after = (await rolloutOf(w)).evidence;
    assert.deepEqual(after?.shadow, before?.shadow);
    assert.deepEqual(after?.harm, before?.harm);
    assert.ok((after?.shadow.rows ?? 0) > 0);
  });
});
