import { canonicalJson } from '../kernel/canonical-json.ts';
import { AppError } from '../kernel/errors.ts';
import { digestOf, sha256 } from '../kernel/hash.ts';
import { uuidv7 } from '../kernel/ids.ts';
import type { Actor } from '../wire/route.ts';
import { valueOfPair } from './pairs.ts';
import {
  insertLoggedDataset,
  insertRunDataset,
  insertRunModels,
  listDatasetsOfExperiments,
} from './run-inputs.store.ts';
import { assertActive } from './run-state.ts';
import { findRunRow } from './runs.store.ts';
import type { DatasetInput, ModelOutput, TrackingDeps } from './types.ts';

/** The tag that says what a dataset was for: training, testing and the like. */
export const DATASET_CONTEXT_TAG = 'mlflow.data.context';
const MAX_SUMMARIES = 1_000;

/** Records what a run read. A dataset is stored once an experiment, name and digest, and linked once a run. */
export async function logInputs(
  deps: TrackingDeps,
  actor: Actor,
  input: { readonly runId: string; readonly datasets: readonly DatasetInput[]; readonly models: readonly string[] },
): Promise<void> {
  const { projectId } = actor;
  const now = deps.clock.now();
  await deps.db.write(async (tx) => {
    const run = assertActive(await findRunRow(tx, projectId, input.runId), input.runId);
    for (const [i, { dataset, tags }] of input.datasets.entries()) {
      const { name, digest } = dataset;
      const id = await insertLoggedDataset(tx, {
        project_id: projectId,
        experiment_id: run.experiment_id,
        name,
        digest,
        id: digestOf([run.experiment_id, name, digest]).slice(0, 32),
        source_type: dataset.sourceType,
        source: dataset.source,
        schema: dataset.schema,
        profile: dataset.profile,
      });
      await insertRunDataset(tx, {
        project_id: projectId,
        run_id: input.runId,
        dataset_id: id,
        context: valueOfPair(tags, DATASET_CONTEXT_TAG) ?? null,
        tags: canonicalJson(tags),
        created_at: now + i,
      });
    }
    const models = input.models.map((modelId) => ({ id: sha256(modelId).slice(0, 32), model_id: modelId, step: 0 }));
    await insertRunModels(
      tx,
      models.map((row) => ({ project_id: projectId, run_id: input.runId, direction: 'input', ...row })),
    );
  });
}

/** Records the models that a run made, in the order given; the same model may come again at another step. */
export async function logOutputs(
  deps: TrackingDeps,
  actor: Actor,
  input: { readonly runId: string; readonly models: readonly ModelOutput[] },
): Promise<void> {
  const now = deps.clock.now();
  await deps.db.write(async (tx) => {
    assertActive(await findRunRow(tx, actor.projectId, input.runId), input.runId);
    const rows = input.models.map(({ modelId, step }, i) => ({
      project_id: actor.projectId,
      run_id: input.runId,
      direction: 'output' as const,
      id: uuidv7(now + i, (bytes) => deps.random.fill(bytes)),
      model_id: modelId,
      step,
    }));
    await insertRunModels(tx, rows);
  });
}

export interface DatasetSummary {
  readonly experimentId: number;
  readonly name: string;
  readonly digest: string;
  readonly context: string | null;
}

/** The datasets that runs of these experiments read: at most 1,000, by name. */
export async function listLoggedDatasets(
  deps: Pick<TrackingDeps, 'db'>,
  actor: Actor,
  experimentIds: readonly number[],
): Promise<readonly DatasetSummary[]> {
  if (experimentIds.length === 0)
    throw new AppError('invalid', 'SearchDatasets request must specify at least one experiment_id.');
  const rows = await deps.db.read((tx) => listDatasetsOfExperiments(tx, actor.projectId, experimentIds, MAX_SUMMARIES));
  return rows.map(({ experiment_id, name, digest, context }) => ({
    experimentId: experiment_id,
    name,
    digest,
    context,
  }));
}
