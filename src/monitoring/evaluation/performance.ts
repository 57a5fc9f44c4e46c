import { type Cell, cellAt, findColumn } from '../../kernel/frame.ts';
import { truthOf } from '../../registry/index.ts';
import { readPredictions } from '../../serving/index.ts';
import { detect, newEDetector } from '../../stats/e-detector.ts';
import { metricValue, type Scored } from '../../stats/metrics.ts';
import { selectLabelsInRange } from '../labels/labels.store.ts';
import type { MonitoringDeps } from '../types.ts';
import type { Judged } from './versions.ts';

/** One day of one version, with the labels that there are. */
export interface DayPerformance {
  readonly predictions: number;
  readonly labelled: number;
  readonly coverage: number;
  /** Mean loss: log loss, 0/1 error (multiclass) or squared error. */
  readonly loss: number | null;
  readonly lossName: 'log_loss' | 'error' | 'mse';
  /** Sampling variance of the mean loss. */
  readonly lossVariance: number;
  /** Mean of the truth and of what was predicted; equal where it is calibrated. null for multiclass. */
  readonly observed: number | null;
  readonly predicted: number | null;
  /** Sampling variance of observed − predicted. */
  readonly gapVariance: number;
  readonly metrics: Readonly<Record<string, number | null>>;
  /** Losses clipped to [0, 1] in order of event time, for the sequential detector: kept only while evaluating. */
  readonly bounded: Float64Array;
}

export interface Window {
  readonly projectId: string;
  readonly endpoint: string;
  readonly start: number;
  readonly end: number;
  readonly clock: number;
}

const MAX_ROWS = 500_000;
const CLIP = 2 ** -52;

export async function dayPerformance(
  deps: MonitoringDeps,
  window: Window,
  judged: Judged,
  wanted: readonly string[],
): Promise<DayPerformance> {
  const { predictions, ...joined } = await joinLabels(deps, window, judged);
  return summarise(judged, joined, predictions, wanted);
}

/** Answers of one version in a span beside what came true, in order of event time, as far as labels are available by the clock. */
export async function joinLabels(
  deps: MonitoringDeps,
  { projectId, endpoint, start, end, clock }: Window,
  judged: Judged,
  column?: string,
): Promise<Joined & { readonly predictions: number }> {
  const range = { projectId, endpoint, from: start, to: end };
  const labels = new Map(
    (await deps.db.read((tx) => selectLabelsInRange(tx, { ...range, availableBy: clock }))).map((row) => [
      row.prediction_id,
      JSON.parse(row.value) as Cell,
    ]),
  );
  const frame = await readPredictions(deps.serving, {
    ...range,
    versionId: judged.version.id,
    columns: ['prediction_id', 'score', 'label', 'status', 'fallback', ...(column === undefined ? [] : [column])],
    limit: MAX_ROWS,
  });
  const values = (name: string) => findColumn(frame, name)?.values ?? [];
  const [ids, scores, answers, statuses, fallbacks] = ['prediction_id', 'score', 'label', 'status', 'fallback'].map(
    values,
  );
  const slices = column === undefined ? undefined : values(column);
  const y: number[] = [];
  const p: number[] = [];
  const right: number[] = [];
  const slice: Cell[] = [];
  let predictions = 0;
  for (let row = 0; row < frame.rowCount; row++) {
    if (cellAt(statuses!, row) !== 0 || cellAt(fallbacks!, row) === true) continue;
    predictions += 1;
    const label = labels.get(String(cellAt(ids!, row)));
    const score = cellAt(scores!, row);
    if (label === undefined || typeof score !== 'number' || !judged.rule) continue;
    const truth = truthOf(label, judged.rule);
    if (Number.isNaN(truth)) continue;
    y.push(truth);
    p.push(score);
    right.push(Number(String(cellAt(answers!, row)) === String(label)));
    if (slices) slice.push(cellAt(slices, row));
  }
  return { y: Float64Array.from(y), p: Float64Array.from(p), right, slice, predictions };
}

export interface Joined {
  readonly y: Float64Array;
  readonly p: Float64Array;
  readonly right: readonly number[];
  /** The raw column that was asked for, row by row; empty where none was. */
  readonly slice: readonly Cell[];
}

type Answers = Omit<Joined, 'slice'>;

/** The numbers of joined rows, of which `predictions` could have had a label. */
export function summarise(
  judged: Judged,
  { y, p, right }: Answers,
  predictions: number,
  wanted: readonly string[],
): DayPerformance {
  const { task } = judged;
  const losses = lossesOf(task, { y, p, right });
  const loss = meanOf(losses);
  const isCalibrated = task !== 'multiclass';
  const gap = Float64Array.from(y, (truth, i) => truth - p[i]!);
  const n = y.length;
  return {
    predictions,
    labelled: n,
    coverage: predictions === 0 ? 0 : n / predictions,
    loss: n === 0 ? null : loss,
    lossName: task === 'binary' ? 'log_loss' : task === 'multiclass' ? 'error' : 'mse',
    lossVariance: varianceOf(losses, loss) / Math.max(1, n),
    observed: isCalibrated && n > 0 ? meanOf(y) : null,
    predicted: isCalibrated && n > 0 ? meanOf(p) : null,
    gapVariance:
      task === 'binary'
        ? p.reduce((sum, q) => sum + q * (1 - q), 0) / Math.max(1, n) ** 2
        : varianceOf(gap, meanOf(gap)) / Math.max(1, n),
    metrics: n === 0 ? {} : metricsOf(judged, { y, p, right }, wanted),
    bounded:
      task === 'binary' ? Float64Array.from(gap, (d) => d * d) : task === 'multiclass' ? losses : boundedOf(losses),
  };
}

function lossesOf(task: Judged['task'], { y, p, right }: Answers): Float64Array {
  if (task === 'multiclass') return Float64Array.from(right, (ok) => 1 - ok);
  if (task === 'regression') return Float64Array.from(y, (truth, i) => (truth - p[i]!) ** 2);
  return Float64Array.from(y, (truth, i) => {
    const q = Math.min(1 - CLIP, Math.max(CLIP, p[i]!));
    return truth === 1 ? -Math.log(q) : -Math.log(1 - q);
  });
}

/** Squared errors as a share of their own 99th percentile. */
function boundedOf(losses: Float64Array): Float64Array {
  const q99 = Float64Array.from(losses).sort()[Math.floor(losses.length * 0.99)] ?? 1;
  return losses.map((loss) => Math.min(1, q99 === 0 ? 0 : loss / q99));
}

function metricsOf(
  { task, threshold }: Judged,
  { y, p, right }: Answers,
  wanted: readonly string[],
): Record<string, number | null> {
  if (task === 'multiclass') return { accuracy: meanOf(Float64Array.from(right)) };
  const scored: Scored = task === 'binary' ? { task, y, scores: p, threshold } : { task: 'regression', y, scores: p };
  const names = [...new Set([...(task === 'binary' ? ['log_loss', 'auc', 'brier'] : ['rmse', 'mae']), ...wanted])];
  return Object.fromEntries(
    names.flatMap((name) => {
      try {
        return [[name, metricValue(name, scored)]];
      } catch {
        return [];
      }
    }),
  );
}

const meanOf = (values: Float64Array): number =>
  values.length === 0 ? 0 : values.reduce((a, b) => a + b, 0) / values.length;

const varianceOf = (values: Float64Array, mean: number): number =>
  values.length < 2 ? 0 : values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (values.length - 1);

/** The first label of the window at which the sequential detector alarms, or null. */
export const firstJump = (losses: Float64Array, baseline: number, threshold: number): number | null =>
  detect(newEDetector(), losses, { baseline, threshold }).alarmAt;
