import { setImmediate } from 'node:timers/promises';
import type { Frame } from '../kernel/frame.ts';
import type { ContributionScale } from './contributions.ts';
import { type Asked, addTree, type ForestTable, leafWorth, rawScore, tableOf, UNASKED } from './contributions-trees.ts';
import type { EngineModel, LinearEstimator, Transform, TreesEstimator } from './model.ts';
import { toMatrix } from './predictor.ts';
import { compileSteps, RowErrors, toNumbers } from './transform.ts';

/** An engine whose raw score is a sum: over columns (linear) or over trees. */
export interface AdditiveModel {
  /** By column of `own`; undefined where no background row can be scored. `index` is a class's place. */
  explain(
    own: Frame,
    others: Frame,
    options: { readonly index: number; readonly background: number },
  ): Promise<AdditiveFound | undefined>;
}

export interface AdditiveFound {
  readonly scale: ContributionScale;
  readonly base: number;
  readonly output: number;
  readonly background: number;
  readonly values: Float64Array;
}

/** Nodes that are visited before others get their turn: a few milliseconds. */
const NODES_A_TURN = 200_000;
/** Nodes that one row may cost, about a second; trees and background rows that say how many it will; and how few rows still are a background. */
const MOST_NODES = 30_000_000;
const TRIED_TREES = 8;
const TRIED_ROWS = 10;
const LEAST_ROWS = 20;
/** Background rows that a forest scores before others get their turn. */
const SCORED_A_TURN = 20;

/** undefined for models whose score is no such sum: calibrated ones, and trees that begin from another model. */
export function additiveModelOf(model: EngineModel, singles: ReadonlySet<string>): AdditiveModel | undefined {
  const { estimator } = model;
  if (estimator.op === 'calibrated' || (estimator.op === 'trees' && estimator.init)) return undefined;
  const origins = originsOf(model.steps, model.inputs.count);
  const table = estimator.op === 'trees' ? tableOf(estimator, origins, model.inputs.count) : undefined;
  const rowsOf = rowReader(model, singles);
  return {
    async explain(own, others, { index, background }) {
      const row = rowsOf(own)[0];
      const rows = rowsOf(others).slice(0, background);
      if (!row || rows.length === 0) return undefined;
      const asked = { row, rows, index };
      const found = table
        ? await ofTrees(table, asked, model.inputs.count)
        : ofLinear(estimator as LinearEstimator, asked, origins, model.inputs.count);
      return { ...found, values: byColumn(model, own, found.values) };
    },
  };
}

interface Rows {
  readonly row: Float64Array;
  readonly rows: readonly Float64Array[];
  readonly index: number;
}

/** The estimator's inputs of each row that it can score. */
function rowReader(model: EngineModel, singles: ReadonlySet<string>): (frame: Frame) => Float64Array[] {
  const run = compileSteps(model.steps);
  const isSingle = model.estimator.op === 'trees' && model.estimator.single;
  const mayMiss = model.estimator.op === 'trees' && model.estimator.missing;
  return (frame) => {
    const errors = new RowErrors();
    const { columns, rowCount } = run(toMatrix(model, frame, singles), errors);
    const numbers = columns.map(({ values }) => toNumbers(values, rowCount, errors));
    const failed = new Set(errors.list()?.map(({ row }) => row));
    const good = Array.from({ length: rowCount }, (_, i) => i).filter((i) => !failed.has(i));
    return good
      .map((i) => Float64Array.from(numbers, (column) => (isSingle ? Math.fround(column[i]!) : column[i]!)))
      .filter((row) => mayMiss || row.every(Number.isFinite));
  };
}

/** Which input each column after the steps was made of: every step works column by column. */
export function originsOf(steps: readonly Transform[], inputs: number): number[] {
  return steps.reduce(
    (origins, step) => through(step, origins),
    Array.from({ length: inputs }, (_, i) => i),
  );
}

function through(step: Transform, origins: readonly number[]): number[] {
  switch (step.op) {
    case 'scale':
    case 'ordinal':
    case 'function':
      return [...origins];
    case 'impute':
      return [...step.keep, ...step.indicators].map((j) => origins[j]!);
    case 'onehot':
      return step.columns.flatMap(({ width }, j) => new Array<number>(width).fill(origins[j]!));
    case 'columns':
      return step.parts.flatMap(({ from, steps }) =>
        steps.reduce(
          (picked, each) => through(each, picked),
          Array.from(from, (j) => origins[j]!),
        ),
      );
  }
}

/** Coefficient × (value − mean over the background), added up by raw column: exact, for columns of a linear model do not interact. */
function ofLinear(
  model: LinearEstimator,
  { row, rows, index }: Rows,
  origins: readonly number[],
  columns: number,
): AdditiveFound {
  const output = model.outputs === 1 ? 0 : index;
  const { scale, factor } = linearScale(model, index);
  const values = new Float64Array(columns);
  let [base, score] = [model.intercept[output]! * factor, model.intercept[output]! * factor];
  for (let j = 0; j < model.features; j++) {
    const weight = model.coef[output * model.features + j]! * factor;
    const mean = rows.reduce((sum, other) => sum + other[j]!, 0) / rows.length;
    values[origins[j]!]! += weight * (row[j]! - mean);
    base += weight * mean;
    score += weight * row[j]!;
  }
  return { scale, base, values, output: score, background: rows.length };
}

function linearScale(
  model: LinearEstimator,
  index: number,
): { readonly scale: ContributionScale; readonly factor: number } {
  if (model.link === 'identity') return { scale: 'response', factor: 1 };
  // One output speaks of the second of two classes.
  const sign = model.outputs === 1 && index === 0 ? -1 : 1;
  if (model.link === 'expit') return { scale: 'logit', factor: sign };
  if (model.link === 'expit2') return { scale: 'logit', factor: 2 * sign };
  return { scale: 'score', factor: sign };
}

async function ofTrees(table: ForestTable, { row, rows, index }: Rows, columns: number): Promise<AdditiveFound> {
  const { model } = table;
  const output = model.outputs === 1 ? 0 : index;
  const { scale, factor } = treeScale(model, index);
  const asked = { row, output, ways: new Uint8Array(table.left.length).fill(UNASKED), worth: leafWorth(table, output) };
  const background = rows.slice(0, affordable(table, { ...asked, background: rows.slice(0, TRIED_ROWS) }));
  const sums = new Float64Array(columns);
  let visited = 0;
  for (let tree = 0; tree < model.roots.length; tree++) {
    visited += addTree(table, tree, { ...asked, background }, sums);
    if (visited < NODES_A_TURN) continue;
    visited = 0;
    await setImmediate();
  }
  let base = 0;
  for (const [i, other] of background.entries()) {
    base += rawScore(table, other, output) / background.length;
    if (i % SCORED_A_TURN === SCORED_A_TURN - 1) await setImmediate();
  }
  const share = factor / (model.divide * background.length);
  return {
    scale,
    base: base * factor,
    background: background.length,
    output: rawScore(table, row, output) * factor,
    values: sums.map((sum) => sum * share),
  };
}

/** How many background rows the forest can be asked with: deep trees of many leaves get fewer, decided by counting and not by the clock. */
function affordable(table: ForestTable, asked: Asked): number {
  const trees = table.model.roots.length;
  const tried = Math.min(trees, TRIED_TREES);
  const scratch = new Float64Array(table.players);
  let visited = 0;
  for (let i = 0; i < tried; i++) visited += addTree(table, Math.floor((i * trees) / tried), asked, scratch);
  const perRow = (visited / (tried * asked.background.length)) * trees;
  return Math.max(LEAST_ROWS, Math.floor(MOST_NODES / Math.max(1, perRow)));
}

function treeScale(
  model: TreesEstimator,
  index: number,
): { readonly scale: ContributionScale; readonly factor: number } {
  const sign = model.outputs === 1 && index === 0 ? -1 : 1;
  switch (model.link) {
    case 'identity':
      return { scale: 'response', factor: 1 };
    case 'exp':
      return { scale: 'log', factor: 1 };
    case 'probabilities':
      return { scale: 'probability', factor: 1 };
    case 'expit':
      return { scale: 'logit', factor: sign };
    case 'expit2':
      return { scale: 'logit', factor: 2 * sign };
    case 'softmax':
      return { scale: 'score', factor: 1 };
  }
}

/** From the model's inputs to the columns of the row as it was sent; those that the model does not read add nothing. */
function byColumn({ inputs }: EngineModel, own: Frame, values: Float64Array): Float64Array {
  if (inputs.names === null) return values;
  const at = new Map(inputs.names.map((name, i) => [name, i]));
  return Float64Array.from(own.columns, ({ name }) => {
    const i = at.get(name);
    return i === undefined ? 0 : values[i]!;
  });
}
