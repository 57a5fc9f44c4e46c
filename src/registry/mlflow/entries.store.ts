import { sqlOf, type Tx } from '../../ports/db.ts';
import type { RegistryTables } from '../versions.store.ts';
import type { EntryTag } from './types.ts';

interface ModelNoteRow {
  project_id: string;
  model: string;
  description: string | null;
  updated_at: number;
}

export interface VersionNoteRow {
  project_id: string;
  model: string;
  version: number;
  description: string | null;
  source: string | null;
  location: string | null;
  run_link: string | null;
  logged_model_id: string | null;
  user_id: string | null;
  stage: string;
  updated_at: number;
}

type EntryTables = RegistryTables & {
  model_note: ModelNoteRow;
  version_note: VersionNoteRow;
  model_tag: { project_id: string; model: string; key: string; value: string };
  version_tag: { project_id: string; model: string; version: number; key: string; value: string };
};

const sql = (tx: Tx) => sqlOf<EntryTables>(tx);

/** More models or versions than this are not searched through: the newest are. */
export const MAX_SEARCHED = 20_000;

export async function listModels(tx: Tx, projectId: string, name?: string) {
  let query = sql(tx)
    .selectFrom('registered_model as m')
    .leftJoin('model_note as n', (join) =>
      join.onRef('n.project_id', '=', 'm.project_id').onRef('n.model', '=', 'm.name'),
    )
    .select(['m.name', 'm.created_at', 'n.description', 'n.updated_at'])
    .where('m.project_id', '=', projectId);
  if (name !== undefined) query = query.where('m.name', '=', name);
  return query.orderBy('m.name').limit(MAX_SEARCHED).execute();
}

/** Versions without what they were made of: newest first. */
export async function listVersions(tx: Tx, projectId: string, name?: string, version?: number) {
  let query = sql(tx)
    .selectFrom('model_version as v')
    .leftJoin('version_note as n', (join) =>
      join
        .onRef('n.project_id', '=', 'v.project_id')
        .onRef('n.model', '=', 'v.model')
        .onRef('n.version', '=', 'v.version'),
    )
    .select([
      'v.model',
      'v.version',
      'v.id',
      'v.state',
      'v.run_id',
      'v.created_at',
      'n.description',
      'n.source',
      'n.location',
      'n.run_link',
      'n.logged_model_id',
      'n.user_id',
      'n.stage',
      'n.updated_at',
    ])
    .where('v.project_id', '=', projectId)
    .where('v.rehearsal', 'is', null);
  if (name !== undefined) query = query.where('v.model', '=', name);
  if (version !== undefined) query = query.where('v.version', '=', version);
  return query.orderBy('v.created_at', 'desc').orderBy('v.version', 'desc').limit(MAX_SEARCHED).execute();
}

export async function listModelTags(tx: Tx, projectId: string, name?: string) {
  let query = sql(tx).selectFrom('model_tag').select(['model', 'key', 'value']).where('project_id', '=', projectId);
  if (name !== undefined) query = query.where('model', '=', name);
  return query.orderBy('model').orderBy('key').execute();
}

export async function listVersionTags(tx: Tx, projectId: string, name?: string) {
  let query = sql(tx)
    .selectFrom('version_tag')
    .select(['model', 'version', 'key', 'value'])
    .where('project_id', '=', projectId);
  if (name !== undefined) query = query.where('model', '=', name);
  return query.orderBy('model').orderBy('version').orderBy('key').execute();
}

export async function listAllAliases(tx: Tx, projectId: string, name?: string) {
  let query = sql(tx)
    .selectFrom('model_alias')
    .select(['model', 'alias', 'version'])
    .where('project_id', '=', projectId);
  if (name !== undefined) query = query.where('model', '=', name);
  return query.orderBy('model').orderBy('alias').execute();
}

export async function insertModel(tx: Tx, projectId: string, name: string, now: number): Promise<void> {
  await sql(tx)
    .insertInto('registered_model')
    .values({ project_id: projectId, name, next_version: 1, created_at: now })
    .execute();
}

/** Marks a model as changed, with a new description where one is given. */
export async function touchModel(tx: Tx, projectId: string, name: string, now: number, description?: string) {
  const change = { updated_at: now, ...(description === undefined ? {} : { description }) };
  await sql(tx)
    .insertInto('model_note')
    .values({ project_id: projectId, model: name, description: null, ...change })
    .onConflict((conflict) => conflict.columns(['project_id', 'model']).doUpdateSet(change))
    .execute();
}

export async function upsertVersionNote(
  tx: Tx,
  key: { readonly project_id: string; readonly model: string; readonly version: number },
  change: Partial<Omit<VersionNoteRow, 'project_id' | 'model' | 'version'>> & { readonly updated_at: number },
): Promise<void> {
  const empty = {
    description: null,
    source: null,
    location: null,
    run_link: null,
    logged_model_id: null,
    user_id: null,
    stage: 'None',
  };
  await sql(tx)
    .insertInto('version_note')
    .values({ ...key, ...empty, ...change })
    .onConflict((conflict) => conflict.columns(['project_id', 'model', 'version']).doUpdateSet(change))
    .execute();
}

export async function upsertModelTags(tx: Tx, projectId: string, model: string, tags: readonly EntryTag[]) {
  for (const { key, value } of tags) {
    await sql(tx)
      .insertInto('model_tag')
      .values({ project_id: projectId, model, key, value })
      .onConflict((conflict) => conflict.columns(['project_id', 'model', 'key']).doUpdateSet({ value }))
      .execute();
  }
}

export async function upsertVersionTags(
  tx: Tx,
  projectId: string,
  model: string,
  version: number,
  tags: readonly EntryTag[],
) {
  for (const { key, value } of tags) {
    await sql(tx)
      .insertInto('version_tag')
      .values({ project_id: projectId, model, version, key, value })
      .onConflict((conflict) => conflict.columns(['project_id', 'model', 'version', 'key']).doUpdateSet({ value }))
      .execute();
  }
}

export async function deleteModelTagRow(tx: Tx, projectId: string, model: string, key: string): Promise<void> {
  await sql(tx)
    .deleteFrom('model_tag')
    .where('project_id', '=', projectId)
    .where('model', '=', model)
    .where('key', '=', key)
    .execute();
}

export async function deleteVersionTagRow(tx: Tx, projectId: string, model: string, version: number, key: string) {
  await sql(tx)
    .deleteFrom('version_tag')
    .where('project_id', '=', projectId)
    .where('model', '=', model)
    .where('version', '=', version)
    .where('key', '=', key)
    .execute();
}

/** A version and all that hangs on it. */
export async function deleteVersionRows(tx: Tx, projectId: string, model: string, version: number): Promise<void> {
  for (const table of ['version_tag', 'version_note', 'model_alias', 'model_version'] as const) {
    await sql(tx)
      .deleteFrom(table)
      .where('project_id', '=', projectId)
      .where('model', '=', model)
      .where('version', '=', version)
      .execute();
  }
}

export async function deleteModelRows(tx: Tx, projectId: string, model: string): Promise<void> {
  for (const table of ['model_tag', 'model_note', 'model_hold'] as const) {
    await sql(tx).deleteFrom(table).where('project_id', '=', projectId).where('model', '=', model).execute();
  }
  await sql(tx).deleteFrom('registered_model').where('project_id', '=', projectId).where('name', '=', model).execute();
}

export async function renameModelRows(tx: Tx, projectId: string, from: string, to: string): Promise<void> {
  await sql(tx)
    .updateTable('registered_model')
    .set({ name: to })
    .where('project_id', '=', projectId)
    .where('name', '=', from)
    .execute();
  const tables = [
    'model_version',
    'model_alias',
    'model_hold',
    'model_note',
    'model_tag',
    'version_note',
    'version_tag',
  ] as const;
  for (const table of tables) {
    await sql(tx)
      .updateTable(table)
      .set({ model: to })
      .where('project_id', '=', projectId)
      .where('model', '=', from)
      .execute();
  }
}
