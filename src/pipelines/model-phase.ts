import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Cut, getVersion as getDatasetVersion, materialise } from '../data/index.ts';
import { AppError, isAppError } from '../kernel/errors.ts';
import { digestOf } from '../kernel/hash.ts';
import { projectFileDigest } from '../project-file/index.ts';
import {
  type Candidate,
  type DataCut,
  decideAfterGate,
  type GateSample,
  getVersion,
  registerCandidate,
  runGate,
} from '../registry/index.ts';
import { attemptOf, sayInLog } from './attempts.ts';
import { actorOf } from './data-phase.ts';
import type { PipelinesDeps } from './deps.ts';
import type { HeldStep, Outcome } from './engine-types.ts';
import { lockOf } from './environment.ts';
import { failureOf, failureOfError } from './failures.ts';
import { cutOf, gateDataset } from './gate-data.ts';
import { type GateRowsOfRun, gateData, gateOf, rememberGate } from './gate-sample.ts';
import { learnedFeatures } from './learned-features.ts';
import { findModelSource, type ModelSource } from './model-source.ts';
import { getSnapshot } from './snapshots.ts';
import { findCached } from './steps.store.ts';
import type { DataOutputs, StepRun } from './types.ts';

export const REGISTER_STEP = 'register';
export const GATE_STEP = 'gate';

/**
 * Makes a version of what the steps left. The same model from the same data is the version that is there: a cached training step
 * gives no second one, and the reason says so.
 */
export async function handleRegister(deps: PipelinesDeps, held: HeldStep): Promise<Outcome> {
  const section = held.file.model;
  if (!section)
    return { kind: 'failed', failure: failureOf('model', 'levain.yaml has no model section'), cause: 'final' };
  try {
    const attempt = attemptOf(deps, held.step);
    const facts = await candidateFacts(deps, held, await findModelSource(deps, held, section));
    const cacheKey = registrationKey(facts);
    await held.note({ cacheKey });
    const known = await deps.db.read((tx) => findCached(tx, held.run.projectId, cacheKey));
    if (known?.outputs.register) return alreadyThere(known.outputs.register, known.runId);
    await sayInLog(attempt, 'reading the held-out rows and the training rows');
    const gate = await gateOf(deps, held, facts.modelFiles);
    const candidate = {
      ...facts,
      data: withSplit(held, facts.data, gate.split),
      gate: gate.sample,
      coding: gate.coding,
      trainingFile: await trainingFile(deps, held, gate.split),
    };
    await sayInLog(attempt, 'reading the model, proving that serving answers as training did');
    const { version, created } = await registerCandidate(deps.registry, actorOf(held.run), candidate);
    await rememberGate(deps, held, gate.split);
    const register = { model: version.model, version: version.version, created };
    if (!created) return alreadyThere(register, version.pipelineRunId ?? held.run.id);
    kept.set(deps.data, { runId: held.run.id, gate });
    const reason = `${version.model}@v${version.version} registered`;
    return { kind: 'ok', outputs: { register }, cacheKey, reason };
  } catch (error) {
    if (!isAppError(error)) throw error;
    return { kind: 'failed', failure: failureOfError('model', error), cause: 'final' };
  } finally {
    await rm(trainingFolder(deps, held.step), { recursive: true, force: true });
  }
}

type CandidateFacts = Omit<Candidate, 'gate' | 'coding' | 'trainingFile'>;

/** What makes a version another one; found again, none of the costly reading is done. */
const registrationKey = ({ model, modelFiles, featuresDigest, env, data, section, draft }: CandidateFacts): string =>
  digestOf({
    register: model,
    files: modelFiles.map(({ path, digest }) => ({ path, digest })),
    features: featuresDigest,
    env: env.digest,
    data: data.map(({ cutDigest }) => cutDigest),
    section,
    draft,
  });

function alreadyThere(known: { readonly model: string; readonly version: number }, from: string): Outcome {
  const register = { model: known.model, version: known.version, created: false };
  const reason = `${known.model}@v${known.version} is this model already: same model file, data and environment`;
  return { kind: 'cached', outputs: { register }, from, reason };
}

/** Champion against challenger on the same held-out rows, then the decision that the file asks for. */
export async function handleGate(deps: PipelinesDeps, held: HeldStep): Promise<Outcome> {
  const registered = held.steps.find((step) => step.name === REGISTER_STEP)?.outputs?.register;
  if (!registered) return { kind: 'failed', failure: failureOf('gate', 'nothing was registered'), cause: 'final' };
  const actor = actorOf(held.run);
  const reference = { model: registered.model, version: registered.version };
  try {
    await sayInLog(attemptOf(deps, held.step), 'scoring champion and challenger on the same held-out rows');
    const known = registered.created ? null : (await getVersion(deps.registry, actor, reference)).gate;
    const verdict = known ?? (await runGate(deps.registry, actor, { ...reference, ...(await keptGate(deps, held)) }));
    const decided = await decide(deps, held, reference, known !== null);
    const outputs = { gate: { outcome: verdict.outcome, sentence: verdict.sentence, approval: decided } };
    return {
      kind: 'ok',
      outputs,
      reason: known ? 'decided when the version was registered' : verdict.outcome.replace('_', ' '),
    };
  } catch (error) {
    if (!isAppError(error)) throw error;
    return { kind: 'failed', failure: failureOfError('gate', error), cause: 'final' };
  }
}

async function decide(
  deps: PipelinesDeps,
  held: HeldStep,
  reference: { readonly model: string; readonly version: number },
  wasDecided: boolean,
): Promise<string> {
  const actor = actorOf(held.run);
  if (wasDecided) return (await getVersion(deps.registry, actor, reference)).approval;
  return (await decideAfterGate(deps.registry, actor, reference)).approval;
}

async function candidateFacts(deps: PipelinesDeps, held: HeldStep, source: ModelSource): Promise<CandidateFacts> {
  const { run, file } = held;
  const section = file.model!;
  const environment = await environmentOf(deps, held);
  return {
    model: modelName(held),
    pipeline: run.pipeline,
    pipelineRunId: run.id,
    runId: source.runId,
    modelFiles: source.files,
    featuresDigest: await featuresDigest(deps, held, source),
    env: { digest: environment.digest },
    python: environment.python,
    data: dataCuts(held),
    sourceDigest: run.sourceDigest,
    fileDigest: projectFileDigest(file),
    section,
    metrics: source.metrics,
    draft: run.draft,
    retrain: run.trigger.kind !== 'manual' || run.dataMode === 'latest',
  };
}

/** A pipeline makes one model, named as the pipeline. */
const modelName = (held: HeldStep): string => held.file.name;

async function environmentOf(deps: PipelinesDeps, { run, file }: HeldStep) {
  const lock = await lockOf(deps, file, await getSnapshot(deps, run.projectId, run.sourceDigest));
  if (lock === undefined) {
    throw new AppError(
      'precondition_failed',
      'A model is served in the environment that it was trained in, and the project has no lock; write requirements.lock (uv pip compile) with "# python: 3.11" as its first line',
    );
  }
  return deps.environments.build(lock);
}

async function featuresDigest(
  deps: PipelinesDeps,
  { run, file }: HeldStep,
  source: ModelSource,
): Promise<string | null> {
  const path = file.model?.features ?? null;
  if (path === null) return null;
  const entry = (await getSnapshot(deps, run.projectId, run.sourceDigest)).find((candidate) => candidate.path === path);
  if (!entry) throw new AppError('invalid', `model.features names ${path}, which is not in the project`);
  return learnedFeatures(deps, entry, source.files);
}

const dataOutputs = (held: HeldStep): readonly DataOutputs[] => held.steps.flatMap((step) => step.outputs?.data ?? []);

/** The model's own dataset first. */
function dataCuts(held: HeldStep): readonly DataCut[] {
  const main = gateDataset(held.file);
  const all = [...dataOutputs(held)].sort((a, b) => Number(b.dataset === main) - Number(a.dataset === main));
  return all.flatMap((data) => {
    if (!held.file.data[data.dataset]) return [];
    const { dataset, version, cutDigest } = data;
    return [{ dataset, version, cutDigest, ...cutOf(held, data) }];
  });
}

/** At most one a server: the gate of a run follows its registration, which has read the same rows. */
const kept = new WeakMap<PipelinesDeps['data'], { readonly runId: string; readonly gate: GateRowsOfRun }>();

async function keptGate(
  deps: PipelinesDeps,
  held: HeldStep,
): Promise<{ readonly sample: GateSample | null; readonly about: string | null }> {
  const found = kept.get(deps.data);
  kept.delete(deps.data);
  const gate =
    found?.runId === held.run.id
      ? found.gate
      : await gateOf(deps, held, (await findModelSource(deps, held, held.file.model!)).files);
  return { sample: gate.sample, about: gate.why };
}

const trainingFolder = (deps: PipelinesDeps, step: StepRun): string => join(attemptOf(deps, step).folder, 'training');

/** The rows that the model learned from, as one file: the reference of monitors, golden rows and signature. */
async function trainingFile(deps: PipelinesDeps, held: HeldStep, split: Cut['split']): Promise<string> {
  const data = gateData(held);
  if (!data)
    throw new AppError(
      'precondition_failed',
      'The pipeline has a model and no data section; name its training data under "data"',
    );
  const version = await getDatasetVersion(deps.data, actorOf(held.run), { id: data.versionId });
  await sayInLog(attemptOf(deps, held.step), `profiling ${version.dataset} v${version.version}`);
  const to = join(trainingFolder(deps, held.step), 'training.parquet');
  await materialise(deps.data, { ...cutOf(held, data), split, to });
  return to;
}

/** The first dataset is the gate's. */
const withSplit = (held: HeldStep, data: readonly DataCut[], split: Cut['split']): readonly DataCut[] =>
  data.map((cut) => (cut.dataset === gateDataset(held.file) ? { ...cut, split } : cut));
