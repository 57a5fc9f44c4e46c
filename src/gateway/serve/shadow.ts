import { messageOf } from '../../kernel/errors.ts';
import type { Frame } from '../../kernel/frame.ts';
import { LIMITS } from '../limits.ts';
import type { LoggedAnswers, LoggedRequest } from '../log/batch.ts';
import type { PredictionLog } from '../log/prediction-log.ts';
import { type Call, checkInputs } from '../protocols/call.ts';
import type { LiveEndpoint } from './live-endpoint.ts';
import type { LiveVersion } from './live-version.ts';
import { score } from './scoring.ts';

export interface ShadowJob {
  readonly endpoint: LiveEndpoint;
  readonly version: LiveVersion;
  /** Of the champion's answer: the same request id, and so a pair. */
  readonly request: LoggedRequest;
  readonly call: Call;
  /** Rows that the champion had no answer to either. */
  readonly unanswered: ReadonlySet<number>;
}

export interface ShadowDeps {
  readonly log: PredictionLog;
  readonly newId: (timeMs: number) => string;
}

/** Scores a challenger on what the champion has just answered: after the answer, one at a time, dropped and counted where too many wait. */
export class ShadowQueue {
  readonly #deps: ShadowDeps;
  readonly #jobs: ShadowJob[] = [];
  #isBusy = false;

  constructor(deps: ShadowDeps) {
    this.#deps = deps;
  }

  get depth(): number {
    return this.#jobs.length;
  }

  push(job: ShadowJob): void {
    if (this.#jobs.length >= LIMITS.shadowQueue) {
      job.endpoint.stats.shadowDropped += 1;
      return;
    }
    this.#jobs.push(job);
    if (this.#isBusy) return;
    this.#isBusy = true;
    setImmediate(() => void this.#drain());
  }

  async #drain(): Promise<void> {
    for (let job = this.#jobs.shift(); job; job = this.#jobs.shift()) {
      await this.#score(job);
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#isBusy = false;
  }

  async #score(job: ShadowJob): Promise<void> {
    const { version, call } = job;
    const startedAt = performance.now();
    version.inFlight += 1;
    let frame: Frame | null = null;
    try {
      frame = checkInputs(call.inputs, version.spec.signature);
      const outputs = await score(version, frame);
      this.#record(job, startedAt, frame, asFailures(outputs, job.unanswered), null);
    } catch (error) {
      this.#record(job, startedAt, frame, null, messageOf(error).slice(0, LIMITS.errorCharacters));
    } finally {
      version.inFlight -= 1;
    }
  }

  #record(
    job: ShadowJob,
    startedAt: number,
    frame: Frame | null,
    answers: LoggedAnswers | null,
    error: string | null,
  ): void {
    const { endpoint, version, request } = job;
    const latencyUs = (performance.now() - startedAt) * 1000;
    const ids = request.ids.map(() => this.#deps.newId(request.eventTime));
    this.#deps.log.append(
      { ...request, version, ids, latencyUs, error, status: error === null ? 0 : 1 },
      frame,
      answers,
    );
    const failed = error !== null || answers?.errors?.some(({ refused }) => !refused) === true;
    const stats = endpoint.stats.arm(
      version.spec.versionId,
      version.spec.version,
      'shadow',
      request.rehearsal !== null,
    );
    stats.answered(request.ids.length, latencyUs, failed, false);
  }
}

/** A row that the champion answered and this version does not is a failure of this version, whatever it says of the row. */
function asFailures<T extends LoggedAnswers>(answers: T, unanswered: ReadonlySet<number>): T {
  if (!answers.errors) return answers;
  const errors = answers.errors.map(({ row, message, refused }) => ({
    row,
    message,
    refused: refused === true && unanswered.has(row),
  }));
  return { ...answers, errors };
}
