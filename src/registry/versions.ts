import { AppError } from '../kernel/errors.ts';
import type { Page } from '../kernel/pages.ts';
import type { Tx } from '../ports/db.ts';
import type { Actor } from '../wire/route.ts';
import type { ModelVersion, MonitorProfile, RegisteredModel, RegistryDeps, VersionRef } from './types.ts';
import * as store from './versions.store.ts';

const PAGE_LIMIT = 200;

/** `churn`, `churn@v7`, `churn@champion`, `models:/churn/7` and `models:/churn@champion`; without a version the champion. */
export function parseVersionRef(text: string): VersionRef {
  const match = /^(?:models:\/)?([^@/]+)(?:[@/](.+))?$/.exec(text.trim());
  if (!match)
    throw new AppError('invalid', `"${text}" is not a model version; write for example churn@v7 or churn@champion`);
  const version = match[2] ?? 'champion';
  const number = /^v?(\d+)$/.exec(version);
  return { model: match[1]!, version: number ? Number(number[1]) : version };
}

/** The version, or `not_found` naming what there is. */
export async function getVersion(
  deps: Pick<RegistryDeps, 'db'>,
  actor: Pick<Actor, 'projectId'>,
  ref: VersionRef,
): Promise<ModelVersion> {
  return deps.db.read((tx) => getVersionIn(tx, actor.projectId, ref));
}

export async function getVersionIn(tx: Tx, projectId: string, ref: VersionRef): Promise<ModelVersion> {
  return store.toVersion(await getRow(tx, projectId, ref), await store.listAliases(tx, projectId, ref.model));
}

export async function findVersionById(deps: Pick<RegistryDeps, 'db'>, id: string): Promise<ModelVersion | undefined> {
  return deps.db.read(async (tx) => {
    const row = await store.findVersionById(tx, id);
    return row && store.toVersion(row, await store.listAliases(tx, row.project_id, row.model));
  });
}

export async function getRow(tx: Tx, projectId: string, ref: VersionRef): Promise<store.VersionRow> {
  const number =
    typeof ref.version === 'number' ? ref.version : await resolveAlias(tx, projectId, ref.model, ref.version);
  const row = number === undefined ? undefined : await store.findVersionRow(tx, projectId, ref.model, number);
  if (row) return row;
  if (!(await store.findModelRow(tx, projectId, ref.model)))
    throw new AppError('not_found', `There is no model "${ref.model}"; "levain models" lists them`);
  const what = typeof ref.version === 'number' ? `version ${ref.version}` : `version "${ref.version}"`;
  throw new AppError('not_found', `Model "${ref.model}" has no ${what}; "levain models show ${ref.model}" lists them`);
}

async function resolveAlias(tx: Tx, projectId: string, model: string, alias: string): Promise<number | undefined> {
  const version = await store.findAlias(tx, projectId, model, alias);
  if (version !== undefined || alias !== 'latest') return version;
  return (await store.listVersionRows(tx, projectId, model, 1, Number.MAX_SAFE_INTEGER))[0]?.version;
}

/** Newest first. */
export async function listVersions(
  deps: Pick<RegistryDeps, 'db'>,
  actor: Pick<Actor, 'projectId'>,
  input: { readonly model: string; readonly limit?: number; readonly below?: number },
): Promise<Page<ModelVersion>> {
  const limit = Math.min(input.limit ?? PAGE_LIMIT, PAGE_LIMIT);
  return deps.db.read(async (tx) => {
    if (!(await store.findModelRow(tx, actor.projectId, input.model)))
      throw new AppError('not_found', `There is no model "${input.model}"; "levain models" lists them`);
    const below = input.below ?? Number.MAX_SAFE_INTEGER;
    const rows = await store.listVersionRows(tx, actor.projectId, input.model, limit + 1, below);
    const aliases = await store.listAliases(tx, actor.projectId, input.model);
    const items = rows.slice(0, limit).map((row) => store.toVersion(row, aliases));
    return rows.length > limit ? { items, next: String(items.at(-1)!.version) } : { items };
  });
}

export async function listModels(
  deps: Pick<RegistryDeps, 'db'>,
  actor: Pick<Actor, 'projectId'>,
): Promise<readonly RegisteredModel[]> {
  return deps.db.read(async (tx) => {
    const models: RegisteredModel[] = [];
    for (const row of await store.listModelRows(tx, actor.projectId))
      models.push(await toModel(tx, actor.projectId, row));
    return models;
  });
}

async function toModel(
  tx: Tx,
  projectId: string,
  row: store.RegistryTables['registered_model'],
): Promise<RegisteredModel> {
  return {
    name: row.name,
    createdAt: row.created_at,
    versions: row.next_version - 1,
    champion: (await store.findAlias(tx, projectId, row.name, 'champion')) ?? null,
    hold: (await store.findHoldRow(tx, projectId, row.name)) ?? null,
    waiting: await store.versionsWithApproval(tx, projectId, row.name, 'waiting'),
  };
}

export async function findChampion(
  deps: Pick<RegistryDeps, 'db'>,
  projectId: string,
  model: string,
): Promise<ModelVersion | undefined> {
  return deps.db.read(async (tx) => {
    const version = await store.findAlias(tx, projectId, model, 'champion');
    return version === undefined ? undefined : getVersionIn(tx, projectId, { model, version });
  });
}

/** What a gateway needs to answer with this version; `precondition_failed` where it was only registered by a foreign client. */
export async function servableOf(deps: Pick<RegistryDeps, 'db'>, projectId: string, ref: VersionRef) {
  const version = await getVersion(deps, { projectId }, ref);
  if (!version.spec)
    throw new AppError(
      'precondition_failed',
      `${version.model}@v${version.version} has no servable form: it was registered by a client and not by a pipeline run`,
    );
  return version.spec;
}

export async function profileOf(
  deps: Pick<RegistryDeps, 'db'>,
  projectId: string,
  ref: VersionRef,
): Promise<MonitorProfile | null> {
  return deps.db.read(async (tx) => store.toProfile(await getRow(tx, projectId, ref)));
}
