import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import { recordActivity } from '../identity/index.ts';
import { shortId } from '../kernel/ids.ts';
import type { Tx } from '../ports/db.ts';
import { type FinishedRun, prepareFinishedRun, type RecordRun } from '../tracking/index.ts';
import type { Actor } from '../wire/route.ts';
import { attemptId, attemptOf } from './attempts.ts';
import type { PipelinesDeps } from './deps.ts';
import type { HeldStep } from './engine-types.ts';
import { digestsOf } from './outputs.ts';
import { findRunByTrigger, insertRun } from './runs.store.ts';
import type { StepEvent } from './states.ts';
import type { StepPlan } from './step-plan.ts';
import { findCached, insertSteps, moveStep, putCached, putKeyParts, type StepChange } from './steps.store.ts';
import { lineageOf } from './tracked-runs.ts';
import type { AdoptedInput, PipelineRun, StepOutputs, StepRun } from './types.ts';

/** What was filed, or what was there already. */
export interface Adopted {
  readonly runId: string;
  readonly cacheKey: string;
  /** False where this very step was filed, or had run here, before. */
  readonly created: boolean;
}

/** A step that was run elsewhere, planned as it would run here. */
export interface AdoptedStep {
  readonly held: HeldStep;
  readonly plan: StepPlan;
  readonly input: z.output<typeof AdoptedInput>;
}

const ATTEMPT = 1;

/** The run that filed this step, or the one that ran it. */
export async function findAdopted(deps: PipelinesDeps, adopted: AdoptedStep): Promise<Adopted | undefined> {
  return deps.db.read((tx) => findIn(tx, adopted));
}

async function findIn(tx: Tx, { held, plan: { cacheKey } }: AdoptedStep): Promise<Adopted | undefined> {
  const { projectId, pipeline } = held.run;
  const run = await findRunByTrigger(tx, { projectId, pipeline, kind: 'adopt', key: cacheKey });
  const runId = run?.id ?? (await findCached(tx, projectId, cacheKey))?.runId;
  return runId === undefined ? undefined : { runId, cacheKey, created: false };
}

/** Run, steps, key, cache, references, tracked runs and the timeline's line, all or none. */
export async function writeAdopted(deps: PipelinesDeps, actor: Actor, adopted: AdoptedStep): Promise<Adopted> {
  const { held, plan, input } = adopted;
  const { cacheKey } = plan;
  const run: PipelineRun = { ...held.run, trigger: { ...held.run.trigger, key: cacheKey } };
  const records: RecordRun[] = [];
  for (const tracked of trackedRuns(adopted)) records.push(await prepareFinishedRun(deps.tracking, actor, tracked));
  await keepLog(deps, held.step, input);
  return deps.db.write(async (tx) => {
    const known = await findIn(tx, adopted);
    if (known) return known;
    await insertRun(tx, run);
    await insertSteps(tx, held.steps);
    const tracked: string[] = [];
    for (const record of records) tracked.push((await record(tx)).id);
    const outputs = outputsOf(input, tracked);
    for (const step of held.steps) await endStep(tx, adopted, step, outputs);
    await keep(tx, deps, adopted, outputs);
    await recordActivity(tx, deps, {
      projectId: run.projectId,
      at: deps.clock.now(),
      kind: 'run',
      subject: run.pipeline,
      sentence: `${run.pipeline} run ${shortId(run.id)}: ${run.summary}`,
      command: `levain runs show ${shortId(run.id)}`,
      actor: run.startedBy,
    });
    return { runId: run.id, cacheKey, created: true };
  });
}

/** Takes a step through the same events as one that ran here. */
async function endStep(tx: Tx, { held, plan, input }: AdoptedStep, step: StepRun, outputs: StepOutputs): Promise<void> {
  const isData = step.kind === 'data';
  const events: readonly StepEvent[] = isData
    ? ['release', 'lease', 'finish']
    : ['release', 'lease', 'start', 'finish'];
  const times = { startedAt: input.startedAt, finishedAt: isData ? input.startedAt : input.endedAt };
  const change: StepChange = isData
    ? { ...times, outputs: step.outputs, reason: step.reason }
    : {
        ...times,
        outputs,
        attempt: ATTEMPT,
        cacheKey: plan.cacheKey,
        envDigest: plan.envDigest,
        reason: 'levain adopt ran it',
      };
  let current: StepRun = { ...step, state: 'pending' };
  for (const event of events) current = (await moveStep(tx, current, event, event === 'finish' ? change : {}))!;
  if (step.name === held.step.name) await putKeyParts(tx, step, plan.parts);
}

async function keep(tx: Tx, deps: PipelinesDeps, { held, plan }: AdoptedStep, outputs: StepOutputs): Promise<void> {
  const { step } = held;
  const digests = digestsOf(outputs);
  await putCached(tx, step, { cacheKey: plan.cacheKey, outputs, at: deps.clock.now() });
  await deps.content.reference(tx, { kind: 'step_run', id: `${step.runId}/${step.name}` }, digests);
  await deps.content.reference(tx, { kind: 'step_cache', id: `${step.projectId}/${plan.cacheKey}` }, digests);
}

const outputsOf = (input: AdoptedStep['input'], trackedRuns: readonly string[]): StepOutputs => ({
  files: input.files,
  trackedRuns,
  notebook: input.notebook,
  exports: input.exports,
});

/** What the code tracked itself; else one run of ours with the scores that were found in it. */
function trackedRuns({ held, plan, input }: AdoptedStep): readonly FinishedRun[] {
  const { run, step } = held;
  const own = {
    name: `${step.name}-${shortId(run.id)}`,
    startedAt: input.startedAt,
    endedAt: input.endedAt,
    params: Object.fromEntries(
      Object.entries(plan.params).map(([key, value]) => [
        key,
        typeof value === 'string' ? value : JSON.stringify(value),
      ]),
    ),
    tags: {},
    metrics: Object.entries(input.metrics).map(([key, value]) => ({ key, value, timestamp: input.endedAt, step: 0 })),
    artifacts: [],
  };
  const files = [
    ...(input.notebook ? [{ ...input.notebook, path: `levain/${baseOf(input.notebook.path)}` }] : []),
    ...(input.log ? [{ ...input.log, path: 'levain/log.txt' }] : []),
  ];
  const all = input.tracked.length > 0 ? input.tracked : [own];
  return all.map((tracked, index) => ({
    experiment: run.pipeline,
    name: tracked.name ?? undefined,
    user: run.startedBy,
    status: 'FINISHED' as const,
    startedAt: tracked.startedAt,
    endedAt: tracked.endedAt,
    attemptId: attemptId({ runId: run.id, name: step.name, attempt: ATTEMPT }),
    params: pairs(tracked.params),
    tags: [
      ...pairs(tracked.tags),
      ...(index === 0 ? lineageOf(held, plan) : []),
      { key: 'levain.adopted', value: 'true' },
    ],
    metrics: tracked.metrics,
    artifacts: [...tracked.artifacts, ...(index === 0 ? files : [])],
  }));
}

const pairs = (record: Readonly<Record<string, string>>) =>
  Object.entries(record).map(([key, value]) => ({ key, value }));

const baseOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** The log lies where `levain logs` looks for that of an attempt. */
async function keepLog(deps: PipelinesDeps, step: StepRun, { log }: AdoptedStep['input']): Promise<void> {
  if (!log) return;
  const { folder } = attemptOf(deps, { ...step, attempt: ATTEMPT });
  await mkdir(folder, { recursive: true });
  await copyFile(await deps.content.localPath(log.digest), join(folder, 'log'));
}
