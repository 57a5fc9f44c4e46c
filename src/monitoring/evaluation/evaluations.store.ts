import { sqlOf, type Tx } from '../../ports/db.ts';
import type { EvaluationTable, MonitoringTables, ProgressTable } from '../tables.ts';

const sql = (tx: Tx) => sqlOf<MonitoringTables>(tx);

const KEY = ['project_id', 'endpoint', 'rehearsal', 'version_id', 'window_start', 'rule'] as const;

/** The newest revision of each rule and window stands. Rows are sorted by key. */
export const upsertEvaluations = (tx: Tx, rows: readonly EvaluationTable[]) =>
  sql(tx)
    .insertInto('monitor_evaluation')
    .values(rows)
    .onConflict((c) =>
      c.columns([...KEY]).doUpdateSet((e) => ({
        revision: e.ref('excluded.revision'),
        light: e.ref('excluded.light'),
        state: e.ref('excluded.state'),
        exceeds: e.ref('excluded.exceeds'),
        value: e.ref('excluded.value'),
        threshold: e.ref('excluded.threshold'),
        sample_size: e.ref('excluded.sample_size'),
        sentence: e.ref('excluded.sentence'),
        details: e.ref('excluded.details'),
        evaluated_at: e.ref('excluded.evaluated_at'),
      })),
    )
    .execute();

export interface EvaluationRange {
  readonly projectId: string;
  readonly endpoint: string;
  readonly rehearsal?: string;
  readonly from: number;
  readonly to: number;
}

export const selectEvaluations = (tx: Tx, range: EvaluationRange, versionId?: string, rule?: string) => {
  let query = sql(tx)
    .selectFrom('monitor_evaluation')
    .selectAll()
    .where('project_id', '=', range.projectId)
    .where('endpoint', '=', range.endpoint)
    .where('rehearsal', '=', range.rehearsal ?? '')
    .where('window_start', '>=', range.from)
    .where('window_start', '<', range.to);
  if (versionId !== undefined) query = query.where('version_id', '=', versionId);
  if (rule !== undefined) query = query.where('rule', '=', rule);
  return query.orderBy('window_start').orderBy('rule').execute();
};

export const findProgress = (tx: Tx, projectId: string, endpoint: string) =>
  sql(tx)
    .selectFrom('monitor_progress')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('endpoint', '=', endpoint)
    .executeTakeFirst();

export const upsertProgress = (tx: Tx, row: ProgressTable) =>
  sql(tx)
    .insertInto('monitor_progress')
    .values(row)
    .onConflict((c) =>
      c.columns(['project_id', 'endpoint']).doUpdateSet({ evaluated_to: row.evaluated_to, updated_at: row.updated_at }),
    )
    .execute();

/** Outbox events of these subjects that some subscriber has not handled yet; those given up do not count. */
export async function countUndelivered(tx: Tx, projectId: string, mentions: readonly string[]): Promise<number> {
  const rows = await sqlOf<{
    outbox: { id: string; project_id: string; payload: string };
    outbox_delivery: { outbox_id: string; state: string };
  }>(tx)
    .selectFrom('outbox_delivery')
    .innerJoin('outbox', 'outbox.id', 'outbox_delivery.outbox_id')
    .select(['outbox.payload'])
    .where('outbox_delivery.state', '=', 'pending')
    .where('outbox.project_id', '=', projectId)
    .limit(1_000)
    .execute();
  return rows.filter(({ payload }) => mentions.some((name) => payload.includes(JSON.stringify(name)))).length;
}
