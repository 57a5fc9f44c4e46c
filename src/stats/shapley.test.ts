import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exactShapley, type Mixed, sampleShapley } from './shapley.ts';

const ROW = [3, 5, -2, 1];
const OTHERS = [
  [0, 1, 4, 2],
  [1, 1, 1, 1],
  [2, -3, 0, 5],
];

const cells = ({ own, other }: Mixed): number[] => ROW.map((x, j) => (own.includes(j) ? x : OTHERS[other]![j]!));
const asker =
  (f: (x: readonly number[]) => number) =>
  async (rows: readonly Mixed[]): Promise<Float64Array> =>
    Float64Array.from(rows, (row) => f(cells(row)));
const near = (a: number, b: number, by = 1e-12): void => assert.ok(Math.abs(a - b) <= by, `${a}, ${b}`);

function mulberry(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

test('of a sum each column gets its own distance from the background mean', async () => {
  const { values, base, output } = await exactShapley(
    4,
    { background: 3 },
    asker((x) => 2 * x[0]! - x[1]! + x[3]!),
  );
  near(values[0]!, 2 * (3 - 1));
  near(values[1]!, -(5 - -1 / 3));
  near(values[2]!, 0);
  near(values[3]!, 1 - 8 / 3);
  near(base + values.reduce((a, b) => a + b), output);
});

test('of a product of two from nothing each gets half', async () => {
  const product = asker((x) => x[0]! * x[1]!);
  const { values } = await exactShapley(2, { background: 1 }, async (rows) => product(rows.map((row) => ({ ...row }))));
  // f(3,5) = 15 beside f(0,1) = 0: (3·1 + (15 − 5·0)) / 2 and (0 + 12) / 2.
  near(values[0]!, (3 + 15) / 2);
  near(values[1]!, 12 / 2);
});

test('chance orders add up exactly and come within their error of all orders', async () => {
  const f = asker((x) => x[0]! * x[1]! + Math.max(x[2]!, x[3]!) * x[0]!);
  const exact = await exactShapley(4, { background: 3 }, f);
  const found = await sampleShapley(4, { background: 3, pairs: 300, random: mulberry(4) }, f);
  near(found.base + found.values.reduce((a, b) => a + b), found.output, 1e-9);
  near(found.base, exact.base, 1e-9);
  for (let j = 0; j < 4; j++) {
    assert.ok(found.errors[j]! > 0);
    near(found.values[j]!, exact.values[j]!, 5 * found.errors[j]!);
  }
});

test('the same seed gives the same numbers', async () => {
  const f = asker((x) => x[0]! * x[1]! * x[2]!);
  const draw = () => sampleShapley(4, { background: 3, pairs: 20, random: mulberry(9) }, f);
  assert.deepEqual((await draw()).values, (await draw()).values);
});

test('a background row that a mixture of has no answer is left out', async () => {
  const f = asker((x) => (x[3] === 5 ? Number.NaN : x[0]! + x[1]!));
  const { counted, tried, values } = await exactShapley(4, { background: 3 }, f);
  assert.deepEqual([counted, tried], [2, 3]);
  near(values[0]!, 3 - 0.5);
  const none = await sampleShapley(
    4,
    { background: 3, pairs: 6, random: mulberry(1) },
    asker(() => Number.NaN),
  );
  assert.equal(none.counted, 0);
});

test('time that is up ends it with what there is', async () => {
  let asked = 0;
  const f = asker((x) => x[0]!);
  const { tried } = await sampleShapley(
    4,
    { background: 3, pairs: 10_000, random: mulberry(1), isOver: () => ++asked >= 2 },
    f,
  );
  assert.ok(tried > 0 && tried < 10_000);
});
