import { compilerOf, type Db, sqlOf, type Tx } from '../ports/db.ts';
import type { Statement } from './metrics.store.ts';
import type { LoggedModelRow, TrackingTables } from './tables.ts';

/** The names that autologging gives its models; a model under another name was logged by the user. */
const AUTOLOG_NAME = 'model';
const BEST_ESTIMATOR = 'best_estimator';
/** How scikit-learn's autologging begins its metrics, and the tag that it puts on the run. */
const TRAINING_PREFIX = 'training_';
const ESTIMATOR_TAG = 'estimator_class';

/**
 * Statements that mark models as autologging's own, from series that are new to a run and name a model. An explicit log_model
 * copies points that the run has already under the same key; autologging logs points of its own: `training_*` once the model
 * is ready (scikit-learn), or any while the model is still pending, because the model is begun before the training (boosting,
 * Keras, Lightning). `README.md` says what this cannot tell.
 */
export function markAutologged(
  db: Db,
  projectId: string,
  fresh: readonly { readonly key: string; readonly modelId: string }[],
): readonly Statement[] {
  const named = new Set(fresh.filter(({ key }) => key.startsWith(TRAINING_PREFIX)).map(({ modelId }) => modelId));
  const all = new Set(fresh.map(({ modelId }) => modelId));
  return [...all].sort().map((id) => {
    const query = compilerOf<TrackingTables>(db)
      .updateTable('logged_model')
      .set({ autologged: 1 })
      .where('project_id', '=', projectId)
      .where('id', '=', id)
      .where('name', '=', AUTOLOG_NAME);
    return (named.has(id) ? query : query.where('status', '=', 'PENDING')).compile();
  });
}

/** Of these models, those that autologging logged; the best estimator of a search has no metrics to tell by, but a tag. */
export async function findAutologged(
  tx: Tx,
  projectId: string,
  rows: readonly LoggedModelRow[],
): Promise<ReadonlySet<string>> {
  const known = rows.filter(({ autologged }) => autologged === 1);
  const best = rows.filter(({ autologged, name }) => autologged === 0 && name === BEST_ESTIMATOR);
  if (best.length === 0) return new Set(known.map(({ id }) => id));
  const tagged = await sqlOf<TrackingTables>(tx)
    .selectFrom('run_tag')
    .select('run_id')
    .where('project_id', '=', projectId)
    .where('key', '=', ESTIMATOR_TAG)
    .where(
      'run_id',
      'in',
      best.map(({ source_run_id }) => source_run_id),
    )
    .execute();
  const runs = new Set(tagged.map(({ run_id }) => run_id));
  return new Set([...known, ...best.filter(({ source_run_id }) => runs.has(source_run_id))].map(({ id }) => id));
}
