import { CATEGORICAL, MISSING_GOES_LEFT, NODE_BYTES } from './kernel/forest.ts';
import type { TreesEstimator } from './model.ts';

/** A forest laid out for asking which way a row goes at a node. */
export interface ForestTable {
  readonly model: TreesEstimator;
  readonly left: Uint32Array;
  readonly feature: Uint16Array;
  readonly flags: Uint16Array;
  readonly value: Float64Array;
  /** The player that a node's feature belongs to. */
  readonly player: Int32Array;
  readonly players: number;
}

export function tableOf(model: TreesEstimator, playerOf: ArrayLike<number>, players: number): ForestTable {
  const { nodes } = model;
  const count = nodes.byteLength / NODE_BYTES;
  const view = new DataView(nodes.buffer, nodes.byteOffset, nodes.byteLength);
  const table = {
    model,
    left: new Uint32Array(count),
    feature: new Uint16Array(count),
    flags: new Uint16Array(count),
    value: new Float64Array(count),
    player: new Int32Array(count),
    players,
  };
  for (let i = 0; i < count; i++) {
    const at = i * NODE_BYTES;
    table.value[i] = view.getFloat64(at, true);
    table.left[i] = view.getUint32(at + 8, true);
    table.feature[i] = view.getUint16(at + 12, true);
    table.flags[i] = view.getUint16(at + 14, true);
    table.player[i] = isLeaf(table, i) ? -1 : playerOf[table.feature[i]!]!;
  }
  return table;
}

const isLeaf = (table: Pick<ForestTable, 'left'>, at: number): boolean => table.left[at] === at;

/** 0 = left, 1 = right: the kernel's rule. `row` holds the model's features. */
function step(table: ForestTable, at: number, row: ArrayLike<number>): 0 | 1 {
  const x = row[table.feature[at]!]!;
  const flags = table.flags[at]!;
  if (flags & CATEGORICAL) return stepCategory(table, at, x);
  if (x <= table.value[at]!) return 0;
  return flags & MISSING_GOES_LEFT && Number.isNaN(x) ? 0 : 1;
}

function stepCategory({ model, feature, flags, value }: ForestTable, at: number, x: number): 0 | 1 {
  const missing = flags[at]! & MISSING_GOES_LEFT ? 0 : 1;
  if (!(x >= 0)) return missing;
  const category = x >= 2 ** 31 ? 0 : Math.trunc(x) & 255;
  const bit = 1 << (category & 31);
  if (model.leftSets![value[at]! * 8 + (category >> 5)]! & bit) return 0;
  if (model.knownSets![feature[at]! * 8 + (category >> 5)]! & bit) return 1;
  return missing;
}

function leafOf(table: ForestTable, root: number, row: ArrayLike<number>): number {
  let at = root;
  while (!isLeaf(table, at)) at = table.left[at]! + step(table, at, row);
  return at;
}

/** What the leaf adds to one output; a tree of another class adds nothing. */
const leafValue = ({ model, value }: ForestTable, tree: number, leaf: number, output: number): number =>
  model.leaves
    ? model.leaves[value[leaf]! * model.outputs + output]!
    : model.targets[tree] === output
      ? value[leaf]!
      : 0;

const isAbout = ({ model }: ForestTable, tree: number, output: number): boolean =>
  model.leaves !== undefined || model.targets[tree] === output;

/** The raw score of one output, before the link. */
export function rawScore(table: ForestTable, row: ArrayLike<number>, output: number): number {
  const { model } = table;
  let sum = model.baseline[output]!;
  for (let tree = 0; tree < model.roots.length; tree++)
    if (isAbout(table, tree, output)) sum += leafValue(table, tree, leafOf(table, model.roots[tree]!, row), output);
  return sum / model.divide;
}

/**
 * Adds one tree's interventional Shapley values of `row` against each background row to `sums`; answers the nodes that it visited. Where row and background part at a
 * node, both ways are followed; a leaf that `a` players of the row and `b` of the background lead to counts (a−1)!·b!/(a+b)! for each of the first and
 * −a!·(b−1)!/(a+b)! for each of the others (Lundberg et al., "From local explanations to global understanding with explainable AI for trees", 2020; the sums
 * of subtrees as in Laberge and Pequignot, "Understanding interventional TreeSHAP", 2022). Features of one player move together, so that the columns of a
 * one-hot encoding are their raw column.
 */
export function addTree(table: ForestTable, tree: number, asked: Asked, sums: Float64Array): number {
  const walk = walkerOf(table, tree, asked, sums);
  let visited = 0;
  for (const other of asked.background) visited += walk(other);
  return visited;
}

/** One row against others; `ways` is as long as the forest has nodes and filled with `UNASKED`. */
export interface Asked {
  readonly row: ArrayLike<number>;
  readonly background: readonly ArrayLike<number>[];
  readonly output: number;
  /** Which way the row goes at each node that was passed. */
  readonly ways: Uint8Array;
  /** `leafWorth` of the output. */
  readonly worth: Float64Array;
}

export const UNASKED = 2;

const ROW = 1;
const OTHER = 2;

/**
 * One tree and one row, against one background row after another. Closures over typed arrays rather than an object: this is where the time goes. `visit` leaves the
 * subtree's sums in `plus` and `minus`: what it is worth to each player of the row, and of the background.
 */
function walkerOf(
  table: ForestTable,
  tree: number,
  asked: Asked,
  sums: Float64Array,
): (other: ArrayLike<number>) => number {
  const { left, player } = table;
  const { row, ways, worth, output } = asked;
  const root = table.model.roots[tree]!;
  const isOwn = isAbout(table, tree, output);
  /** Whose value a player has on the way here: 0 = they agree so far. */
  const owner = new Uint8Array(table.players);
  let other: ArrayLike<number> = row;
  let [visited, plus, minus] = [0, 0, 0];

  function visit(start: number, a: number, b: number): void {
    let at = start;
    for (;;) {
      visited += 1;
      const next = left[at]!;
      if (next === at) break;
      if (ways[at] === UNASKED) ways[at] = step(table, at, row);
      const mine = ways[at]!;
      const of = owner[player[at]!]!;
      if (of === ROW) {
        at = next + mine;
        continue;
      }
      const theirs = step(table, at, other);
      if (mine !== theirs && of === 0) {
        split(player[at]!, next + mine, next + theirs, a, b);
        return;
      }
      at = next + theirs;
    }
    const value = worth[at]!;
    plus = a === 0 ? 0 : value * weightOf(a - 1, b);
    minus = b === 0 ? 0 : value * weightOf(a, b - 1);
  }

  function split(who: number, mine: number, theirs: number, a: number, b: number): void {
    owner[who] = ROW;
    visit(mine, a + 1, b);
    const [plusOfMine, minusOfMine] = [plus, minus];
    owner[who] = OTHER;
    visit(theirs, a, b + 1);
    owner[who] = 0;
    sums[who] = sums[who]! + plusOfMine - minus;
    plus += plusOfMine;
    minus += minusOfMine;
  }

  return (against) => {
    if (!isOwn) return 0;
    other = against;
    visited = 0;
    visit(root, 0, 0);
    return visited;
  };
}

/** What each leaf adds to one output, by node: a tree of another output is passed over. */
export function leafWorth({ model, left, value }: ForestTable, output: number): Float64Array {
  const { leaves, outputs } = model;
  const worth = new Float64Array(left.length);
  for (let at = 0; at < worth.length; at++)
    if (left[at] === at) worth[at] = leaves ? leaves[value[at]! * outputs + output]! : value[at]!;
  return worth;
}

const KEPT = 64;
const kept = Float64Array.from({ length: KEPT * KEPT }, (_, i) => shapleyWeight(Math.floor(i / KEPT), i % KEPT));

const weightOf = (a: number, b: number): number => (a < KEPT && b < KEPT ? kept[a * KEPT + b]! : shapleyWeight(a, b));

/** a!·b!/(a+b+1)!, as a product, so that no factorial overflows. */
function shapleyWeight(a: number, b: number): number {
  let weight = 1 / (a + b + 1);
  for (let i = 1; i <= b; i++) weight *= i / (a + i);
  return weight;
}
