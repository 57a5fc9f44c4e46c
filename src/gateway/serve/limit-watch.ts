import type { HardLimits, Latch } from '../../serving/wire.ts';

export const DEFAULT_MIN_REQUESTS = 20;
/** The newest requests of a challenger that its limits are judged on. */
export const WATCHED_REQUESTS = 1_000;

export type Breach = Pick<Latch, 'limit' | 'value' | 'threshold' | 'requests'>;

/**
 * The hard limits of one challenger over its newest requests. p99 is above its limit exactly when more than 1 % of the requests are;
 * a single slow request never is enough.
 */
export class LimitWatch {
  readonly #limits: HardLimits;
  readonly #latencyMs = new Float64Array(WATCHED_REQUESTS);
  readonly #failed = new Uint8Array(WATCHED_REQUESTS);
  #seen = 0;
  #errors = 0;
  #slow = 0;

  constructor(limits: HardLimits) {
    this.#limits = limits;
  }

  /** Takes one request in; answers the limit that it breaks, if any. */
  observe(latencyMs: number, failed: boolean): Breach | undefined {
    const limit = this.#limits.latencyP99Ms ?? Number.POSITIVE_INFINITY;
    const at = this.#seen % WATCHED_REQUESTS;
    if (this.#seen >= WATCHED_REQUESTS) {
      this.#errors -= this.#failed[at]!;
      this.#slow -= Number(this.#latencyMs[at]! > limit);
    }
    this.#seen += 1;
    this.#failed[at] = Number(failed);
    this.#latencyMs[at] = latencyMs;
    this.#errors += Number(failed);
    this.#slow += Number(latencyMs > limit);
    return this.#judge();
  }

  #judge(): Breach | undefined {
    const requests = Math.min(this.#seen, WATCHED_REQUESTS);
    if (requests < (this.#limits.minRequests ?? DEFAULT_MIN_REQUESTS)) return undefined;
    const { errorRate, latencyP99Ms } = this.#limits;
    const rate = this.#errors / requests;
    if (errorRate !== undefined && rate > errorRate)
      return { limit: 'errorRate', value: rate, threshold: errorRate, requests };
    if (latencyP99Ms !== undefined && this.#slow >= 2 && this.#slow > requests / 100)
      return { limit: 'latencyP99Ms', value: this.#p99(requests), threshold: latencyP99Ms, requests };
    return undefined;
  }

  #p99(requests: number): number {
    const sorted = this.#latencyMs.slice(0, requests).sort();
    return sorted[Math.min(requests - 1, Math.ceil(requests * 0.99) - 1)]!;
  }
}

/** @example sentenceOf({ limit: 'errorRate', value: 0.25, threshold: 0.01, requests: 40 }) === 'errors 25.0 % of 40 requests, above the limit of 1 %' */
export function sentenceOf(breach: Breach): string {
  if (breach.limit === 'errorRate')
    return `errors ${(breach.value * 100).toFixed(1)} % of ${breach.requests} requests, above the limit of ${+(breach.threshold * 100).toFixed(3)} %`;
  return `p99 latency ${breach.value.toFixed(1)} ms over ${breach.requests} requests, above the limit of ${breach.threshold} ms`;
}
