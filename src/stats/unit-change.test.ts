import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Counters, type MonitorProfile, type NumericProfile, profileColumn } from './profile.ts';
import { findUnitChange } from './unit-change.ts';

function seeded(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const DRAWS: Readonly<Record<string, (random: () => number) => number>> = {
  'log-normal': (random) =>
    600 * Math.exp(0.7 * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())),
  uniform: (random) => 18 + random() * 100,
  'two peaks': (random) => (random() < 0.4 ? 20 + random() * 5 : 80 + random() * 30),
};

const sample = (draw: (random: () => number) => number, seed: number, n: number): Float64Array => {
  const random = seeded(seed);
  return Float64Array.from({ length: n }, () => draw(random));
};

function look(profile: NumericProfile, values: Float64Array) {
  const whole: MonitorProfile = { rows: 1, features: [profile], score: { edges: [], counts: [0] }, labelRate: null };
  const counters = new Counters(whole);
  const answers = { labels: new Array<number>(values.length).fill(0), scores: new Float64Array(values.length) };
  counters.count({ rowCount: values.length, columns: [{ name: 'x', values }] }, answers, 1);
  return findUnitChange(profile, counters.window.features[0]!);
}

for (const [name, draw] of Object.entries(DRAWS)) {
  const profile = profileColumn('x', sample(draw, 1, 5_000)) as NumericProfile;

  test(`a constant factor is named, whatever the shape: ${name}`, () => {
    for (const factor of [1.609344, 100, 0.001, 60, 1 / 1.609344, 0.45359237, 3.7]) {
      const found = look(
        profile,
        sample(draw, 2, 800).map((x) => x * factor),
      );
      assert.ok(found, `×${factor} was not found`);
      assert.ok(Math.abs(found.factor / factor - 1) < 0.06, `×${factor} was taken for ×${found.factor}`);
    }
    const kilometres = look(
      profile,
      sample(draw, 3, 800).map((x) => x * 1.609344),
    )!;
    assert.deepEqual([kilometres.factor, kilometres.known], [1.609344, 'miles → kilometres']);
  });

  test(`without a change nothing is named, over 300 seeds: ${name}`, () => {
    for (let seed = 10; seed < 310; seed++)
      assert.equal(look(profile, sample(draw, seed, 50 + (seed % 7) * 100)), null);
  });

  test(`a shift is not a factor: ${name}`, () => {
    const found = look(
      profile,
      sample(draw, 4, 2_000).map((x) => x + profile.sd * 3),
    );
    assert.equal(found, null);
  });
}

test('few rows say nothing', () => {
  const profile = profileColumn('x', sample(DRAWS['uniform']!, 1, 5_000)) as NumericProfile;
  assert.equal(
    look(
      profile,
      sample(DRAWS['uniform']!, 2, 20).map((x) => x * 100),
    ),
    null,
  );
});
