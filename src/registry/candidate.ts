import { copyFile, mkdir, rm } from 'node:fs/promises';
import { dirname, isAbsolute, join, normalize } from 'node:path';
import {
  type Conversion,
  computeGolden,
  convertModel,
  ENGINE_FORMAT,
  encodeGolden,
  PARITY_TOLERANCE,
} from '../engines/index.ts';
import type { ServableSpec, Task } from '../engines/types.ts';
import { recordActivity } from '../identity/index.ts';
import { canonicalJson } from '../kernel/canonical-json.ts';
import { AppError, isAppError } from '../kernel/errors.ts';
import { type Cell, cellAt, type Frame, findColumn } from '../kernel/frame.ts';
import { digestOf } from '../kernel/hash.ts';
import { uuidv7 } from '../kernel/ids.ts';
import { publish } from '../outbox/index.ts';
import type { PythonModel } from '../ports/python-worker.ts';
import type { Actor } from '../wire/route.ts';
import { keepBackground } from './background.ts';
import { positiveCode, sameCell, wordsOf } from './coding.ts';
import { goldenRows, proveParity } from './parity.ts';
import { rawSignature } from './raw-signature.ts';
import { buildReference, classShares, type TrainingSample, trainingSample } from './reference.ts';
import type { Candidate, EngineFacts, Parity, Registered, RegistryDeps, VersionFacts } from './types.ts';
import * as store from './versions.store.ts';
import { getVersionIn } from './versions.ts';

/**
 * Makes a version of what a run left behind: reads the model file without running it, has the training environment answer golden
 * raw rows, proves that the engine which will serve answers the same (else a Python worker serves), profiles the training rows
 * as the monitor's reference, and writes it all in one transaction. The same model on the same data is the same version.
 */
export async function registerCandidate(deps: RegistryDeps, actor: Actor, candidate: Candidate): Promise<Registered> {
  const identity = identityOf(candidate);
  const known = await deps.db.read(async (tx) => {
    const row = await store.findByIdentity(tx, actor.projectId, candidate.model, identity);
    return row && getVersionIn(tx, actor.projectId, { model: row.model, version: row.version });
  });
  if (known) return { version: known, created: false };
  const folder = join(deps.tempDir, `register-${uuidv7(deps.clock.now(), deps.random.fill)}`);
  try {
    const paths = await layOut(deps, folder, candidate);
    const prepared = await prepare(deps, actor, candidate, paths);
    return { version: await write(deps, actor, candidate, identity, prepared), created: true };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const identityOf = (candidate: Candidate): string =>
  digestOf({
    files: candidate.modelFiles,
    features: candidate.featuresDigest,
    env: candidate.env.digest,
    data: candidate.data.map((cut) => cut.cutDigest),
    section: candidate.section,
    draft: candidate.draft,
  });

interface Paths {
  readonly modelPath: string;
  readonly featuresPath: string | undefined;
}

/** The model's folder, or its one file, and features.py as local files, for the training environment. */
async function layOut(deps: RegistryDeps, folder: string, candidate: Candidate): Promise<Paths> {
  if (candidate.modelFiles.length === 0)
    throw new AppError('invalid', 'The model has no files; log it with mlflow or name a file in model.from');
  const root = join(folder, 'model');
  for (const file of candidate.modelFiles) {
    const path = normalize(file.path);
    if (isAbsolute(path) || path.startsWith('..'))
      throw new AppError('invalid', `The model's file "${file.path}" lies outside its folder`);
    await mkdir(dirname(join(root, path)), { recursive: true });
    await copyFile(await deps.content.localPath(file.digest), join(root, path));
  }
  const [only, ...others] = candidate.modelFiles;
  const modelPath = others.length === 0 && normalize(only!.path) !== 'MLmodel' ? join(root, only!.path) : root;
  if (candidate.featuresDigest === null) return { modelPath, featuresPath: undefined };
  return { modelPath, featuresPath: await deps.content.localPath(candidate.featuresDigest) };
}

interface Prepared {
  readonly spec: Omit<ServableSpec, 'version' | 'versionId'>;
  readonly engine: EngineFacts;
  readonly parity: Parity;
  readonly profile: string;
  readonly background: VersionFacts['background'];
  readonly classShares: VersionFacts['classShares'];
  readonly trainingRows: number;
  readonly contents: readonly string[];
}

async function prepare(deps: RegistryDeps, actor: Actor, candidate: Candidate, paths: Paths): Promise<Prepared> {
  const training = await trainingSample(deps, candidate);
  const converted = await convertModel(paths.modelPath);
  if (!converted.allowed)
    throw new AppError(
      'invalid',
      `The model file is refused: it names ${converted.dangers.join(', ')}, which no model needs`,
    );
  // The training environment takes a second to import; it starts while the signature is found.
  const warm = deps.workers.load(candidate.python, pythonModel(paths)).catch(() => undefined);
  try {
    return await prove(deps, actor, candidate, { paths, training, converted });
  } catch (error) {
    throw withHint(error, false);
  } finally {
    await (await warm)?.close();
  }
}

/** What most often stands behind a model that does not answer: a module that is not there, or a guessed signature. */
function withHint(error: unknown, isGuess: boolean): unknown {
  if (!isAppError(error, 'invalid')) return error;
  const module = /ModuleNotFoundError: No module named '([\w.]+)'/.exec(error.message)?.[1];
  if (module === undefined && !isGuess) return error;
  const hint =
    module === undefined
      ? 'the model was logged without a signature, so it was asked with every column but target and entity: log it with signature=mlflow.models.infer_signature(X, y), or name model.features'
      : `neither the model's files nor its environment hold the module ${module}: where it is a file of the project, log the model with code_paths=["${module.split('.')[0]}.py"]; else add its package to the lock`;
  return new AppError(error.code, error.message, { ...error.details, hint }, error);
}

const pythonModel = ({ modelPath, featuresPath }: Paths): PythonModel => ({
  modelPath,
  ...(featuresPath !== undefined && { featuresPath }),
});

interface Read {
  readonly paths: Paths;
  readonly training: TrainingSample;
  readonly converted: Conversion;
}

async function prove(
  deps: RegistryDeps,
  actor: Actor,
  candidate: Candidate,
  { paths, training, converted }: Read,
): Promise<Prepared> {
  const classes = converted.engine === 'levain' ? converted.classes : undefined;
  const target = candidate.section.target;
  const fittedOn = converted.engine === 'levain' ? converted.inputs : [];
  const { signature, isGuess } = await rawSignature(deps, actor, candidate, paths, training.frame, fittedOn);
  const base = {
    model: candidate.model,
    task: taskOf(candidate, classes, training.frame),
    signature,
    ...classesOf(candidate, classes),
    ...(target && { threshold: target.threshold }),
    ...(candidate.featuresDigest !== null && { features: { digest: candidate.featuresDigest } }),
  };
  const python = { envDigest: candidate.env.digest, executable: candidate.python };
  const rows = await goldenRows(candidate.gate?.frame ?? training.frame, signature);
  const golden = await computeGolden(deps.workers, {
    python: candidate.python,
    model: pythonModel(paths),
    rows,
    task: base.task,
    signature,
    classes: classes ?? null,
    ...(classes && base.positive !== undefined && { positive: classes.indexOf(base.positive) }),
  }).catch((error) => {
    throw withHint(error, isGuess);
  });
  const goldenRef = await deps.content.put(encodeGolden(golden));
  const inPython = { kind: 'python' as const, files: candidate.modelFiles };
  const tried = { ...base, golden: { digest: goldenRef.digest }, ...(needsPython(base) && { python }) };
  const learned = classes ?? golden.classes;
  const fallback = {
    ...tried,
    ...classesOf(candidate, learned),
    python,
    engine: inPython,
  };
  const proven = await proveParity(deps, golden, PARITY_TOLERANCE, [
    ...(converted.engine === 'levain'
      ? [{ spec: { ...tried, engine: await storeEngine(deps, converted.bytes) }, reason: converted.reader }]
      : []),
    {
      spec: fallback,
      reason: converted.engine === 'python' ? converted.reason : 'the engine did not agree with Python',
    },
  ]);
  const { servable, ...facts } = proven;
  try {
    const reference = await buildReference(deps, candidate, training, servable);
    const background = await keepBackground(deps, training.frame, signature);
    return {
      ...facts,
      profile: canonicalJson(reference),
      background,
      classShares: classShares(candidate, training, servable),
      trainingRows: training.total,
      contents: [...contentsOf(candidate, proven.spec, goldenRef.digest), background.digest],
    };
  } finally {
    await servable.close();
  }
}

const needsPython = (spec: { features?: unknown }): boolean => spec.features !== undefined;

async function storeEngine(deps: RegistryDeps, bytes: Uint8Array): Promise<ServableSpec['engine']> {
  const { digest } = await deps.content.put(bytes);
  return { kind: 'levain', digest, format: ENGINE_FORMAT };
}

/** The task the file names, else what the model's classes and the target say. */
function taskOf(candidate: Candidate, classes: readonly Cell[] | undefined, training: Frame): Task {
  const { task, target } = candidate.section;
  if (task) return task;
  if (classes) return classes.length === 2 ? 'binary' : 'multiclass';
  if (target?.positive != null) return 'binary';
  const column = target && findColumn(training, target.column);
  if (!column) return 'regression';
  const distinct = new Set<Cell>();
  for (let i = 0; i < training.rowCount && distinct.size <= 20; i++) distinct.add(cellAt(column.values, i));
  if (distinct.size === 2) return 'binary';
  return [...distinct].every((value) => typeof value === 'number') ? 'regression' : 'multiclass';
}

/** The model's classes, the data's words for them, and which one is positive. */
function classesOf(
  candidate: Candidate,
  classes: readonly Cell[] | undefined,
): Pick<ServableSpec, 'classes' | 'words' | 'positive'> {
  if (!classes) return {};
  const words = wordsOf(classes, candidate.coding);
  return { classes, ...(words && { words }), ...positiveOf(candidate, classes) };
}

/** The positive class among the model's own: the file's value, as the notebook writes it, else the second of two. */
function positiveOf(candidate: Candidate, classes: readonly Cell[] | undefined): { positive?: Cell } {
  if (classes?.length !== 2) return {};
  const word = positiveCode(candidate.section.target?.positive ?? null, candidate.coding);
  const named = classes.find((value) => word !== null && sameCell(value, word));
  return { positive: named ?? classes[1]! };
}

function contentsOf(candidate: Candidate, spec: Omit<ServableSpec, 'version' | 'versionId'>, golden: string): string[] {
  const digests = candidate.modelFiles.map((file) => file.digest);
  if (candidate.featuresDigest !== null) digests.push(candidate.featuresDigest);
  for (const { split } of candidate.data)
    if (split?.kind === 'notebook' && split.rows !== null) digests.push(split.rows);
  if (spec.engine.kind === 'levain') digests.push(spec.engine.digest);
  return [...new Set([...digests, golden])];
}

async function write(deps: RegistryDeps, actor: Actor, candidate: Candidate, identity: string, prepared: Prepared) {
  const now = deps.clock.now();
  const id = uuidv7(now, deps.random.fill);
  const { projectId } = actor;
  return deps.db.write(async (tx) => {
    await store.ensureModel(tx, projectId, candidate.model, now);
    const version = await store.takeVersionNumber(tx, projectId, candidate.model);
    await store.insertVersion(tx, {
      project_id: projectId,
      model: candidate.model,
      version,
      id,
      state: 'registered',
      identity,
      run_id: candidate.runId,
      pipeline_run_id: candidate.pipelineRunId,
      created_at: now,
      draft: Number(candidate.draft),
      rehearsal: null,
      facts: canonicalJson(factsOf(candidate, prepared)),
      spec: canonicalJson({ ...prepared.spec, version, versionId: id }),
      profile: prepared.profile,
      gate: null,
      approval: 'not_needed',
      decision: null,
    });
    await deps.content.reference(tx, { kind: 'model_version', id }, prepared.contents);
    await announce(deps, tx, actor, { candidate, version, id, prepared });
    return getVersionIn(tx, projectId, { model: candidate.model, version });
  });
}

const factsOf = (candidate: Candidate, prepared: Prepared): VersionFacts => ({
  pipeline: candidate.pipeline,
  files: candidate.modelFiles,
  featuresDigest: candidate.featuresDigest,
  env: candidate.env.digest,
  data: candidate.data,
  sourceDigest: candidate.sourceDigest,
  fileDigest: candidate.fileDigest,
  section: candidate.section,
  metrics: Object.fromEntries(Object.entries(candidate.metrics).filter(([, value]) => Number.isFinite(value))),
  retrain: candidate.retrain,
  engine: prepared.engine,
  parity: prepared.parity,
  madeOf: null,
  trainingRows: prepared.trainingRows,
  coding: candidate.coding,
  ...(prepared.classShares && { classShares: prepared.classShares }),
  ...(prepared.background && { background: prepared.background }),
});

async function announce(
  deps: RegistryDeps,
  tx: Parameters<typeof getVersionIn>[0],
  actor: Actor,
  made: { candidate: Candidate; version: number; id: string; prepared: Prepared },
): Promise<void> {
  const { candidate, version, id, prepared } = made;
  const name = `${candidate.model}@v${version}`;
  const { parity, engine } = prepared;
  const by = engine.kind === 'levain' ? 'our engine' : `a Python worker (${engine.reason})`;
  const data = candidate.data.map((cut) => `${cut.dataset} v${cut.version}`).join(', ');
  await recordActivity(tx, deps.identity, {
    projectId: actor.projectId,
    at: deps.clock.now(),
    kind: 'run',
    subject: name,
    sentence: `${name} registered from ${data || 'no data'} (${prepared.trainingRows.toLocaleString('en-US')} training rows), served by ${by}; ${parity.rows} golden predictions agree within ${parity.maxDifference.toExponential(1)}${candidate.draft ? '; a draft' : ''}`,
    command: `levain models show ${name}`,
  });
  await publish(
    tx,
    {
      topic: 'registry.version_registered',
      projectId: actor.projectId,
      key: id,
      payload: { model: candidate.model, version },
    },
    deps,
  );
}
