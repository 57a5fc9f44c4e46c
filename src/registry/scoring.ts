import { setImmediate } from 'node:timers/promises';
import { concatOutputs, loadServable, rowsOf } from '../engines/index.ts';
import type { Outputs, Servable, ServableSpec } from '../engines/types.ts';
import type { Frame } from '../kernel/frame.ts';
import type { RegistryDeps } from './types.ts';

/** Rows scored at a time: checking and encoding them holds the event loop for a millisecond or two. */
const CHUNK_ROWS = 4096;

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
  const parts: Outputs[] = [];
  for (let from = 0; from < frame.rowCount; from += CHUNK_ROWS) {
    parts.push(await servable.predict(rowsOf(frame, from, Math.min(frame.rowCount, from + CHUNK_ROWS))));
    await setImmediate();
  }
  return concatOutputs(parts);
}

/** `count` of the rows 0..n-1 in an order that the seed decides, so that a repeated registration measures the same. O(count). */
export function sampled(n: number, count: number, seed: number): number[] {
  const random = seeded(seed);
  const moved = new Map<number, number>();
  const at = (i: number): number => moved.get(i) ?? i;
  return Array.from({ length: Math.min(n, count) }, (_, i) => {
    const j = i + Math.floor(random() * (n - i));
    const row = at(j);
    moved.set(j, at(i));
    return row;
  });
}

/** mulberry32. */
export function seeded(seed: number): () => number {
  let a = seed | 0;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
