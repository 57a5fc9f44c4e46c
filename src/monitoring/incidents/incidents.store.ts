import { sqlOf, type Tx } from '../../ports/db.ts';
import type { ActionTable, IncidentAlertTable, IncidentTable, MonitoringTables } from '../tables.ts';

const sql = (tx: Tx) => sqlOf<MonitoringTables>(tx);

/** One sequence for the instance, so that a number names an incident wherever it is read. */
export async function takeNumber(tx: Tx): Promise<number> {
  const row = await sql(tx)
    .updateTable('incident_counter')
    .set((e) => ({ next_number: e('next_number', '+', 1) }))
    .where('id', '=', 1)
    .returning('next_number')
    .executeTakeFirstOrThrow();
  return row.next_number - 1;
}

export const insertIncident = (tx: Tx, row: IncidentTable) => sql(tx).insertInto('incident').values(row).execute();

export const updateIncident = (tx: Tx, projectId: string, number: number, change: Partial<IncidentTable>) =>
  sql(tx)
    .updateTable('incident')
    .set(change)
    .where('project_id', '=', projectId)
    .where('number', '=', number)
    .execute();

export const findIncident = (tx: Tx, projectId: string, number: number) =>
  sql(tx)
    .selectFrom('incident')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('number', '=', number)
    .executeTakeFirst();

export const findByFingerprint = (tx: Tx, projectId: string, fingerprint: string) =>
  sql(tx)
    .selectFrom('incident')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('fingerprint', '=', fingerprint)
    .orderBy('number', 'desc')
    .executeTakeFirst();

/** Open and acknowledged ones, the oldest first. */
export const selectOpen = (tx: Tx, projectId: string, endpoint?: string) => {
  const query = sql(tx)
    .selectFrom('incident')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('state', 'in', ['open', 'acknowledged']);
  return (endpoint === undefined ? query : query.where('endpoint', '=', endpoint)).orderBy('number').execute();
};

export const selectIncidents = (
  tx: Tx,
  filter: {
    readonly projectId: string;
    readonly below: number;
    readonly limit: number;
    readonly model?: string | undefined;
    readonly state?: string | undefined;
  },
) => {
  let query = sql(tx)
    .selectFrom('incident')
    .selectAll()
    .where('project_id', '=', filter.projectId)
    .where('number', '<', filter.below);
  if (filter.model !== undefined) query = query.where('model', '=', filter.model);
  if (filter.state !== undefined) query = query.where('state', '=', filter.state);
  return query.orderBy('number', 'desc').limit(filter.limit).execute();
};

export const insertAlerts = (tx: Tx, rows: readonly IncidentAlertTable[]) =>
  sql(tx)
    .insertInto('incident_alert')
    .values(rows)
    .onConflict((c) =>
      c
        .columns(['project_id', 'number', 'rule', 'window_start'])
        .doUpdateSet((e) => ({ sentence: e.ref('excluded.sentence') })),
    )
    .execute();

export const selectAlerts = (tx: Tx, projectId: string, number: number, limit: number) =>
  sql(tx)
    .selectFrom('incident_alert')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('number', '=', number)
    .orderBy('window_start', 'desc')
    .orderBy('rule')
    .limit(limit)
    .execute();

export const insertAction = (tx: Tx, row: ActionTable) => sql(tx).insertInto('monitor_action').values(row).execute();

export const selectActions = (
  tx: Tx,
  filter: {
    readonly projectId: string;
    readonly endpoint: string;
    readonly incident?: number;
    readonly decision?: string;
    readonly limit: number;
  },
) => {
  let query = sql(tx)
    .selectFrom('monitor_action')
    .selectAll()
    .where('project_id', '=', filter.projectId)
    .where('endpoint', '=', filter.endpoint);
  if (filter.incident !== undefined) query = query.where('incident', '=', filter.incident);
  if (filter.decision !== undefined) query = query.where('decision', '=', filter.decision);
  return query.orderBy('event_at', 'desc').orderBy('at', 'desc').orderBy('id', 'desc').limit(filter.limit).execute();
};

/** The newest incident that a rehearsal made. */
export const findByRehearsal = (tx: Tx, projectId: string, rehearsal: string) =>
  sql(tx)
    .selectFrom('incident')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('rehearsal', '=', rehearsal)
    .orderBy('number', 'desc')
    .executeTakeFirst();
