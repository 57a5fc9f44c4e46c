import { sqlOf, type Tx } from '../../ports/db.ts';
import type { MonitoringTables, RehearsalTable } from '../tables.ts';

const sql = (tx: Tx) => sqlOf<MonitoringTables>(tx);

export const insertRehearsal = (tx: Tx, row: RehearsalTable) => sql(tx).insertInto('rehearsal').values(row).execute();

export const updateRehearsal = (tx: Tx, projectId: string, id: string, change: Partial<RehearsalTable>) =>
  sql(tx).updateTable('rehearsal').set(change).where('project_id', '=', projectId).where('id', '=', id).execute();

export const findRehearsal = (tx: Tx, projectId: string, id: string) =>
  sql(tx)
    .selectFrom('rehearsal')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('id', '=', id)
    .executeTakeFirst();

export const selectRehearsals = (tx: Tx, projectId: string, limit: number) =>
  sql(tx)
    .selectFrom('rehearsal')
    .selectAll()
    .where('project_id', '=', projectId)
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();

export const selectRunning = (tx: Tx) =>
  sql(tx).selectFrom('rehearsal').selectAll().where('state', '=', 'running').execute();
