import { join } from 'node:path';
import { isAppError, messageOf } from '../../kernel/errors.ts';
import type { Clock, Log } from '../../ports/system.ts';
import { type DesiredDocument, GATEWAY_PATHS, LONG_POLL_MS } from '../../serving/wire.ts';
import { MAX_DESIRED_BYTES, parseDesired } from './desired.ts';
import type { Dialer } from './dial.ts';
import { readJson, writeJsonDurably } from './durable-json.ts';
import type { Fleet } from './fleet.ts';

export interface ControlLoopDeps {
  readonly dir: string;
  readonly dialer: Dialer;
  readonly fleet: Fleet;
  readonly clock: Clock;
  readonly log: Log;
}

const BACKOFF_MS = [100, 250, 500, 1_000] as const;

/** Follows the desired document: from disk at the start, then by long polls. What is applied is on disk before. */
export class ControlLoop {
  readonly #deps: ControlLoopDeps;
  readonly #path: string;
  readonly #stopping = new AbortController();
  #known = 0;
  #running: Promise<void> | undefined;

  constructor(deps: ControlLoopDeps) {
    this.#deps = deps;
    this.#path = join(deps.dir, 'desired.json');
  }

  /** Applies what the last process knew, so that predictions are answered without a control plane. Resolves when its versions are loaded or failed. */
  async restore(): Promise<void> {
    const stored = await readJson(this.#path);
    if (stored === undefined) return;
    try {
      const document = parseDesired(stored);
      this.#known = document.generation;
      await this.#deps.fleet.apply(document);
    } catch (error) {
      this.#deps.log.error('The stored configuration cannot be applied', { error: messageOf(error) });
    }
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, log } = this.#deps;
    let failures = 0;
    while (!this.#stopping.signal.aborted) {
      try {
        await this.#poll();
        failures = 0;
      } catch (error) {
        if (this.#stopping.signal.aborted) return;
        if (!isAppError(error, 'unavailable') || failures === 0)
          log.warn('The control plane was not heard', { error: messageOf(error) });
        await clock.sleep(BACKOFF_MS[Math.min(failures, BACKOFF_MS.length - 1)]!, this.#stopping.signal);
        failures += 1;
      }
    }
  }

  async #poll(): Promise<void> {
    const { dialer } = this.#deps;
    const { status, body } = await dialer.call(`${GATEWAY_PATHS.desired}?after=${this.#known}`, {
      timeoutMs: LONG_POLL_MS + 10_000,
      signal: this.#stopping.signal,
      maxBytes: MAX_DESIRED_BYTES,
    });
    if (status === 204 || status === 304) return;
    if (status !== 200) throw new Error(`it answered ${status}: ${body.toString('utf8').slice(0, 200)}`);
    const document = parseDesired(JSON.parse(body.toString('utf8')));
    if (document.generation === this.#known) {
      await this.#deps.clock.sleep(BACKOFF_MS[0], this.#stopping.signal);
      return;
    }
    await this.#take(document);
  }

  /** Does not wait for versions to load: a newer document may take traffic away from them. */
  async #take(document: DesiredDocument): Promise<void> {
    const { log, fleet } = this.#deps;
    await writeJsonDurably(this.#path, document);
    this.#known = document.generation;
    fleet.apply(document).then(
      () => log.info('A configuration is applied', { generation: document.generation }),
      (error: unknown) =>
        log.error('A configuration was not applied', { generation: document.generation, error: messageOf(error) }),
    );
  }
}
