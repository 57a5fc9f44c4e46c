/**
 * Shapley values of a function that is asked for rows at once: what each of `players` columns adds to f(row) beside background rows whose values stand where a column is
 * "absent" (the interventional game: v(S) = mean over z of f(row on S, z elsewhere)).
 */

/** A row to ask for: the columns of `own` come from the row, the others from background row `other`. */
export interface Mixed {
  readonly own: readonly number[];
  readonly other: number;
}

export interface Shapley {
  readonly values: Float64Array;
  /** One standard error of each value; zeros where every order was tried. */
  readonly errors: Float64Array;
  /** base + Σ values = output. */
  readonly base: number;
  readonly output: number;
  /** Background rows (exact) or orders (sampled) that count; those with a row that could not be answered are left out. */
  readonly counted: number;
  readonly tried: number;
}

/** Mixed rows that are asked for at once, about. */
const ROWS_AT_ONCE = 1_024;

export type Ask = (rows: readonly Mixed[]) => Promise<Float64Array>;

/**
 * All 2^players coalitions, Σ |S|!(n−|S|−1)!/n! (v(S∪i) − v(S)) (Shapley 1953). A background row of which any mixture has no answer (NaN) is left out as a whole.
 * @example (await exactShapley(2, { background: 1 }, async (rows) => Float64Array.from(rows, ({ own }) => own.length))).values // [1, 1]
 */
export async function exactShapley(
  players: number,
  { background, isOver }: Pick<Sampling, 'background' | 'isOver'>,
  ask: Ask,
): Promise<Shapley> {
  const size = 2 ** players;
  const all = Array.from({ length: players }, (_, i) => i);
  const members = Array.from({ length: size }, (_, set) => all.filter((i) => set & (1 << i)));
  const worth = new Float64Array(size);
  const atOnce = Math.max(1, Math.floor(ROWS_AT_ONCE / size));
  let [counted, tried] = [0, 0];
  while (tried < background && !(counted > 0 && isOver?.())) {
    const others = Array.from({ length: Math.min(atOnce, background - tried) }, (_, i) => tried + i);
    const answers = await ask(others.flatMap((other) => members.map((own) => ({ own, other }))));
    for (const i of others.keys()) {
      const part = answers.subarray(i * size, (i + 1) * size);
      if (part.some(Number.isNaN)) continue;
      counted += 1;
      for (let set = 0; set < size; set++) worth[set]! += part[set]!;
    }
    tried += others.length;
  }
  for (let set = 0; set < size; set++) worth[set]! /= counted;
  const values = Float64Array.from(all, (i) => {
    let sum = 0;
    for (let set = 0; set < size; set++)
      if (!(set & (1 << i))) sum += (worth[set | (1 << i)]! - worth[set]!) * orderShare(members[set]!.length, players);
    return sum;
  });
  const errors = new Float64Array(players);
  return { values, errors, base: worth[0]!, output: worth[size - 1]!, counted, tried };
}

/** Which share of all orders puts exactly these `before` players before a certain one: |S|!(n−|S|−1)!/n!. */
function orderShare(before: number, players: number): number {
  let share = 1 / players;
  for (let i = 1; i <= before; i++) share *= i / (players - i);
  return share;
}

export interface Sampling {
  readonly background: number;
  /** Pairs of an order and its reverse, each against one background row. */
  readonly pairs: number;
  readonly random: () => number;
  /** Ends it early: asked after every few rows. */
  readonly isOver?: () => boolean;
}

/**
 * Orders drawn by chance, each with its reverse (Castro et al. 2009; pairs as in Mitchell et al., "Sampling permutations for Shapley value estimation", 2022), against background
 * rows in turn. Contributions of one order add up to f(row) − f(z) by themselves, so the sum is exact whatever is sampled. The errors are those of means over pairs.
 */
export async function sampleShapley(players: number, sampling: Sampling, ask: Ask): Promise<Shapley> {
  const { background, pairs, random } = sampling;
  const sum = new Float64Array(players);
  const squares = new Float64Array(players);
  const atOnce = Math.max(1, Math.floor(ROWS_AT_ONCE / 2 / (players + 1)));
  let [base, output, counted, tried] = [0, Number.NaN, 0, 0];
  while (tried < pairs && !(tried > 0 && sampling.isOver?.())) {
    const some = Array.from({ length: Math.min(atOnce, pairs - tried) }, (_, i) => ({
      order: shuffled(players, random),
      other: (tried + i) % background,
    }));
    const answers = await ask(some.flatMap(({ order, other }) => rowsOfPair(order, other)));
    for (const [i, { order }] of some.entries()) {
      const part = answers.subarray(i * 2 * (players + 1), (i + 1) * 2 * (players + 1));
      if (part.some(Number.isNaN)) continue;
      const found = gainsOfPair(order, part);
      for (let j = 0; j < players; j++) {
        sum[j]! += found[j]!;
        squares[j]! += found[j]! ** 2;
      }
      base += part[0]!;
      output = part[players]!;
      counted += 1;
    }
    tried += some.length;
  }
  const values = sum.map((x) => x / counted);
  const errors = squares.map((x, j) =>
    Math.sqrt(Math.max(0, x / counted - values[j]! ** 2) / Math.max(1, counted - 1)),
  );
  return { values, errors, base: base / counted, output, counted, tried };
}

/** Forward and backward: from the background row to the row, one column after the other. */
function rowsOfPair(order: readonly number[], other: number): Mixed[] {
  const back = order.toReversed();
  return [order, back].flatMap((each) =>
    Array.from({ length: each.length + 1 }, (_, n) => ({ own: each.slice(0, n), other })),
  );
}

function gainsOfPair(order: readonly number[], answers: Float64Array): Float64Array {
  const n = order.length;
  const gains = new Float64Array(n);
  for (let k = 0; k < n; k++) {
    gains[order[k]!]! += (answers[k + 1]! - answers[k]!) / 2;
    gains[order[n - 1 - k]!]! += (answers[n + 1 + k + 1]! - answers[n + 1 + k]!) / 2;
  }
  return gains;
}

function shuffled(n: number, random: () => number): number[] {
  const order = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}
