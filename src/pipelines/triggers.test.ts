import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { eachDatabase } from '../../test/support/db.ts';
import { applyFolder, closePipelines, pipelinesDeps, projectFolder } from '../../test/support/pipelines.ts';
import { LOCAL } from '../../test/support/tracking.ts';
import type { DomainEvent } from '../kernel/events.ts';
import { setHoldIn } from '../registry/index.ts';
import { type CronSection, nextSlot, slotsDue } from './cron.ts';
import {
  fire,
  listRuns,
  onAlertFired,
  onDataVersionCreated,
  onRunFinished,
  type PipelinesDeps,
  startRun,
} from './index.ts';
import { fireDueCron } from './triggers.ts';

const HOUR = 3_600_000;
const at = (text: string): number => Date.parse(text);

describe('schedules', () => {
  const nightly = (catchup: CronSection['catchup'], tz = 'UTC'): CronSection => ({
    kind: 'cron',
    cron: '0 3 * * *',
    tz,
    catchup,
  });

  test('a slot is wall time in its zone, through a change of the clocks', () => {
    assert.equal(nextSlot(nightly('none', 'Europe/Zurich'), at('2026-03-28T12:00:00Z')), at('2026-03-29T01:00:00Z'));
    assert.equal(nextSlot(nightly('none', 'Europe/Zurich'), at('2026-03-27T12:00:00Z')), at('2026-03-28T02:00:00Z'));
  });

  test('slots missed while the server was down follow catchup', () => {
    const due = at('2026-01-01T03:00:00Z');
    const now = at('2026-01-03T12:00:00Z');
    const next = at('2026-01-04T03:00:00Z');
    assert.deepEqual(slotsDue(nightly('none'), due, now), { slots: [], next });
    assert.deepEqual(slotsDue(nightly('last'), due, now), { slots: [at('2026-01-03T03:00:00Z')], next });
    assert.deepEqual(slotsDue(nightly('all'), due, now), { slots: [due, due + 24 * HOUR, due + 48 * HOUR], next });
    assert.deepEqual(slotsDue(nightly('none'), due, due + 500), { slots: [due], next: due + 24 * HOUR });
  });

  test('a pattern that is none is refused in plain words', () => {
    assert.throws(() => nextSlot({ ...nightly('none'), cron: 'at noon' }, 0), {
      code: 'invalid',
      message: /The schedule "at noon"/,
    });
  });
});

eachDatabase((_name, open) => {
  const cleanups: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });
  const applied = async (yaml: string, now = { ms: at('2026-01-01T00:00:00Z') }): Promise<PipelinesDeps> => {
    const db = await open();
    const deps = await pipelinesDeps(db);
    cleanups.push(
      () => db.close(),
      () => closePipelines(deps),
    );
    const clock = { ...deps.clock, now: () => now.ms };
    const own = { ...deps, clock };
    await applyFolder(own, await projectFolder({ 'levain.yaml': yaml }));
    return own;
  };
  const runsOf = async (deps: PipelinesDeps, pipeline: string) =>
    (await listRuns(deps, LOCAL.projectId, { limit: 50, pipeline })).items;
  const event = <T extends DomainEvent['topic']>(topic: T, payload: DomainEvent<T>['payload']): DomainEvent<T> => ({
    id: 'e',
    topic,
    projectId: LOCAL.projectId,
    key: 'k',
    payload,
    createdAt: 0,
  });

  test('a schedule fires each slot once, whoever looks, and moves on', async () => {
    const now = { ms: at('2026-01-01T00:00:00Z') };
    const deps = await applied(
      'name: nightly\nsteps: { a: { run: "true" } }\ntriggers: [{ cron: "0 * * * *" }]\n',
      now,
    );
    await fireDueCron(deps);
    assert.equal((await runsOf(deps, 'nightly')).length, 0);
    now.ms += HOUR;
    await Promise.all([fireDueCron(deps), fireDueCron(deps)]);
    await fireDueCron(deps);
    const [run, ...more] = await runsOf(deps, 'nightly');
    assert.deepEqual([run?.trigger.kind, run?.dataMode, more.length], ['cron', 'latest', 0]);
    assert.match(run?.trigger.key ?? '', /2026-01-01T01:00:00\.000Z$/);
    now.ms += HOUR;
    await fireDueCron(deps);
    assert.equal((await runsOf(deps, 'nightly')).length, 2);
  });

  test('a new version of its data starts a pipeline once, with that version', async () => {
    const yaml = 'name: d\ndata: { x: { from: x.csv } }\nsteps: { a: { run: "true" } }\ntriggers: [{ data: x }]\n';
    const deps = await applied(yaml);
    const created = event('data.version_created', { dataset: 'x', version: 1, versionId: 'v1' });
    await onDataVersionCreated(deps, created);
    await onDataVersionCreated(deps, created);
    await onDataVersionCreated(deps, event('data.version_created', { dataset: 'other', version: 1, versionId: 'v2' }));
    const runs = await runsOf(deps, 'd');
    assert.deepEqual(
      runs.map((run) => [run.trigger.kind, run.trigger.key, run.dataMode]),
      [['data', 'v1', 'current']],
    );
  });

  test('an alert retrains its model on the labels of its time, but not while the model is held', async () => {
    const yaml =
      'name: m\ndata: { x: { from: x.csv } }\nsteps: { a: { run: "true" } }\nmodel: { from: "a:m.pkl", target: { column: y } }\ntriggers: [{ alert: performance }]\n';
    const deps = await applied(yaml);
    const alert = (incident: number, light = 'performance') =>
      event('monitoring.alert_fired', { model: 'm', endpoint: 'm', incident, light, asOf: 42 });
    await onAlertFired(deps, alert(1, 'data'));
    assert.equal((await runsOf(deps, 'm')).length, 0);
    await onAlertFired(deps, alert(1));
    const [run] = await runsOf(deps, 'm');
    assert.deepEqual([run?.trigger.kind, run?.trigger.asOf, run?.dataMode], ['alert', 42, 'latest']);
    await deps.db.write((tx) =>
      setHoldIn(tx, deps.registry, { projectId: LOCAL.projectId, model: 'm', reason: 'rolled back', by: 'levain' }),
    );
    await onAlertFired(deps, alert(2));
    assert.equal((await runsOf(deps, 'm')).length, 1);
  });

  test('events coalesce into a run that waits, and are skipped or queued as the file says', async () => {
    const yaml = (onConflict: string) =>
      `name: c\nsteps: { a: { run: "true" } }\nconcurrency: { on_conflict: ${onConflict} }\n`;
    const deps = await applied(yaml('coalesce'));
    const told = (key: string) =>
      fire(deps, { projectId: LOCAL.projectId, pipeline: 'c', kind: 'after', key, asOf: null, dataMode: 'current' });
    const first = await told('1');
    assert.equal(first.outcome, 'started');
    assert.deepEqual(await told('2'), { outcome: 'coalesced', runId: first.runId });
    assert.equal((await told('2')).outcome, 'repeated');
    await applyFolder(deps, await projectFolder({ 'levain.yaml': yaml('skip') }));
    assert.equal((await told('3')).outcome, 'skipped');
    await applyFolder(deps, await projectFolder({ 'levain.yaml': yaml('queue') }));
    assert.equal((await told('4')).outcome, 'started');
    await applyFolder(deps, await projectFolder({ 'levain.yaml': yaml('cancel_old') }));
    assert.equal((await told('5')).outcome, 'started');
    const runs = await runsOf(deps, 'c');
    assert.deepEqual(runs.map((run) => run.cancelRequested).sort(), [false, true, true]);
  });

  test('a pipeline that comes after another starts when that one ended so', async () => {
    const deps = await applied(
      'name: second\nsteps: { a: { run: "true" } }\ntriggers: [{ after: { pipeline: first, status: succeeded } }]\n',
    );
    await applyFolder(deps, await projectFolder({ 'levain.yaml': 'name: first\nsteps: { a: { run: "true" } }\n' }));
    const run = await startRun(deps, LOCAL, { pipeline: 'first' });
    const finished = (status: string) =>
      event('pipelines.run_finished', { runId: run.id, pipeline: 'first', status, trigger: 'manual' });
    await onRunFinished(deps, finished('failed'));
    assert.equal((await runsOf(deps, 'second')).length, 0);
    await onRunFinished(deps, finished('succeeded'));
    assert.equal((await runsOf(deps, 'second')).length, 1);
  });

  test('a run of a trigger is answered again with the run that it has', async () => {
    const deps = await applied('name: r\nparams: { a: 1 }\nsteps: { a: { run: "true" } }\n');
    const trigger = { kind: 'rehearsal' as const, key: 'x', asOf: null };
    const [first, second] = [
      await startRun(deps, LOCAL, { pipeline: 'r', trigger }),
      await startRun(deps, LOCAL, { pipeline: 'r', trigger }),
    ];
    assert.equal(second.id, first.id);
    await assert.rejects(startRun(deps, LOCAL, { pipeline: 'r', params: { b: 1 } }), {
      message: /"b" is not among the file's params \(a\)/,
    });
    await assert.rejects(startRun(deps, LOCAL, { pipeline: 'none' }), { code: 'not_found' });
  });
});
