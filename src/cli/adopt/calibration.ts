import { readFile } from 'node:fs/promises';
import type { AdoptResult } from '../../adopt/types.ts';
import type { Json } from '../../kernel/canonical-json.ts';
import { taskOf } from './compose.ts';

/** Raw test rows of the notebook with the model's own answers, column by column. */
export interface Golden {
  readonly rows: {
    readonly columns: readonly { readonly name: string; readonly values: readonly unknown[] }[];
  };
  /** A list a class, in the order of `classes`. */
  readonly probabilities?: readonly (readonly number[])[] | null;
}

/** What is known of the model and its target. */
type Told = Pick<AdoptResult['model'], 'task' | 'target' | 'positive'> & { readonly classes: readonly Json[] | null };

/** How the gate compares where log loss cannot, and why. */
export interface GateMetric {
  readonly metric: string;
  readonly sentence: string;
}

/** Least probability that log loss counts, as in the gate. */
const EPSILON = 2 ** -52;

/** See `gateMetric`; null also where the run left no golden rows that can be read. */
export async function readGateMetric(result: Pick<AdoptResult, 'golden' | 'model'>): Promise<GateMetric | null> {
  if (result.golden === null) return null;
  try {
    return gateMetric(result.model, JSON.parse(await readFile(result.golden, 'utf8')) as Golden);
  } catch {
    return null;
  }
}

/**
 * The gate asks by default whether the probabilities are better than the base rate. Where their author never meant them so (a tree
 * that is always certain, classes weighed evenly) they are worse than saying the same of everybody, whatever the labels are worth:
 * then it asks how well they rank (auc), or for many classes how often they are right. Null where log loss can judge.
 */
export function gateMetric(model: Told, golden: Golden): GateMetric | null {
  const task = taskOf(model);
  const { probabilities } = golden;
  if ((task !== 'binary' && task !== 'multiclass') || !probabilities || probabilities.length < 2) return null;
  const truth = truthOf(model, golden);
  const loss = truth && lossOf(truth, probabilities);
  const base = truth && baseLossOf(truth);
  const isWorse = loss !== null && base !== null && loss >= base;
  const isCertain = loss === null && probabilities.flat().some((p) => p <= 0 || p >= 1);
  if (!isWorse && !isCertain) return null;
  const metric = task === 'binary' ? 'auc' : 'accuracy';
  const why = isWorse
    ? `its log loss on its test rows is ${loss!.toFixed(2)}, the base rate's ${base!.toFixed(2)}`
    : 'some of them are exactly 0 or 1';
  return { metric, sentence: `its probabilities are no probabilities (${why}), so the gate compares ${metric}` };
}

/** By row the index of its class; null where the data's words are not the model's. */
function truthOf({ classes, target, positive }: Told, { rows }: Golden): readonly number[] | null {
  const cells = rows.columns.find(({ name }) => name === target)?.values;
  if (!cells || cells.length === 0) return null;
  const names = (classes ?? []).map(String);
  if (names.length > 2 || positive === null) {
    const found = cells.map((cell) => names.indexOf(String(cell)));
    return found.includes(-1) ? null : found;
  }
  const at = Math.max(0, names.indexOf(String(positive)));
  const index = names.includes(String(positive)) ? at : 1;
  return cells.map((cell) => (String(cell) === String(positive) ? index : 1 - index));
}

function lossOf(truth: readonly number[], probabilities: readonly (readonly number[])[]): number | null {
  const losses = truth.map((k, i) => -Math.log(Math.max(EPSILON, probabilities[k]?.[i] ?? Number.NaN)));
  const mean = losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
  return Number.isFinite(mean) ? mean : null;
}

/** Of saying each class's share of everybody. */
function baseLossOf(truth: readonly number[]): number {
  const counts = [...Map.groupBy(truth, (k) => k).values()].map((group) => group.length / truth.length);
  return counts.reduce((sum, share) => sum - share * Math.log(share), 0);
}
