import { writeEngine } from '../../engines/engine-file.ts';
import { encodeGolden } from '../../engines/golden.ts';
import { MISSING_GOES_LEFT, NODE_BYTES } from '../../engines/kernel/forest.ts';
import { ENGINE_FORMAT, type EngineModel } from '../../engines/model.ts';
import { compileModel } from '../../engines/predictor.ts';
import type { Signature } from '../../engines/signature.ts';
import type { ServableSpec } from '../../engines/types.ts';
import type { Frame } from '../../kernel/frame.ts';
import { sha256 } from '../../kernel/hash.ts';
import { buildProfile, type MonitorProfile } from '../../stats/profile.ts';

/** A real version for tests and benchmarks: engine file, golden rows and profile, all made here from a seed. */
export interface MadeModel {
  readonly spec: ServableSpec;
  readonly profile: MonitorProfile;
  /** Content by digest. */
  readonly contents: ReadonlyMap<string, Uint8Array>;
  /** Rows that the profile was made of. */
  readonly rows: Frame;
}

export interface ModelOptions {
  readonly model?: string;
  readonly version: number;
  readonly seed?: number;
  readonly columns?: number;
}

/** Uniform in [0, 1) from a seed (mulberry32). */
export function seeded(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Logistic regression over columns x0, x1, … with classes 0 and 1. */
export function makeLinear(options: ModelOptions): MadeModel {
  const { columns = 3, seed = 1 } = options;
  const draw = seeded(seed);
  const coef = Float64Array.from({ length: columns }, () => draw() * 2 - 1);
  return finish(options, columns, {
    op: 'linear',
    coef,
    intercept: Float64Array.of(draw() - 0.5),
    outputs: 1,
    features: columns,
    link: 'expit',
    uniform: true,
  });
}

/** Boosted trees of a given depth over columns x0, x1, … with classes 0 and 1. */
export function makeForest(options: ModelOptions & { readonly trees: number; readonly depth: number }): MadeModel {
  const { columns = 20, seed = 1, trees, depth } = options;
  const draw = seeded(seed);
  const nodesPerTree = 2 ** (depth + 1) - 1;
  const nodes = new Uint8Array(trees * nodesPerTree * NODE_BYTES);
  const view = new DataView(nodes.buffer);
  const put = (at: number, value: number, left: number, feature: number, flags: number): void => {
    view.setFloat64(at * NODE_BYTES, value, true);
    view.setUint32(at * NODE_BYTES + 8, left, true);
    view.setUint16(at * NODE_BYTES + 12, feature, true);
    view.setUint16(at * NODE_BYTES + 14, flags, true);
  };
  for (let tree = 0; tree < trees; tree++)
    for (let node = 0; node < nodesPerTree; node++) {
      const at = tree * nodesPerTree + node;
      if (node < 2 ** depth - 1)
        put(at, draw(), tree * nodesPerTree + 2 * node + 1, Math.floor(draw() * columns), MISSING_GOES_LEFT);
      else put(at, (draw() - 0.5) / 5, at, columns, 0);
    }
  return finish(options, columns, {
    op: 'trees',
    nodes,
    roots: Uint32Array.from({ length: trees }, (_, tree) => tree * nodesPerTree),
    targets: new Uint32Array(trees),
    outputs: 1,
    features: columns,
    single: false,
    infinity: true,
    missing: true,
    baseline: Float64Array.of(0),
    divide: 1,
    link: 'expit',
    zeroIsPositive: true,
  });
}

const PROFILE_ROWS = 500;
const GOLDEN_ROWS = 40;

function finish(
  { model = 'churn', version, seed = 1 }: ModelOptions,
  columns: number,
  estimator: EngineModel['estimator'],
): MadeModel {
  const names = Array.from({ length: columns }, (_, i) => `x${i}`);
  const signature: Signature = { inputs: names.map((name) => ({ name, type: 'double', required: true })), outputs: [] };
  const engineModel: EngineModel = {
    task: 'binary',
    inputs: { names, count: columns },
    classes: [0, 1],
    steps: [],
    estimator,
    reader: 'test/1',
    library: 'none',
  };
  const draw = seeded(seed + 1_000);
  const rowsOf = (rowCount: number): Frame => ({
    rowCount,
    columns: names.map((name) => ({ name, values: Float64Array.from({ length: rowCount }, draw) })),
  });
  const rows = rowsOf(PROFILE_ROWS);
  const predict = compileModel(engineModel);
  const goldenRows = rowsOf(GOLDEN_ROWS);
  const engine = writeEngine(engineModel);
  const golden = encodeGolden({ rows: goldenRows, outputs: predict(goldenRows), libraries: {} });
  const spec: ServableSpec = {
    model,
    version,
    versionId: `${model}-${version}`,
    task: 'binary',
    signature,
    classes: [0, 1],
    engine: { kind: 'levain', digest: sha256(engine), format: ENGINE_FORMAT },
    golden: { digest: sha256(golden) },
  };
  const profile = buildProfile(rows, predict(rows).scores, 0.5);
  return {
    spec,
    profile,
    rows,
    contents: new Map([
      [sha256(engine), engine],
      [sha256(golden), golden],
    ]),
  };
}
