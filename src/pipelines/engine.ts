import { rm } from 'node:fs/promises';
import { messageOf } from '../kernel/errors.ts';
import { uuidv7 } from '../kernel/ids.ts';
import { admit } from './admission.ts';
import { parseStored } from './applied.ts';
import { attemptOf } from './attempts.ts';
import type { PipelinesDeps } from './deps.ts';
import { Fenced, type Handlers } from './engine-types.ts';
import { failureOf } from './failures.ts';
import { findFileText } from './files.store.ts';
import { finishRun } from './finish.ts';
import { holdStep } from './hold.ts';
import { listOpenRuns } from './runs.store.ts';
import { settle } from './settle.ts';
import { listSteps, moveStep, renewLeases } from './steps.store.ts';
import { isDone, isStepEnd, type PipelineRun, type StepRun } from './types.ts';
import { onWake } from './wake.ts';

export type EngineDeps = Pick<
  PipelinesDeps,
  'db' | 'clock' | 'random' | 'log' | 'content' | 'outbox' | 'identity' | 'executor' | 'workDir'
>;

export interface EngineOptions {
  /** Steps that run at the same time. */
  readonly slots?: number;
  /** Steps left by another server are taken over at once: right where only one server can be. */
  readonly takeOver?: boolean;
}

export interface Engine {
  /** Stops looking and lets go of its steps; their processes run on and are adopted by the next one. */
  stop(): Promise<void>;
}

export const LEASE_MS = 30_000;
const POLL_MS = 1_000;
const DEFAULT_SLOTS = 4;

interface ActiveStep {
  readonly step: StepRun;
  readonly abort: AbortController;
  readonly done: Promise<void>;
}

interface State {
  readonly deps: EngineDeps;
  readonly handlers: Handlers;
  readonly owner: string;
  readonly slots: number;
  readonly active: Map<string, ActiveStep>;
  takeOver: boolean;
  renewedAt: number;
}

/**
 * Drives every open run: admits it, releases steps whose needs are done, holds at most `slots` of them, and ends the run. All it
 * knows is in the database, so another engine goes on where this one was killed.
 */
export function startEngine(deps: EngineDeps, handlers: Handlers, options: EngineOptions = {}): Engine {
  const state: State = {
    deps,
    handlers,
    owner: uuidv7(deps.clock.now(), deps.random.fill),
    slots: options.slots ?? DEFAULT_SLOTS,
    active: new Map(),
    takeOver: options.takeOver ?? deps.db.dialect === 'sqlite',
    renewedAt: 0,
  };
  const stopping = new AbortController();
  let bell = new AbortController();
  const unsubscribe = onWake(deps.db, () => bell.abort());
  const loop = (async () => {
    while (!stopping.signal.aborted) {
      bell = new AbortController();
      await tick(state).catch((error: unknown) =>
        deps.log.error('pipelines: the engine stumbled', { error: messageOf(error) }),
      );
      await deps.clock.sleep(POLL_MS, AbortSignal.any([stopping.signal, bell.signal]));
    }
  })();
  return {
    async stop() {
      stopping.abort();
      unsubscribe();
      await loop;
      for (const { abort } of state.active.values()) abort.abort('stop');
      await Promise.all([...state.active.values()].map(({ done }) => done));
    },
  };
}

async function tick(state: State): Promise<void> {
  const { deps } = state;
  await admit(deps);
  const runs = await deps.db.read((tx) => listOpenRuns(tx));
  for (const run of runs.filter((candidate) => candidate.state === 'running')) {
    await advance(state, run).catch((error: unknown) => {
      if (!(error instanceof Fenced))
        deps.log.error('pipelines: a run stumbled', { run: run.id, error: messageOf(error) });
    });
  }
  state.takeOver = false;
  await renew(state);
}

async function renew(state: State): Promise<void> {
  const now = state.deps.clock.now();
  if (state.active.size === 0 || now - state.renewedAt < LEASE_MS / 3) return;
  state.renewedAt = now;
  await state.deps.db.write((tx) => renewLeases(tx, state.owner, now + LEASE_MS));
}

async function advance(state: State, run: PipelineRun): Promise<void> {
  const { deps } = state;
  let steps = await deps.db.read((tx) => listSteps(tx, run.projectId, run.id));
  if (run.cancelRequested) await cancelSteps(state, steps);
  else steps = await release(deps, steps);
  for (const step of steps) if (canClaim(state, run, step)) await launch(state, run, step, steps);
  const now = await deps.db.read((tx) => listSteps(tx, run.projectId, run.id));
  if (now.every((step) => isStepEnd(step.state)) && !now.some((step) => state.active.has(keyOf(step))))
    await finishRun(deps, run, now);
}

/** What waits for nothing more becomes ready; what waits for something that did not get through is skipped. */
async function release(deps: EngineDeps, steps: readonly StepRun[]): Promise<StepRun[]> {
  const byName = new Map(steps.map((step) => [step.name, step]));
  for (const step of steps) {
    if (step.state !== 'pending') continue;
    const needs = step.needs.flatMap((name) => byName.get(name) ?? []);
    const isBlocked = needs.some(({ state }) => isStepEnd(state) && !isDone(state));
    const isReady = needs.every(({ state }) => isDone(state));
    if (!isBlocked && !isReady) continue;
    const at = deps.clock.now();
    const change = isBlocked
      ? { reason: `skipped: ${needs.find(({ state }) => !isDone(state))?.name} did not get through`, finishedAt: at }
      : {};
    const moved = await deps.db.write((tx) => moveStep(tx, step, isBlocked ? 'skip' : 'release', change));
    if (moved) byName.set(step.name, moved);
  }
  return [...byName.values()];
}

function canClaim(state: State, run: PipelineRun, step: StepRun): boolean {
  if (run.cancelRequested || state.active.has(keyOf(step)) || state.active.size >= state.slots) return false;
  const now = state.deps.clock.now();
  if (step.state === 'ready') return step.dueAt === null || step.dueAt <= now;
  if (step.state !== 'leased' && step.state !== 'running') return false;
  return step.leaseOwner !== state.owner && (state.takeOver || (step.leaseUntil ?? 0) < now);
}

async function launch(state: State, run: PipelineRun, step: StepRun, steps: readonly StepRun[]): Promise<void> {
  const { deps } = state;
  const now = deps.clock.now();
  const isPhase = step.kind !== 'run' && step.kind !== 'notebook';
  const lease = { leaseOwner: state.owner, leaseUntil: now + LEASE_MS, ...(isPhase && { startedAt: now }) };
  const { held, text } = await deps.db.write(async (tx) => ({
    held: await moveStep(tx, step, 'lease', lease),
    text: await findFileText(tx, run.projectId, run.fileDigest),
  }));
  if (!held || text === undefined) return;
  const abort = new AbortController();
  const done = perform(state, run, parseStored(text, run.folder), held, steps, abort.signal).finally(() => {
    state.active.delete(keyOf(step));
  });
  state.active.set(keyOf(step), { step: held, abort, done });
}

async function perform(
  state: State,
  run: PipelineRun,
  file: ReturnType<typeof parseStored>,
  step: StepRun,
  steps: readonly StepRun[],
  signal: AbortSignal,
): Promise<void> {
  const { deps, handlers } = state;
  const held = holdStep(deps, { run, file, step, steps, signal });
  try {
    const outcome = await handlers[step.kind](held).catch((error: unknown) => {
      if (error instanceof Fenced) throw error;
      deps.log.error('pipelines: a step stumbled', {
        run: run.id,
        step: step.name,
        error: error instanceof Error ? error.stack : String(error),
      });
      return { kind: 'failed', failure: failureOf('internal', messageOf(error)), cause: 'final' } as const;
    });
    await settle(deps, held, outcome);
    if (outcome.kind === 'ok') await dropCopy(deps, held.step);
  } catch (error) {
    deps.log.warn('pipelines: a step was left', { run: run.id, step: step.name, error: messageOf(error) });
  }
}

/** What a step worked in is of no use once its outputs are stored; a failed one's is kept to look at. */
const dropCopy = (deps: EngineDeps, step: StepRun): Promise<void> =>
  rm(attemptOf(deps, step).src, { recursive: true, force: true });

/** Steps of ours hear it; steps that nobody here holds are cancelled through the executor. */
async function cancelSteps(state: State, steps: readonly StepRun[]): Promise<void> {
  const { deps } = state;
  for (const step of steps) {
    const active = state.active.get(keyOf(step));
    if (active) active.abort.abort('cancel');
    else if (!isStepEnd(step.state)) await cancelOrphan(deps, step, state.takeOver);
  }
}

async function cancelOrphan(deps: EngineDeps, step: StepRun, takeOver: boolean): Promise<void> {
  const isFree =
    step.state === 'pending' || step.state === 'ready' || takeOver || (step.leaseUntil ?? 0) < deps.clock.now();
  if (!isFree) return;
  if (step.state === 'running') await cancelTask(deps, step);
  await deps.db.write((tx) => moveStep(tx, step, 'cancel', { finishedAt: deps.clock.now(), reason: 'cancelled' }));
}

async function cancelTask(deps: EngineDeps, step: StepRun): Promise<void> {
  const { id, folder } = attemptOf(deps, step);
  await deps.executor.cancel({ id, attemptDir: folder });
}

const keyOf = (step: Pick<StepRun, 'runId' | 'name'>): string => `${step.runId}/${step.name}`;
