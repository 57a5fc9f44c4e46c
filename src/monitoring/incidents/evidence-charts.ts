import type { Day } from '../evaluation/performance-rules.ts';
import type { EvaluationTable } from '../tables.ts';

/** 95 % of a normal distribution. */
const Z = 1.96;

export interface EvidenceSeries {
  readonly label: string;
  /** `limit` and `reference` are what it is held against. */
  readonly kind: 'live' | 'rehearsal' | 'reference' | 'limit';
  readonly values: readonly (number | null)[];
  readonly low?: readonly (number | null)[];
  readonly high?: readonly (number | null)[];
}

/** One chart over event time; every series has a value (or null) for each time. */
export interface EvidenceChart {
  readonly rule: string;
  /** States what is shown, in words. */
  readonly title: string;
  readonly unit: 'share' | 'ms' | 'effect' | 'loss' | 'value';
  readonly yLabel: string;
  readonly at: readonly string[];
  readonly series: readonly EvidenceSeries[];
}

/** Rules whose value and limit are of one kind. */
const PLAIN: Readonly<Record<string, Pick<EvidenceChart, 'title' | 'unit' | 'yLabel'>>> = {
  'service.errors': { title: 'Requests that failed, by day', unit: 'share', yLabel: 'share of requests' },
  'service.latency': { title: 'Slowest 1 % of requests (p99), by day', unit: 'ms', yLabel: 'latency' },
  'data.nulls': { title: 'Missing values of the worst column, by day', unit: 'share', yLabel: 'share of rows' },
  'data.range': { title: 'Values outside the training range, by day', unit: 'share', yLabel: 'share of rows' },
  'data.types': { title: 'Ill-typed values, by day', unit: 'share', yLabel: 'share of rows' },
  'data.unseen': { title: 'Values never seen in training, by day', unit: 'share', yLabel: 'share of rows' },
  'data.refused': { title: 'Rows that broke the signature, by day', unit: 'share', yLabel: 'share of rows' },
  'data.drift': { title: 'Largest drift of a column, by day', unit: 'effect', yLabel: 'effect' },
  'predictions.scores': { title: 'How far scores moved from held-out rows, by day', unit: 'effect', yLabel: 'effect' },
};

/** The chart that shows what a rule saw; none where the rule has no number over time. */
export function chartOf(
  rule: string,
  real: readonly EvaluationTable[],
  rehearsed: readonly EvaluationTable[],
): readonly EvidenceChart[] {
  const plain = PLAIN[rule];
  const chart = plain ? { rule, ...plain, ...plainSeries(rule, real, rehearsed) } : performanceChart(rule, real);
  return chart && chart.at.length > 0 ? [chart] : [];
}

function plainSeries(
  rule: string,
  real: readonly EvaluationTable[],
  rehearsed: readonly EvaluationTable[],
): Pick<EvidenceChart, 'at' | 'series'> {
  const rows = real.filter((row) => row.rule === rule);
  const tried = new Map(rehearsed.filter((row) => row.rule === rule).map((row) => [row.window_start, row]));
  const starts = [...new Set([...rows.map((row) => row.window_start), ...tried.keys()])].sort((a, b) => a - b);
  const known = new Map(rows.map((row) => [row.window_start, row]));
  return {
    at: starts.map(toIso),
    series: [
      { label: 'live', kind: 'live', values: starts.map((start) => known.get(start)?.value ?? null) },
      ...(tried.size > 0
        ? [
            {
              label: 'rehearsal',
              kind: 'rehearsal' as const,
              values: starts.map((start) => tried.get(start)?.value ?? null),
            },
          ]
        : []),
      {
        label: 'limit',
        kind: 'limit',
        values: starts.map((start) => (known.get(start) ?? tried.get(start))?.threshold ?? null),
      },
    ],
  };
}

type PerformanceDay = Day & { readonly reference: number | null };

/** By day of the predictions, from the labels that have come. */
function performanceChart(rule: string, real: readonly EvaluationTable[]): EvidenceChart | undefined {
  const days = real
    .filter((row) => row.rule === 'performance.day')
    .map((row) => JSON.parse(row.details) as PerformanceDay);
  const at = days.map(({ start }) => toIso(start));
  switch (rule) {
    case 'performance.calibration':
      return {
        rule,
        title: 'What came true against what was predicted, by day of the predictions',
        unit: 'share',
        yLabel: 'share',
        at,
        series: [
          { label: 'observed', kind: 'live', ...banded(days, ({ observed, gapVariance }) => [observed, gapVariance]) },
          { label: 'predicted', kind: 'reference', values: days.map(({ predicted }) => predicted) },
        ],
      };
    case 'performance.loss':
    case 'performance.jump':
      return {
        rule,
        title: `${lossName(days)} by day of the predictions, against the gate`,
        unit: 'loss',
        yLabel: lossName(days),
        at,
        series: [
          { label: lossName(days), kind: 'live', ...banded(days, ({ loss, lossVariance }) => [loss, lossVariance]) },
          { label: 'at the gate', kind: 'reference', values: days.map(({ reference }) => reference) },
        ],
      };
    case 'performance.coverage':
      return {
        rule,
        title: 'Predictions with a label, by day of the predictions',
        unit: 'share',
        yLabel: 'share of predictions',
        at,
        series: [{ label: 'labelled', kind: 'live', values: days.map(({ coverage }) => coverage) }],
      };
    default:
      return undefined;
  }
}

const lossName = (days: readonly PerformanceDay[]): string => (days.at(-1)?.lossName ?? 'loss').replaceAll('_', ' ');

/** A mean with its 95 % interval. */
function banded(
  days: readonly PerformanceDay[],
  of: (day: PerformanceDay) => readonly [value: number | null, variance: number | null],
): Pick<EvidenceSeries, 'values' | 'low' | 'high'> {
  const edge = (sign: number) =>
    days.map((day) => {
      const [value, variance] = of(day);
      return value === null || variance === null ? null : value + sign * Z * Math.sqrt(variance);
    });
  return { values: days.map((day) => of(day)[0]), low: edge(-1), high: edge(1) };
}

const toIso = (ms: number): string => new Date(ms).toISOString();
