import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Scored } from './metrics.ts';
import { meanInterval, pairedDifference } from './paired.ts';

function mulberry32(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const binary = (y: Float64Array, scores: Float64Array): Scored => ({ task: 'binary', y, scores, threshold: 0.5 });

/** Truth drawn with probability p; the champion answers p moved by `bias`, the challenger p itself. */
function world(seed: number, n: number, bias: number): { champion: Scored; challenger: Scored } {
  const random = mulberry32(seed);
  const p = Float64Array.from({ length: n }, () => 0.1 + 0.6 * random());
  const y = Float64Array.from(p, (q) => Number(random() < q));
  return {
    champion: binary(
      y,
      p.map((q) => q + bias),
    ),
    challenger: binary(y, p),
  };
}

test('the interval of a mean is the normal one', () => {
  const { mean, low, high } = meanInterval(Float64Array.of(1, 2, 3, 4));
  assert.equal(mean, 2.5);
  assert.ok(Math.abs(high - low - 2 * 1.959963984540054 * Math.sqrt(5 / 3 / 4)) < 1e-12);
});

test('rows that repeat within an entity add no certainty', () => {
  const values = Float64Array.of(1, 2, 3, 4);
  const repeated = Float64Array.of(1, 1, 2, 2, 3, 3, 4, 4);
  const clusters = ['a', 'a', 'b', 'b', 'c', 'c', 'd', 'd'];
  assert.ok(Math.abs(meanInterval(repeated, clusters).high - meanInterval(values).high) < 1e-12);
  assert.ok(meanInterval(repeated).high < meanInterval(values).high);
});

test('a challenger that is better on 10,000 rows is seen so, by log loss and by AUC', async () => {
  const { champion, challenger } = world(1, 10_000, 0.2);
  assert.ok((await pairedDifference('log_loss', champion, challenger, { random: mulberry32(2) })).low > 0);
  const random = mulberry32(3);
  const shuffled = binary(
    challenger.y,
    challenger.y.map(() => random()),
  );
  const auc = await pairedDifference('auc', shuffled, challenger, { random: mulberry32(2) });
  assert.ok(auc.low > 0 && auc.low < auc.mean && auc.mean < auc.high);
});

test('of challengers that are no better, about one in forty passes the lower end by chance', async () => {
  let passed = 0;
  for (let seed = 0; seed < 400; seed++) {
    const random = mulberry32(1000 + seed);
    const { challenger } = world(seed, 300, 0);
    const noise = () => 0.05 * (random() - 0.5);
    const a = binary(
      challenger.y,
      (challenger as { scores: Float64Array }).scores.map((p) => p + noise()),
    );
    const b = binary(
      challenger.y,
      (challenger as { scores: Float64Array }).scores.map((p) => p + noise()),
    );
    if ((await pairedDifference('log_loss', a, b, { random })).low > 0) passed += 1;
  }
  assert.ok(passed >= 2 && passed <= 22, `${passed} of 400`);
});
