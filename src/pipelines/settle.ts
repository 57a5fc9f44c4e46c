import { revokeStepToken } from '../identity/index.ts';
import type { Tx } from '../ports/db.ts';
import type { RetrySection } from '../project-file/index.ts';
import { attemptId } from './attempts.ts';
import type { EngineDeps } from './engine.ts';
import { type FailureCause, Fenced, type HeldStep, type Outcome } from './engine-types.ts';
import { digestsOf } from './outputs.ts';
import type { StepEvent } from './states.ts';
import { moveStep, putCached, type StepChange } from './steps.store.ts';
import type { StepOutputs } from './types.ts';
import { wakeEngines } from './wake.ts';

/**
 * Writes how a step ended: state, outputs, cache row and references in one transaction that names the fence, so that an attempt
 * which lost its lease cannot commit.
 */
export async function settle(deps: EngineDeps, held: HeldStep, outcome: Outcome): Promise<void> {
  if (outcome.kind === 'left') return;
  const { step } = held;
  await deps.db.write(async (tx) => {
    const { event, change } =
      held.signal.aborted && held.signal.reason === 'cancel' ? cancelled(deps) : eventOf(deps, held, outcome);
    if (!(await moveStep(tx, step, event, change))) throw new Fenced(step);
    if (step.attempt > 0) await revokeStepToken(tx, deps, attemptId(step));
    if (change.outputs) await keep(tx, deps, held, change.outputs, outcome);
  });
  wakeEngines(deps.db);
}

async function keep(
  tx: Tx,
  deps: EngineDeps,
  { step }: HeldStep,
  outputs: StepOutputs,
  outcome: Outcome,
): Promise<void> {
  const digests = digestsOf(outputs);
  if (digests.length > 0) {
    await deps.content.reference(tx, { kind: 'step_run', id: `${step.runId}/${step.name}` }, digests);
  }
  if (outcome.kind !== 'ok' || outcome.cacheKey === undefined) return;
  await putCached(tx, step, { cacheKey: outcome.cacheKey, outputs, at: deps.clock.now() });
  if (digests.length > 0) {
    await deps.content.reference(tx, { kind: 'step_cache', id: `${step.projectId}/${outcome.cacheKey}` }, digests);
  }
}

function eventOf(
  deps: EngineDeps,
  held: HeldStep,
  outcome: Exclude<Outcome, { kind: 'left' }>,
): { event: StepEvent; change: StepChange } {
  const { step } = held;
  const finishedAt = deps.clock.now();
  const startedAt = step.startedAt ?? finishedAt;
  const end = { finishedAt, leaseOwner: null, leaseUntil: null };
  if (outcome.kind === 'ok') {
    return {
      event: 'finish',
      change: {
        ...end,
        startedAt,
        outputs: outcome.outputs,
        ...(outcome.reason !== undefined && { reason: outcome.reason }),
      },
    };
  }
  if (outcome.kind === 'cached') {
    return {
      event: 'reuse',
      change: {
        ...end,
        startedAt: finishedAt,
        outputs: outcome.outputs,
        cachedFrom: outcome.from,
        reason: outcome.reason,
      },
    };
  }
  const retry = held.file.steps[step.name]?.retry;
  if (mayRetry(retry, step.attempt, outcome.cause)) {
    const dueAt = outcome.cause === 'unstarted' ? finishedAt : finishedAt + delayMs(deps, retry, step.attempt);
    return {
      event: 'retry',
      change: {
        dueAt,
        leaseOwner: null,
        leaseUntil: null,
        failure: outcome.failure,
        reason: `retry ${step.attempt} of ${retry?.max ?? 0}: ${outcome.failure.message}`,
      },
    };
  }
  return {
    event: outcome.cause === 'lost' && step.state === 'running' ? 'lose' : 'fail',
    change: { ...end, startedAt, failure: outcome.failure },
  };
}

const cancelled = (deps: EngineDeps): { event: StepEvent; change: StepChange } => ({
  event: 'cancel',
  change: { finishedAt: deps.clock.now(), leaseOwner: null, leaseUntil: null, reason: 'cancelled' },
});

function mayRetry(retry: RetrySection | undefined, attempt: number, cause: FailureCause): boolean {
  if (cause === 'final') return false;
  if (cause === 'unstarted') return true;
  return retry !== undefined && attempt <= retry.max && retry.when.includes(cause);
}

/** Exponential, with a random share taken off so that retries of many do not come together. */
function delayMs(deps: EngineDeps, retry: RetrySection | undefined, attempt: number): number {
  if (!retry) return 0;
  const full = retry.backoffMs * retry.factor ** Math.max(0, attempt - 1);
  return Math.round(full * (1 - retry.jitter * deps.random.next()));
}
