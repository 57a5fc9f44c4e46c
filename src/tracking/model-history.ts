import { AppError } from '../kernel/errors.ts';
import type { Actor } from '../wire/route.ts';
import { rootOf } from './artifact-paths.ts';
import { findLoggedModelRow, insertLoggedModel } from './logged-models.store.ts';
import { assertActive } from './run-state.ts';
import { findRunRow, findRunTag, runStatements, upsertRunTags } from './runs.store.ts';
import type { TrackingDeps } from './types.ts';

/** Where clients before 3.0 keep the list of models that a run logged. */
export const MODEL_HISTORY_TAG = 'mlflow.log-model.history';
const MAX_HISTORY_LENGTH = 1_000_000;

/**
 * Records a model that a 2.x client logged into its run's own folder: in the tag that such clients read, and as a logged model,
 * so that the rest of the house sees one kind of thing. The client sends this after it has uploaded the files.
 */
export async function recordModelHistory(
  deps: TrackingDeps,
  actor: Actor,
  input: { readonly runId: string; readonly model: Readonly<Record<string, unknown>> },
): Promise<void> {
  const { projectId } = actor;
  const { runId, model } = input;
  const now = deps.clock.now();
  await deps.db.write(async (tx) => {
    const run = assertActive(await findRunRow(tx, projectId, runId), runId);
    const history = JSON.parse((await findRunTag(tx, projectId, runId, MODEL_HISTORY_TAG)) ?? '[]') as unknown[];
    const value = JSON.stringify([...history, model]);
    if (value.length > MAX_HISTORY_LENGTH) throw new AppError('invalid', `Run ${runId} has logged too many models`);
    await runStatements(tx, [upsertRunTags(deps.db, projectId, runId, [{ key: MODEL_HISTORY_TAG, value }])]);
    const path = String(model['artifact_path']);
    const uri = `${run.artifact_uri}/${path}`;
    if (rootOf(uri) === null) return;
    const id = `m-${String(model['model_uuid'] ?? `${runId}-${history.length}`)
      .replaceAll('-', '')
      .slice(0, 64)}`;
    if (await findLoggedModelRow(tx, projectId, id)) return;
    await insertLoggedModel(tx, {
      project_id: projectId,
      id,
      experiment_id: run.experiment_id,
      name: path,
      model_type: '',
      source_run_id: runId,
      creator_id: actor.user,
      status: 'READY',
      artifact_uri: uri,
      lifecycle: 'active',
      autologged: 0,
      created_at: now,
      updated_at: now,
    });
  });
}
