import type { Tx } from '../ports/db.ts';
import type { ProjectFile } from '../project-file/index.ts';
import type { StepChange } from './steps.store.ts';
import type { Failure, KeyPart, PipelineRun, StepKind, StepOutputs, StepRun } from './types.ts';

/** Why a step did not get through, as far as retries care. `unstarted`: its process never was. */
export type FailureCause = 'exit' | 'oom' | 'lost' | 'unstarted' | 'final';

/** What a handler answers; the engine writes it. */
export type Outcome =
  | {
      readonly kind: 'ok';
      readonly outputs: StepOutputs;
      readonly reason?: string /** Kept for later runs under this key. */;
      readonly cacheKey?: string;
    }
  | { readonly kind: 'cached'; readonly outputs: StepOutputs; readonly from: string; readonly reason: string }
  | { readonly kind: 'failed'; readonly failure: Failure; readonly cause: FailureCause }
  /** The server stops: the step is left as it is, to be adopted. */
  | { readonly kind: 'left' };

/** A step that this engine holds. */
export interface HeldStep {
  readonly run: PipelineRun;
  readonly file: ProjectFile;
  /** As of now; changes with `start`. */
  readonly step: StepRun;
  /** All steps of the run, as they were when this one was claimed: what is needed is done. */
  readonly steps: readonly StepRun[];
  /** Aborted with the reason `stop` or `cancel`. */
  readonly signal: AbortSignal;
  /**
   * The step now runs: written before its process is. Throws `Fenced` where somebody else has it by now. `also` runs in the
   * same transaction, and its result is answered.
   */
  start<T>(change: StepChange, parts: readonly KeyPart[], also: (tx: Tx) => Promise<T>): Promise<T>;
  /** Facts before it runs (key, reason). */
  note(change: StepChange, parts?: readonly KeyPart[]): Promise<void>;
}

export type Handler = (held: HeldStep) => Promise<Outcome>;
export type Handlers = Readonly<Record<StepKind, Handler>>;

/** Somebody else took the step over: this one must not write any more. */
export class Fenced extends Error {
  constructor(step: Pick<StepRun, 'runId' | 'name'>) {
    super(`The step ${step.name} of run ${step.runId} is held by another server by now`);
    this.name = 'Fenced';
  }
}
