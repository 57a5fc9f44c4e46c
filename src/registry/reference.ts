import { setImmediate } from 'node:timers/promises';
import type { Servable } from '../engines/types.ts';
import type { ColumnValues, Frame } from '../kernel/frame.ts';
import { identifier } from '../ports/analytics.ts';
import { buildProfile, type FeatureProfile, type MonitorProfile, profileColumn } from '../stats/profile.ts';
import { keepAnswers } from './answers.ts';
import { sampled, scoreRows } from './scoring.ts';
import { takeNumbers, truthColumn, truthRule } from './truth.ts';
import type { Candidate, RegistryDeps } from './types.ts';

/** Training rows that the reference, the golden rows and the signature are made of; more are sampled. */
const SAMPLE_ROWS = 20_000;
const IMPORTANCE_ROWS = 1_000;
/** Rows are scored once a column, so wide data gets fewer, down to a few hundred. */
const IMPORTANCE_CELLS = 50_000;
const MIN_IMPORTANCE_ROWS = 200;
/** Held-out rows give the honest score distribution; with fewer the training rows do. */
const MIN_HELD_OUT = 1_000;

export interface TrainingSample {
  readonly frame: Frame;
  readonly total: number;
}

/** A repeatable sample of the rows that the step saw. */
export async function trainingSample(deps: RegistryDeps, candidate: Candidate): Promise<TrainingSample> {
  const path = candidate.trainingFile.replaceAll("'", "''");
  const reader = /\.csv(\.gz)?$/i.test(path) ? 'read_csv' : /\.jsonl?$/i.test(path) ? 'read_json' : 'read_parquet';
  const table = `${reader}('${path}')`;
  const count = await deps.analytics.query(`select count(*) as n from ${table}`);
  const total = Number(count.columns[0]!.values[0]);
  const step = Math.max(1, Math.ceil(total / SAMPLE_ROWS));
  const numbered = `select *, row_number() over () as ${identifier('__row')} from ${table}`;
  const frame = await deps.analytics.query(
    step === 1
      ? `select * from ${table}`
      : `select * exclude (${identifier('__row')}) from (${numbered}) where ${identifier('__row')} % ${step} = 0`,
    [],
    { maxRows: SAMPLE_ROWS + 1 },
  );
  return { frame, total };
}

/** What the monitor compares live traffic with: raw features of the training rows, scores of held-out rows, importance. */
export async function buildReference(
  deps: RegistryDeps,
  candidate: Candidate,
  training: TrainingSample,
  servable: Servable,
): Promise<MonitorProfile> {
  const watched = servable.spec.signature.inputs.filter(({ type }) => type !== 'datetime').map(({ name }) => name);
  const heldOut =
    candidate.gate && candidate.gate.frame.rowCount >= MIN_HELD_OUT ? candidate.gate.frame : training.frame;
  const outputs = await scoreRows(servable, heldOut);
  if (candidate.gate && heldOut === candidate.gate.frame) keepAnswers(deps, servable.spec, candidate.gate, outputs);
  const features: FeatureProfile[] = [];
  for (const { name, values } of training.frame.columns) {
    if (!watched.includes(name)) continue;
    features.push(profileColumn(name, values));
    await setImmediate();
  }
  const rate = labelRate(candidate, training, servable);
  await setImmediate();
  const profile = buildProfile({ rowCount: training.total, columns: [] }, outputs.scores, rate);
  await setImmediate();
  const importance = await permutationImportance(servable, heldOut, watched);
  return { ...profile, features, ...(importance && { importance }) };
}

function labelRate(candidate: Candidate, training: TrainingSample, servable: Servable): number | null {
  const target = candidate.section.target;
  if (!target || servable.spec.task === 'multiclass') return null;
  const y = truthColumn(training.frame, target.column, truthRule(servable.spec, target, candidate.coding)).filter(
    (v) => !Number.isNaN(v),
  );
  return y.length === 0 ? null : y.reduce((a, b) => a + b, 0) / y.length;
}

/** The shares of a multiclass model's classes in the training rows. */
export function classShares(
  candidate: Candidate,
  training: TrainingSample,
  { spec }: Pick<Servable, 'spec'>,
): readonly number[] | undefined {
  const target = candidate.section.target;
  if (!target || spec.task !== 'multiclass' || !spec.classes) return undefined;
  const y = truthColumn(training.frame, target.column, truthRule(spec, target, candidate.coding));
  const counts = spec.classes.map((_, k) => y.reduce((n, v) => n + Number(v === k), 0));
  const total = counts.reduce((a, b) => a + b, 0);
  return total === 0 ? undefined : counts.map((n) => n / total);
}

/**
 * Mean absolute change of the score when one column is shuffled, as shares of all columns' (Breiman 2001, on scores). All shuffled
 * copies are scored as one frame.
 */
async function permutationImportance(
  servable: Servable,
  frame: Frame,
  columns: readonly string[],
): Promise<Record<string, number> | undefined> {
  const wanted = Math.max(MIN_IMPORTANCE_ROWS, Math.floor(IMPORTANCE_CELLS / (columns.length + 1)));
  const order = sampled(frame.rowCount, Math.min(IMPORTANCE_ROWS, wanted), 3);
  const mixed = sampled(order.length, order.length, 5).map((i) => order[i]!);
  const copies = frame.columns.map(({ name }) => [order, ...columns.map((c) => (c === name ? mixed : order))].flat());
  const rows: Frame = {
    rowCount: order.length * (columns.length + 1),
    columns: frame.columns.map(({ name, values }, c) => ({ name, values: pick(values, copies[c]!) })),
  };
  const { scores } = await scoreRows(servable, rows);
  const changes = columns.map((name, k): [string, number] => {
    let change = 0;
    for (let i = 0; i < order.length; i++) change += Math.abs(scores[(k + 1) * order.length + i]! - scores[i]!) || 0;
    return [name, change];
  });
  const total = changes.reduce((sum, [, change]) => sum + change, 0);
  return total > 0 ? Object.fromEntries(changes.map(([name, change]) => [name, change / total])) : undefined;
}

const pick = (values: ColumnValues, rows: readonly number[]): ColumnValues =>
  values instanceof Float64Array ? takeNumbers(values, rows) : rows.map((i) => values[i] ?? null);
