import { sqlOf, type Tx } from '../ports/db.ts';
import type { EndpointTable, GatewayTable, ServingTables } from './tables.ts';

const sql = (tx: Tx) => sqlOf<ServingTables>(tx);

export const selectEndpoint = (tx: Tx, projectId: string, name: string) =>
  sql(tx)
    .selectFrom('endpoint')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('name', '=', name)
    .executeTakeFirst();

/** Whoever has it: names are unique per instance. */
export const selectEndpointOwner = (tx: Tx, name: string) =>
  sql(tx).selectFrom('endpoint').select('project_id').where('name', '=', name).executeTakeFirst();

export const selectEndpoints = (tx: Tx, projectId: string) =>
  sql(tx).selectFrom('endpoint').selectAll().where('project_id', '=', projectId).orderBy('name').execute();

export const selectEndpointsOfModel = (tx: Tx, projectId: string, model: string) =>
  sql(tx)
    .selectFrom('endpoint')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('model', '=', model)
    .orderBy('name')
    .execute();

export const selectAllEndpoints = (tx: Tx) =>
  sql(tx).selectFrom('endpoint').selectAll().orderBy('project_id').orderBy('name').execute();

export const insertEndpoint = (tx: Tx, row: EndpointTable) => sql(tx).insertInto('endpoint').values(row).execute();

export const updateEndpoint = (tx: Tx, projectId: string, name: string, change: Partial<EndpointTable>) =>
  sql(tx).updateTable('endpoint').set(change).where('project_id', '=', projectId).where('name', '=', name).execute();

/** Endpoints whose last rows were not told to anyone yet. */
export const selectUnannounced = (tx: Tx) =>
  sql(tx).selectFrom('endpoint').selectAll().whereRef('ingested_at', '>', 'announced_at').execute();

export async function selectGeneration(tx: Tx): Promise<number> {
  const row = await sql(tx).selectFrom('desired_state').select('generation').where('id', '=', 1).executeTakeFirst();
  return row?.generation ?? 0;
}

export async function incrementGeneration(tx: Tx): Promise<number> {
  const row = await sql(tx)
    .updateTable('desired_state')
    .set((e) => ({ generation: e('generation', '+', 1) }))
    .where('id', '=', 1)
    .returning('generation')
    .executeTakeFirstOrThrow();
  return row.generation;
}

export const upsertGateway = (tx: Tx, row: GatewayTable) =>
  sql(tx)
    .insertInto('gateway')
    .values(row)
    .onConflict((c) => c.column('id').doUpdateSet(row))
    .execute();

export const selectGateways = (tx: Tx) => sql(tx).selectFrom('gateway').selectAll().orderBy('id').execute();
