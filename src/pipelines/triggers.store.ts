import { sqlOf, type Tx } from '../ports/db.ts';
import type { PipelinesTables, TriggerEventRow } from './tables.ts';

const k = (tx: Tx) => sqlOf<PipelinesTables>(tx);

export type CronRow = PipelinesTables['cron_trigger'];

export const listCronTriggers = (tx: Tx, projectId: string, pipeline: string): Promise<CronRow[]> =>
  k(tx)
    .selectFrom('cron_trigger')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('pipeline', '=', pipeline)
    .execute();

export const listDueCron = (tx: Tx, now: number): Promise<CronRow[]> =>
  k(tx).selectFrom('cron_trigger').selectAll().where('due_at', '<=', now).orderBy('due_at').execute();

export async function putCronTrigger(tx: Tx, row: CronRow): Promise<void> {
  await k(tx)
    .insertInto('cron_trigger')
    .values(row)
    .onConflict((c) => c.columns(['project_id', 'pipeline', 'trigger_id']).doUpdateSet({ due_at: row.due_at }))
    .execute();
}

export async function deleteCronTriggers(
  tx: Tx,
  projectId: string,
  pipeline: string,
  ids: readonly string[],
): Promise<void> {
  if (ids.length === 0) return;
  await k(tx)
    .deleteFrom('cron_trigger')
    .where('project_id', '=', projectId)
    .where('pipeline', '=', pipeline)
    .where('trigger_id', 'in', [...ids])
    .execute();
}

/** False where the event was answered before. */
export async function insertTriggerEvent(tx: Tx, row: TriggerEventRow): Promise<boolean> {
  const inserted = await k(tx)
    .insertInto('trigger_event')
    .values(row)
    .onConflict((c) => c.columns(['project_id', 'pipeline', 'kind', 'key']).doNothing())
    .returning('key')
    .executeTakeFirst();
  return inserted !== undefined;
}

/** Newest first. */
export const listTriggerEvents = (
  tx: Tx,
  { projectId, pipeline, limit }: { readonly projectId: string; readonly pipeline: string; readonly limit: number },
): Promise<TriggerEventRow[]> =>
  k(tx)
    .selectFrom('trigger_event')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('pipeline', '=', pipeline)
    .orderBy('created_at', 'desc')
    .limit(limit)
    .execute();
