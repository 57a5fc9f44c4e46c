import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asymptoticHalfWidth, dkwHalfWidth, logGamma, meanInterval, rateInterval } from './confidence-sequence.ts';

function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const close = (got: number, wanted: number, tolerance = 1e-9): void =>
  assert.ok(Math.abs(got - wanted) <= tolerance * Math.max(1, Math.abs(wanted)), `${got} is not ${wanted}`);

test('the logarithm of the gamma function agrees with factorials and Γ(1/2) = √π', () => {
  close(logGamma(5), Math.log(24));
  close(logGamma(0.5), Math.log(Math.sqrt(Math.PI)));
  close(logGamma(101), 363.73937555556347);
});

test('the half-width is the formula worked by hand for n = 500, sd = 1', () => {
  // ρ² = 1/500, so nρ²+1 = 2: sqrt(2·2/500 · ln(√2/0.05)) = sqrt(0.008 · 3.342306)
  close(asymptoticHalfWidth(500, 1, 0.05), Math.sqrt(0.008 * Math.log(Math.SQRT2 / 0.05)));
});

test('the true mean leaves the sequence in at most 5 % of runs that are looked at after every unit', () => {
  let left = 0;
  for (let seed = 1; seed <= 200; seed++) {
    const random = seeded(seed);
    let sum = 0;
    let squares = 0;
    for (let n = 1; n <= 1500; n++) {
      const x = random() + random() + random() - 1.5;
      sum += x;
      squares += x * x;
      const { low, high } = meanInterval(n, sum, squares, 0.05);
      if (n >= 20 && (low > 0 || high < 0)) {
        left += 1;
        break;
      }
    }
  }
  assert.ok(left <= 10, `${left} of 200`);
});

test('the true rate leaves its interval in at most 5 % of runs', () => {
  let left = 0;
  for (let seed = 1; seed <= 200; seed++) {
    const random = seeded(seed);
    let events = 0;
    for (let n = 1; n <= 800; n++) {
      if (random() < 0.03) events += 1;
      const { low, high } = n % 10 === 0 ? rateInterval(events, n, 0.05) : { low: 0, high: 1 };
      if (low > 0.03 || high < 0.03) {
        left += 1;
        break;
      }
    }
  }
  assert.ok(left <= 10, `${left} of 200`);
});

test('a thousand units without an error bound the error rate below 0.6 %, two hundred and fifty below 2 %', () => {
  assert.ok(rateInterval(0, 1000, 0.05).high < 0.006);
  assert.ok(rateInterval(0, 250, 0.05).high < 0.02);
  assert.deepEqual(rateInterval(0, 0, 0.05), { low: 0, high: 1 });
  assert.equal(rateInterval(7, 7, 0.05).high, 1);
});

test('the band around a distribution function narrows with the root of n', () => {
  assert.equal(dkwHalfWidth(0, 0.05), 1);
  close(dkwHalfWidth(1000, 0.05), 0.0878, 0.02);
});
