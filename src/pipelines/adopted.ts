import { rm } from 'node:fs/promises';
import { getVersion } from '../data/index.ts';
import { AppError } from '../kernel/errors.ts';
import { digestOf } from '../kernel/hash.ts';
import { uuidv7 } from '../kernel/ids.ts';
import type { Actor } from '../wire/route.ts';
import { type Adopted, type AdoptedStep, findAdopted, writeAdopted } from './adopted-record.ts';
import { attemptOf } from './attempts.ts';
import { actorOf, handleData } from './data-phase.ts';
import type { PipelinesDeps } from './deps.ts';
import type { HeldStep, Outcome } from './engine-types.ts';
import { duration } from './finish.ts';
import { exportsOf, lockPath, partInWords } from './keys.ts';
import { appliedForRunIn, phasesOf } from './runs.ts';
import { planStep, type StepPlan } from './step-plan.ts';
import { AdoptedInput, type DataOutputs, type PipelineRun, type StepRun } from './types.ts';

type Input = AdoptedStep['input'];

/**
 * Files a step that `levain adopt` ran as if it had run here: a run of the applied file whose data and step are done, its tracked
 * runs, and the cache row under the key that the planner computes now, so that the next run finds it cached. Told again, it
 * answers what it filed. Throws `conflict` and names the parts where what was run is not what the step has now.
 */
export async function fileAdopted(deps: PipelinesDeps, actor: Actor, raw: AdoptedInput): Promise<Adopted> {
  const { pipeline } = raw;
  const input = AdoptedInput.parse(raw);
  const run = await newRun(deps, actor, pipeline, input);
  const { held, plan } = await planAdopted(deps, run, input);
  await assertSame(deps, held, plan, input);
  const adopted = { held, plan, input };
  return (await findAdopted(deps, adopted)) ?? writeAdopted(deps, actor, adopted);
}

/** The run as it will be written: over already, under the trigger `adopt`. */
async function newRun(deps: PipelinesDeps, actor: Actor, pipeline: string, input: Input): Promise<Draft> {
  const applied = await deps.db.read((tx) => appliedForRunIn(tx, actor.projectId, pipeline));
  if (!applied)
    throw new AppError('not_found', `The pipeline "${pipeline}" was never applied`, { hint: 'levain apply' });
  if (applied.sourceDigest !== input.sourceDigest)
    throw new AppError(
      'conflict',
      'The applied project is another one than levain adopt saw; apply it, and adopt again',
      {
        hint: 'levain adopt',
      },
    );
  const section = applied.file.steps[input.step];
  if (!section?.notebook)
    throw new AppError('invalid', `levain.yaml has no notebook step "${input.step}"; adopt files a notebook's step`);
  const { file, ...rest } = applied;
  const now = deps.clock.now();
  const run: PipelineRun = {
    ...rest,
    projectId: actor.projectId,
    id: uuidv7(now, (bytes) => deps.random.fill(bytes)),
    pipeline,
    trigger: { kind: 'adopt', key: '', asOf: null },
    dataMode: 'latest',
    params: {},
    startedBy: actor.user,
    rehearsal: null,
    state: 'succeeded',
    summary: `${input.step} was run by levain adopt in ${duration(input.endedAt - input.startedAt)}`,
    failure: null,
    model: null,
    version: null,
    cancelRequested: false,
    createdAt: now,
    startedAt: input.startedAt,
    finishedAt: input.endedAt,
  };
  return { run, file };
}

interface Draft {
  readonly run: PipelineRun;
  readonly file: HeldStep['file'];
}

/** Settles the data as a run would, and computes the key of the step that stands on it. */
async function planAdopted(
  deps: PipelinesDeps,
  { run, file }: Draft,
  input: Input,
): Promise<{ readonly held: HeldStep; readonly plan: StepPlan }> {
  const phases = phasesOf(file).map((phase, position) => emptyStep(run, phase, position));
  const wanted = phases.find(({ name }) => name === input.step)!;
  const steps: StepRun[] = [];
  for (const phase of phases.filter(({ kind }) => kind === 'data')) {
    const outcome = await settleData(deps, heldOf({ run, file }, phase, steps));
    if (outcome.kind !== 'ok') throw brokenData(phase.name, outcome);
    steps.push({ ...phase, state: 'ok', outputs: outcome.outputs, reason: outcome.reason ?? null });
  }
  const missing = wanted.needs.find((name) => !steps.some((step) => step.name === name));
  if (missing !== undefined)
    throw new AppError(
      'precondition_failed',
      `The step ${input.step} needs ${missing}, which adopt did not run; levain run runs both`,
    );
  const held = heldOf({ run, file }, wanted, [...steps, wanted]);
  return { held, plan: await planStep(deps, held) };
}

/** Its log is of an attempt that nobody looks for. */
async function settleData(deps: PipelinesDeps, held: HeldStep): Promise<Outcome> {
  try {
    return await handleData(deps, held);
  } finally {
    await rm(attemptOf(deps, held.step).folder, { recursive: true, force: true });
  }
}

function brokenData(name: string, outcome: Outcome): AppError {
  const failure = outcome.kind === 'failed' ? outcome.failure : undefined;
  return new AppError('precondition_failed', failure?.message ?? `${name} could not be read`, {
    ...(failure?.hint != null && { hint: failure.hint }),
    ...(failure?.kind === 'contract' && { exitCode: 9 }),
  });
}

const heldOf = ({ run, file }: Draft, step: StepRun, steps: readonly StepRun[]): HeldStep => ({
  run,
  file,
  step,
  steps,
  signal: new AbortController().signal,
  start: () => Promise.reject(new Error('an adopted step is not started')),
  note: async () => {},
});

const emptyStep = (run: PipelineRun, phase: ReturnType<typeof phasesOf>[number], position: number): StepRun => ({
  ...phase,
  projectId: run.projectId,
  runId: run.id,
  position,
  state: 'pending',
  attempt: 0,
  fence: 0,
  leaseOwner: null,
  leaseUntil: null,
  dueAt: null,
  cacheKey: null,
  cachedFrom: null,
  reason: null,
  envDigest: null,
  outputs: null,
  failure: null,
  startedAt: null,
  finishedAt: null,
});

/** What adopt ran must be what the step would run now, part by part. */
async function assertSame(
  deps: PipelinesDeps,
  held: HeldStep,
  plan: StepPlan,
  { ran, ...input }: Input,
): Promise<void> {
  const { snapshot, section, params } = plan;
  const digestIn = (path: string | null): string | null => snapshot.find((file) => file.path === path)?.digest ?? null;
  const data = await Promise.all(
    Object.values(plan.data).map(async (each) => ({
      part: `data:${each.dataset}`,
      isSame: isSameSet(await filesOf(deps, held, each), ran.data[each.dataset] ?? []),
    })),
  );
  const parts = [
    { part: `notebook:${section.notebook}`, isSame: digestIn(section.notebook) === ran.notebook },
    { part: 'env', isSame: digestIn(lockPath(held.file)) === ran.lock },
    { part: 'platform', isSame: ran.platform === `${process.platform}-${process.arch}` },
    ...[...new Set([...Object.keys(params), ...Object.keys(ran.params)])].map((name) => ({
      part: `param:${name}`,
      isSame: digestOf(params[name] ?? null) === digestOf(ran.params[name] ?? null),
    })),
    ...data,
  ];
  const wrong = parts.filter(({ isSame }) => !isSame).map(({ part }) => partInWords(part));
  if (wrong.length > 0)
    throw new AppError(
      'conflict',
      `What levain adopt ran is not what the step ${held.step.name} has now (${wrong.join(', ')} changed); adopt again`,
      { hint: 'levain adopt', parts: wrong },
    );
  const missing = exportsOf(held.file, held.step.name).find((name) => !input.exports[name]?.files.length);
  if (missing !== undefined)
    throw new AppError(
      'invalid',
      `levain.yaml serves the variable ${missing}, which was not sent; send its model folder`,
    );
}

const isSameSet = (a: readonly string[], b: readonly string[]): boolean =>
  digestOf([...a].sort()) === digestOf([...b].sort());

async function filesOf(deps: PipelinesDeps, held: HeldStep, data: DataOutputs): Promise<readonly string[]> {
  const version = await getVersion(deps.data, actorOf(held.run), { id: data.versionId });
  return version.files.map(({ digest }) => digest);
}
