import type { Signature } from '../engines/signature.ts';
import type { Servable } from '../engines/types.ts';
import type { Frame } from '../kernel/frame.ts';
import { identifier } from '../ports/analytics.ts';
import { buildProfile, type MonitorProfile } from '../stats/profile.ts';
import { scoreRows, shuffled } from './scoring.ts';
import { truthColumn, truthRule } from './truth.ts';
import type { Candidate, RegistryDeps } from './types.ts';

/** Training rows that the reference, the golden rows and the signature are made of; more are sampled. */
const SAMPLE_ROWS = 20_000;
const IMPORTANCE_ROWS = 1_000;
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
  candidate: Candidate,
  training: TrainingSample,
  servable: Servable,
  signature: Signature,
): Promise<MonitorProfile> {
  const watched = signature.inputs.filter(({ type }) => type !== 'datetime').map(({ name }) => name);
  const columns = training.frame.columns.filter(({ name }) => watched.includes(name));
  const heldOut =
    candidate.gate && candidate.gate.frame.rowCount >= MIN_HELD_OUT ? candidate.gate.frame : training.frame;
  const outputs = await scoreRows(servable, heldOut);
  const profile = buildProfile(
    { ...training.frame, columns },
    outputs.scores,
    labelRate(candidate, training, servable),
  );
  const importance = await permutationImportance(servable, heldOut, watched);
  return { ...profile, rows: training.total, ...(importance && { importance }) };
}

function labelRate(candidate: Candidate, training: TrainingSample, servable: Servable): number | null {
  const target = candidate.section.target;
  if (!target || servable.spec.task === 'multiclass') return null;
  const y = truthColumn(training.frame, target.column, truthRule(servable.spec, target)).filter(
    (v) => !Number.isNaN(v),
  );
  return y.length === 0 ? null : y.reduce((a, b) => a + b, 0) / y.length;
}

/** Mean absolute change of the score when one column is shuffled, as shares of all columns' (Breiman 2001, on scores). */
async function permutationImportance(
  servable: Servable,
  frame: Frame,
  columns: readonly string[],
): Promise<Record<string, number> | undefined> {
  const order = shuffled(frame.rowCount, 3).slice(0, IMPORTANCE_ROWS);
  const mixed = shuffled(order.length, 5);
  const pick = (values: Frame['columns'][number]['values'], rows: readonly number[]) =>
    values instanceof Float64Array ? Float64Array.from(rows, (i) => values[i]!) : rows.map((i) => values[i] ?? null);
  const rows: Frame = {
    rowCount: order.length,
    columns: frame.columns.map(({ name, values }) => ({ name, values: pick(values, order) })),
  };
  const base = (await scoreRows(servable, rows)).scores;
  const changes: [string, number][] = [];
  for (const name of columns) {
    const shuffledColumn = rows.columns.map((c) => (c.name === name ? { name, values: pick(c.values, mixed) } : c));
    const scores = (await scoreRows(servable, { ...rows, columns: shuffledColumn })).scores;
    let change = 0;
    for (let i = 0; i < scores.length; i++) change += Math.abs(scores[i]! - base[i]!) || 0;
    changes.push([name, change]);
  }
  const total = changes.reduce((sum, [, change]) => sum + change, 0);
  return total > 0 ? Object.fromEntries(changes.map(([name, change]) => [name, change / total])) : undefined;
}
