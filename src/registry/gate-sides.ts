import type { Outputs, ServableSpec, Task } from '../engines/types.ts';
import { AppError } from '../kernel/errors.ts';
import type { Cell } from '../kernel/frame.ts';
import { decoded, sameCell } from './coding.ts';
import type { ModelVersion } from './types.ts';

interface Side {
  readonly version: ModelVersion;
  /** The truth as this version's notebook writes it. */
  readonly y: Float64Array;
  readonly outputs: Outputs;
}

/**
 * Two versions in one coding. Where their notebooks write a number differently both are taken back to the data's units; classes must
 * mean the same rows. Throws `precondition_failed` where they do not compare.
 */
export function alike(
  mine: Side,
  theirs: Side,
): { readonly y: Float64Array; readonly mine: Outputs; readonly theirs: Outputs } {
  const { task } = mine.version.spec!;
  if (task === 'regression') return asNumbers(mine, theirs);
  const [a, b] = [mine.version.spec!.classes ?? [], theirs.version.spec!.classes ?? []];
  const isSame = task === 'binary' || (a.length === b.length && a.every((value, k) => sameCell(value, b[k] ?? null)));
  if (!isSame || theirs.version.spec!.task !== task || mine.y.some((value, i) => differ(value, theirs.y[i]!)))
    throw new AppError(
      'precondition_failed',
      `v${mine.version.version} and v${theirs.version.version} write the target differently (${a.map(String).join(', ')} against ${b.map(String).join(', ')}), so their answers do not compare`,
    );
  return { y: mine.y, mine: mine.outputs, theirs: theirs.outputs };
}

/** Metrics that judge probabilities: a model that answers labels alone has none. */
const OF_PROBABILITIES = ['log_loss', 'brier', 'ece', 'auc'];

/** The metric to compare by: accuracy where a side answers labels alone and the wanted one is of probabilities. */
export const metricOfSides = (wanted: string, sides: readonly Outputs[], task: Task): string =>
  task !== 'regression' && OF_PROBABILITIES.includes(wanted) && sides.some(isOfLabels) ? 'accuracy' : wanted;

export const isOfLabels = ({ probabilities }: Outputs): boolean => probabilities === undefined;

/** Labels as certain probabilities, for metrics of labels. */
export function votesOf(outputs: Outputs, { task, classes = [], positive }: VotesOf): Outputs {
  const vote = (label: Cell, of: Cell): number => (label === null ? Number.NaN : Number(sameCell(label, of)));
  if (task === 'binary')
    return { ...outputs, scores: Float64Array.from(outputs.labels, (label) => vote(label, positive ?? 1)) };
  return {
    ...outputs,
    scores: Float64Array.from(outputs.labels, (label) => (label === null ? Number.NaN : 1)),
    probabilities: classes.map((of) => Float64Array.from(outputs.labels, (label) => vote(label, of))),
  };
}

type VotesOf = Pick<ServableSpec, 'task' | 'classes' | 'positive'>;

const differ = (a: number, b: number): boolean => !Number.isNaN(a) && !Number.isNaN(b) && a !== b;

function asNumbers(mine: Side, theirs: Side): ReturnType<typeof alike> {
  if (!mine.y.some((value, i) => differ(value, theirs.y[i]!)))
    return { y: mine.y, mine: mine.outputs, theirs: theirs.outputs };
  const coding = mine.version.facts.coding ?? null;
  return { y: mine.y.map((v) => decoded(v, coding)), mine: inUnits(mine), theirs: inUnits(theirs) };
}

function inUnits({ version, outputs }: Side): Outputs {
  const scores = outputs.scores.map((value) => decoded(value, version.facts.coding ?? null));
  return { ...outputs, scores, labels: [...scores] };
}
