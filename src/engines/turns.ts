import { setImmediate } from 'node:timers/promises';
import type { Cell, Frame } from '../kernel/frame.ts';
import type { Outputs, RowError } from './types.ts';

/** Rows that an engine answers before others get their turn: some milliseconds of a forest of a thousand trees. */
export const TURN_ROWS = 64;

/** An engine over many rows without holding the event loop; the same answers as in one go. */
export async function runInTurns(run: (frame: Frame) => Outputs, frame: Frame): Promise<Outputs> {
  if (frame.rowCount <= TURN_ROWS) return run(frame);
  const parts: Outputs[] = [];
  for (let from = 0; from < frame.rowCount; from += TURN_ROWS) {
    if (from > 0) await setImmediate();
    parts.push(run(rowsOf(frame, from, Math.min(frame.rowCount, from + TURN_ROWS))));
  }
  return concatOutputs(parts);
}

/** Rows `from` to `to` of a frame; numbers are not copied. */
export const rowsOf = (frame: Frame, from: number, to: number): Frame => ({
  rowCount: to - from,
  columns: frame.columns.map(({ name, values }) => ({
    name,
    values: values instanceof Float64Array ? values.subarray(from, to) : values.slice(from, to),
  })),
});

/** Answers to consecutive rows as one. */
export function concatOutputs(parts: readonly Outputs[]): Outputs {
  if (parts.length === 1) return parts[0]!;
  const rowCount = parts.reduce((sum, part) => sum + part.rowCount, 0);
  const labels = new Array<Cell>(rowCount);
  const errors: RowError[] = [];
  let at = 0;
  for (const part of parts) {
    for (const error of part.errors ?? []) errors.push({ ...error, row: error.row + at });
    for (let i = 0; i < part.rowCount; i++) labels[at + i] = part.labels[i]!;
    at += part.rowCount;
  }
  const joined = (pick: (part: Outputs) => Float64Array): Float64Array => {
    const all = new Float64Array(rowCount);
    let to = 0;
    for (const part of parts) {
      all.set(pick(part), to);
      to += part.rowCount;
    }
    return all;
  };
  const classes = parts[0]?.probabilities?.length ?? 0;
  const probabilities = Array.from({ length: classes }, (_, k) => joined((part) => part.probabilities![k]!));
  return {
    rowCount,
    labels,
    scores: joined((part) => part.scores),
    ...(classes > 0 && { probabilities }),
    ...(errors.length > 0 && { errors }),
  };
}
