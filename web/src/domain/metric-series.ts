import type { AnswerOf } from '../api/routes.ts';
import type { Series, Value } from '../ui/chart-parts.ts';

export type Levels = Pick<AnswerOf<'GET /runs/chart'>, 'x' | 'lines'>;

export interface ChartRun {
  readonly id: string;
  /** As the legend names it; two runs of one chart have different ones. */
  readonly label: string;
  readonly colour: string;
}

export interface Drawn {
  readonly x: readonly number[];
  readonly series: readonly Series[];
}

/**
 * What the server answered as lines. Where a position stands for several points the line goes through their means, and a band
 * from the lowest to the highest, so that every spike is seen.
 */
export function toSeries(levels: Levels, runs: readonly ChartRun[], smoothing: number, scale = 1): Drawn {
  const series = levels.lines.flatMap((line, i): Series[] => {
    const run = runs[i];
    if (!run) return [];
    const { label, colour } = run;
    const values = valuesOf(line);
    const measured = { values, colour, ...bandOf(line) };
    if (smoothing === 0) return [{ label, ...measured }];
    return [
      { label: `${label} as measured`, ...measured, rawOf: label },
      // What cannot be drawn is told once, of the line as it was measured.
      { label, values: smooth(values, smoothing).map(drawable), colour },
    ];
  });
  return { x: scale === 1 ? levels.x : levels.x.map((at) => at * scale), series };
}

type Line = Levels['lines'][number];

/** No point is undefined, and the line goes on over it; NaN and infinite stay what they are, and the chart says so. */
function valuesOf({ mean, nan, infinite }: Line): Value[] {
  const values = mean.map((value): Value => value ?? undefined);
  for (const at of nan) values[at] = Number.NaN;
  for (const at of infinite) values[at] = Number.POSITIVE_INFINITY;
  return values;
}

const bandOf = ({ low, high }: Line): Pick<Series, 'band'> =>
  low && high ? { band: { low: low.map(present), high: high.map(present) } } : {};

const drawable = (value: Value): Value => (typeof value === 'number' && !Number.isFinite(value) ? null : value);

const present = (value: number | null): Value => value ?? undefined;

/**
 * Exponential moving average with the start's bias taken out (Kingma and Ba 2015, section 3): each value weighs `weight` times the
 * one after it. Gaps stay gaps and do not weigh.
 */
export function smooth(values: readonly Value[], weight: number): Value[] {
  let [mean, total] = [0, 0];
  return values.map((value) => {
    if (value === null || value === undefined || !Number.isFinite(value)) return value;
    mean = weight * mean + (1 - weight) * value;
    total = weight * total + (1 - weight);
    return mean / total;
  });
}

const COLOURS = 7;

/** Labels that tell runs apart, and a colour each; one that is the champion is always the same dark neutral. */
export function toChartRuns(
  runs: readonly { readonly id: string; readonly name: string }[],
  champion?: string | undefined,
): readonly ChartRun[] {
  const names = new Map<string, number>();
  for (const { name } of runs) names.set(name, (names.get(name) ?? 0) + 1);
  let next = 0;
  return runs.map(({ id, name }) => ({
    id,
    label: (names.get(name) ?? 0) > 1 ? `${name} ${id.slice(-7)}` : name,
    colour: id === champion ? '--champion' : `--series-${(next++ % COLOURS) + 1}`,
  }));
}
