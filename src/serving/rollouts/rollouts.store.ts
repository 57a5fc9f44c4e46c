import { sqlOf, type Tx } from '../../ports/db.ts';
import type { RolloutTable, ServingTables, TransitionTable } from '../tables.ts';

const sql = (tx: Tx) => sqlOf<ServingTables>(tx);
const FINISHED = ['done', 'aborted'];

export const selectRollout = (tx: Tx, projectId: string, id: string) =>
  sql(tx).selectFrom('rollout').selectAll().where('project_id', '=', projectId).where('id', '=', id).executeTakeFirst();

export const selectActiveRollouts = (tx: Tx) =>
  sql(tx).selectFrom('rollout').selectAll().where('state', 'not in', FINISHED).orderBy('id').execute();

export const selectActiveRollout = (tx: Tx, projectId: string, endpoint: string) =>
  sql(tx)
    .selectFrom('rollout')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('endpoint', '=', endpoint)
    .where('state', 'not in', FINISHED)
    .orderBy('id', 'desc')
    .executeTakeFirst();

/** Newest first. */
export const selectRollouts = (tx: Tx, projectId: string, endpoint: string, limit: number) =>
  sql(tx)
    .selectFrom('rollout')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('endpoint', '=', endpoint)
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();

/** The last rollout that brought this version to all traffic. */
export const selectPromotionOf = (tx: Tx, projectId: string, endpoint: string, versionId: string) =>
  sql(tx)
    .selectFrom('rollout')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('endpoint', '=', endpoint)
    .where('version_id', '=', versionId)
    .where('state', '=', 'done')
    .orderBy('id', 'desc')
    .executeTakeFirst();

/** Any rollout of this version on this endpoint. */
export const selectRolloutOf = (tx: Tx, projectId: string, endpoint: string, versionId: string) =>
  sql(tx)
    .selectFrom('rollout')
    .select('id')
    .where('project_id', '=', projectId)
    .where('endpoint', '=', endpoint)
    .where('version_id', '=', versionId)
    .executeTakeFirst();

export const insertRollout = (tx: Tx, row: RolloutTable) => sql(tx).insertInto('rollout').values(row).execute();

/** Changes the rollout only while it has the revision that was looked at; answers whether it did. */
export async function updateRollout(
  tx: Tx,
  fence: Pick<RolloutTable, 'project_id' | 'id' | 'revision'>,
  change: Partial<RolloutTable>,
): Promise<boolean> {
  const rows = await sql(tx)
    .updateTable('rollout')
    .set(change)
    .where('project_id', '=', fence.project_id)
    .where('id', '=', fence.id)
    .where('revision', '=', fence.revision)
    .returning('id')
    .execute();
  return rows.length > 0;
}

export const insertTransition = (tx: Tx, row: TransitionTable) =>
  sql(tx).insertInto('rollout_transition').values(row).execute();

export const selectTransitions = (tx: Tx, projectId: string, rolloutId: string) =>
  sql(tx)
    .selectFrom('rollout_transition')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('rollout_id', '=', rolloutId)
    .orderBy('revision')
    .execute();

/** Transitions of real rollouts that moved traffic, in a span of event time (or of wall time, before the first event). */
export const selectTurns = (
  tx: Tx,
  range: { readonly projectId: string; readonly endpoint: string; readonly from: number; readonly to: number },
) =>
  sql(tx)
    .selectFrom('rollout_transition as t')
    .innerJoin('rollout as r', (join) =>
      join.onRef('r.project_id', '=', 't.project_id').onRef('r.id', '=', 't.rollout_id'),
    )
    .select(['t.at', 't.event_at', 't.event', 't.sentence', 't.rollout_id', 'r.version'])
    .where('t.project_id', '=', range.projectId)
    .where('r.endpoint', '=', range.endpoint)
    .where('r.rehearsal', 'is', null)
    .where('t.event', 'in', ['promote', 'abort'])
    .where((e) => e.fn.coalesce('t.event_at', 't.at'), '>=', range.from)
    .where((e) => e.fn.coalesce('t.event_at', 't.at'), '<', range.to)
    .orderBy('t.at')
    .execute();
