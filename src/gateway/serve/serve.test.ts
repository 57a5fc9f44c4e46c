import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { makeLinear } from '../testing/models.ts';
import { isInChallenger } from './arm.ts';
import { EventClock } from './event-clock.ts';
import { fallbackOutputs } from './fallback.ts';
import { LimitWatch, sentenceOf } from './limit-watch.ts';

const unit = fc.string({ maxLength: 20 });
const weight = fc.double({ min: 0, max: 1, noNaN: true });

describe('an arm', () => {
  it('is a nested set: who is in at a small weight is in at every larger one', () => {
    fc.assert(
      fc.property(unit, weight, weight, (who, a, b) => {
        if (isInChallenger('r', who, Math.min(a, b))) assert.ok(isInChallenger('r', who, Math.max(a, b)));
      }),
    );
  });

  it('holds nobody at 0 and everybody at 1', () => {
    fc.assert(fc.property(unit, (who) => !isInChallenger('r', who, 0) && isInChallenger('r', who, 1)));
  });

  it('is decided by the first four bytes of sha256(rollout, NUL, unit)', () => {
    const first = createHash('sha256').update('r').update(Buffer.of(0)).update('ann').digest().readUInt32BE(0);
    assert.equal(isInChallenger('r', 'ann', (first + 1) / 2 ** 32), true);
    assert.equal(isInChallenger('r', 'ann', first / 2 ** 32), false);
  });
});

describe('an event clock', () => {
  const now = Date.UTC(2026, 0, 1);

  it('under server is wall time less the lateness, with and without traffic', () => {
    const clock = new EventClock({ mode: 'server', latenessMs: 1_000 }, null);
    assert.equal(clock.timeOf(null, now), now);
    assert.equal(clock.read(now), now - 1_000);
  });

  it('under client never goes back, whatever the order of events', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 2 ** 41 })), (times) => {
        const clock = new EventClock({ mode: 'client', latenessMs: 10 }, null);
        let before = Number.NEGATIVE_INFINITY;
        for (const time of times) {
          clock.observe(time);
          const value = clock.read(now)!;
          assert.ok(value >= before);
          before = value;
        }
        if (times.length > 0) assert.equal(before, Math.max(...times) - 10);
      }),
    );
  });

  it('files an undated request at its present value and does not move', () => {
    const clock = new EventClock({ mode: 'client', latenessMs: 0 }, 500);
    assert.equal(clock.timeOf(null, now), 500);
    assert.equal(clock.read(now), 500);
  });

  it('reads a time without a zone as UTC, and refuses what is no time', () => {
    const clock = new EventClock({ mode: 'client', latenessMs: 0 }, null);
    assert.equal(clock.timeOf('2001-01-31T08:00:00', now), Date.UTC(2001, 0, 31, 8));
    assert.equal(clock.timeOf('2001-01-31', now), Date.UTC(2001, 0, 31));
    for (const text of ['yesterday', '2001-13-01', '1', ''])
      assert.throws(() => clock.timeOf(text || 'x', now), { code: 'invalid' });
  });
});

describe('a hard limit', () => {
  it('is not judged before its minimum of requests', () => {
    const watch = new LimitWatch({ errorRate: 0.01, minRequests: 5 });
    for (let i = 0; i < 4; i++) assert.equal(watch.observe(1, true), undefined);
    assert.deepEqual(watch.observe(1, true), { limit: 'errorRate', value: 1, threshold: 0.01, requests: 5 });
  });

  it('of latency does not break over one slow request, and breaks when more than 1 % are slow', () => {
    const watch = new LimitWatch({ latencyP99Ms: 50 });
    for (let i = 0; i < 150; i++) assert.equal(watch.observe(i === 7 ? 500 : 1, false), undefined);
    const breach = watch.observe(500, false)!;
    assert.equal(breach.limit, 'latencyP99Ms');
    assert.equal(sentenceOf(breach), 'p99 latency 500.0 ms over 151 requests, above the limit of 50 ms');
  });

  it('forgets what is older than a thousand requests', () => {
    const watch = new LimitWatch({ errorRate: 0.5, minRequests: 1_000 });
    for (let i = 0; i < 400; i++) watch.observe(1, true);
    for (let i = 0; i < 1_000; i++) assert.equal(watch.observe(1, false), undefined);
    for (let i = 0; i < 500; i++) assert.equal(watch.observe(1, true), undefined);
    assert.ok(watch.observe(1, true));
  });
});

describe('a constant fallback', () => {
  const { spec } = makeLinear({ version: 1 });

  it('of a base rate gives the label that the threshold says', () => {
    const low = fallbackOutputs({ kind: 'score', score: 0.27 }, spec, 2);
    assert.deepEqual(
      [low.labels, [...low.scores]],
      [
        [0, 0],
        [0.27, 0.27],
      ],
    );
    assert.deepEqual(
      low.probabilities!.map((p) => p[0]),
      [0.73, 0.27],
    );
    assert.deepEqual(fallbackOutputs({ kind: 'score', score: 0.27 }, { ...spec, threshold: 0.2 }, 1).labels, [1]);
  });

  it('of a label is certain of it', () => {
    const one = fallbackOutputs({ kind: 'label', label: 1 }, spec, 1);
    assert.deepEqual([one.labels, [...one.scores]], [[1], [1]]);
  });
});
