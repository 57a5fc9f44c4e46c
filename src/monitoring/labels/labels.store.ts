import { sqlOf, type Tx } from '../../ports/db.ts';
import type { LabelDayTable, LabelHistoryTable, LabelPendingTable, LabelTable, MonitoringTables } from '../tables.ts';

const sql = (tx: Tx) => sqlOf<MonitoringTables>(tx);

export const selectLabels = (tx: Tx, projectId: string, endpoint: string, ids: readonly string[]) =>
  sql(tx)
    .selectFrom('label')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('endpoint', '=', endpoint)
    .where('prediction_id', 'in', ids)
    .execute();

export const upsertLabels = (tx: Tx, rows: readonly LabelTable[]) =>
  sql(tx)
    .insertInto('label')
    .values(rows)
    .onConflict((c) =>
      c.columns(['project_id', 'endpoint', 'prediction_id']).doUpdateSet((e) => ({
        value: e.ref('excluded.value'),
        available_at: e.ref('excluded.available_at'),
        source: e.ref('excluded.source'),
        revision: e.ref('excluded.revision'),
        updated_at: e.ref('excluded.updated_at'),
      })),
    )
    .execute();

export const insertHistory = (tx: Tx, rows: readonly LabelHistoryTable[]) =>
  sql(tx)
    .insertInto('label_history')
    .values(rows)
    .onConflict((c) => c.doNothing())
    .execute();

/** Counts the change of one window's labels; `dueAt` only grows. */
export async function bumpDay(tx: Tx, day: Omit<LabelDayTable, 'revision' | 'evaluated'>): Promise<void> {
  const known = await sql(tx)
    .selectFrom('label_day')
    .selectAll()
    .where('project_id', '=', day.project_id)
    .where('endpoint', '=', day.endpoint)
    .where('window_start', '=', day.window_start)
    .executeTakeFirst();
  const row = {
    ...day,
    revision: (known?.revision ?? 0) + 1,
    evaluated: known?.evaluated ?? 0,
    due_at: Math.max(known?.due_at ?? 0, day.due_at),
  };
  await sql(tx)
    .insertInto('label_day')
    .values(row)
    .onConflict((c) =>
      c.columns(['project_id', 'endpoint', 'window_start']).doUpdateSet({ revision: row.revision, due_at: row.due_at }),
    )
    .execute();
}

/** Windows whose labels changed since they were evaluated. */
export const selectChangedDays = (tx: Tx, projectId: string, endpoint: string, before: number) =>
  sql(tx)
    .selectFrom('label_day')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('endpoint', '=', endpoint)
    .where('window_start', '<', before)
    .whereRef('evaluated', '<', 'revision')
    .orderBy('window_start')
    .execute();

export const markDay = (tx: Tx, day: Pick<LabelDayTable, 'project_id' | 'endpoint' | 'window_start'>, to: number) =>
  sql(tx)
    .updateTable('label_day')
    .set({ evaluated: to })
    .where('project_id', '=', day.project_id)
    .where('endpoint', '=', day.endpoint)
    .where('window_start', '=', day.window_start)
    .where('evaluated', '<', to)
    .execute();

/** Labels of predictions in a span of event time that are available by `availableBy`. */
export const selectLabelsInRange = (
  tx: Tx,
  range: {
    readonly projectId: string;
    readonly endpoint: string;
    readonly from: number;
    readonly to: number;
    readonly availableBy: number;
  },
) =>
  sql(tx)
    .selectFrom('label')
    .select(['prediction_id', 'value'])
    .where('project_id', '=', range.projectId)
    .where('endpoint', '=', range.endpoint)
    .where('event_time', '>=', range.from)
    .where('event_time', '<', range.to)
    .where('available_at', '<=', range.availableBy)
    .execute();

export async function countLabels(
  tx: Tx,
  range: { readonly projectId: string; readonly endpoint: string; readonly from: number; readonly to: number },
): Promise<number> {
  const row = await sql(tx)
    .selectFrom('label')
    .select((e) => e.fn.countAll<number>().as('n'))
    .where('project_id', '=', range.projectId)
    .where('endpoint', '=', range.endpoint)
    .where('event_time', '>=', range.from)
    .where('event_time', '<', range.to)
    .executeTakeFirst();
  return Number(row?.n ?? 0);
}

/** Event time of the youngest prediction with a label; null without any. */
export async function newestLabelTime(tx: Tx, projectId: string, endpoint: string): Promise<number | null> {
  const row = await sql(tx)
    .selectFrom('label')
    .select('event_time')
    .where('project_id', '=', projectId)
    .where('endpoint', '=', endpoint)
    .orderBy('event_time', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.event_time ?? null;
}

export const findLabel = (tx: Tx, projectId: string, endpoint: string, predictionId: string) =>
  sql(tx)
    .selectFrom('label')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('endpoint', '=', endpoint)
    .where('prediction_id', '=', predictionId)
    .executeTakeFirst();

export const selectHistory = (tx: Tx, projectId: string, endpoint: string, predictionId: string) =>
  sql(tx)
    .selectFrom('label_history')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('endpoint', '=', endpoint)
    .where('prediction_id', '=', predictionId)
    .orderBy('revision')
    .execute();

export const upsertPending = (tx: Tx, rows: readonly LabelPendingTable[]) =>
  sql(tx)
    .insertInto('label_pending')
    .values(rows)
    .onConflict((c) =>
      c.columns(['project_id', 'endpoint', 'kind', 'ref', 'at']).doUpdateSet((e) => ({
        value: e.ref('excluded.value'),
        available_at: e.ref('excluded.available_at'),
        source: e.ref('excluded.source'),
      })),
    )
    .execute();

export const selectPending = (tx: Tx, projectId: string, endpoint: string, limit: number) =>
  sql(tx)
    .selectFrom('label_pending')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('endpoint', '=', endpoint)
    .orderBy('received_at')
    .limit(limit)
    .execute();

export async function deletePending(tx: Tx, rows: readonly LabelPendingTable[]): Promise<void> {
  for (const row of rows)
    await sql(tx)
      .deleteFrom('label_pending')
      .where('project_id', '=', row.project_id)
      .where('endpoint', '=', row.endpoint)
      .where('kind', '=', row.kind)
      .where('ref', '=', row.ref)
      .where('at', '=', row.at)
      .execute();
}

export async function countPending(tx: Tx, projectId: string, endpoint: string): Promise<number> {
  const row = await sql(tx)
    .selectFrom('label_pending')
    .select((e) => e.fn.countAll<number>().as('n'))
    .where('project_id', '=', projectId)
    .where('endpoint', '=', endpoint)
    .executeTakeFirst();
  return Number(row?.n ?? 0);
}
