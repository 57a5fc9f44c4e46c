import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { issueStepToken, listProjects } from '../identity/index.ts';
import { AppError, isAppError } from '../kernel/errors.ts';
import { DEFAULT_PROJECT_ID } from '../kernel/ids.ts';
import type { PythonEnvironment, TaskState } from '../ports/executor.ts';
import { type Attempt, attemptOf, layOutAttempt, logTail, sayInLog } from './attempts.ts';
import { layOutData } from './data-phase.ts';
import type { PipelinesDeps } from './deps.ts';
import type { HeldStep, Outcome } from './engine-types.ts';
import { findSecrets, stepEnvironment } from './environment.ts';
import { failureOf, failureOfError } from './failures.ts';
import { cachedReason, exportsOf, rerunReason } from './keys.ts';
import { collectExports, failureOfExit, notebookSpec, readNotebookResult } from './notebook-step.ts';
import { collectFiles, collectNotebook } from './outputs.ts';
import { findRun } from './runs.store.ts';
import { layOutFiles, snapshotFolder } from './snapshots.ts';
import { planStep, type StepPlan } from './step-plan.ts';
import { findCached, findPrevious, findStep, findTwin, listKeyParts } from './steps.store.ts';
import { linkTrackedRun } from './tracked-runs.ts';
import { isStepEnd, type StepOutputs, type StepRun } from './types.ts';
import { watchOf } from './watch.ts';

/** Beyond its own limit a notebook step's process gets this long to write how it ended. */
const NOTEBOOK_GRACE_MS = 30_000;
const TWIN_POLL_MS = 500;

/**
 * A command or notebook: from the cache where its key was seen, else in an attempt of its own. A step that already runs (its
 * server died) is adopted: followed to its end and collected like any other.
 */
export async function handleStep(deps: PipelinesDeps, held: HeldStep): Promise<Outcome> {
  try {
    const plan = await planStep(deps, held);
    if (held.step.state === 'running') return await follow(deps, held, plan);
    const reused = await reuse(deps, held, plan);
    if (reused) return reused;
    return await begin(deps, held, plan);
  } catch (error) {
    if (!isAppError(error)) throw error;
    return { kind: 'failed', failure: failureOfError('environment', error), cause: 'final' };
  }
}

/** The cached outcome, after the wait for another run that computes the same now. */
async function reuse(deps: PipelinesDeps, held: HeldStep, plan: StepPlan): Promise<Outcome | undefined> {
  const { step } = held;
  await held.note({ cacheKey: plan.cacheKey, envDigest: plan.envDigest }, plan.parts);
  for (;;) {
    const { cached, maker, twin } = await deps.db.read(async (tx) => {
      const cached = await findCached(tx, step.projectId, plan.cacheKey);
      const maker = cached && (await findRun(tx, step.projectId, cached.runId));
      return { cached, maker, twin: await findTwin(tx, step, plan.cacheKey) };
    });
    if (cached)
      return {
        kind: 'cached',
        outputs: cached.outputs,
        from: cached.runId,
        reason: cachedReason(plan.parts, maker ?? { id: cached.runId }),
      };
    if (!twin) return undefined;
    await held.note({ reason: `waits for run ${twin.runId.slice(-7)}, which computes the same` });
    if (!(await untilTwinEnds(deps, held, twin))) return { kind: 'left' };
  }
}

async function untilTwinEnds(deps: PipelinesDeps, held: HeldStep, twin: StepRun): Promise<boolean> {
  while (!held.signal.aborted) {
    const now = await deps.db.read((tx) => findStep(tx, twin));
    if (!now || isStepEnd(now.state)) return true;
    await deps.clock.sleep(TWIN_POLL_MS, held.signal);
  }
  return held.signal.reason === 'cancel';
}

async function begin(deps: PipelinesDeps, held: HeldStep, plan: StepPlan): Promise<Outcome> {
  const { step, run } = held;
  const attempt = attemptOf(deps, { ...step, attempt: step.attempt + 1 });
  const environment = await buildEnvironment(deps, held, plan, attempt);
  const secrets = await findSecrets(deps, plan.section.secrets);
  await layOut(deps, held, plan, attempt);
  if (held.signal.aborted) return { kind: 'left' };
  const reason = await reasonOf(deps, held, plan);
  const change = { attempt: step.attempt + 1, reason, envDigest: plan.envDigest, failure: null };
  const token = await held.start(change, plan.parts, (tx) =>
    issueStepToken(tx, deps.identity, { projectId: run.projectId, attemptId: attempt.id }),
  );
  const env = stepEnvironment(deps, {
    run,
    step: step.name,
    attemptId: attempt.id,
    projectName: await projectName(deps, run.projectId),
    token,
    params: plan.params,
    environment,
    secrets,
    cpu: plan.section.resources.cpu,
  });
  const command = await commandOf(deps, held, plan, attempt, environment);
  const { memoryBytes } = plan.section.resources;
  await deps.executor.start({
    id: attempt.id,
    command,
    cwd: attempt.src,
    env,
    attemptDir: attempt.folder,
    ...(memoryBytes !== null && { resources: { memoryBytes } }),
  });
  return follow(deps, held, plan);
}

async function buildEnvironment(
  deps: PipelinesDeps,
  held: HeldStep,
  plan: StepPlan,
  attempt: Attempt,
): Promise<PythonEnvironment | undefined> {
  if (plan.lock === undefined) return undefined;
  const ready = await deps.environments.find(plan.envDigest);
  if (ready) return ready;
  await held.note({ reason: 'building its Python environment' });
  const lines: Promise<void>[] = [];
  const built = await deps.environments.build(plan.lock, (line) => lines.push(sayInLog(attempt, line)));
  await Promise.all(lines);
  return built;
}

/** The clean copy that the step works in: snapshot, outputs of the steps before it, data at the run's version. */
async function layOut(deps: PipelinesDeps, held: HeldStep, plan: StepPlan, attempt: Attempt): Promise<void> {
  await layOutAttempt(attempt, await snapshotFolder(deps, held.run.projectId, held.run.sourceDigest));
  for (const files of Object.values(plan.upstream)) await layOutFiles(deps, files, attempt.src);
  for (const data of Object.values(plan.data)) await layOutData(deps, held, data, attempt.src);
}

async function commandOf(
  deps: PipelinesDeps,
  held: HeldStep,
  plan: StepPlan,
  attempt: Attempt,
  environment: PythonEnvironment | undefined,
): Promise<readonly string[]> {
  const { section } = plan;
  if (section.notebook === null) return ['/bin/sh', '-c', section.run ?? ''];
  const exports = exportsOf(held.file, held.step.name);
  const spec = notebookSpec({
    attempt,
    section,
    params: plan.params,
    python: environment?.python ?? 'python3',
    exports,
    watch: await watchOf(deps, held, attempt, exports),
  });
  await mkdir(attempt.folder, { recursive: true });
  await writeFile(join(attempt.folder, 'spec.json'), JSON.stringify(spec));
  return [deps.node, deps.notebookMain, join(attempt.folder, 'spec.json')];
}

/** Waits for the end of the running attempt, within its time, and collects what it leaves. */
async function follow(deps: PipelinesDeps, held: HeldStep, plan: StepPlan): Promise<Outcome> {
  const { step, signal } = held;
  const attempt = attemptOf(deps, step);
  const task = { id: attempt.id, attemptDir: attempt.folder };
  if (isAdopted(held) && (await deps.executor.inspect(task)).state === 'unclaimed') {
    await deps.executor.cancel(task, 0);
    return {
      kind: 'failed',
      failure: failureOf('lost', 'the server stopped before its process began'),
      cause: 'unstarted',
    };
  }
  const { state, timedOut } = await waitWithin(deps, held, plan, task);
  if (signal.aborted && signal.reason !== 'cancel') return { kind: 'left' };
  if (signal.aborted) {
    await deps.executor.cancel(task);
    await linkTrackedRun(deps, held, plan, attempt, 'KILLED');
    return { kind: 'failed', failure: failureOf('cancelled', 'cancelled'), cause: 'final' };
  }
  const secrets = Object.values(await findSecrets(deps, plan.section.secrets).catch(() => ({})));
  if (!timedOut && state.state === 'exited' && state.exitCode === 0) return collect(deps, held, plan, attempt, secrets);
  return failed(deps, held, plan, { attempt, state, timedOut, secrets });
}

/** Whether the step ran already when it was claimed: another server had started it. */
const isAdopted = ({ step, steps }: HeldStep): boolean =>
  steps.find(({ name }) => name === step.name)?.state === 'running';

async function waitWithin(
  deps: PipelinesDeps,
  { step, signal }: HeldStep,
  plan: StepPlan,
  task: { readonly id: string; readonly attemptDir: string },
): Promise<{ readonly state: TaskState; readonly timedOut: boolean }> {
  const { timeoutMs, notebook } = plan.section;
  if (timeoutMs === null) return { state: await deps.executor.wait(task, signal), timedOut: false };
  const limitMs = timeoutMs + (notebook === null ? 0 : NOTEBOOK_GRACE_MS);
  const leftMs = Math.max(0, (step.startedAt ?? deps.clock.now()) + limitMs - deps.clock.now());
  const ended = new AbortController();
  const either = AbortSignal.any([signal, ended.signal]);
  let timedOut = false;
  const timer = deps.clock.sleep(leftMs, either).then(async () => {
    if (either.aborted) return;
    timedOut = true;
    await deps.executor.cancel(task);
  });
  const state = await deps.executor.wait(task, signal);
  ended.abort();
  await timer;
  return { state, timedOut };
}

async function collect(
  deps: PipelinesDeps,
  held: HeldStep,
  plan: StepPlan,
  attempt: Attempt,
  secrets: readonly string[],
): Promise<Outcome> {
  const trackedRuns = await linkTrackedRun(deps, held, plan, attempt, 'FINISHED');
  try {
    const outputs: StepOutputs = {
      files: await collectFiles(deps, attempt.src, plan.section.out),
      trackedRuns,
      ...(plan.section.notebook !== null && {
        notebook: await collectNotebook(deps, attempt, plan.section.notebook, secrets),
        exports: await collectExports(deps, attempt),
      }),
    };
    return { kind: 'ok', outputs, cacheKey: plan.cacheKey };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const tail = await logTail(attempt, secrets);
    return {
      kind: 'failed',
      failure: { ...failureOfError('output', error), exitCode: 0, logTail: tail },
      cause: 'final',
    };
  }
}

interface Ended {
  readonly attempt: Attempt;
  readonly state: TaskState;
  readonly timedOut: boolean;
  readonly secrets: readonly string[];
}

async function failed(deps: PipelinesDeps, held: HeldStep, plan: StepPlan, ended: Ended): Promise<Outcome> {
  const { attempt, state, secrets } = ended;
  const result = plan.section.notebook === null ? undefined : await readNotebookResult(attempt);
  const tail = await logTail(attempt, secrets);
  const { failure, cause } = failureOfExit({
    state,
    timedOut: ended.timedOut,
    section: plan.section,
    step: held.step.name,
    result,
    tail,
  });
  if (cause === 'lost') await deps.executor.cancel({ id: attempt.id, attemptDir: attempt.folder }, 0);
  const trackedRuns = await linkTrackedRun(deps, held, plan, attempt, 'FAILED');
  const notebook =
    plan.section.notebook === null ? null : await collectNotebook(deps, attempt, plan.section.notebook, secrets);
  await held.note({ outputs: { trackedRuns, notebook } });
  return { kind: 'failed', failure, cause };
}

async function reasonOf(deps: PipelinesDeps, { step, run }: HeldStep, plan: StepPlan): Promise<string> {
  return deps.db.read(async (tx) => {
    const previous = await findPrevious(tx, step, run.pipeline);
    return rerunReason(plan.parts, previous && (await listKeyParts(tx, previous)));
  });
}

/** The project's path prefix: none for `main`, which every instance has. */
export async function projectName(deps: PipelinesDeps, projectId: string): Promise<string | null> {
  if (projectId === DEFAULT_PROJECT_ID) return null;
  const projects = await listProjects(deps.identity);
  return projects.find((project) => project.id === projectId)?.name ?? null;
}
