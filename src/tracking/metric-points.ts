import { AppError } from '../kernel/errors.ts';
import type { Point } from './metric-chunk.ts';

/** The largest double: how infinities are kept, because no database column and no JSON holds them alike. */
export const INFINITY_VALUE = Number.MAX_VALUE;

/** A metric as it comes in: one value of `key`, in a context that may name a logged model and a dataset. */
export interface MetricInput {
  readonly key: string;
  readonly value: number;
  readonly timestamp: number;
  readonly step: number;
  readonly modelId?: string | undefined;
  readonly datasetName?: string | undefined;
  readonly datasetDigest?: string | undefined;
}

export interface Metric extends MetricInput {
  readonly runId: string;
}

/** Throws `invalid` on steps and times beyond ±(2^53-1). */
export function toPoint({ key, value, timestamp, step }: MetricInput): Point {
  if (!Number.isSafeInteger(step) || !Number.isSafeInteger(timestamp)) {
    throw new AppError(
      'invalid',
      `The step ${step} or timestamp ${timestamp} of metric '${key}' is no whole number within ±(2^53-1)`,
    );
  }
  const isNan = Number.isNaN(value);
  const finite = isNan ? 0 : Math.max(-INFINITY_VALUE, Math.min(INFINITY_VALUE, value));
  return { step, ts: timestamp, isNan, value: finite === 0 ? 0 : finite };
}

export const numberOf = ({ isNan, value }: Point): number => (isNan ? Number.NaN : value);

/** By step, then time, then value, NaN below numbers: the order in which one point replaces another as the latest. */
export const isLater = (a: Point, b: Point): boolean => compareLatest(a, b) > 0;

export const compareLatest = (a: Point, b: Point): number =>
  a.step - b.step || a.ts - b.ts || Number(b.isNan) - Number(a.isNan) || a.value - b.value;

/** By time, then step, then value: the order of a history. */
export const compareHistory = (a: Point, b: Point): number =>
  a.ts - b.ts || a.step - b.step || Number(a.isNan) - Number(b.isNan) || a.value - b.value;

/** Sorted by time, step and value, exact duplicates dropped. */
export function toHistory(points: readonly Point[]): readonly Point[] {
  const sorted = [...points].sort(compareHistory);
  return sorted.filter((point, i) => i === 0 || compareHistory(point, sorted[i - 1]!) !== 0);
}
