import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addRateEvent, createRateRatio, eValue, isRejected, RATE_RATIOS } from './e-process.ts';

/** mulberry32: the generator of the reference vectors. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Units with error rates; answers at which unit the test stopped, or null. */
function simulate(seed: number, rates: { stable: number; canary: number }, units: number): number | null {
  const random = seeded(seed);
  const state = createRateRatio();
  for (let i = 0; i < units; i++) {
    const share = [0.01, 0.05, 0.25, 0.5][Math.floor((4 * i) / units)]!;
    const inCanary = random() < share;
    if (random() < (inCanary ? rates.canary : rates.stable)) addRateEvent(state, inCanary, share);
    if (isRejected(state, 0.05)) return i + 1;
  }
  return null;
}

test('identical error rates are called different in at most 5 % of runs', () => {
  const fired = Array.from({ length: 200 }, (_, seed) => simulate(seed + 1, { stable: 0.005, canary: 0.005 }, 20_000));
  const rate = fired.filter((at) => at !== null).length / fired.length;
  assert.ok(rate <= 0.05, `${rate}`);
});

test('ten times the errors are found in every run, while the canary is still small', () => {
  const fired = Array.from({ length: 40 }, (_, seed) => simulate(seed + 1, { stable: 0.005, canary: 0.05 }, 20_000));
  assert.ok(
    fired.every((at) => at !== null && at < 12_000),
    JSON.stringify(fired),
  );
});

test('one error from each side of an even split multiplies every wealth by 4r/(r+1)²', () => {
  const state = createRateRatio();
  addRateEvent(state, true, 0.5);
  addRateEvent(state, false, 0.5);
  RATE_RATIOS.forEach((r, i) => {
    assert.ok(Math.abs(state.logWealth[i]! - Math.log((4 * r) / (r + 1) ** 2)) < 1e-12);
  });
});

test('an error whose side was certain beforehand says nothing', () => {
  const state = createRateRatio();
  addRateEvent(state, true, 1);
  addRateEvent(state, false, 0);
  assert.equal(eValue(state), 1);
});

test('evidence that was once reached stays reached', () => {
  const state = createRateRatio();
  for (let i = 0; i < 10; i++) addRateEvent(state, true, 0.05);
  for (let i = 0; i < 500; i++) addRateEvent(state, false, 0.5);
  assert.ok(eValue(state) < 1);
  assert.ok(isRejected(state, 0.05));
});
