import { AppError } from '../kernel/errors.ts';
import { uuidv7 } from '../kernel/ids.ts';
import type { Tx } from '../ports/db.ts';
import type { Actor } from '../wire/route.ts';
import { findExperimentRow } from './experiments.store.ts';
import { assertActive as assertActiveExperiment, ensureDefaultExperiment } from './experiments.ts';
import { ensureSeries, forgetRuns, pointStatements } from './metric-ingest.ts';
import type { MetricInput } from './metric-points.ts';
import type { Statement } from './metrics.store.ts';
import { sealWhereFull } from './metrics.ts';
import { lastPerKey, valueOfPair } from './pairs.ts';
import { loadRuns, toRunSummary } from './run-load.ts';
import { nameRun } from './run-names.ts';
import { assertActive, assertRun, getWritableRun } from './run-state.ts';
import {
  deleteRunTagRow,
  findRunParams,
  findRunRow,
  insertRun,
  insertRunParams,
  listRunsOfAttempt,
  renameRun,
  runStatements,
  selectRunParams,
  updateRunRow,
  upsertRunTags,
} from './runs.store.ts';
import type { RunRow } from './tables.ts';
import { isFinal, type Pair, type Run, type RunStatus, type RunSummary, type TrackingDeps } from './types.ts';

export const RUN_NAME_TAG = 'mlflow.runName';
/** The tag in which clients nest a run below another. */
export const PARENT_TAG = 'mlflow.parentRunId';

export interface NewRun {
  readonly experimentId: number;
  readonly name?: string | undefined;
  readonly user?: string | undefined;
  readonly startedAt?: number | undefined;
  readonly tags?: readonly Pair[];
}

/**
 * Starts a run. Under a step's token it belongs to that attempt; the first is the attempt's primary run. Throws `not_found` or
 * `precondition_failed` where the experiment is missing or deleted.
 */
export async function createRun(deps: TrackingDeps, actor: Actor, input: NewRun): Promise<Run> {
  await ensureDefaultExperiment(deps, actor.projectId);
  const now = deps.clock.now();
  const id = uuidv7(now, (bytes) => deps.random.fill(bytes)).replaceAll('-', '');
  const name = nameOf(deps, input);
  const tags = lastPerKey([...(input.tags ?? []), { key: RUN_NAME_TAG, value: name }]);
  return deps.db.write(async (tx) => {
    const experiment = await findExperimentRow(tx, actor.projectId, input.experimentId);
    const { artifact_location } = assertActiveExperiment(experiment, input.experimentId);
    const row: RunRow = {
      project_id: actor.projectId,
      id,
      experiment_id: input.experimentId,
      name,
      user_id: input.user ?? '',
      status: 'RUNNING',
      started_at: input.startedAt ?? now,
      ended_at: null,
      artifact_uri: `${artifact_location}/${id}/artifacts`,
      lifecycle: 'active',
      deleted_at: null,
      deleted_with_experiment: 0,
      attempt_id: actor.attemptId ?? null,
      created_at: now,
    };
    await insertRun(tx, row);
    await runStatements(tx, [upsertRunTags(deps.db, actor.projectId, id, tags)]);
    return { ...toRunSummary(row), tags, params: [], metrics: [], datasets: [], inputModels: [], outputModels: [] };
  });
}

/** A run for a step that logged nothing, so that every step of a model shows among the runs. Finish it with `finishRun`. */
export async function createStepRun(
  deps: TrackingDeps,
  actor: Actor,
  input: NewRun & { readonly attemptId: string },
): Promise<Run> {
  return createRun(deps, { ...actor, attemptId: input.attemptId }, input);
}

export async function getRun(deps: Pick<TrackingDeps, 'db'>, actor: Actor, id: string): Promise<Run> {
  return deps.db.read(async (tx) => {
    const row = assertRun(await findRunRow(tx, actor.projectId, id), id);
    return (await loadRuns(tx, actor.projectId, [row]))[0]!;
  });
}

/** The runs made under the token of a step's attempt; the first is the primary one. */
export async function runsOfAttempt(
  deps: Pick<TrackingDeps, 'db'>,
  projectId: string,
  attemptId: string,
): Promise<readonly RunSummary[]> {
  const rows = await deps.db.read((tx) => listRunsOfAttempt(tx, projectId, attemptId));
  return rows.map(toRunSummary);
}

export interface RunChange {
  readonly id: string;
  readonly status?: RunStatus | undefined;
  readonly endedAt?: number | undefined;
  readonly name?: string | undefined;
}

/** Changes a run's state, end or name. Any state may follow any: clients resume finished runs. */
export async function updateRun(deps: TrackingDeps, actor: Actor, change: RunChange): Promise<RunSummary> {
  return deps.db.write((tx) => updateRunIn(tx, deps, actor, change));
}

export async function updateRunIn(tx: Tx, deps: TrackingDeps, actor: Actor, change: RunChange): Promise<RunSummary> {
  const row = assertActive(await findRunRow(tx, actor.projectId, change.id), change.id);
  const changed: Partial<RunRow> = {
    ...(change.status === undefined ? {} : { status: change.status }),
    ...(change.endedAt === undefined ? {} : { ended_at: change.endedAt }),
    ...(change.name ? { name: change.name } : {}),
  };
  await updateRunRow(tx, actor.projectId, change.id, changed);
  if (change.name) {
    const tag = { key: RUN_NAME_TAG, value: change.name };
    await runStatements(tx, [upsertRunTags(deps.db, actor.projectId, change.id, [tag])]);
  }
  if (change.status && isFinal(change.status) && !isFinal(row.status as RunStatus)) {
    await deps.outbox.publish(tx, {
      topic: 'tracking.run_finished',
      projectId: actor.projectId,
      key: change.id,
      payload: { runId: change.id, status: change.status },
    });
  }
  return toRunSummary({ ...row, ...changed });
}

/** Ends a run now. */
export async function finishRun(
  deps: TrackingDeps,
  actor: Actor,
  input: { readonly id: string; readonly status: 'FINISHED' | 'FAILED' | 'KILLED' },
): Promise<RunSummary> {
  return updateRun(deps, actor, { ...input, endedAt: deps.clock.now() });
}

/** Marks a run deleted; `restoreRun` brings it back. Neither minds being asked twice. */
export async function deleteRun(deps: TrackingDeps, actor: Actor, id: string): Promise<void> {
  const change = { lifecycle: 'deleted', deleted_at: deps.clock.now(), deleted_with_experiment: 0 } as const;
  await changeLifecycle(deps, actor, id, change);
}

export async function restoreRun(deps: TrackingDeps, actor: Actor, id: string): Promise<void> {
  await changeLifecycle(deps, actor, id, { lifecycle: 'active', deleted_at: null, deleted_with_experiment: 0 });
}

/** Sets tags; the run's name follows `mlflow.runName`. */
export async function setTags(
  deps: TrackingDeps,
  actor: Actor,
  input: { readonly runId: string; readonly tags: readonly Pair[] },
): Promise<void> {
  await getWritableRun(deps, actor.projectId, input.runId);
  if (input.tags.length > 0) await deps.db.batch(tagStatements(deps, actor.projectId, input.runId, input.tags));
}

export async function deleteTag(
  deps: TrackingDeps,
  actor: Actor,
  input: { readonly runId: string; readonly key: string },
): Promise<void> {
  await deps.db.write(async (tx) => {
    assertActive(await findRunRow(tx, actor.projectId, input.runId), input.runId);
    if (await deleteRunTagRow(tx, actor.projectId, input.runId, input.key)) return;
    throw new AppError('not_found', `No tag with name: ${input.key} in run with id ${input.runId}`);
  });
}

/**
 * Stores parameters. They are written once: the same value again is fine, another throws `precondition_failed` with both values,
 * and nothing of the call is stored.
 */
export async function logParams(
  deps: TrackingDeps,
  actor: Actor,
  input: { readonly runId: string; readonly params: readonly Pair[] },
): Promise<void> {
  const { runId } = input;
  const { projectId } = actor;
  await getWritableRun(deps, projectId, runId);
  const params = lastPerKey(input.params);
  if (params.length === 0) return;
  if (params.length > 1) {
    await deps.db.write((tx) => insertParamsIn(tx, deps, projectId, runId, params));
    return;
  }
  const [, kept] = await deps.db.batch([
    insertRunParams(deps.db, projectId, runId, params),
    selectRunParams(deps.db, projectId, runId, [params[0]!.key]),
  ]);
  const old = (kept!.rows[0] as Pair).value;
  if (old !== params[0]!.value) throw paramTaken(runId, { ...params[0]!, old });
}

export interface RunBatch {
  readonly runId: string;
  readonly metrics: readonly MetricInput[];
  readonly params: readonly Pair[];
  readonly tags: readonly Pair[];
}

/** Stores metrics, parameters and tags of one run, all or none. Without parameters it shares a commit with other writes. */
export async function logBatch(deps: TrackingDeps, actor: Actor, input: RunBatch): Promise<void> {
  const { projectId } = actor;
  const run = await getWritableRun(deps, projectId, input.runId);
  if (input.metrics.length > 0) await ensureSeries(deps.db, run, input.metrics);
  const statements = [
    ...(input.metrics.length > 0 ? pointStatements(deps.db, run, input.metrics) : []),
    ...(input.tags.length > 0 ? tagStatements(deps, projectId, input.runId, input.tags) : []),
  ];
  if (input.params.length === 0) await deps.db.batch(statements);
  else {
    const params = lastPerKey(input.params);
    await deps.db.write(async (tx) => {
      await insertParamsIn(tx, deps, projectId, input.runId, params);
      await runStatements(tx, statements);
    });
  }
  sealWhereFull(deps, run, input.metrics);
}

function nameOf(deps: TrackingDeps, input: NewRun): string {
  const tagged = valueOfPair(input.tags ?? [], RUN_NAME_TAG);
  if (input.name && tagged && input.name !== tagged) {
    throw new AppError(
      'invalid',
      `Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values (run_name='${input.name}', mlflow.runName='${tagged}').`,
    );
  }
  return input.name || tagged || nameRun(deps.random);
}

function tagStatements(deps: TrackingDeps, projectId: string, runId: string, tags: readonly Pair[]): Statement[] {
  const unique = lastPerKey(tags);
  const name = valueOfPair(unique, RUN_NAME_TAG);
  const statements = [upsertRunTags(deps.db, projectId, runId, unique)];
  if (name) statements.push(renameRun(deps.db, projectId, runId, name));
  return statements;
}

async function insertParamsIn(
  tx: Tx,
  deps: TrackingDeps,
  projectId: string,
  runId: string,
  params: readonly Pair[],
): Promise<void> {
  const known = await findRunParams(
    tx,
    projectId,
    runId,
    params.map(({ key }) => key),
  );
  const old = new Map(known.map(({ key, value }) => [key, value]));
  const changed = params.filter(({ key, value }) => old.has(key) && old.get(key) !== value);
  if (changed.length > 0) {
    const list = changed.map(
      ({ key, value }) => `{'key': '${key}', 'old_value': '${old.get(key)}', 'new_value': '${value}'}`,
    );
    throw new AppError(
      'precondition_failed',
      `Changing param values is not allowed. Params were already logged='[${list.join(', ')}]' for run ID='${runId}'.`,
    );
  }
  await runStatements(tx, [insertRunParams(deps.db, projectId, runId, params)]);
}

const paramTaken = (runId: string, { key, value, old }: Pair & { readonly old: string }): AppError =>
  new AppError(
    'precondition_failed',
    `Changing param values is not allowed. Param with key='${key}' was already logged with value='${old}' for run ID='${runId}'. Attempted logging new value '${value}'.`,
  );

async function changeLifecycle(
  deps: TrackingDeps,
  actor: Actor,
  id: string,
  change: Pick<RunRow, 'lifecycle' | 'deleted_at' | 'deleted_with_experiment'>,
): Promise<void> {
  await deps.db.write(async (tx) => {
    assertRun(await findRunRow(tx, actor.projectId, id), id);
    await updateRunRow(tx, actor.projectId, id, change);
  });
  forgetRuns(deps.db, actor.projectId, id);
}
