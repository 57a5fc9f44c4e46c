import assert from 'node:assert/strict';
import { test } from 'node:test';
import { movingAlpha, persistentAlpha, singleAlpha } from './false-alarms.ts';
import { levelShift } from './level-shift.ts';

const DAY = 86_400_000;
const BUDGET = { count: 1, perMs: 90 * DAY, windowMs: DAY };

function seeded(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const normal = (random: () => number): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

test('days that differ hide a small shift and show a large one', () => {
  const values = [0.02, -0.05, 0.04, 0.01, -0.03, 0.05, -0.01];
  assert.ok(levelShift(values, 0)!.pHigher > 0.2);
  const shifted = levelShift(
    values.map((x) => x + 0.1),
    0,
  )!;
  assert.ok(shifted.pHigher < 0.001);
  assert.equal(shifted.days, 7);
});

test('fewer than five days say nothing', () => {
  assert.equal(levelShift([1, 2, 3, 4], 0), null);
});

test('the sampling variance is a floor: equal days are not certain', () => {
  const shift = levelShift([0.1, 0.1, 0.1, 0.1, 0.1], 0.09, { samplingVariance: 0.01 })!;
  assert.ok(Math.abs(shift.se - 0.1 / Math.sqrt(5)) < 1e-12);
});

test('days that follow each other count for less', () => {
  const slow = [0, 1, 2, 3, 4, 3, 2, 1, 0, 1, 2, 3, 4, 3];
  assert.equal(levelShift(slow, 0)!.autocorrelation, 0.5);
});

/** Alarms begin in clumps: consecutive alarms are one. */
function clumps(series: readonly number[], span: number, alpha: number): number {
  let count = 0;
  let isAlarm = false;
  for (let i = 4; i < series.length; i++) {
    const shift = levelShift(series.slice(Math.max(0, i + 1 - span), i + 1), 0)!;
    const now = shift.pHigher < alpha;
    if (now && !isAlarm) count += 1;
    isAlarm = now;
  }
  return count;
}

test('moving means alarm by chance no more often than the budget says, over 200 seeds of 90 days', () => {
  for (const [span, share] of [
    [7, 0.1],
    [14, 0.1],
  ] as const) {
    const alpha = movingAlpha(BUDGET, share, span);
    let alarms = 0;
    for (let seed = 1; seed <= 200; seed++) {
      const random = seeded(seed * 7919);
      alarms += clumps(
        Array.from({ length: 90 }, () => normal(random)),
        span,
        alpha,
      );
    }
    // 0.1 alarms in 90 days are 20 over the seeds; three standard deviations of chance above it are 33.
    assert.ok(alarms <= 33, `${alarms} alarms with span ${span}`);
  }
});

test('one alarm in two of three windows keeps its share of the budget, over 400 seeds of 90 windows', () => {
  const alpha = persistentAlpha(BUDGET, 0.15);
  let alarms = 0;
  for (let seed = 1; seed <= 400; seed++) {
    const random = seeded(seed);
    const exceeds = Array.from({ length: 90 }, () => random() < alpha);
    alarms += exceeds.filter((e, i) => e && (exceeds[i - 1] || exceeds[i - 2])).length;
  }
  // 0.15 · 400 = 60 expected at most; three standard deviations above are 83.
  assert.ok(alarms <= 83, `${alarms} alarms`);
});

test('a larger budget means larger thresholds, never above 5 %', () => {
  const generous = { ...BUDGET, count: 1_000 };
  assert.ok(singleAlpha(BUDGET, 0.1) < singleAlpha(generous, 0.1));
  assert.equal(persistentAlpha(generous, 0.5), 0.05);
  assert.ok(movingAlpha(BUDGET, 0.1, 14) < movingAlpha({ ...BUDGET, count: 3 }, 0.1, 14));
});
