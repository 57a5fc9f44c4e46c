import type { Outputs, RowError } from '../../engines/types.ts';
import type { Cell, Frame } from '../../kernel/frame.ts';
import { LIMITS } from '../limits.ts';
import type { LiveVersion } from './live-version.ts';

/**
 * Scores checked rows: at once where the version can and it takes at most `LIMITS.sliceMicros` by its measured cost; else in slices that let other
 * requests through, or in its Python worker. Throws what the servable throws.
 */
export function score(version: LiveVersion, frame: Frame): Outputs | Promise<Outputs> {
  const { servable, selfTest } = version;
  if (!servable.predictSync) return servable.predict(frame, { deadlineMs: LIMITS.deadlineMs });
  const sliceRows = Math.max(16, Math.floor(LIMITS.sliceMicros / (selfTest.microsPerRow ?? 10)));
  return frame.rowCount <= sliceRows ? servable.predictSync(frame) : scoreSlices(version, frame, sliceRows);
}

async function scoreSlices(version: LiveVersion, frame: Frame, sliceRows: number): Promise<Outputs> {
  const parts: Outputs[] = [];
  for (let start = 0; start < frame.rowCount; start += sliceRows) {
    if (start > 0) await new Promise((resolve) => setImmediate(resolve));
    parts.push(version.servable.predictSync!(sliceOf(frame, start, Math.min(frame.rowCount, start + sliceRows))));
  }
  return joinOutputs(parts);
}

function sliceOf(frame: Frame, start: number, end: number): Frame {
  const columns = frame.columns.map(({ name, values }) => ({
    name,
    values: values instanceof Float64Array ? values.subarray(start, end) : values.slice(start, end),
  }));
  return { rowCount: end - start, columns };
}

export function joinOutputs(parts: readonly Outputs[]): Outputs {
  const rowCount = parts.reduce((sum, part) => sum + part.rowCount, 0);
  const labels: Cell[] = [];
  const errors: RowError[] = [];
  for (const part of parts) {
    for (const error of part.errors ?? []) errors.push({ ...error, row: error.row + labels.length });
    for (const label of part.labels) labels.push(label);
  }
  const first = parts[0]?.probabilities;
  return {
    rowCount,
    labels,
    scores: joinNumbers(parts.map((part) => part.scores)),
    ...(first ? { probabilities: first.map((_, c) => joinNumbers(parts.map((part) => part.probabilities![c]!))) } : {}),
    ...(errors.length > 0 ? { errors } : {}),
  };
}

function joinNumbers(parts: readonly Float64Array[]): Float64Array {
  const joined = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
