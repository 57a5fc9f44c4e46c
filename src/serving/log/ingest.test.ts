import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eachDatabase } from '../../../test/support/db.ts';
import { ACTOR, createWorld, type World } from '../../../test/support/serving-world.ts';
import { tempDir } from '../../../test/support/temp.ts';
import { findColumn } from '../../kernel/frame.ts';
import { eventClock } from '../endpoints.ts';
import { deploy } from '../rollouts/start.ts';
import { createServingRuntime } from '../runtime.ts';
import { announceRest, ingestSegment, ingestSegments } from './ingest.ts';
import { countersOf, findPrediction, lastRequests, listPredictions, readPredictions } from './reads.ts';

const PROJECT = ACTOR.projectId;
const CHURN = { projectId: PROJECT, endpoint: 'churn' };
const ALWAYS = { ...CHURN, from: 0, to: Number.MAX_SAFE_INTEGER };
const DAY = 86_400_000;

eachDatabase((_name, open) => {
  async function live(): Promise<World> {
    const w = await createWorld(await open(), tempDir());
    await w.addVersion(1, 7);
    await deploy(w.deps, ACTOR, { model: 'churn' });
    await w.settle();
    return w;
  }

  test('the same segment twice, also at the same time, counts once', async () => {
    const w = await live();
    const bytes = await w.segment({ n: 12 });
    const results = await Promise.all([ingestSegment(w.deps, bytes), ingestSegment(w.deps, bytes)]);
    assert.deepEqual(results.map(({ created }) => created).sort(), [false, true]);
    assert.equal((await ingestSegment(w.deps, bytes)).created, false);
    assert.equal((await readPredictions(w.deps, ALWAYS)).rowCount, 12);
    const counted = await countersOf(w.deps, ALWAYS);
    assert.deepEqual(
      counted.map(({ counters }) => counters.rows),
      [12],
    );
  });

  test('segments that come together are one content, and those of them that were in already change nothing', async () => {
    const w = await live();
    const parts = [await w.segment({ n: 4 }), await w.segment({ n: 6, callerIds: true }), await w.segment({ n: 5 })];
    await ingestSegment(w.deps, parts[1]!);
    const together = Buffer.concat(parts);
    const results = await Promise.all([ingestSegments(w.deps, together), ingestSegments(w.deps, together)]);
    const created = results.map((result) => result.map((each) => each.created));
    assert.deepEqual(
      created.map((each) => each[1]),
      [false, false],
    );
    assert.deepEqual(created.map((each) => each[0]).sort(), [false, true]);
    const counted = await countersOf(w.deps, ALWAYS);
    assert.deepEqual(
      counted.map(({ counters }) => [counters.requests, counters.rows]),
      [[3, 15]],
    );
    // Without what was decoded on the way in.
    const fresh = { ...w.deps, runtime: createServingRuntime() };
    const rows = await readPredictions(fresh, ALWAYS);
    assert.equal(new Set(findColumn(rows, 'prediction_id')!.values).size, 15);
    await assert.rejects(ingestSegments(w.deps, together.subarray(0, together.length - 9)), { code: 'invalid' });
  });

  test('a segment that fails on its way in leaves nothing, and comes in whole when it is sent again', async () => {
    const w = await live();
    const bytes = await w.segment({ n: 5 });
    const failing = { ...w.deps, outbox: { ...w.deps.outbox, publish: async () => assert.fail('killed') } };
    await assert.rejects(ingestSegment(failing, bytes), /killed/);
    assert.equal((await readPredictions(w.deps, ALWAYS)).rowCount, 0);
    assert.deepEqual(await countersOf(w.deps, ALWAYS), []);
    assert.equal((await ingestSegment(w.deps, bytes)).created, true);
    assert.equal((await readPredictions(w.deps, ALWAYS)).rowCount, 5);
  });

  test('counters of many segments add up by hour and version', async () => {
    const w = await live();
    const hour = Math.floor(w.time / 3_600_000) * 3_600_000;
    await w.send({ n: 4 });
    await w.send({ n: 6 });
    w.time += 3_600_000;
    await w.send({ n: 3 });
    const counted = await countersOf(w.deps, ALWAYS);
    assert.deepEqual(
      counted.map(({ windowStart, counters }) => [windowStart - hour, counters.rows]),
      [
        [0, 10],
        [3_600_000, 3],
      ],
    );
    assert.equal((await countersOf(w.deps, { ...CHURN, from: hour, to: hour + 1 })).length, 1);
  });

  test('the event clock follows the newest event less the lateness, never goes back, and rehearsals do not move it', async () => {
    const w = await live();
    assert.equal(await eventClock(w.deps, CHURN), null);
    await w.send({ n: 1 });
    const first = await eventClock(w.deps, CHURN);
    assert.equal(first, w.time - 300_000);
    await w.send({ n: 1, from: w.time - DAY });
    assert.equal(await eventClock(w.deps, CHURN), first);
    await w.send({ n: 1, from: w.time + DAY, rehearsal: 'r1' });
    assert.equal(await eventClock(w.deps, CHURN), first);
  });

  test('rows are read by event time, and rehearsals only by name', async () => {
    const w = await live();
    await w.send({ n: 10, from: w.time - 2 * DAY });
    await w.send({ n: 20, from: w.time - DAY });
    await w.send({ n: 5, rehearsal: 'r1' });
    const from = w.time - 2 * DAY;
    assert.equal((await readPredictions(w.deps, { ...CHURN, from, to: from + DAY })).rowCount, 10);
    assert.equal((await readPredictions(w.deps, ALWAYS)).rowCount, 30);
    assert.equal((await readPredictions(w.deps, { ...ALWAYS, rehearsal: 'r1' })).rowCount, 5);
    const some = await readPredictions(w.deps, { ...ALWAYS, columns: ['prediction_id', 'x1', 'score'], limit: 7 });
    assert.deepEqual(
      some.columns.map(({ name }) => name),
      ['prediction_id', 'x1', 'score'],
    );
    assert.equal(some.rowCount, 7);
    assert.ok(findColumn(some, 'score')!.values instanceof Float64Array);
  });

  test('the last requests are the newest by event time, whatever the order they came in', async () => {
    const w = await live();
    await w.send({ n: 10 });
    await w.send({ n: 10, from: w.time - DAY });
    const { rows, features } = await lastRequests(w.deps, { ...CHURN, n: 10 });
    const times = Array.from(findColumn(rows, 'event_time')!.values as Float64Array);
    assert.ok(times.every((time) => time === w.time));
    assert.deepEqual(
      features.columns.map(({ name }) => name),
      ['x0', 'x1', 'x2'],
    );
    assert.equal(features.rowCount, 10);
  });

  test('a prediction is found by our id, and by the latest use of the caller’s', async () => {
    const w = await live();
    await w.send({ n: 3, callerIds: true });
    const [newest] = await listPredictions(w.deps, { ...ALWAYS, limit: 1 });
    const byOurs = await findPrediction(w.deps, { projectId: PROJECT, id: newest!.id });
    assert.deepEqual(byOurs, newest);
    const byCallers = await findPrediction(w.deps, { projectId: PROJECT, id: newest!.callerId! });
    assert.equal(byCallers?.id, newest!.id);
    assert.equal(byCallers?.version, 1);
    assert.equal(await findPrediction(w.deps, { projectId: PROJECT, id: 'nobody' }), undefined);
    assert.equal(await findPrediction(w.deps, { projectId: 'other', id: newest!.id }), undefined);
  });

  test('segments are announced at most twice a second, and what was left is announced later', async () => {
    const w = await live();
    await w.send({ n: 1 });
    await w.send({ n: 1 });
    await w.deps.outbox.drain();
    const announced = (): number => w.published.filter((text) => text.startsWith('serving.segments_ingested')).length;
    assert.equal(announced(), 1);
    await w.settle();
    await announceRest(w.deps);
    await announceRest(w.deps);
    await w.deps.outbox.drain();
    assert.equal(announced(), 2);
  });

  test('bytes that are no segment are refused, and rows of unknown endpoints left out', async () => {
    const w = await live();
    await assert.rejects(ingestSegment(w.deps, new Uint8Array(40)), { code: 'invalid' });
    const bytes = await w.segment({ n: 2 });
    const other = await createWorld(await open(), tempDir());
    const result = await ingestSegment(other.deps, bytes);
    assert.equal(result.created, true);
    assert.equal((await readPredictions(other.deps, ALWAYS)).rowCount, 0);
  });
});
