import { CATEGORICAL, MAX_FEATURES, MISSING_GOES_LEFT, NODE_BYTES } from '../../kernel/forest.ts';
import type { TreesEstimator } from '../../model.ts';
import { NdArray, PyDict, PyObject, type PyValue } from '../graph.ts';
import { LIMITS, NeedsPython, refuse, within } from '../limits.ts';
import { fieldValues, toFloat64 } from '../numpy.ts';
import { type Conversion, Fitted } from './access.ts';

/** One tree as columns, one cell a node. */
export interface TreeColumns {
  readonly left: Float64Array;
  readonly right: Float64Array;
  readonly feature: Float64Array;
  readonly threshold: Float64Array;
  readonly missingLeft: Float64Array | undefined;
  readonly isLeaf: (node: number) => boolean;
  /** What a leaf is worth: the value, or the index of its vector. */
  readonly leafValue: (node: number) => number;
  /** The bitset of a categorical node, or -1. */
  readonly bitset?: (node: number) => number;
}

/** Lays trees out for the kernel: siblings side by side, depth first, every node checked and visited once. */
export class ForestBuilder {
  private bytes: Uint8Array<ArrayBuffer>;
  private view: DataView;
  private count = 0;
  private readonly roots: number[] = [];
  private readonly targets: number[] = [];
  private readonly features: number;
  private readonly conversion: Conversion;

  constructor(features: number, conversion: Conversion) {
    if (features > MAX_FEATURES) throw new NeedsPython(`trees over ${features} features`);
    this.features = features;
    this.conversion = conversion;
    this.bytes = new Uint8Array(1024 * NODE_BYTES);
    this.view = new DataView(this.bytes.buffer);
  }

  add(tree: TreeColumns, target: number): void {
    const size = tree.left.length;
    if (size === 0) throw refuse('a tree has no nodes');
    this.conversion.chargeNodes(size);
    this.reserve(size);
    this.roots.push(this.count);
    this.targets.push(target);
    // Old indices of the nodes by their new places. Depth first, so that the end of a walk stays within a few cache lines.
    const order = new Uint32Array(size);
    const depths = new Uint16Array(size);
    const pending = [0];
    let placed = 1;
    for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
      const node = order[at]!;
      if (tree.isLeaf(node)) {
        this.leaf(at, tree.leafValue(node));
        continue;
      }
      const depth = depths[at]! + 1;
      if (depth > LIMITS.treeDepth) within('treeDepth', depth);
      // A node reached twice makes more places than there are nodes.
      if (placed + 2 > size) throw refuse('a tree reaches a node twice');
      this.split(at, tree, node, placed);
      order[placed] = child(tree.left[node]!, size);
      order[placed + 1] = child(tree.right[node]!, size);
      depths[placed] = depth;
      depths[placed + 1] = depth;
      pending.push(placed + 1, placed);
      placed += 2;
    }
    assertDistinct(order.subarray(0, placed), size);
    this.count += placed;
  }

  private reserve(nodes: number): void {
    const needed = (this.count + nodes) * NODE_BYTES;
    if (needed <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, this.bytes.length * 2));
    larger.set(this.bytes);
    this.bytes = larger;
    this.view = new DataView(larger.buffer);
  }

  /** Places count from the tree's own root, on disk from the forest's first node. */
  private write(place: number, value: number, left: number, feature: number, flags: number): void {
    const at = (this.count + place) * NODE_BYTES;
    this.view.setFloat64(at, value, true);
    this.view.setUint32(at + 8, this.count + left, true);
    this.view.setUint16(at + 12, feature, true);
    this.view.setUint16(at + 14, flags, true);
  }

  private leaf(place: number, value: number): void {
    if (!Number.isFinite(value)) throw refuse('a leaf is not finite');
    this.write(place, value, place, this.features, MISSING_GOES_LEFT);
  }

  private split(place: number, tree: TreeColumns, node: number, left: number): void {
    const feature = tree.feature[node]!;
    if (!Number.isInteger(feature) || feature < 0 || feature >= this.features)
      throw refuse(`a node tests feature ${feature}`);
    const missing = tree.missingLeft?.[node] ? MISSING_GOES_LEFT : 0;
    const bitset = tree.bitset?.(node) ?? -1;
    const value = bitset >= 0 ? bitset : tree.threshold[node]!;
    if (Number.isNaN(value)) throw refuse('a threshold is NaN');
    this.write(place, value, left, feature, bitset >= 0 ? missing | CATEGORICAL : missing);
  }

  tables(): Pick<TreesEstimator, 'nodes' | 'roots' | 'targets' | 'features'> {
    return {
      nodes: this.bytes.slice(0, this.count * NODE_BYTES),
      roots: Uint32Array.from(this.roots),
      targets: Uint32Array.from(this.targets),
      features: this.features,
    };
  }
}

function child(index: number, size: number): number {
  if (!Number.isInteger(index) || index <= 0 || index >= size) throw refuse(`a tree has the child ${index}`);
  return index;
}

function assertDistinct(order: Uint32Array, size: number): void {
  const seen = new Uint8Array(size);
  for (const node of order) {
    if (seen[node]) throw refuse('a tree reaches a node twice');
    seen[node] = 1;
  }
}

interface SkTree {
  readonly columns: Omit<TreeColumns, 'leafValue'>;
  /** nodes × width, row-major. */
  readonly values: Float64Array;
  readonly width: number;
}

/** The arrays of one `sklearn.tree._tree.Tree`. */
function readTree(value: PyValue, conversion: Conversion): SkTree {
  const state = value instanceof PyObject && value.state instanceof PyDict ? value.state : undefined;
  const nodes = state?.get('nodes');
  const values = state?.get('values');
  if (!(nodes instanceof NdArray) || !(values instanceof NdArray)) throw refuse('a tree has no nodes');
  const [rows, outputs, width] = values.shape;
  if (rows !== nodes.size || width === undefined) throw refuse('a tree has values of an odd shape');
  if (outputs !== 1) throw new NeedsPython('a tree with several outputs');
  conversion.chargeElements(values.size);
  const left = field(nodes, 'left_child');
  return {
    columns: {
      left,
      right: field(nodes, 'right_child'),
      feature: field(nodes, 'feature'),
      threshold: field(nodes, 'threshold'),
      missingLeft: fieldValues(nodes, 'missing_go_to_left'),
      isLeaf: (node) => left[node] === -1,
    },
    values: toFloat64(values),
    width,
  };
}

function field(nodes: NdArray, name: string): Float64Array {
  const values = fieldValues(nodes, name);
  if (!values) throw refuse(`a tree's nodes have no ${name}`);
  return values;
}

/** Regression trees, each adding `scale` times its leaf to its output. */
export function addRegressionTree(
  builder: ForestBuilder,
  tree: PyValue,
  target: number,
  scale: number,
  conversion: Conversion,
): void {
  const { columns, values, width } = readTree(tree, conversion);
  if (width !== 1) throw refuse('a regression tree has several values a leaf');
  builder.add({ ...columns, leafValue: (node) => scale * values[node]! }, target);
}

const MISSING_CRITERIA = new Set(['gini', 'entropy', 'log_loss', 'squared_error', 'friedman_mse', 'poisson']);
const SINCE: Readonly<Record<string, number>> = {
  DecisionTreeClassifier: 1.03,
  DecisionTreeRegressor: 1.03,
  RandomForestClassifier: 1.04,
  RandomForestRegressor: 1.04,
  ExtraTreesClassifier: 1.06,
  ExtraTreesRegressor: 1.06,
  ExtraTreeClassifier: 1.06,
  ExtraTreeRegressor: 1.06,
};

/** Does this estimator take NaN? By class, version, criterion, splitter and constraint. */
function takesMissing(f: Fitted): boolean {
  const { version } = f;
  const constraint = f.get('monotonic_cst');
  if (version < (SINCE[f.name] ?? Number.POSITIVE_INFINITY) || (constraint !== undefined && constraint !== null))
    return false;
  if (f.text('splitter', 'best') === 'random' && version < 1.06) return false;
  return version >= 1.09 || MISSING_CRITERIA.has(f.text('criterion', 'gini'));
}

export const TREES: ReadonlySet<string> = new Set(Object.keys(SINCE));

/** Single trees and averaged forests, of both tasks. */
export function convertForest(f: Fitted, conversion: Conversion): TreesEstimator {
  const isForest = f.has('estimators_');
  const members = isForest ? f.items('estimators_').map((member) => new Fitted(member)) : [f];
  for (const _ of members) conversion.chargeEstimator();
  if (typeof f.get('n_outputs_') === 'number' && f.get('n_outputs_') !== 1)
    throw new NeedsPython(`${f.name} with several outputs`);
  const builder = new ForestBuilder(f.number('n_features_in_'), conversion);
  const classifier = f.name.endsWith('Classifier');
  const leaves = classifier ? addVoters(builder, members, f, conversion) : undefined;
  if (!classifier) for (const member of members) addRegressionTree(builder, member.get('tree_'), 0, 1, conversion);
  const outputs = classifier ? f.array('classes_').size : 1;
  return {
    op: 'trees',
    ...builder.tables(),
    ...(leaves && { leaves }),
    outputs,
    single: true,
    infinity: false,
    missing: takesMissing(f),
    baseline: new Float64Array(outputs),
    divide: members.length,
    link: classifier ? 'probabilities' : 'identity',
    zeroIsPositive: false,
  };
}

/** Classification trees: a vector of class shares a leaf. Counts of versions before 1.4 become shares. */
function addVoters(
  builder: ForestBuilder,
  members: readonly Fitted[],
  f: Fitted,
  conversion: Conversion,
): Float64Array {
  const classes = f.array('classes_').size;
  const vectors: number[] = [];
  const counts = f.version < 1.04;
  for (const member of members) {
    const { columns, values, width } = readTree(member.get('tree_'), conversion);
    if (width !== classes) throw refuse(`a tree votes on ${width} classes, the model has ${classes}`);
    const leafValue = (node: number): number => {
      const index = vectors.length / width;
      let sum = 0;
      for (let k = 0; k < width; k++) sum += values[node * width + k]!;
      for (let k = 0; k < width; k++) {
        const value = values[node * width + k]!;
        if (!Number.isFinite(value)) throw refuse('a leaf is not finite');
        vectors.push(counts ? (sum === 0 ? value : value / sum) : value);
      }
      return index;
    };
    builder.add({ ...columns, leafValue }, 0);
  }
  return Float64Array.from(vectors);
}
