import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildProfile, Counters, type MonitorProfile, mergeWindow, type WindowCounters } from '../../stats/profile.ts';
import { findingsOf } from './evaluate.ts';
import { type Day, performanceFindings } from './performance-rules.ts';
import { budgetOf, DEFAULT_BUDGET, PERSISTENT, type WindowFacts } from './rules.ts';

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

const CATEGORIES = ['ORD', 'DFW', 'ATL', 'LAX', 'PHX'];
const rowsOf = (random: () => number, n: number, change: (x: number) => number = (x) => x) => {
  const distance = Float64Array.from({ length: n }, () => change(600 * Math.exp(0.6 * normal(random))));
  const age = Float64Array.from({ length: n }, () => 40 + 12 * normal(random));
  const origin = Array.from({ length: n }, () => CATEGORIES[Math.floor(random() ** 2 * 5)]!);
  const scores = Float64Array.from({ length: n }, () => 1 / (1 + Math.exp(1.3 - 0.5 * normal(random))));
  const frame = {
    rowCount: n,
    columns: [
      { name: 'distance', values: distance },
      { name: 'age', values: age },
      { name: 'origin', values: origin },
    ],
  };
  return { frame, scores };
};

const reference = rowsOf(seeded(99), 10_000);
const PROFILE: MonitorProfile = buildProfile(reference.frame, reference.scores, 0.2);

function factsOf(counters: WindowCounters, hours: WindowFacts['hours'] = []): WindowFacts {
  return {
    start: 0,
    end: 86_400_000,
    counters,
    hours,
    earlier: [],
    profile: PROFILE,
    trend: null,
    budget: budgetOf(DEFAULT_BUDGET),
    limits: { errorRate: 0.01, latencyP99Ms: 1_000 },
  };
}

function windowOf(random: () => number, n: number, change?: (x: number) => number): WindowCounters {
  const { frame, scores } = rowsOf(random, n, change);
  const counters = new Counters(PROFILE);
  counters.count(frame, { labels: new Array<number>(n).fill(0), scores }, 900);
  counters.window.requests = n;
  return counters.window;
}

test('a null stays quiet: data and predictions alarm no more often than the budget says, over 30 seeds of 90 windows', () => {
  const alarms: string[] = [];
  for (let seed = 1; seed <= 30; seed++) {
    const random = seeded(seed * 104_729);
    const exceeded = new Map<string, number[]>();
    for (let window = 0; window < 90; window++)
      for (const { rule, exceeds } of findingsOf(factsOf(windowOf(random, 150 + (window % 5) * 100)))) {
        if (!exceeds) continue;
        const before = exceeded.get(rule) ?? [];
        if (!PERSISTENT.has(rule) || before.some((w) => w >= window - 2)) alarms.push(rule);
        exceeded.set(rule, [...before, window]);
      }
  }
  // Drift, scores and quality share 0.4 of one alarm in 90 days: 12 in 30 runs; the floors on effects leave fewer.
  assert.ok(alarms.length <= 12, `${alarms.length} alarms: ${alarms.join(', ')}`);
});

test('a weekend is no drift: a week is compared as a whole, and one day only where it is far off', () => {
  const random = seeded(11);
  const weekend = windowOf(random, 800, (x) => x * 1.25);
  const alone = findingsOf({ ...factsOf(weekend), trend: { counters: weekend, windows: 2 } });
  assert.equal(alone.find(({ rule }) => rule === 'data.drift')!.state, 'green');
  const week = structuredClone(weekend);
  for (let day = 0; day < 6; day++) mergeWindow(week, windowOf(random, 800));
  const whole = findingsOf({ ...factsOf(weekend), trend: { counters: week, windows: 7 } });
  assert.equal(whole.find(({ rule }) => rule === 'data.drift')!.state, 'green');
  const drifted = structuredClone(weekend);
  for (let day = 0; day < 6; day++)
    mergeWindow(
      drifted,
      windowOf(random, 800, (x) => x * 1.25),
    );
  const found = findingsOf({ ...factsOf(weekend), trend: { counters: drifted, windows: 7 } });
  assert.match(
    found.find(({ rule }) => rule === 'data.drift')!.sentence,
    /^1 of 3 columns drifted over the last 7 days: distance/,
  );
});

test('kilometres instead of miles are named from the hour on in which they came', () => {
  const random = seeded(5);
  const hours = Array.from({ length: 24 }, (_, hour) => ({
    start: hour * 3_600_000,
    counters: windowOf(random, 60, hour >= 14 ? (x) => x * 1.609344 : undefined),
  }));
  const all = windowOf(random, 0);
  for (const { counters } of hours) {
    all.rows += counters.rows;
    all.requests += counters.requests;
    counters.features.forEach((feature, i) => {
      const sum = all.features[i]!;
      feature.bins.forEach((n, bin) => {
        sum.bins[bin]! += n;
      });
      sum.sum += feature.sum;
      sum.sumSquares += feature.sumSquares;
      sum.above += feature.above;
      sum.below += feature.below;
    });
  }
  const units = findingsOf(factsOf(all, hours)).find(({ rule }) => rule === 'data.units')!;
  assert.equal(units.state, 'red');
  assert.match(units.sentence, /^distance ×1\.61 in all 600 rows since 1970-01-01 14:00 \(miles → kilometres\?\)$/);
});

/** Nights whose flights are 1.7 times as long as training's, before and on the day that is judged. */
function nights(random: () => number, change: (x: number) => number): Pick<WindowFacts, 'hours' | 'earlier'> {
  const night = (start: number, by: (x: number) => number) => ({
    start,
    counters: windowOf(random, 120, (x) => by(x * 1.7)),
  });
  const earlier = Array.from({ length: 6 }, (_, day) =>
    night(day * 86_400_000 - 6 * 86_400_000 + 82_800_000, (x) => x),
  );
  return { hours: [night(82_800_000, change)], earlier };
}

test('a night that is always so is no change of units', () => {
  const { hours, earlier } = nights(seeded(6), (x) => x);
  const alone = findingsOf(factsOf(hours[0]!.counters, hours)).find(({ rule }) => rule === 'data.units')!;
  assert.equal(alone.state, 'red');
  const usual = findingsOf({ ...factsOf(hours[0]!.counters, hours), earlier }).find(
    ({ rule }) => rule === 'data.units',
  )!;
  assert.equal(usual.state, 'green', usual.sentence);
});

test('kilometres on such a night are named with their own factor', () => {
  const { hours, earlier } = nights(seeded(7), (x) => x * 1.609344);
  const units = findingsOf({ ...factsOf(hours[0]!.counters, hours), earlier }).find(
    ({ rule }) => rule === 'data.units',
  )!;
  assert.match(units.sentence, /^distance ×1\.61 in all 120 rows since 1970-01-01 23:00 \(miles → kilometres\?\)$/);
});

/** Days whose base rate wanders by `sd` around what is predicted, off by `gap`. */
function days(random: () => number, n: number, { gap = 0, sd = 0.04, loss = 0.45 } = {}): Day[] {
  return Array.from({ length: n }, (_, i) => {
    const observed = 0.2 + gap + sd * normal(random);
    return {
      start: i * 86_400_000,
      predictions: 1_000,
      labelled: 1_000,
      coverage: 1,
      loss: loss + 1.4 * (observed - 0.2),
      lossName: 'log_loss' as const,
      lossVariance: 0.0002,
      observed,
      predicted: 0.2,
      gapVariance: 0.00016,
      metrics: { brier: 0.16 + 0.6 * (observed - 0.2) },
    };
  });
}

const REFERENCE = { loss: 0.45, source: 'gate' as const };
const judge = (part: readonly Day[]) => performanceFindings(part, null, REFERENCE, budgetOf(DEFAULT_BUDGET));

test('ordinary differences among days do not alarm for ever: 60 seeds of 90 days', () => {
  let alarms = 0;
  for (let seed = 1; seed <= 60; seed++) {
    const series = days(seeded(seed * 31), 90);
    let isAlarm = false;
    for (let i = 5; i <= series.length; i++) {
      const now = judge(series.slice(0, i)).some(({ state }) => state === 'red');
      if (now && !isAlarm) alarms += 1;
      isAlarm = now;
    }
  }
  // Loss and calibration share 0.5 of one alarm in 90 days: 30 in 60 runs; three standard deviations above are 46.
  assert.ok(alarms <= 46, `${alarms} alarms`);
});

test('a calibration that drifts by more than days differ is found within two weeks, and says what was seen', () => {
  let found = 0;
  for (let seed = 1; seed <= 40; seed++) {
    const series = days(seeded(seed * 17), 14, { gap: 0.06 });
    const red = series
      .flatMap((_, i) => judge(series.slice(0, i + 1)))
      .find(({ state, rule }) => state === 'red' && rule === 'performance.calibration');
    if (!red) continue;
    found += 1;
    assert.match(red.sentence, /^observed \d+ % where 20 % was predicted over the last \d+ days with labels/);
  }
  assert.ok(found >= 30, `${found} of 40`);
});

test('a day with few labels is grey and counts for nothing', () => {
  const [day] = days(seeded(1), 1);
  const findings = judge([{ ...day!, labelled: 60, coverage: 0.06 }]);
  assert.deepEqual(
    findings.map(({ rule, state }) => `${rule} ${state}`),
    ['performance.day grey'],
  );
});
