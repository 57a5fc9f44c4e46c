import { MIN_COVERAGE, MIN_LABELS } from '../evaluation/performance-rules.ts';
import { EFFECT, SHARES } from '../evaluation/rules.ts';

export interface RuleFacts {
  /** What it looks at and when it alarms, in words. */
  readonly meaning: string;
  /** What `value` and `threshold` are; null where the rule has none. */
  readonly value: string | null;
  readonly threshold: string | null;
  /** Whether `value` and `threshold` are of one kind, and may stand in one chart. */
  readonly comparable: boolean;
  readonly unit: 'share' | 'ms' | 'effect' | 'loss' | 'days' | 'labels' | 'factor' | 'score';
  /** Its part of the one budget of false alarms; null for plain limits, which take nothing of it. */
  readonly share: number | null;
}

const LIMIT = { comparable: true, share: null } as const;
const quality = (what: string): RuleFacts => ({
  meaning: `The share of values ${what}, of the column that is worst; red from 5 points above training on, amber from 1 point where chance does not explain it.`,
  value: 'share of the worst column',
  threshold: 'its share in training and 5 points',
  comparable: true,
  unit: 'share',
  share: SHARES.quality / 4,
});

/** What each rule is, for people who ask why a light is as it is. */
export const RULES: Readonly<Record<string, RuleFacts>> = {
  'service.errors': {
    ...LIMIT,
    meaning:
      'Failed requests of the day. Red when their share is surely above the limit, amber when it is above it at all.',
    value: 'share of requests that failed',
    threshold: 'deploy.*.abort_on.error_rate',
    unit: 'share',
  },
  'service.latency': {
    ...LIMIT,
    meaning: 'The time below which 99 % of the day’s requests were answered, against its limit.',
    value: 'p99 of latency',
    threshold: 'deploy.*.abort_on.latency_p99',
    unit: 'ms',
  },
  'data.refused': {
    ...LIMIT,
    meaning: 'Rows that the signature or features.py refused. Red from 5 % and five rows on, amber from 1 %.',
    value: 'share of rows refused',
    threshold: '5 %',
    unit: 'share',
  },
  'data.types': quality('that are not of their column’s type'),
  'data.nulls': quality('that are missing'),
  'data.range': quality('outside the range of training'),
  'data.unseen': quality('never seen in training'),
  'data.units': {
    meaning: 'A numeric column that arrives multiplied by a constant, as when miles become kilometres.',
    value: 'factor',
    threshold: null,
    comparable: false,
    unit: 'factor',
    share: null,
  },
  'data.drift': {
    meaning: `Each column’s distribution against training, over the last 7 days together. It counts where chance does not explain it (p below the alarm’s, Benjamini–Hochberg over the columns) and the effect is ${EFFECT.noted} or more; from ${EFFECT.major} on it is red. A version younger than a week is compared by the day, from ${EFFECT.major} on.`,
    value: 'largest effect of a column',
    threshold: 'effect that matters',
    comparable: true,
    unit: 'effect',
    share: SHARES.drift,
  },
  'predictions.scores': {
    meaning: `The scores’ distribution against held-out rows, over the last 7 days together; from ${EFFECT.noted} on amber, from ${EFFECT.major} on red, where chance does not explain it.`,
    value: 'effect',
    threshold: 'effect that matters',
    comparable: true,
    unit: 'effect',
    share: SHARES.scores,
  },
  'predictions.constant': {
    meaning: 'All answers of the day are the same, and in training they varied.',
    value: 'the one answer',
    threshold: null,
    comparable: false,
    unit: 'score',
    share: null,
  },
  'performance.day': {
    meaning: `The day’s loss with the labels that are there; judged from ${MIN_LABELS} labels and ${MIN_COVERAGE * 100} % of the predictions on.`,
    value: 'mean loss of the day',
    threshold: 'loss at the gate',
    comparable: true,
    unit: 'loss',
    share: null,
  },
  'performance.loss': {
    meaning:
      'The mean loss of the last 7 and 14 days with labels against the gate’s, in Student’s t with the days’ own variance. Red when p is below the alarm’s and the loss is 2 % worse at least; amber when p is below 0.05.',
    value: 'mean loss of the last days',
    threshold: 'p below which it alarms',
    comparable: false,
    unit: 'loss',
    share: SHARES.loss,
  },
  'performance.calibration': {
    meaning:
      'What came true less what was predicted, over the last 7 and 14 days with labels, against 0. Red when p is below the alarm’s and the gap is one point at least; amber when p is below 0.05.',
    value: 'observed less predicted',
    threshold: 'p below which it alarms',
    comparable: false,
    unit: 'share',
    share: SHARES.calibration,
  },
  'performance.jump': {
    meaning:
      'Losses within the day in order of time, in an e-detector whose baseline is a bad ordinary day: what breaks at once.',
    value: 'label of the day at which it broke',
    threshold: 'evidence at which it alarms',
    comparable: false,
    unit: 'labels',
    share: SHARES.jump,
  },
  'performance.coverage': {
    ...LIMIT,
    meaning:
      'Days with traffic that labels are behind, against the most that they were behind before they came after all.',
    value: 'days behind',
    threshold: 'usual days behind and two',
    unit: 'days',
  },
};
