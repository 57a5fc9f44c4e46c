import { AppError } from '../kernel/errors.ts';
import { uuidv7 } from '../kernel/ids.ts';
import { type Page, type PageRequest, parsePageToken, toPageToken } from '../kernel/pages.ts';
import { afterCommit } from '../ports/after-commit.ts';
import type { Tx } from '../ports/db.ts';
import { type ProjectFile, stepEdges } from '../project-file/index.ts';
import type { Actor } from '../wire/route.ts';
import { appliedFileIn, checkSource, parseStored, type Source, storeSourceIn } from './applied.ts';
import { dataStep } from './data-phase.ts';
import type { PipelinesDeps } from './deps.ts';
import { findFileText, findPipeline } from './files.store.ts';
import { isNotebookGate } from './gate-data.ts';
import { datasetsOf } from './keys.ts';
import { GATE_STEP, REGISTER_STEP } from './model-phase.ts';
import {
  findRun,
  findRunByTrigger,
  findRunsEndingIn,
  insertRun,
  listLatestRuns,
  listOpenRuns,
  listRunsOf,
  updateRun,
} from './runs.store.ts';
import { insertSteps, listKeyParts, listSteps } from './steps.store.ts';
import { isFinished, type KeyPart, type PipelineRun, StartRunInput, type StepKind, type StepRun } from './types.ts';
import { wakeEngines } from './wake.ts';

export type RunDeps = Pick<PipelinesDeps, 'db' | 'clock' | 'random' | 'content' | 'outbox' | 'identity'>;

/**
 * Starts a run of the applied file, or of `source`: where its file or snapshot differs from the applied ones the run is a draft.
 * A trigger's event has one run however often it is told: the one that is there is answered. Throws `not_found` where nothing
 * is applied.
 */
export async function startRun(deps: RunDeps, actor: Actor, input: StartRunInput): Promise<PipelineRun> {
  const parsed = StartRunInput.parse(input);
  const source = parsed.source && (await checkSource(deps, actor.projectId, parsed.source));
  if (source && source.file.name !== input.pipeline) {
    throw new AppError('invalid', `The file is of the pipeline "${source.file.name}", not "${input.pipeline}"`);
  }
  return deps.db.write(async (tx) => {
    const wanted = await wantedIn(tx, actor.projectId, input.pipeline, source);
    if (source) await storeSourceIn(tx, deps, actor.projectId, source);
    checkParams(wanted.file, parsed.params);
    const id = uuidv7(deps.clock.now(), (bytes) => deps.random.fill(bytes));
    const { kind, key, asOf } = parsed.trigger ?? { kind: 'manual' as const, key: id, asOf: null };
    return startRunIn(tx, deps, {
      id,
      projectId: actor.projectId,
      startedBy: actor.user,
      trigger: { kind, key, asOf },
      dataMode: parsed.dataMode,
      params: parsed.params,
      rehearsal: parsed.rehearsal,
      ...wanted,
    });
  });
}

export interface NewPipelineRun {
  readonly id: string;
  readonly projectId: string;
  readonly startedBy: string;
  readonly trigger: PipelineRun['trigger'];
  readonly dataMode: PipelineRun['dataMode'];
  readonly params: PipelineRun['params'];
  readonly rehearsal: string | null;
  readonly file: ProjectFile;
  readonly fileDigest: string;
  readonly sourceDigest: string;
  readonly folder: string;
  readonly draft: boolean;
}

/** In the caller's transaction: the run with its steps, or the run that the trigger's event already has. */
export async function startRunIn(
  tx: Tx,
  deps: Pick<RunDeps, 'db' | 'clock'>,
  input: NewPipelineRun,
): Promise<PipelineRun> {
  const { file, ...rest } = input;
  const run: PipelineRun = {
    ...rest,
    pipeline: file.name,
    state: 'pending',
    summary: null,
    failure: null,
    model: null,
    version: null,
    cancelRequested: false,
    createdAt: deps.clock.now(),
    startedAt: null,
    finishedAt: null,
  };
  if (!(await insertRun(tx, run))) {
    const { kind, key } = input.trigger;
    return (await findRunByTrigger(tx, { projectId: run.projectId, pipeline: run.pipeline, kind, key }))!;
  }
  const steps = phasesOf(file).map((phase, position) => ({
    ...phase,
    projectId: run.projectId,
    runId: run.id,
    position,
  }));
  await insertSteps(tx, steps);
  afterCommit(tx, () => wakeEngines(deps.db));
  return run;
}

/** The applied file as what a run needs of it; undefined where nothing is applied. */
export async function appliedForRunIn(
  tx: Tx,
  projectId: string,
  pipeline: string,
): Promise<Pick<NewPipelineRun, 'file' | 'fileDigest' | 'sourceDigest' | 'folder' | 'draft'> | undefined> {
  const row = await findPipeline(tx, projectId, pipeline);
  const text = row && (await findFileText(tx, projectId, row.file_digest));
  if (!row || text === undefined) return undefined;
  return {
    file: parseStored(text, row.folder),
    fileDigest: row.file_digest,
    sourceDigest: row.source_digest,
    folder: row.folder,
    draft: false,
  };
}

/** Everything that a run does, in an order in which each comes after what it needs: data, steps, register, gate. */
export function phasesOf(
  file: ProjectFile,
): readonly { readonly name: string; readonly kind: StepKind; readonly needs: readonly string[] }[] {
  const edges = stepEdges(file.steps);
  const used = new Set(Object.values(file.steps).flatMap((section) => datasetsOf(file, section)));
  const data = Object.keys(file.data)
    .filter((name) => used.has(name))
    .map((name, _, names) => ({ name: dataStep(name), kind: 'data' as const, needs: othersFirst(file, name, names) }));
  const steps = Object.entries(file.steps).map(([name, section]) => ({
    name,
    kind: section.notebook === null ? ('run' as const) : ('notebook' as const),
    needs: [...datasetsOf(file, section).map(dataStep), ...(edges[name] ?? [])],
  }));
  const all = [...data, ...steps].map(({ name }) => name);
  const model = file.model
    ? [
        { name: REGISTER_STEP, kind: 'register' as const, needs: all },
        { name: GATE_STEP, kind: 'gate' as const, needs: [REGISTER_STEP] },
      ]
    : [];
  return [...data, ...steps, ...model];
}

/** What a notebook's own dataset is cut to depends on what its steps were run on before, so the others are settled first. */
const othersFirst = (file: ProjectFile, name: string, names: readonly string[]): readonly string[] =>
  isNotebookGate(file, name) ? names.filter((other) => other !== name).map(dataStep) : [];

/** A run by its id, or by the end of it as people see it. */
export async function getRun(deps: Pick<RunDeps, 'db'>, projectId: string, id: string): Promise<PipelineRun> {
  return deps.db.read((tx) => getRunIn(tx, projectId, id));
}

export interface RunDetail {
  readonly run: PipelineRun;
  readonly steps: readonly (StepRun & { readonly keyParts: readonly KeyPart[] })[];
}

export async function getRunDetail(deps: Pick<RunDeps, 'db'>, projectId: string, id: string): Promise<RunDetail> {
  return deps.db.read(async (tx) => {
    const run = await getRunIn(tx, projectId, id);
    const steps = await listSteps(tx, projectId, run.id);
    return {
      run,
      steps: await Promise.all(steps.map(async (step) => ({ ...step, keyParts: await listKeyParts(tx, step) }))),
    };
  });
}

export async function listRuns(
  deps: Pick<RunDeps, 'db'>,
  projectId: string,
  request: PageRequest & { readonly pipeline?: string | undefined },
): Promise<Page<PipelineRun>> {
  const before = request.after === undefined ? undefined : (parsePageToken(request.after) as [number, string]);
  const rows = await deps.db.read((tx) =>
    listRunsOf(tx, { projectId, pipeline: request.pipeline, limit: request.limit + 1, before }),
  );
  const items = rows.slice(0, request.limit);
  const last = items.at(-1);
  return { items, ...(rows.length > request.limit && last && { next: toPageToken([last.createdAt, last.id]) }) };
}

/** Of every pipeline its newest run, rehearsals aside. */
export const latestRuns = (deps: Pick<RunDeps, 'db'>, projectId: string): Promise<PipelineRun[]> =>
  deps.db.read((tx) => listLatestRuns(tx, projectId));

/** Runs of a pipeline that are not over. */
export const activeRuns = (deps: Pick<RunDeps, 'db'>, projectId: string, pipeline: string): Promise<PipelineRun[]> =>
  deps.db.read((tx) => listOpenRuns(tx, { projectId, pipeline }));

/** Asks a run to end; its steps are stopped soon after. A run that is over is left as it is. */
export async function cancelRun(deps: Pick<RunDeps, 'db'>, projectId: string, id: string): Promise<PipelineRun> {
  const run = await deps.db.write(async (tx) => {
    const found = await getRunIn(tx, projectId, id);
    if (!isFinished(found.state)) await updateRun(tx, found, ['pending', 'running'], { cancelRequested: true });
    return getRunIn(tx, projectId, found.id);
  });
  wakeEngines(deps.db);
  return run;
}

async function getRunIn(tx: Tx, projectId: string, id: string): Promise<PipelineRun> {
  const exact = await findRun(tx, projectId, id);
  if (exact) return exact;
  const ending = id.length >= MIN_SHORT_ID ? await findRunsEndingIn(tx, projectId, id) : [];
  const [only, ...more] = ending;
  if (only && more.length === 0) return only;
  if (only) throw new AppError('invalid', `More than one run ends in "${id}"; write more of its id`);
  throw new AppError('not_found', `There is no pipeline run "${id}"`, { hint: 'levain runs' });
}

const MIN_SHORT_ID = 4;

async function wantedIn(tx: Tx, projectId: string, pipeline: string, source: Source | undefined) {
  const applied = await appliedFileIn(tx, projectId, pipeline);
  if (source) {
    const draft = applied?.digest !== source.digest || applied.sourceDigest !== source.sourceDigest;
    return {
      file: source.file,
      fileDigest: source.textDigest,
      sourceDigest: source.sourceDigest,
      folder: source.folder,
      draft,
    };
  }
  const found = await appliedForRunIn(tx, projectId, pipeline);
  if (!found) throw new AppError('not_found', `The pipeline "${pipeline}" was never applied`, { hint: 'levain apply' });
  return found;
}

function checkParams(file: ProjectFile, params: Readonly<Record<string, unknown>>): void {
  const unknown = Object.keys(params).filter((name) => !(name in file.params));
  if (unknown.length === 0) return;
  const known = Object.keys(file.params).join(', ') || 'none';
  throw new AppError('invalid', `The parameter "${unknown[0]}" is not among the file's params (${known})`);
}
