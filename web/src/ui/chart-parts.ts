/** A value of a line: null is a gap and is shown as one; undefined is no point of this line, and the line goes on over it. */
export type Value = number | null | undefined;

/** A line of a chart; x is shared. */
export interface Series {
  readonly label: string;
  readonly values: readonly Value[];
  /** A colour token, such as `--champion`; else by position among the series colours. */
  readonly colour?: string;
  readonly dashed?: boolean;
  readonly width?: number;
  /** The raw line behind a smoothed one: pale, without a legend of its own, shown and hidden with the line that has this label. */
  readonly rawOf?: string;
  /** Low and high of the interval around it, as a band. */
  readonly band?: { readonly low: readonly Value[]; readonly high: readonly Value[] };
}

/** Something that happened at an x: a deploy, a data version, an alert. */
export interface Mark {
  readonly x: number;
  readonly label: string;
  readonly colour?: string;
}

export interface ChartProps {
  /** States what is shown, in words. */
  readonly title: string;
  /** Epoch seconds where `time`, else numbers; ascending. */
  readonly x: readonly number[];
  readonly series: readonly Series[];
  readonly marks?: readonly Mark[];
  readonly time?: boolean;
  readonly xLabel?: string;
  /** What is measured, with its unit. */
  readonly yLabel?: string;
  readonly height?: number;
  readonly log?: boolean;
  readonly zeroLine?: boolean;
  /** The least and the greatest y, where they are known; else what the data needs. */
  readonly range?: readonly [low: number | null, high: number | null];
  /** Charts of one key share their crosshair and their zoom. */
  readonly syncKey?: string;
  readonly format?: (value: number) => string;
  /** The numbers are on their way: their place is kept. */
  readonly isLoading?: boolean;
  /** Told which x are in sight once a reader zooms; undefined where it is all of them. */
  readonly onZoom?: (range: readonly [from: number, to: number] | undefined) => void;
}

export const SERIES_COLOURS = 8;

/** The token of a series' colour; a raw line has that of the line it belongs to. */
export function colourOf(all: readonly Series[], index: number): string {
  const series = all[index]!;
  if (series.colour) return series.colour;
  const named = all.filter(({ rawOf }) => rawOf === undefined);
  const at = named.findIndex(({ label }) => label === (series.rawOf ?? series.label));
  return `--series-${(Math.max(0, at) % SERIES_COLOURS) + 1}`;
}

/** The columns of a plot: each series, then the edges of its band. */
export function columnsOf(
  all: readonly Series[],
): readonly { readonly series: number; readonly values: readonly Value[] }[] {
  return all.flatMap(({ values, band }, series) =>
    [values, ...(band ? [band.low, band.high] : [])].map((each) => ({ series, values: each })),
  );
}

/** What cannot be drawn, and why, in words; undefined where all can. */
export function undrawable({ series, log }: Pick<ChartProps, 'series' | 'log'>): string | undefined {
  let [nan, infinite, negative] = [0, 0, 0];
  for (const { values } of series)
    for (const value of values) {
      if (typeof value !== 'number') continue;
      if (Number.isNaN(value)) nan++;
      else if (!Number.isFinite(value)) infinite++;
      else if (log && value <= 0) negative++;
    }
  const parts = [
    ...(nan ? [`${nan} NaN (not a number)`] : []),
    ...(infinite ? [`${infinite} infinite`] : []),
    ...(negative ? [`${negative} at or below 0, which a log axis has no place for`] : []),
  ];
  return parts.length === 0 ? undefined : `Not drawn: ${parts.join(', ')}.`;
}
