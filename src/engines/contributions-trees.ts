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
function step({ model, feature, flags, value }: ForestTable, at: number, row: ArrayLike<number>): 0 | 1 {
  const x = row[feature[at]!]!;
  const missing = flags[at]! & MISSING_GOES_LEFT ? 0 : 1;
  if (!(flags[at]! & CATEGORICAL)) return Number.isNaN(x) ? missing : x <= value[at]! ? 0 : 1;
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
  if (!isAbout(table, tree, asked.output)) return 0;
  const walk = new TreeWalk(table, tree, asked, sums);
  for (const other of asked.background) walk.against(other);
  return walk.visited;
}

/** One row against others; `ways` is as long as the forest has nodes and filled with `UNASKED`. */
export interface Asked {
  readonly row: ArrayLike<number>;
  readonly background: readonly ArrayLike<number>[];
  readonly output: number;
  /** Which way the row goes at each node that was passed. */
  readonly ways: Uint8Array;
}

export const UNASKED = 2;

const ROW = 1;
const OTHER = 2;

/** One tree and one row, against one background row after another. */
class TreeWalk {
  visited = 0;
  readonly #table: ForestTable;
  readonly #tree: number;
  readonly #asked: Asked;
  readonly #sums: Float64Array;
  /** Whose value a player has on the way here: 0 = they agree so far. */
  readonly #owner: Uint8Array;
  #other: ArrayLike<number> = [];
  #plus = 0;
  #minus = 0;

  constructor(table: ForestTable, tree: number, asked: Asked, sums: Float64Array) {
    this.#table = table;
    this.#tree = tree;
    this.#asked = asked;
    this.#sums = sums;
    this.#owner = new Uint8Array(table.players);
  }

  against(other: ArrayLike<number>): void {
    this.#other = other;
    this.#visit(this.#table.model.roots[this.#tree]!, 0, 0);
  }

  /** Leaves the subtree's sums in `#plus` and `#minus`: what it is worth to each player of the row, and of the background. */
  #visit(start: number, a: number, b: number): void {
    const table = this.#table;
    let at = start;
    for (;;) {
      this.visited += 1;
      const left = table.left[at]!;
      if (left === at) {
        this.#leaf(at, a, b);
        return;
      }
      const mine = this.#wayOf(at);
      const player = table.player[at]!;
      const owner = this.#owner[player]!;
      const theirs = owner === ROW ? mine : step(table, at, this.#other);
      if (mine === theirs || owner !== 0) {
        at = left + (owner === OTHER ? theirs : mine);
        continue;
      }
      this.#split(player, left + mine, left + theirs, a, b);
      return;
    }
  }

  #split(player: number, mine: number, theirs: number, a: number, b: number): void {
    this.#owner[player] = ROW;
    this.#visit(mine, a + 1, b);
    const plus = this.#plus;
    const minus = this.#minus;
    this.#owner[player] = OTHER;
    this.#visit(theirs, a, b + 1);
    this.#owner[player] = 0;
    this.#sums[player] = this.#sums[player]! + plus - this.#minus;
    this.#plus += plus;
    this.#minus += minus;
  }

  #leaf(at: number, a: number, b: number): void {
    const value = leafValue(this.#table, this.#tree, at, this.#asked.output);
    this.#plus = a === 0 ? 0 : value * shapleyWeight(a - 1, b);
    this.#minus = b === 0 ? 0 : value * shapleyWeight(a, b - 1);
  }

  #wayOf(at: number): number {
    const { ways, row } = this.#asked;
    if (ways[at] === UNASKED) ways[at] = step(this.#table, at, row);
    return ways[at]!;
  }
}

const weights = new Map<number, number>();

/** a!·b!/(a+b+1)!. */
function shapleyWeight(a: number, b: number): number {
  const key = a * 65_536 + b;
  const known = weights.get(key);
  if (known !== undefined) return known;
  let weight = 1 / (a + b + 1);
  // C(a+b, b) as a product, so that no factorial overflows.
  for (let i = 1; i <= b; i++) weight *= i / (a + i);
  weights.set(key, weight);
  return weight;
}
