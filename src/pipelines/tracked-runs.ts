import { messageOf } from '../kernel/errors.ts';
import { shortId } from '../kernel/ids.ts';
import {
  claimModelsOfAttempt,
  createExperiment,
  createStepRun,
  findExperiment,
  finishRun,
  logParams,
  type RunSummary,
  runsOfAttempt,
  setTags,
} from '../tracking/index.ts';
import type { Attempt } from './attempts.ts';
import { actorOf } from './data-phase.ts';
import type { PipelinesDeps } from './deps.ts';
import type { HeldStep } from './engine-types.ts';
import type { StepPlan } from './step-plan.ts';

type End = 'FINISHED' | 'FAILED' | 'KILLED';

/**
 * The tracked run of an attempt: the first that its code made under its token, or one of ours where it logged nothing. It gets
 * what the run was made from as tags, and an end where its process left it open. Never fails the step.
 */
export async function linkTrackedRun(
  deps: PipelinesDeps,
  held: HeldStep,
  plan: StepPlan,
  attempt: Attempt,
  end: End,
): Promise<readonly string[]> {
  try {
    return await link(deps, held, plan, attempt, end);
  } catch (error) {
    deps.log.warn('pipelines: the tracked run could not be linked', {
      run: held.run.id,
      step: held.step.name,
      error: messageOf(error),
    });
    return [];
  }
}

async function link(
  deps: PipelinesDeps,
  held: HeldStep,
  plan: StepPlan,
  attempt: Attempt,
  end: End,
): Promise<readonly string[]> {
  const actor = actorOf(held.run);
  const made = await runsOfAttempt(deps.tracking, held.run.projectId, attempt.id);
  const primary = made[0] ?? (await createOwn(deps, held, plan, attempt));
  await setTags(deps.tracking, actor, { runId: primary.id, tags: lineageOf(held, plan) });
  await claimModelsOfAttempt(deps.tracking, actor, { attemptId: attempt.id, runId: primary.id });
  const runs = made.length > 0 ? made : [primary];
  for (const run of runs) {
    const isOpen = run.status === 'RUNNING' || run.status === 'SCHEDULED';
    const isWrong = run.id === primary.id && end === 'FAILED' && run.status === 'FINISHED';
    if (isOpen || isWrong) await finishRun(deps.tracking, actor, { id: run.id, status: end });
  }
  return runs.map((run) => run.id);
}

async function createOwn(deps: PipelinesDeps, held: HeldStep, plan: StepPlan, attempt: Attempt): Promise<RunSummary> {
  const actor = actorOf(held.run);
  const name = held.run.pipeline;
  const experiment =
    (await findExperiment(deps.tracking, actor, name)) ?? (await createExperiment(deps.tracking, actor, { name }));
  const run = await createStepRun(deps.tracking, actor, {
    experimentId: experiment.id,
    attemptId: attempt.id,
    name: `${held.step.name}-${shortId(held.run.id)}`,
    user: held.run.startedBy,
    startedAt: held.step.startedAt ?? deps.clock.now(),
  });
  const params = Object.entries(plan.params).map(([key, value]) => ({
    key,
    value: typeof value === 'string' ? value : JSON.stringify(value),
  }));
  if (params.length > 0) await logParams(deps.tracking, actor, { runId: run.id, params });
  return run;
}

/** What a tracked run was made from, as tags. */
export function lineageOf(
  { run, step }: Pick<HeldStep, 'run' | 'step'>,
  plan: Pick<StepPlan, 'data' | 'envDigest'>,
): { key: string; value: string }[] {
  const data = Object.values(plan.data).map(({ dataset, versionId }) => ({
    key: `levain.dataset.${dataset}`,
    value: versionId,
  }));
  return [
    { key: 'levain.pipeline', value: run.pipeline },
    { key: 'levain.pipeline_run', value: run.id },
    { key: 'levain.step', value: step.name },
    { key: 'levain.source', value: run.sourceDigest },
    { key: 'levain.env', value: plan.envDigest },
    ...data,
  ];
}
