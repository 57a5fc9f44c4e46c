import { messageOf } from '../../kernel/errors.ts';
import type { Clock, Log } from '../../ports/system.ts';
import { GATEWAY_PATHS, type GatewayReport, REPORT_EVERY_MS, type ReportAnswer } from '../../serving/wire.ts';
import { isRecord } from '../http/json.ts';
import type { Dialer } from './dial.ts';

export interface ReporterDeps {
  readonly dialer: Dialer;
  readonly clock: Clock;
  readonly log: Log;
  readonly build: () => GatewayReport;
  readonly onAnswer: (answer: ReportAnswer) => void;
  /** Runs before each report, control plane or not: the heartbeat and the clocks on disk. */
  readonly onTick: () => Promise<void>;
}

/** Tells the control plane how things are, every `REPORT_EVERY_MS` and at once after `nudge`. */
export class Reporter {
  readonly #deps: ReporterDeps;
  readonly #stopping = new AbortController();
  #pause = new AbortController();
  #running: Promise<void> | undefined;

  constructor(deps: ReporterDeps) {
    this.#deps = deps;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Something happened that should not wait. */
  nudge(): void {
    this.#pause.abort();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#pause.abort();
    await this.#running;
    await this.#report(2_000);
  }

  async #run(): Promise<void> {
    const { clock, onTick, log } = this.#deps;
    while (!this.#stopping.signal.aborted) {
      await onTick().catch((error: unknown) => log.warn('The heartbeat was not written', { error: messageOf(error) }));
      await this.#report(10_000);
      this.#pause = new AbortController();
      if (!this.#stopping.signal.aborted) await clock.sleep(REPORT_EVERY_MS, this.#pause.signal);
    }
  }

  async #report(timeoutMs: number): Promise<void> {
    const { dialer, build, onAnswer, log } = this.#deps;
    try {
      const { status, body } = await dialer.call(GATEWAY_PATHS.report, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: Buffer.from(JSON.stringify(build())),
        timeoutMs,
        maxBytes: 2 ** 20,
      });
      if (status !== 200 || body.length === 0) return;
      const answer: unknown = JSON.parse(body.toString('utf8'));
      if (isRecord(answer)) onAnswer(answer as ReportAnswer);
    } catch (error) {
      log.debug('The control plane took no report', { error: messageOf(error) });
    }
  }
}
