import { recordActivity } from '../identity/index.ts';
import { shortId } from '../kernel/ids.ts';
import { publish } from '../outbox/index.ts';
import type { EngineDeps } from './engine.ts';
import { updateRun } from './runs.store.ts';
import type { Failure, PipelineRun, RunState, StepRun } from './types.ts';
import { wakeEngines } from './wake.ts';

interface End {
  readonly state: RunState;
  readonly summary: string;
  readonly failure: Failure | null;
}

/** Ends a run whose steps have all ended: its state, its sentence, the timeline's line and the event, at once. */
export async function finishRun(deps: EngineDeps, run: PipelineRun, steps: readonly StepRun[]): Promise<void> {
  const end = endOf(run, steps);
  const registered = steps.find((step) => step.kind === 'register')?.outputs?.register;
  const now = deps.clock.now();
  await deps.db.write(async (tx) => {
    const change = {
      ...end,
      finishedAt: now,
      ...(registered && { model: registered.model, version: registered.version }),
    };
    if (!(await updateRun(tx, run, ['running'], change))) return;
    await recordActivity(tx, deps, {
      projectId: run.projectId,
      at: now,
      eventAt: run.trigger.asOf,
      kind: 'run',
      subject: run.pipeline,
      sentence: `${run.pipeline} run ${shortId(run.id)} ${end.summary} (${originOf(run)}, ${duration(now - (run.startedAt ?? now))})`,
      command: `levain runs show ${shortId(run.id)}`,
      actor: run.startedBy,
    });
    await publish(
      tx,
      {
        topic: 'pipelines.run_finished',
        projectId: run.projectId,
        key: run.id,
        payload: { runId: run.id, pipeline: run.pipeline, status: end.state, trigger: run.trigger.kind },
      },
      deps,
    );
  });
  wakeEngines(deps.db);
}

/** How a run ended, from how its steps did. */
export function endOf(run: PipelineRun, steps: readonly StepRun[]): End {
  const failed = steps.find((step) => step.state === 'failed' || step.state === 'lost');
  if (failed?.failure) {
    const state = failed.failure.kind === 'contract' ? 'refused' : 'failed';
    return { state, summary: `${state} at ${failed.name}: ${failed.failure.message}`, failure: failed.failure };
  }
  if (run.cancelRequested) return { state: 'cancelled', summary: 'was cancelled', failure: null };
  const registered = steps.find((step) => step.kind === 'register')?.outputs?.register;
  const gate = steps.find((step) => step.kind === 'gate')?.outputs?.gate;
  const name = registered && `${registered.model}@v${registered.version}`;
  if (!registered || !gate) return { state: 'succeeded', summary: counts(steps), failure: null };
  if (gate.outcome === 'failed' || gate.outcome === 'refused')
    return { state: 'gate_failed', summary: `${name}: ${gate.sentence}`, failure: null };
  if (gate.approval === 'waiting')
    return { state: 'waiting', summary: `${name} waits for an approval; ${gate.sentence}`, failure: null };
  const what = registered.created ? 'registered' : 'is this model already';
  return { state: 'succeeded', summary: `${name} ${what}; ${gate.sentence}`, failure: null };
}

function counts(steps: readonly StepRun[]): string {
  const own = steps.filter((step) => step.kind === 'run' || step.kind === 'notebook');
  const cached = own.filter((step) => step.state === 'cached').length;
  return `succeeded: ${own.length - cached} steps ran, ${cached} were cached`;
}

const originOf = (run: PipelineRun): string =>
  run.trigger.kind === 'manual' ? `by ${run.startedBy}` : `by the ${run.trigger.kind} trigger`;

/** @example duration(61_500) === '1 min 2 s' */
export function duration(ms: number): string {
  if (ms < 1_000) return `${ms} ms`;
  const seconds = Math.round(ms / 1_000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
