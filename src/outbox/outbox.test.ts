import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eachDatabase, emptyPostgres, postgresMissing } from '../../test/support/db.ts';
import { seededRandom, testClock, testLog } from '../../test/support/system.ts';
import { openPostgres } from '../adapters/postgres/index.ts';
import { DEFAULT_PROJECT_ID } from '../kernel/ids.ts';
import { migrate } from '../migrations/index.ts';
import type { Db } from '../ports/db.ts';
import { createOutbox, publish } from './index.ts';
import { MAX_ATTEMPTS } from './outbox.ts';

function setUp(db: Db, clock = testClock(), seed = 1) {
  const log = testLog();
  const outbox = createOutbox({ db, clock, random: seededRandom(seed), log });
  const announce = (version: number): Promise<void> => db.write((tx) => publish(tx, registered(version), { outbox }));
  return { db, clock, log, outbox, announce };
}

const registered = (version: number) =>
  ({
    topic: 'registry.version_registered',
    projectId: DEFAULT_PROJECT_ID,
    key: `churn@v${version}`,
    payload: { model: 'churn', version },
  }) as const;

const TOPIC = 'registry.version_registered';

eachDatabase((_name, open) => {
  test('an event reaches each of its subscribers once, and no other', async () => {
    const { outbox, announce, db } = setUp(await open());
    const seen: string[] = [];
    outbox.subscribe('a', TOPIC, async ({ payload }) => void seen.push(`a${payload.version}`));
    outbox.subscribe('b', TOPIC, async ({ payload }) => void seen.push(`b${payload.version}`));
    outbox.subscribe('c', 'data.version_created', async () => void seen.push('c'));
    await announce(1);
    await announce(2);
    await outbox.drain();
    await outbox.drain();
    assert.deepEqual(seen.sort(), ['a1', 'a2', 'b1', 'b2']);
    await db.close();
  });

  test('the handler gets the event as it was published', async () => {
    const { outbox, announce, db, clock } = setUp(await open());
    const events: unknown[] = [];
    outbox.subscribe('a', TOPIC, async ({ id, ...event }) => void events.push(event));
    await announce(3);
    await outbox.drain();
    assert.deepEqual(events, [{ ...registered(3), createdAt: clock.now() }]);
    await db.close();
  });

  test('an event of a transaction that is rolled back does not exist', async () => {
    const { outbox, db } = setUp(await open());
    const seen: unknown[] = [];
    outbox.subscribe('a', TOPIC, async (event) => void seen.push(event));
    const failing = db.write(async (tx) => {
      await publish(tx, registered(1), { outbox });
      throw new Error('no');
    });
    await assert.rejects(failing);
    await outbox.drain();
    assert.deepEqual(seen, []);
    await db.close();
  });

  test('events published by a handler are drained too', async () => {
    const { outbox, announce, db } = setUp(await open());
    const seen: number[] = [];
    outbox.subscribe('a', TOPIC, async ({ payload }) => {
      seen.push(payload.version);
      if (payload.version < 4) await announce(payload.version + 1);
    });
    await announce(1);
    await outbox.drain();
    assert.deepEqual(seen, [1, 2, 3, 4]);
    await db.close();
  });

  test('a handler that throws is called again after a pause, and the others are not', async () => {
    const { outbox, announce, db, clock } = setUp(await open());
    const seen: string[] = [];
    outbox.subscribe('fails-once', TOPIC, async () => {
      seen.push('fails-once');
      if (seen.filter((name) => name === 'fails-once').length === 1) throw new Error('not yet');
    });
    outbox.subscribe('works', TOPIC, async () => void seen.push('works'));
    await announce(1);
    await outbox.drain();
    await outbox.drain();
    assert.deepEqual(seen.sort(), ['fails-once', 'works']);
    clock.advance(1_000);
    await outbox.drain();
    assert.deepEqual(seen.sort(), ['fails-once', 'fails-once', 'works']);
    await db.close();
  });

  test(`after ${MAX_ATTEMPTS} attempts a delivery is dead, visible, and can be retried`, async () => {
    const { outbox, announce, db, clock, log } = setUp(await open());
    let calls = 0;
    let works = false;
    outbox.subscribe('broken', TOPIC, async () => {
      calls += 1;
      if (!works) throw new Error('no such table');
    });
    await announce(7);
    for (let i = 0; i < MAX_ATTEMPTS + 5; i++) {
      await outbox.drain();
      clock.advance(600_000);
    }
    assert.equal(calls, MAX_ATTEMPTS);
    const [failure] = await outbox.failures();
    assert.equal(failure?.subscriber, 'broken');
    assert.equal(failure?.key, 'churn@v7');
    assert.equal(failure?.error, 'no such table');
    assert.equal(log.lines.at(-1)?.level, 'error');
    works = true;
    await outbox.retry(failure!.outboxId, 'broken');
    await outbox.drain();
    assert.equal(calls, MAX_ATTEMPTS + 1);
    assert.deepEqual(await outbox.failures(), []);
    await assert.rejects(outbox.retry(failure!.outboxId, 'broken'), /has failed for good/);
    await db.close();
  });

  test('a running outbox delivers without being asked, and stops', async () => {
    const { outbox, announce, db } = setUp(await open());
    const { promise, resolve } = Promise.withResolvers<number>();
    outbox.subscribe('a', TOPIC, async ({ payload }) => resolve(payload.version));
    await outbox.start();
    await announce(9);
    assert.equal(await promise, 9);
    await outbox.stop();
    await db.close();
  });

  test('what a killed process was running is delivered by the next', async () => {
    const first = setUp(await open());
    const begun = Promise.withResolvers<void>();
    first.outbox.subscribe('a', TOPIC, () => {
      begun.resolve();
      return new Promise(() => {});
    });
    await first.announce(1);
    void first.outbox.drain();
    await begun.promise;
    const next = setUp(first.db, testClock(first.clock.now() + 61_000), 2);
    const done = Promise.withResolvers<number>();
    next.outbox.subscribe('a', TOPIC, async ({ payload }) => done.resolve(payload.version));
    await next.outbox.start();
    assert.equal(await done.promise, 1);
    await next.outbox.stop();
    await first.db.close();
  });

  test('two servers on one database deliver each event once', async () => {
    const one = setUp(await open());
    const two = setUp(one.db, one.clock, 2);
    const seen: number[] = [];
    for (const { outbox } of [one, two]) {
      outbox.subscribe('a', TOPIC, async ({ payload }) => void seen.push(payload.version));
    }
    for (let version = 1; version <= 40; version++) await one.announce(version);
    await Promise.all([one.outbox.drain(), two.outbox.drain()]);
    assert.deepEqual(
      seen.sort((a, b) => a - b),
      Array.from({ length: 40 }, (_, i) => i + 1),
    );
    await one.db.close();
  });
});

test('on postgres an event wakes the other servers when it is committed', {
  skip: postgresMissing() ?? false,
}, async () => {
  const url = await emptyPostgres();
  const here = setUp(await openPostgres({ url, poolSize: 2 }));
  const there = setUp(await openPostgres({ url, poolSize: 2 }), testClock(), 2);
  await migrate(here.db);
  const done = Promise.withResolvers<number>();
  here.outbox.subscribe('a', TOPIC, async () => {});
  there.outbox.subscribe('a', TOPIC, async ({ payload }) => done.resolve(payload.version));
  await there.outbox.start();
  await there.outbox.drain();
  await here.announce(5);
  assert.equal(await done.promise, 5);
  await there.outbox.stop();
  await there.db.close();
  await here.db.close();
});
