import { AppError } from '../kernel/errors.ts';
import { uuidv7 } from '../kernel/ids.ts';
import type { Page } from '../kernel/pages.ts';
import type { Tx } from '../ports/db.ts';
import type { Actor } from '../wire/route.ts';
import { rootOf } from './artifact-paths.ts';
import { findAutologged } from './autolog.store.ts';
import { findExperimentRow } from './experiments.store.ts';
import { assertActive, ensureDefaultExperiment } from './experiments.ts';
import { type OrderInput, parseLoggedModelFilter, parseLoggedModelOrder } from './logged-model-search.ts';
import {
  type DatasetFilter,
  deleteModelTagRow,
  findLoggedModelRow,
  giveModelsToRun,
  insertLoggedModel,
  listModelMetrics,
  listModelPairs,
  listModelsOfRun,
  searchLoggedModelRows,
  updateLoggedModelRow,
  upsertModelPairs,
} from './logged-models.store.ts';
import { numberOf } from './metric-points.ts';
import { toPointOfRow } from './metrics.store.ts';
import { offsetOf, toOffsetPage } from './offset-page.ts';
import { lastPerKey } from './pairs.ts';
import { nameRun } from './run-names.ts';
import type { LoggedModelRow } from './tables.ts';
import type { LoggedModel, LoggedModelStatus, Pair, TrackingDeps } from './types.ts';

export interface NewLoggedModel {
  readonly experimentId: number;
  readonly name?: string | undefined;
  readonly modelType?: string | undefined;
  readonly sourceRunId?: string | undefined;
  readonly params?: readonly Pair[];
  readonly tags?: readonly Pair[];
}

/** Which step's attempt logged a model outside of any run, until the attempt's run has it. */
const ATTEMPT_TAG = 'levain.attempt';

/** Starts a logged model: pending until its files are up and `finishLoggedModel` says so. */
export async function createLoggedModel(deps: TrackingDeps, actor: Actor, input: NewLoggedModel): Promise<LoggedModel> {
  await ensureDefaultExperiment(deps, actor.projectId);
  const now = deps.clock.now();
  const id = `m-${uuidv7(now, (bytes) => deps.random.fill(bytes)).replaceAll('-', '')}`;
  return deps.db.write(async (tx) => {
    const found = await findExperimentRow(tx, actor.projectId, input.experimentId);
    const experiment = assertActive(found, input.experimentId);
    await insertLoggedModel(tx, {
      project_id: actor.projectId,
      id,
      experiment_id: experiment.id,
      name: input.name || nameRun(deps.random),
      model_type: input.modelType ?? '',
      source_run_id: input.sourceRunId ?? '',
      creator_id: actor.user,
      status: 'PENDING',
      artifact_uri: `${experiment.artifact_location}/models/${id}/artifacts`,
      lifecycle: 'active',
      autologged: 0,
      created_at: now,
      updated_at: now,
    });
    await upsertModelPairs(tx, 'logged_model_param', actor.projectId, id, lastPerKey(input.params ?? []));
    await upsertModelPairs(tx, 'logged_model_tag', actor.projectId, id, lastPerKey(tagsOf(actor, input)));
    return getIn(tx, actor.projectId, id);
  });
}

const tagsOf = ({ attemptId }: Actor, { tags = [], sourceRunId }: NewLoggedModel): readonly Pair[] =>
  attemptId === undefined || sourceRunId ? tags : [...tags, { key: ATTEMPT_TAG, value: attemptId }];

/** Models that a step logged while no run was active belong to its run: a notebook may call log_model and nothing else. */
export async function claimModelsOfAttempt(
  deps: Pick<TrackingDeps, 'db' | 'clock'>,
  actor: Pick<Actor, 'projectId'>,
  input: { readonly attemptId: string; readonly runId: string },
): Promise<void> {
  const tag = { key: ATTEMPT_TAG, value: input.attemptId };
  const change = { source_run_id: input.runId, updated_at: deps.clock.now() };
  await deps.db.write((tx) => giveModelsToRun(tx, actor.projectId, tag, change));
}

export async function getLoggedModel(deps: Pick<TrackingDeps, 'db'>, actor: Actor, id: string): Promise<LoggedModel> {
  return deps.db.read((tx) => getIn(tx, actor.projectId, id));
}

/** As `getLoggedModel`, inside the caller's transaction. */
export const getLoggedModelIn = (tx: Tx, projectId: string, id: string): Promise<LoggedModel> =>
  getIn(tx, projectId, id);

export async function finishLoggedModel(
  deps: TrackingDeps,
  actor: Actor,
  input: { readonly id: string; readonly status: LoggedModelStatus },
): Promise<LoggedModel> {
  return change(deps, actor, input.id, (tx) =>
    updateLoggedModelRow(tx, actor.projectId, input.id, { status: input.status, updated_at: deps.clock.now() }),
  );
}

/** Hides a logged model; its files stay until they are collected. */
export async function deleteLoggedModel(deps: TrackingDeps, actor: Actor, id: string): Promise<void> {
  await deps.db.write(async (tx) => {
    assertModel(await findLoggedModelRow(tx, actor.projectId, id), id);
    await updateLoggedModelRow(tx, actor.projectId, id, { lifecycle: 'deleted', updated_at: deps.clock.now() });
  });
}

export async function setLoggedModelTags(
  deps: TrackingDeps,
  actor: Actor,
  input: { readonly id: string; readonly tags: readonly Pair[] },
): Promise<LoggedModel> {
  return change(deps, actor, input.id, (tx) =>
    upsertModelPairs(tx, 'logged_model_tag', actor.projectId, input.id, lastPerKey(input.tags)),
  );
}

/** As `setLoggedModelTags`, inside the caller's transaction. */
export const setLoggedModelTagsIn = (tx: Tx, projectId: string, id: string, tags: readonly Pair[]): Promise<void> =>
  upsertModelPairs(tx, 'logged_model_tag', projectId, id, lastPerKey(tags));

export async function deleteLoggedModelTag(
  deps: TrackingDeps,
  actor: Actor,
  input: { readonly id: string; readonly key: string },
): Promise<void> {
  await deps.db.write(async (tx) => {
    assertModel(await findLoggedModelRow(tx, actor.projectId, input.id), input.id);
    if (await deleteModelTagRow(tx, actor.projectId, input.id, input.key)) return;
    throw new AppError('not_found', `No tag with key '${input.key}' found for model with ID '${input.id}'.`);
  });
}

export async function logLoggedModelParams(
  deps: TrackingDeps,
  actor: Actor,
  input: { readonly id: string; readonly params: readonly Pair[] },
): Promise<void> {
  await change(deps, actor, input.id, (tx) =>
    upsertModelPairs(tx, 'logged_model_param', actor.projectId, input.id, lastPerKey(input.params)),
  );
}

/** The models that a run logged, in the order in which they were made. */
export async function loggedModelsOfRun(
  deps: Pick<TrackingDeps, 'db'>,
  projectId: string,
  runId: string,
): Promise<readonly LoggedModel[]> {
  return deps.db.read(async (tx) => loadModels(tx, projectId, await listModelsOfRun(tx, projectId, runId)));
}

export interface LoggedModelQuery {
  readonly experimentIds: readonly number[];
  readonly filter?: string | undefined;
  readonly datasets?: readonly DatasetFilter[];
  readonly orders?: readonly OrderInput[];
  readonly limit: number;
  readonly after?: string | undefined;
}

export async function searchLoggedModels(
  deps: TrackingDeps,
  actor: Actor,
  query: LoggedModelQuery,
): Promise<Page<LoggedModel>> {
  const clauses = parseLoggedModelFilter(query.filter);
  const orders = (query.orders ?? []).map(parseLoggedModelOrder);
  const offset = offsetOf(query.after);
  if (query.experimentIds.length === 0) return { items: [] };
  return deps.db.read(async (tx) => {
    const rows = await searchLoggedModelRows(tx, {
      projectId: actor.projectId,
      experimentIds: query.experimentIds,
      clauses,
      datasets: query.datasets ?? [],
      orders,
      limit: query.limit + 1,
      offset,
    });
    const page = toOffsetPage(rows, query.limit, offset);
    return { ...page, items: await loadModels(tx, actor.projectId, page.items) };
  });
}

async function change(
  deps: TrackingDeps,
  actor: Actor,
  id: string,
  apply: (tx: Tx) => Promise<void>,
): Promise<LoggedModel> {
  return deps.db.write(async (tx) => {
    assertModel(await findLoggedModelRow(tx, actor.projectId, id), id);
    await apply(tx);
    return getIn(tx, actor.projectId, id);
  });
}

async function getIn(tx: Tx, projectId: string, id: string): Promise<LoggedModel> {
  const row = assertModel(await findLoggedModelRow(tx, projectId, id), id);
  return (await loadModels(tx, projectId, [row]))[0]!;
}

function assertModel(row: LoggedModelRow | undefined, id: string): LoggedModelRow {
  if (row?.lifecycle === 'active') return row;
  throw new AppError('not_found', `Logged model with ID '${id}' not found.`);
}

const MODELS_A_QUERY = 500;

async function loadModels(tx: Tx, projectId: string, rows: readonly LoggedModelRow[]): Promise<readonly LoggedModel[]> {
  const models: LoggedModel[] = [];
  for (let at = 0; at < rows.length; at += MODELS_A_QUERY) {
    const block = rows.slice(at, at + MODELS_A_QUERY);
    const ids = block.map(({ id }) => id);
    const tags = Map.groupBy(await listModelPairs(tx, 'logged_model_tag', projectId, ids), ({ model_id }) => model_id);
    const params = Map.groupBy(
      await listModelPairs(tx, 'logged_model_param', projectId, ids),
      ({ model_id }) => model_id,
    );
    const metrics = Map.groupBy(await listModelMetrics(tx, projectId, ids), ({ model_id }) => model_id);
    const autologged = await findAutologged(tx, projectId, block);
    for (const row of block) {
      models.push({
        ...toModel(row),
        explicit: !autologged.has(row.id),
        tags: (tags.get(row.id) ?? []).map(({ key, value }) => ({ key, value })),
        params: (params.get(row.id) ?? []).map(({ key, value }) => ({ key, value })),
        metrics: (metrics.get(row.id) ?? []).map(toMetric),
      });
    }
  }
  return models;
}

const toModel = (row: LoggedModelRow): Omit<LoggedModel, 'tags' | 'params' | 'metrics' | 'explicit'> => ({
  modelId: row.id,
  experimentId: row.experiment_id,
  name: row.name,
  modelType: row.model_type,
  sourceRunId: row.source_run_id,
  creator: row.creator_id,
  status: row.status,
  artifactUri: row.artifact_uri,
  root: rootOf(row.artifact_uri),
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

type MetricRow = Awaited<ReturnType<typeof listModelMetrics>>[number];

const toMetric = (row: MetricRow): LoggedModel['metrics'][number] => ({
  key: row.name,
  value: numberOf(toPointOfRow({ series_id: 0, ...row })),
  timestamp: row.ts,
  step: row.step,
  modelId: row.model_id,
  runId: row.run_id,
  ...(row.dataset_name ? { datasetName: row.dataset_name } : {}),
  ...(row.dataset_digest ? { datasetDigest: row.dataset_digest } : {}),
});
