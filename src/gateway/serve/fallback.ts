import type { Outputs, ServableSpec } from '../../engines/types.ts';
import type { Cell } from '../../kernel/frame.ts';
import type { FallbackValue } from '../../serving/wire.ts';

/** What a constant fallback answers for so many rows, in the shape of the version's answers. */
export function fallbackOutputs(
  value: Exclude<FallbackValue, { kind: 'version' }>,
  spec: ServableSpec,
  rowCount: number,
): Outputs {
  const score = value.kind === 'score' ? value.score : scoreOf(value.label, spec);
  const label = value.kind === 'label' ? value.label : labelOf(value.score, spec);
  const outputs = {
    rowCount,
    labels: new Array<Cell>(rowCount).fill(label),
    scores: new Float64Array(rowCount).fill(score),
  };
  const probabilities = probabilitiesOf(score, label, spec);
  return probabilities === undefined
    ? outputs
    : { ...outputs, probabilities: probabilities.map((p) => new Float64Array(rowCount).fill(p)) };
}

const positiveOf = ({ classes, positive }: ServableSpec): Cell => positive ?? classes?.[1] ?? 1;

function scoreOf(label: Cell, spec: ServableSpec): number {
  if (spec.task === 'binary') return label === positiveOf(spec) ? 1 : 0;
  if (spec.task === 'multiclass') return 1;
  return typeof label === 'number' ? label : Number.NaN;
}

function labelOf(score: number, spec: ServableSpec): Cell {
  if (spec.task === 'regression') return score;
  if (spec.task === 'multiclass') return spec.classes?.[0] ?? null;
  const positive = positiveOf(spec);
  if (score >= (spec.threshold ?? 0.5)) return positive;
  return spec.classes?.find((label) => label !== positive) ?? 0;
}

function probabilitiesOf(score: number, label: Cell, spec: ServableSpec): readonly number[] | undefined {
  const { task, classes } = spec;
  if (task === 'regression' || !classes) return undefined;
  if (task === 'binary') return classes.map((label) => (label === positiveOf(spec) ? score : 1 - score));
  return classes.map((candidate) => (candidate === label ? score : (1 - score) / Math.max(1, classes.length - 1)));
}
