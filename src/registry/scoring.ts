import { setImmediate } from 'node:timers/promises';
import { loadServable } from '../engines/index.ts';
import type { Outputs, Servable, ServableSpec } from '../engines/types.ts';
import { type Cell, type Frame, takeRows } from '../kernel/frame.ts';
import type { RegistryDeps } from './types.ts';

/** Rows scored between two turns of the event loop: a few milliseconds of a large forest. */
const CHUNK_ROWS = 250;

export const openServable = (
  deps: Pick<RegistryDeps, 'content' | 'workers' | 'random' | 'clock'>,
  spec: ServableSpec,
) =>
  loadServable(spec, {
    localPath: (digest) => deps.content.localPath(digest),
    workers: deps.workers,
    random: deps.random,
    clock: deps.clock,
  });

/** Scores many rows on the path that serving takes, without holding the event loop. */
export async function scoreRows(servable: Servable, frame: Frame): Promise<Outputs> {
  const chunkRows = servable.predictSync ? CHUNK_ROWS : CHUNK_ROWS * 20;
  const parts: Outputs[] = [];
  for (let start = 0; start < frame.rowCount; start += chunkRows) {
    const rows = Array.from({ length: Math.min(chunkRows, frame.rowCount - start) }, (_, i) => start + i);
    parts.push(await servable.predict(takeRows(frame, rows)));
    await setImmediate();
  }
  return concatOutputs(parts);
}

function concatOutputs(parts: readonly Outputs[]): Outputs {
  const join = (pick: (part: Outputs) => Float64Array): Float64Array => {
    const all = new Float64Array(parts.reduce((n, part) => n + part.rowCount, 0));
    let at = 0;
    for (const part of parts) {
      all.set(pick(part), at);
      at += part.rowCount;
    }
    return all;
  };
  const labels: Cell[] = parts.flatMap((part) => [...part.labels]);
  const errors: { row: number; message: string }[] = [];
  let offset = 0;
  for (const part of parts) {
    for (const { row, message } of part.errors ?? []) errors.push({ row: row + offset, message });
    offset += part.rowCount;
  }
  const classes = parts[0]?.probabilities?.length ?? 0;
  const probabilities = Array.from({ length: classes }, (_, k) => join((part) => part.probabilities![k]!));
  return {
    rowCount: labels.length,
    labels,
    scores: join((part) => part.scores),
    ...(classes > 0 && { probabilities }),
    ...(errors.length > 0 && { errors }),
  };
}

/** Deterministic permutation of 0..n-1 by a seed (mulberry32), so that a repeated registration measures the same. */
export function shuffled(n: number, seed: number): number[] {
  const random = seeded(seed);
  const order = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

export function seeded(seed: number): () => number {
  let a = seed | 0;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
