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

/** What travels at once: a backlog is a transaction of the server for every thirty-second segment, not for each. */
const SEGMENTS_A_CALL = 32;
const BYTES_A_CALL = 4 * 2 ** 20;

/** Sends spooled segments, oldest first, those that wait together in one call, and deletes them after its acknowledgement. */
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
  /** So many of the next go alone: one of a call was refused, and the server did not say which. */
  #alone = 0;

  async #run(): Promise<void> {
    const { spool, clock } = this.#deps;
    let failures = 0;
    while (!this.#stopping.signal.aborted) {
      if (!spool.oldest()) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        continue;
      }
      const sent = await this.#ship();
      this.#isFailing = !sent;
      failures = sent ? 0 : failures + 1;
      if (!sent) await clock.sleep(BACKOFF_MS[Math.min(failures, BACKOFF_MS.length) - 1]!, this.#stopping.signal);
    }
  }

  async #ship(): Promise<boolean> {
    const { spool, dialer, gatewayId, log } = this.#deps;
    try {
      const { names, bytes } = await spool.readOldest(this.#alone > 0 ? 1 : SEGMENTS_A_CALL, BYTES_A_CALL);
      const { status, body: answer } = await dialer.call(GATEWAY_PATHS.segments, {
        method: 'POST',
        headers: { 'content-type': 'application/octet-stream', [SEGMENT_HEADER]: headerOf(gatewayId, names[0]!) },
        body: bytes,
        timeoutMs: TIMEOUT_MS,
        signal: this.#stopping.signal,
        maxBytes: 2 ** 20,
      });
      const isTaken = status >= 200 && status < 300;
      if (!isTaken && !REFUSALS.has(status)) return false;
      if (isTaken) for (const name of names) await spool.remove(name);
      else if (names.length === 1) await this.#setAside(names[0]!, status, answer);
      this.#alone = isTaken || names.length === 1 ? Math.max(0, this.#alone - 1) : names.length;
      return true;
    } catch (error) {
      if (!this.#stopping.signal.aborted) log.debug('Log segments were not sent', { error: messageOf(error) });
      return false;
    }
  }

  async #setAside(name: string, status: number, answer: Buffer): Promise<void> {
    this.#deps.log.error('The control plane refused a log segment; it is set aside', {
      segment: name,
      status,
      answer: answer.toString('utf8').slice(0, 300),
    });
    await this.#deps.spool.reject(name);
  }
}

function headerOf(gatewayId: string, name: string): string {
  const dot = name.lastIndexOf('.');
  return `${gatewayId}/${name.slice(0, dot)}/${Number(name.slice(dot + 1))}`;
}
