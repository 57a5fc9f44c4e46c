import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  chiSquareQuantileOfTail,
  chiSquareTail,
  normalQuantileOfTail,
  normalTail,
  twoSided,
  wilsonUpper,
} from './special.ts';

const near = (got: number, want: number, relative = 1e-9) =>
  assert.ok(Math.abs(got - want) <= relative * Math.abs(want), `${got} is not ${want}`);

test('tails agree with scipy far out and at large degrees of freedom', () => {
  near(chiSquareTail(100, 5), 5.285148360943219e-20);
  near(1 - chiSquareTail(1e4, 9999), 0.5047016054613165);
  near(normalTail(5), 2.866515718791933e-7);
  near(normalTail(-1), 0.8413447460685429);
  near(twoSided(1.959963984540054), 0.05);
});

test('quantiles invert the tails', () => {
  for (const [df, x] of [
    [1, 6.634896601021217],
    [5, 15.08627246938899],
    [9, 21.665994333461924],
    [19, 36.19086912927004],
  ] as const)
    near(chiSquareQuantileOfTail(0.01, df), x, 1e-8);
  for (const p of [0.4, 0.05, 1e-3, 1e-7, 1e-12, 0.9]) near(normalTail(normalQuantileOfTail(p)), p, 1e-8);
});

test("Wilson's upper bound lies above the share and shrinks with n", () => {
  near(wilsonUpper(10, 100), 0.1603555096110922);
  assert.ok(wilsonUpper(100, 1000) < wilsonUpper(10, 100));
  assert.equal(wilsonUpper(0, 0), 1);
});
