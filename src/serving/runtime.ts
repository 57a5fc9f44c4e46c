import type { Clock } from '../ports/system.ts';
import type { LogBlocks } from './log/bytes.ts';
import type { DesiredDocument } from './wire.ts';

/** Decoded segments kept for readers, in rows. */
const CACHED_ROWS = 100_000;

/**
 * What this process keeps between calls: wake-ups, caches, and the evidence of running rollouts. All of it is derived from the
 * database and the log, so that losing it costs a second look and nothing else.
 */
export interface ServingRuntime {
  readonly desired: Signal;
  readonly work: Signal;
  readonly segments: SegmentCache;
  document: DesiredDocument | undefined;
  /** What gateways need of a version, by id: never changes. */
  readonly versions: Map<string, unknown>;
  /** Folded evidence by rollout id. */
  readonly evidence: Map<string, unknown>;
  /** What each gateway last said that was stored, and when. */
  readonly reports: Map<string, { readonly digest: string; readonly storedAt: number }>;
}

export const createServingRuntime = (): ServingRuntime => ({
  desired: new Signal(),
  work: new Signal(),
  segments: new SegmentCache(),
  document: undefined,
  versions: new Map(),
  evidence: new Map(),
  reports: new Map(),
});

/** Wakes all who wait now; `count` tells one who comes later that he missed it. */
export class Signal {
  readonly #waiting = new Set<AbortController>();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  wake(): void {
    this.#count += 1;
    for (const waiting of this.#waiting) waiting.abort();
  }

  /** Resolves on a wake-up after `seen` (a `count`), an abort, or after `timeoutMs`. Never rejects. */
  async wait(clock: Pick<Clock, 'sleep'>, seen: number, timeoutMs: number, signal?: AbortSignal): Promise<void> {
    if (this.#count !== seen || signal?.aborted) return;
    const woken = new AbortController();
    this.#waiting.add(woken);
    await clock.sleep(timeoutMs, signal ? AbortSignal.any([woken.signal, signal]) : woken.signal);
    this.#waiting.delete(woken);
  }
}

/** The segments decoded last, by digest. */
export class SegmentCache {
  readonly #segments = new Map<string, LogBlocks>();
  #rows = 0;

  find(digest: string): LogBlocks | undefined {
    const found = this.#segments.get(digest);
    if (!found) return undefined;
    this.#segments.delete(digest);
    this.#segments.set(digest, found);
    return found;
  }

  add(digest: string, segment: LogBlocks): void {
    if (this.#segments.has(digest)) return;
    this.#segments.set(digest, segment);
    this.#rows += rowsOf(segment);
    for (const [oldest, dropped] of this.#segments) {
      if (this.#rows <= CACHED_ROWS) break;
      this.#segments.delete(oldest);
      this.#rows -= rowsOf(dropped);
    }
  }
}

const rowsOf = ({ blocks }: LogBlocks): number => blocks.reduce((sum, { rows }) => sum + rows.rowCount, 0);
