import assert from 'node:assert/strict';
import { test } from 'node:test';
import { benjaminiHochberg, homogeneity, jensenShannon, orderedDrift, psi } from './drift.ts';

const near = (got: number, want: number, tolerance = 1e-9) =>
  assert.ok(Math.abs(got - want) <= tolerance, `${got} is not ${want}`);

test('homogeneity agrees with scipy, also where the reference is larger', () => {
  const [reference, current] = [
    [16, 18, 16, 14, 12, 12],
    [16, 16, 16, 16, 16, 8],
  ];
  near(homogeneity(reference, current).chiSquare, 1.6224089635854342);
  near(homogeneity(reference, current).p, 0.8985262394026607);
  near(
    homogeneity(
      reference.map((a) => 2 * a),
      current,
    ).chiSquare,
    2.1356643356643357,
  );
});

test('the three-way test of ordered bins', () => {
  const { zLocation, zSpread, chiSquare, p, effect } = orderedDrift([100, 100, 100, 100], [60, 40, 30, 70]);
  near(zLocation!, 0.5169725128714162);
  near(zSpread!, 3.462189552944336);
  near(chiSquare, 13.538299935358758);
  near(p, 0.0016073989525, 1e-9);
  near(effect, 0.07903724951519);
});

test('stability index and distance', () => {
  near(psi([50, 30, 20, 0], [40, 30, 20, 10]), 0.32012, 1e-5);
  near(jensenShannon([10, 20, 30, 40], [25, 25, 25, 25]), 0.20050332253142814);
  assert.equal(jensenShannon([1, 0], [0, 1]), 1);
});

test('adjusted p-values are those of Benjamini and Hochberg', () => {
  const p = [0.001, 0.008, 0.039, 0.041, 0.042, 0.06, 0.074, 0.205, 0.212, 0.216, 0.222, 0.251, 0.269, 0.275, 0.34];
  const rest = [0.341, 0.384, 0.569, 0.594, 0.696, 0.762, 0.94, 0.942, 0.975, 0.986];
  const adjusted = benjaminiHochberg([...p, ...rest]);
  [0.025, 0.1, 0.21, 0.21, 0.21, 0.25].forEach((want, i) => void near(adjusted[i]!, want));
});

test('without drift the test rejects at the rate it states', () => {
  let a = 9;
  const random = () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const draw = (n: number) => {
    const counts = new Array<number>(20).fill(0);
    for (let i = 0; i < n; i++) counts[Math.floor(random() * 20)]! += 1;
    return counts;
  };
  let rejected = 0;
  for (let k = 0; k < 1000; k++) rejected += Number(orderedDrift(draw(2000), draw(300)).p < 0.05);
  assert.ok(rejected > 15 && rejected < 65, `${rejected} of 1000 at 5 %`);
});
