import { canonicalJson } from '../kernel/canonical-json.ts';
import { sqlOf, type Tx } from '../ports/db.ts';
import type {
  ApprovalState,
  Decision,
  GateVerdict,
  Hold,
  ModelVersion,
  MonitorProfile,
  ServableSpec,
  VersionFacts,
  VersionState,
} from './types.ts';

export interface RegistryTables {
  registered_model: { project_id: string; name: string; next_version: number; created_at: number };
  model_version: VersionRow;
  model_alias: { project_id: string; model: string; alias: string; version: number };
  model_hold: { project_id: string; model: string; reason: string; set_by: string; set_at: number };
}

export interface VersionRow {
  project_id: string;
  model: string;
  version: number;
  id: string;
  state: string;
  identity: string;
  run_id: string | null;
  pipeline_run_id: string | null;
  created_at: number;
  draft: number;
  rehearsal: string | null;
  facts: string;
  spec: string | null;
  profile: string | null;
  gate: string | null;
  approval: string;
  decision: string | null;
}

const sql = (tx: Tx) => sqlOf<RegistryTables>(tx);

export async function ensureModel(tx: Tx, projectId: string, name: string, now: number): Promise<void> {
  await sql(tx)
    .insertInto('registered_model')
    .values({ project_id: projectId, name, next_version: 1, created_at: now })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** The next version number of a model; numbers are never used twice. */
export async function takeVersionNumber(tx: Tx, projectId: string, name: string): Promise<number> {
  const row = await sql(tx)
    .updateTable('registered_model')
    .set((e) => ({ next_version: e('next_version', '+', 1) }))
    .where('project_id', '=', projectId)
    .where('name', '=', name)
    .returning('next_version')
    .executeTakeFirstOrThrow();
  return row.next_version - 1;
}

export async function insertVersion(tx: Tx, row: VersionRow): Promise<void> {
  await sql(tx).insertInto('model_version').values(row).execute();
}

export async function findVersionRow(tx: Tx, projectId: string, model: string, version: number) {
  return sql(tx)
    .selectFrom('model_version')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('model', '=', model)
    .where('version', '=', version)
    .executeTakeFirst();
}

export async function findVersionById(tx: Tx, id: string) {
  return sql(tx).selectFrom('model_version').selectAll().where('id', '=', id).executeTakeFirst();
}

export async function findByIdentity(tx: Tx, projectId: string, model: string, identity: string) {
  return sql(tx)
    .selectFrom('model_version')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('model', '=', model)
    .where('identity', '=', identity)
    .orderBy('version', 'desc')
    .executeTakeFirst();
}

export async function listVersionRows(tx: Tx, projectId: string, model: string, limit: number, below: number) {
  return sql(tx)
    .selectFrom('model_version')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('model', '=', model)
    .where('version', '<', below)
    .orderBy('version', 'desc')
    .limit(limit)
    .execute();
}

export async function updateGate(tx: Tx, id: string, gate: GateVerdict): Promise<void> {
  await sql(tx)
    .updateTable('model_version')
    .set({ gate: canonicalJson(gate) })
    .where('id', '=', id)
    .execute();
}

export async function updateApproval(tx: Tx, id: string, approval: ApprovalState, decision: Decision): Promise<void> {
  await sql(tx)
    .updateTable('model_version')
    .set({ approval, decision: canonicalJson(decision) })
    .where('id', '=', id)
    .execute();
}

export async function listWaiting(tx: Tx) {
  return sql(tx).selectFrom('model_version').selectAll().where('approval', '=', 'waiting').execute();
}

export async function upsertAlias(tx: Tx, projectId: string, model: string, alias: string, version: number) {
  await sql(tx)
    .insertInto('model_alias')
    .values({ project_id: projectId, model, alias, version })
    .onConflict((conflict) => conflict.columns(['project_id', 'model', 'alias']).doUpdateSet({ version }))
    .execute();
}

export async function deleteAlias(tx: Tx, projectId: string, model: string, alias: string): Promise<void> {
  await sql(tx)
    .deleteFrom('model_alias')
    .where('project_id', '=', projectId)
    .where('model', '=', model)
    .where('alias', '=', alias)
    .execute();
}

export async function listAliases(tx: Tx, projectId: string, model: string) {
  return sql(tx)
    .selectFrom('model_alias')
    .select(['alias', 'version'])
    .where('project_id', '=', projectId)
    .where('model', '=', model)
    .orderBy('alias')
    .execute();
}

export async function findAlias(tx: Tx, projectId: string, model: string, alias: string): Promise<number | undefined> {
  const row = await sql(tx)
    .selectFrom('model_alias')
    .select('version')
    .where('project_id', '=', projectId)
    .where('model', '=', model)
    .where('alias', '=', alias)
    .executeTakeFirst();
  return row?.version;
}

export async function findModelRow(tx: Tx, projectId: string, name: string) {
  return sql(tx)
    .selectFrom('registered_model')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('name', '=', name)
    .executeTakeFirst();
}

export async function listModelRows(tx: Tx, projectId: string) {
  return sql(tx)
    .selectFrom('registered_model')
    .selectAll()
    .where('project_id', '=', projectId)
    .orderBy('name')
    .execute();
}

export async function versionsWithApproval(tx: Tx, projectId: string, model: string, approval: ApprovalState) {
  const rows = await sql(tx)
    .selectFrom('model_version')
    .select('version')
    .where('project_id', '=', projectId)
    .where('model', '=', model)
    .where('approval', '=', approval)
    .orderBy('version')
    .execute();
  return rows.map((row) => row.version);
}

export async function upsertHold(tx: Tx, projectId: string, hold: Hold): Promise<void> {
  const values = { reason: hold.reason, set_by: hold.setBy, set_at: hold.setAt };
  await sql(tx)
    .insertInto('model_hold')
    .values({ project_id: projectId, model: hold.model, ...values })
    .onConflict((conflict) => conflict.columns(['project_id', 'model']).doUpdateSet(values))
    .execute();
}

export async function deleteHold(tx: Tx, projectId: string, model: string): Promise<boolean> {
  const result = await sql(tx)
    .deleteFrom('model_hold')
    .where('project_id', '=', projectId)
    .where('model', '=', model)
    .executeTakeFirst();
  return result.numDeletedRows > 0n;
}

export async function findHoldRow(tx: Tx, projectId: string, model: string): Promise<Hold | undefined> {
  const row = await sql(tx)
    .selectFrom('model_hold')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('model', '=', model)
    .executeTakeFirst();
  return row && { model: row.model, reason: row.reason, setBy: row.set_by, setAt: row.set_at };
}

export function toVersion(row: VersionRow, aliases: readonly { alias: string; version: number }[]): ModelVersion {
  return {
    projectId: row.project_id,
    model: row.model,
    version: row.version,
    id: row.id,
    state: row.state as VersionState,
    runId: row.run_id,
    pipelineRunId: row.pipeline_run_id,
    createdAt: row.created_at,
    draft: row.draft === 1,
    rehearsal: row.rehearsal,
    aliases: aliases.filter(({ version }) => version === row.version).map(({ alias }) => alias),
    facts: JSON.parse(row.facts) as VersionFacts,
    spec: row.spec === null ? null : (JSON.parse(row.spec) as ServableSpec),
    gate: row.gate === null ? null : (JSON.parse(row.gate) as GateVerdict),
    approval: row.approval as ApprovalState,
    decision: row.decision === null ? null : (JSON.parse(row.decision) as Decision),
  };
}

export const toProfile = (row: VersionRow): MonitorProfile | null =>
  row.profile === null ? null : (JSON.parse(row.profile) as MonitorProfile);
