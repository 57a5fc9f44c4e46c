import { messageOf } from '../../kernel/errors.ts';
import type { Clock, Log } from '../../ports/system.ts';
import { GATEWAY_PATHS, SEGMENT_HEADER } from '../../serving/wire.ts';
import type { Dialer } from '../control/dial.ts';
import type { Spool } from './spool.ts';

export interface ShipperDeps {
  readonly spool: Spool;
  readonly dialer: Dialer;
  readonly gatewayId: string;
  readonly clock: Clock;
  readonly log: Log;
}

const TIMEOUT_MS = 30_000;
const BACKOFF_MS = [200, 500, 1_000, 2_000, 5_000] as const;
const REFUSALS: ReadonlySet<number> = new Set([400, 413, 415, 422]);

/** Sends spooled segments, oldest first, one at a time, and deletes each after its acknowledgement. */
export class Shipper {
  readonly #deps: ShipperDeps;
  readonly #stopping = new AbortController();
  #wake: (() => void) | undefined;
  #running: Promise<void> | undefined;

  constructor(deps: ShipperDeps) {
    this.#deps = deps;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** There may be something to send. */
  readonly nudge = (): void => this.#wake?.();

  /** Sends what it can within `graceMs`, then stops; the rest waits on disk. */
  async stop(graceMs: number): Promise<void> {
    const deadline = this.#deps.clock.now() + graceMs;
    while (this.#deps.spool.oldest() && this.#deps.clock.now() < deadline && !this.#isFailing)
      await this.#deps.clock.sleep(10);
    this.#stopping.abort();
    this.nudge();
    await this.#running;
  }

  #isFailing = false;

  async #run(): Promise<void> {
    const { spool, clock } = this.#deps;
    let failures = 0;
    while (!this.#stopping.signal.aborted) {
      const segment = spool.oldest();
      if (!segment) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        continue;
      }
      const sent = await this.#ship(segment.name);
      this.#isFailing = !sent;
      failures = sent ? 0 : failures + 1;
      if (!sent) await clock.sleep(BACKOFF_MS[Math.min(failures, BACKOFF_MS.length) - 1]!, this.#stopping.signal);
    }
  }

  async #ship(name: string): Promise<boolean> {
    const { spool, dialer, gatewayId, log } = this.#deps;
    try {
      const body = await spool.read(name);
      const { status, body: answer } = await dialer.call(GATEWAY_PATHS.segments, {
        method: 'POST',
        headers: { 'content-type': 'application/octet-stream', [SEGMENT_HEADER]: headerOf(gatewayId, name) },
        body,
        timeoutMs: TIMEOUT_MS,
        signal: this.#stopping.signal,
        maxBytes: 2 ** 20,
      });
      if (status >= 200 && status < 300) await spool.remove(name);
      else if (REFUSALS.has(status)) {
        log.error('The control plane refused a log segment; it is set aside', {
          segment: name,
          status,
          answer: answer.toString('utf8').slice(0, 300),
        });
        await spool.reject(name);
      } else return false;
      return true;
    } catch (error) {
      if (!this.#stopping.signal.aborted)
        log.debug('A log segment was not sent', { segment: name, error: messageOf(error) });
      return false;
    }
  }
}

function headerOf(gatewayId: string, name: string): string {
  const dot = name.lastIndexOf('.');
  return `${gatewayId}/${name.slice(0, dot)}/${Number(name.slice(dot + 1))}`;
}
