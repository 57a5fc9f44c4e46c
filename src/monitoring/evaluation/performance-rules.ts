import { type AlarmBudget, movingAlpha, windowsIn } from '../../stats/false-alarms.ts';
import { type LevelShift, levelShift } from '../../stats/level-shift.ts';
import { grouped } from '../labels/labels.ts';
import { type DayPerformance, firstJump } from './performance.ts';
import { type Finding, finding, percent, SHARES } from './rules.ts';

/** A day counts from so many labels on, and when so many of its predictions have one. */
export const MIN_LABELS = 100;
export const MIN_COVERAGE = 0.3;
/** Days of a moving mean: a week holds every weekday once. */
const SPANS = [7, 14] as const;
/** The gate's number is itself from about so many days. */
const REFERENCE_DAYS = 14;
/** What is smaller matters to nobody: relative for the loss, absolute for a binary gap. */
const LOSS_FLOOR = 0.02;
const GAP_FLOOR = 0.01;

/** One evaluated day of a version, as it is stored. */
export interface Day extends Omit<DayPerformance, 'bounded'> {
  readonly start: number;
}

export interface PerformanceReference {
  /** The loss when the version was made (its gate's), or of its first days where there was no gate. */
  readonly loss: number | null;
  readonly source: 'gate' | 'first days' | null;
}

export const isCounted = (day: Pick<Day, 'labelled' | 'coverage'>): boolean =>
  day.labelled >= MIN_LABELS && day.coverage >= MIN_COVERAGE;

/** What a day and the days before it say. `days` end with the day itself; only days with enough labels count. */
export function performanceFindings(
  days: readonly Day[],
  bounded: Float64Array | null,
  reference: PerformanceReference,
  budget: AlarmBudget,
): Finding[] {
  const day = days.at(-1)!;
  const summary = summaryFinding(day, reference);
  if (!isCounted(day)) return [summary];
  const counted = days.filter(isCounted);
  return [
    summary,
    lossFinding(counted, reference, budget),
    ...(day.observed === null ? [] : [calibrationFinding(counted, budget)]),
    ...(bounded === null ? [] : [jumpFinding(counted, bounded, budget)]),
  ];
}

function summaryFinding(day: Day, reference: PerformanceReference): Finding {
  const base = { rule: 'performance.day', light: 'performance', n: day.labelled, exceeds: false } as const;
  const details = { ...day, reference: reference.loss };
  if (!isCounted(day))
    return finding({
      ...base,
      state: 'grey',
      sentence: `${grouped(day.labelled)} of ${grouped(day.predictions)} predictions have labels (${percent(day.coverage)}); judged from ${MIN_LABELS} and ${percent(MIN_COVERAGE)} on`,
      details,
    });
  const auc = day.metrics['auc'];
  const rate =
    day.observed === null ? '' : `, observed ${number(day.observed)} where ${number(day.predicted!)} was predicted`;
  return finding({
    ...base,
    state: 'green',
    value: day.loss,
    threshold: reference.loss,
    sentence: `${lossWords(day)} ${day.loss!.toFixed(3)}${auc === null || auc === undefined ? '' : `, AUC ${auc.toFixed(3)}`}${rate} (${grouped(day.labelled)} labels, ${percent(day.coverage)})`,
    details,
  });
}

/** The loss of the last days against the reference, one-sided. */
function lossFinding(days: readonly Day[], reference: PerformanceReference, budget: AlarmBudget): Finding {
  const base = { rule: 'performance.loss', light: 'performance', n: labelsOf(days) } as const;
  if (reference.loss === null)
    return finding({ ...base, state: 'grey', sentence: 'there is no loss to compare with yet' });
  const floor = Math.abs(reference.loss) * LOSS_FLOOR;
  const found = SPANS.map((span) => {
    const last = days.slice(-span);
    const shift = levelShift(
      last.map((day) => day.loss!),
      reference.loss!,
      { samplingVariance: meanOf(last.map((day) => day.lossVariance)), referenceDays: REFERENCE_DAYS },
    );
    return shift && { shift, p: shift.pHigher, alpha: movingAlpha(budget, SHARES.loss / SPANS.length, span) };
  }).filter((each) => each !== null);
  const words = lossWords(days.at(-1)!);
  return trendFinding(base, found, floor, budget, {
    short: `fewer than 5 days with labels: ${words} is not compared yet`,
    tell: ({ days: n, mean }) =>
      `${words} ${mean.toFixed(3)} over the last ${n} days with labels, ${reference.loss!.toFixed(3)} at the ${reference.source ?? 'start'}`,
  });
}

/** Observed less predicted over the last days, two-sided; the reference is 0. */
function calibrationFinding(days: readonly Day[], budget: AlarmBudget): Finding {
  const base = { rule: 'performance.calibration', light: 'performance', n: labelsOf(days) } as const;
  const isShare = days.at(-1)!.lossName === 'log_loss';
  const found = SPANS.map((span) => {
    const last = days.slice(-span);
    const shift = levelShift(
      last.map((day) => day.observed! - day.predicted!),
      0,
      { samplingVariance: meanOf(last.map((day) => day.gapVariance)) },
    );
    const p = shift && 2 * Math.min(shift.pHigher, shift.pLower);
    return shift && { shift, p: p!, alpha: 2 * movingAlpha(budget, SHARES.calibration / SPANS.length / 2, span) };
  }).filter((each) => each !== null);
  const show = (value: number): string => (isShare ? percent(value) : number(value));
  return trendFinding(base, found, isShare ? GAP_FLOOR : 0, budget, {
    short: 'fewer than 5 days with labels: calibration is not judged yet',
    tell: ({ days: n }) => {
      const last = days.slice(-n);
      return `observed ${show(weighted(last, 'observed'))} where ${show(weighted(last, 'predicted'))} was predicted over the last ${n} days with labels`;
    },
  });
}

interface Trend {
  readonly shift: LevelShift;
  readonly p: number;
  readonly alpha: number;
}

function trendFinding(
  base: Pick<Finding, 'rule' | 'light' | 'n'>,
  found: readonly Trend[],
  floor: number,
  budget: AlarmBudget,
  words: { readonly short: string; readonly tell: (shift: LevelShift) => string },
): Finding {
  if (found.length === 0) return finding({ ...base, state: 'grey', exceeds: false, sentence: words.short });
  const strongest = found.reduce((a, b) => (b.p / b.alpha < a.p / a.alpha ? b : a));
  const { shift, p, alpha } = strongest;
  const matters = Math.abs(shift.shift) >= floor;
  const state = p < alpha && matters ? 'red' : p < 0.05 && matters ? 'amber' : 'green';
  const ordinary = `days differ: t = ${shift.t.toFixed(1)}, p = ${showP(p)}, alarm below ${showP(alpha)}`;
  return finding({
    ...base,
    state,
    exceeds: state === 'red',
    value: shift.mean,
    threshold: alpha,
    sentence: `${words.tell(shift)} (${ordinary})`,
    details: {
      ...shift,
      p,
      alpha,
      spans: found.map((each) => ({ days: each.shift.days, t: each.shift.t, p: each.p, alpha: each.alpha })),
      windowsPerPeriod: windowsIn(budget),
    },
  });
}

/**
 * The e-detector over the day's losses in order. Its baseline is what a bad ordinary day reaches (mean and two standard deviations of
 * the days before), so that it answers to sudden breaks only; slow ones are for the moving means.
 */
function jumpFinding(days: readonly Day[], bounded: Float64Array, budget: AlarmBudget): Finding {
  const base = { rule: 'performance.jump', light: 'performance', n: bounded.length } as const;
  const before = days
    .slice(0, -1)
    .map(boundedMean)
    .filter((mean) => mean !== null);
  if (before.length < 5)
    return finding({
      ...base,
      state: 'grey',
      exceeds: false,
      sentence: 'fewer than 5 days before: sudden breaks are not looked for yet',
    });
  const mean = meanOf(before);
  const sd = Math.sqrt(before.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (before.length - 1));
  const baseline = Math.min(0.95, mean + 2 * sd);
  const perWindow = bounded.length * windowsIn(budget);
  const threshold = Math.max(1_000, perWindow / (SHARES.jump * budget.count));
  const at = firstJump(bounded, baseline, threshold);
  const state = at === null ? 'green' : 'red';
  return finding({
    ...base,
    state,
    exceeds: at !== null,
    value: at,
    threshold,
    sentence:
      at === null
        ? `no sudden break within the day (${grouped(bounded.length)} losses, baseline ${baseline.toFixed(3)})`
        : `losses broke away after ${grouped(at)} of the day's ${grouped(bounded.length)} labels (baseline ${baseline.toFixed(3)})`,
    details: { baseline, threshold, at },
  });
}

/** The mean of the losses in [0, 1] as stored: brier for classes. */
const boundedMean = (day: Day): number | null => day.metrics['brier'] ?? (day.lossName === 'error' ? day.loss : null);

const labelsOf = (days: readonly Day[]): number => days.reduce((sum, day) => sum + day.labelled, 0);
const meanOf = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / Math.max(1, values.length);
const weighted = (days: readonly Day[], key: 'observed' | 'predicted'): number =>
  days.reduce((sum, day) => sum + day[key]! * day.labelled, 0) / Math.max(1, labelsOf(days));
const number = (value: number): string => Number(value.toPrecision(3)).toString();
const showP = (p: number): string => (p < 0.0001 ? p.toExponential(0) : p.toPrecision(2));
const lossWords = (day: Day): string =>
  day.lossName === 'log_loss' ? 'log loss' : day.lossName === 'error' ? 'error' : 'squared error';
