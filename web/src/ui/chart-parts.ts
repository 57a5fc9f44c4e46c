/** A line of a chart; x is shared. Null is a gap and is shown as one. */
export interface Series {
  readonly label: string;
  readonly values: readonly (number | null)[];
  /** A colour token, such as `--champion`; else by position among the series colours. */
  readonly colour?: string;
  readonly dashed?: boolean;
  readonly width?: number;
  /** Low and high of the interval around it, as a band. */
  readonly band?: { readonly low: readonly (number | null)[]; readonly high: readonly (number | null)[] };
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
  /** Epoch seconds where `time`, else numbers. */
  readonly x: readonly number[];
  readonly series: readonly Series[];
  readonly marks?: readonly Mark[];
  readonly time?: boolean;
  readonly xLabel?: string;
  readonly yLabel?: string;
  readonly height?: number;
  readonly log?: boolean;
  readonly zeroLine?: boolean;
  /** Charts of one key share their crosshair. */
  readonly syncKey?: string;
  readonly format?: (value: number) => string;
}
