import { setImmediate } from 'node:timers/promises';
import { AppError } from '../kernel/errors.ts';
import { type Cell, cellAt, type Frame, takeRows } from '../kernel/frame.ts';
import { exactShapley, type Mixed, type Shapley, sampleShapley } from '../stats/shapley.ts';
import { type AdditiveModel, additiveModelOf } from './contributions-additive.ts';
import { readEngine } from './engine-file.ts';
import { positiveIndex } from './outputs.ts';
import { loadServable, readContent } from './servable.ts';
import { checkRows } from './signature.ts';
import { rowsOf } from './turns.ts';
import type { Outputs, Servable, ServableIo, ServableSpec } from './types.ts';

/** Where the numbers of a contribution live: log-odds, the predicted value, a probability, the logarithm of the value, or a class's raw score. */
export type ContributionScale = 'logit' | 'response' | 'probability' | 'log' | 'score';

export interface Contribution {
  readonly name: string;
  readonly value: Cell;
  /** Above 0: it raised the output above the base. */
  readonly contribution: number;
  /** One standard error, where the method is `sampled`. */
  readonly error?: number;
}

/** base + Σ contributions = output, on `scale`. Base is the mean output over `background` rows of the training data. */
export interface Contributions {
  readonly method: 'exact' | 'sampled';
  readonly scale: ContributionScale;
  /** The class that the output speaks of; null for regression. */
  readonly of: Cell;
  readonly base: number;
  readonly output: number;
  readonly background: number;
  /** All raw columns, the one that mattered most first. */
  readonly features: readonly Contribution[];
}

export interface Explainer {
  /** Of one raw row, beside raw rows of the training data. Throws `invalid` where the row has no answer. */
  explain(row: Frame, background: Frame, options?: ExplainOptions): Promise<Contributions>;
  close(): Promise<void>;
}

export interface ExplainOptions {
  /** Asked between parts of the work; true ends sampling with what there is. */
  readonly isOver?: () => boolean;
}

/** Up to so many columns that differ every mixture is asked for. */
export const EXACT_COLUMNS = 8;
/** Background rows: for engines' own sums and mixtures of few columns, and for chance orders of many. */
export const BACKGROUND = { most: 200, sampled: 100 } as const;
/** Rows that all mixtures of few columns may take: eight columns get fifty background rows. */
const MIXED_ROWS = 12_800;
/** Orders, each with its reverse, where there are many columns. */
export const SAMPLED_PAIRS = 100;

/**
 * Makes a version ready to say why it answered so: linear models and trees of ours by their own sums, with what stands before them mapped back to raw columns;
 * everything else (features.py, Python, calibration) by Shapley values over raw columns of the servable as a whole.
 */
export async function openExplainer(spec: ServableSpec, io: ServableIo): Promise<Explainer> {
  const { fault: _, ...plain } = spec;
  const servable = await loadServable(plain, io);
  const additive = await additiveOf(plain, io);
  return {
    async explain(row, background, options = {}) {
      const own = checkRows(spec.signature, row).frame;
      if (own.rowCount !== 1) throw new AppError('invalid', `One row is explained at a time; got ${own.rowCount}`);
      const answer = await servable.predict(own);
      if (answer.errors?.[0]) throw new AppError('invalid', `The row has no answer: ${answer.errors[0].message}`);
      const others = await answerable(servable, checkRows(spec.signature, background).frame);
      const asked = { own, others, target: targetOf(spec, answer) };
      const exact = additive && (await ofAdditive(additive, asked));
      return withDates(spec, exact ?? (await explainByMixtures(servable, asked, options)));
    },
    close: () => servable.close(),
  };
}

/** Times are epoch ms inside and ISO 8601 outside. */
function withDates({ signature }: ServableSpec, found: Contributions): Contributions {
  const dates = new Set(signature.inputs.filter(({ type }) => type === 'datetime').map(({ name }) => name));
  if (dates.size === 0) return found;
  const shown = (value: Cell): Cell => (typeof value === 'number' ? new Date(value).toISOString() : value);
  return {
    ...found,
    features: found.features.map((each) => (dates.has(each.name) ? { ...each, value: shown(each.value) } : each)),
  };
}

/** Training rows that the version refuses are nothing to compare with: there are such where a notebook had left them out. */
async function answerable(servable: Servable, rows: Frame): Promise<Frame> {
  const some = rowsOf(rows, 0, Math.min(rows.rowCount, 2 * BACKGROUND.most));
  const { errors } = await servable.predict(some);
  if (!errors) return some;
  const failed = new Set(errors.map(({ row }) => row));
  return takeRows(
    some,
    Array.from({ length: some.rowCount }, (_, i) => i).filter((i) => !failed.has(i)),
  );
}

async function additiveOf(spec: ServableSpec, io: ServableIo): Promise<AdditiveModel | undefined> {
  if (spec.engine.kind !== 'levain' || spec.features) return undefined;
  const singles = spec.signature.inputs.filter(({ type }) => type === 'float').map(({ name }) => name);
  return additiveModelOf(readEngine(await readContent(spec.engine.digest, io)), new Set(singles));
}

/** Which number is explained: one class's, by its place; null for regression and where there are no probabilities. */
interface Target {
  readonly index: number;
  readonly label: Cell;
  readonly isRegression: boolean;
}

function targetOf(spec: ServableSpec, answer: Outputs): Target {
  const label = answer.labels[0] ?? null;
  if (spec.task === 'regression') return { index: 0, label: null, isRegression: true };
  const classes = spec.classes ?? null;
  if (spec.task === 'binary' && classes?.length === 2) {
    const index = positiveIndex(spec, classes);
    return { index, label: classes[index]!, isRegression: false };
  }
  const index = classes?.findIndex((cell) => String(cell) === String(label)) ?? -1;
  return { index: Math.max(0, index), label, isRegression: false };
}

interface Asked {
  readonly own: Frame;
  readonly others: Frame;
  readonly target: Target;
}

async function ofAdditive(model: AdditiveModel, { own, others, target }: Asked): Promise<Contributions | undefined> {
  const found = await model.explain(own, others, { index: target.index, background: BACKGROUND.most });
  if (!found) return undefined;
  return toContributions(own, target, { ...found, method: 'exact' });
}

/**
 * Any servable, by mixtures of the row with background rows: all of them where few columns differ, else chance orders of columns. Columns whose value is that of every
 * background row stand still and add nothing.
 */
export async function explainByMixtures(
  servable: Servable,
  asked: Asked,
  options: ExplainOptions & { readonly exactColumns?: number } = {},
): Promise<Contributions> {
  const { own, others, target } = asked;
  const players = own.columns.flatMap(({ values }, j) => {
    const mine = cellAt(values, 0);
    const column = others.columns[j]!.values;
    return Array.from({ length: others.rowCount }, (_, i) => cellAt(column, i)).some((cell) => cell !== mine)
      ? [j]
      : [];
  });
  const ask = (rows: readonly Mixed[]): Promise<Float64Array> => answersTo(servable, asked, players, rows);
  const isExact = players.length <= (options.exactColumns ?? EXACT_COLUMNS);
  const mixtures = Math.min(BACKGROUND.most, Math.floor(MIXED_ROWS / 2 ** Math.min(players.length, EXACT_COLUMNS)));
  const background = Math.min(others.rowCount, isExact ? mixtures : BACKGROUND.sampled);
  const bounds = { background, ...(options.isOver && { isOver: options.isOver }) };
  const found = isExact
    ? await exactShapley(players.length, bounds, ask)
    : await sampleShapley(players.length, { ...bounds, pairs: SAMPLED_PAIRS, random: seeded(1) }, ask);
  if (found.counted === 0)
    throw new AppError(
      'precondition_failed',
      `None of ${found.tried} training rows mixed with this one could be answered, so its columns cannot be weighed against them`,
    );
  return toContributions(own, target, {
    method: isExact ? 'exact' : 'sampled',
    scale: target.isRegression ? 'response' : 'probability',
    ...spread(found, players, own.columns.length),
    base: found.base,
    output: found.output,
    background: isExact ? found.counted : Math.min(background, found.counted),
  });
}

function spread({ values, errors }: Shapley, players: readonly number[], columns: number) {
  const all = { values: new Float64Array(columns), errors: new Float64Array(columns) };
  for (const [k, j] of players.entries()) {
    all.values[j] = values[k]!;
    all.errors[j] = errors[k]!;
  }
  return all;
}

/** Cells of mixed rows that are made at a time, so that wide rows hold nobody up. */
const CELLS_A_TURN = 50_000;

/** The explained number of mixed rows, a part at a time; NaN where one has no answer. */
async function answersTo(
  servable: Servable,
  asked: Asked,
  players: readonly number[],
  rows: readonly Mixed[],
): Promise<Float64Array> {
  const atOnce = Math.max(16, Math.floor(CELLS_A_TURN / Math.max(1, asked.own.columns.length)));
  const numbers = new Float64Array(rows.length);
  for (let from = 0; from < rows.length; from += atOnce)
    numbers.set(await answersToPart(servable, asked, players, rows.slice(from, from + atOnce)), from);
  return numbers;
}

/** Equal mixtures are asked for once. */
async function answersToPart(
  servable: Servable,
  { own, others, target }: Asked,
  players: readonly number[],
  rows: readonly Mixed[],
): Promise<Float64Array> {
  const differs = (j: number, other: number): boolean =>
    cellAt(own.columns[j]!.values, 0) !== cellAt(others.columns[j]!.values, other);
  const unique: Mixed[] = [];
  const places = new Map<string, number>();
  const at = rows.map((row) => {
    const mine = row.own.map((k) => players[k]!).filter((j) => differs(j, row.other));
    const key = `${row.other}:${mine.sort((a, b) => a - b).join()}`;
    if (!places.has(key)) places.set(key, unique.push({ own: mine, other: row.other }) - 1);
    return places.get(key)!;
  });
  const outputs = await servable.predict(mixedFrame(own, others, unique)).catch((error) => {
    // A mixture that the signature refuses has no answer; which one it is does not matter.
    if (error instanceof AppError && error.code === 'invalid') return undefined;
    throw error;
  });
  await setImmediate();
  const numbers = outputs ? explainedNumbers(outputs, target) : new Float64Array(unique.length).fill(Number.NaN);
  return Float64Array.from(at, (i) => numbers[i]!);
}

function mixedFrame(own: Frame, others: Frame, rows: readonly Mixed[]): Frame {
  const sets = rows.map((row) => new Set(row.own));
  const columns = own.columns.map(({ name, values }, j) => {
    const other = others.columns[j]!.values;
    const pick = (i: number): Cell => (sets[i]!.has(j) ? (values[0] ?? null) : (other[rows[i]!.other] ?? null));
    const cells = Array.from({ length: rows.length }, (_, i) => pick(i));
    return { name, values: values instanceof Float64Array ? Float64Array.from(cells as number[]) : cells };
  });
  return { rowCount: rows.length, columns };
}

/** The class's probability; without probabilities 1 where the answer is that class. */
function explainedNumbers(outputs: Outputs, { index, label, isRegression }: Target): Float64Array {
  if (isRegression) return outputs.scores;
  const column = outputs.probabilities?.[index];
  if (column) return column;
  return Float64Array.from(outputs.labels, (cell) =>
    cell === null ? Number.NaN : Number(String(cell) === String(label)),
  );
}

interface Found extends Omit<Contributions, 'features' | 'of'> {
  readonly values: Float64Array;
  readonly errors?: Float64Array;
}

function toContributions(own: Frame, target: Target, { values, errors, ...found }: Found): Contributions {
  const features = own.columns.map(({ name, values: cells }, j) => ({
    name,
    value: cellAt(cells, 0),
    contribution: values[j]!,
    ...(found.method === 'sampled' && { error: errors![j]! }),
  }));
  features.sort((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution));
  const { method, scale, base, output, background } = found;
  return { method, scale, of: target.label, base, output, background, features };
}

/** mulberry32: the same row always gets the same numbers. */
function seeded(seed: number): () => number {
  let a = seed | 0;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
