import { AppError } from '../../kernel/errors.ts';
import type { Page } from '../../kernel/pages.ts';
import type { Tx } from '../../ports/db.ts';
import { offsetOf, parseFilter, parseOrders, toOffsetPage } from '../../tracking/index.ts';
import type { Actor } from '../../wire/route.ts';
import { setChampionIn } from '../champion.ts';
import { deleteAlias, findAlias, upsertAlias } from '../versions.store.ts';
import * as store from './entries.store.ts';
import { MODEL_SPACE, matchesAll, sortEntries, VERSION_SPACE } from './entry-search.ts';
import {
  type EntryDeps,
  type EntryQuery,
  type EntryTag,
  type ModelEntry,
  STAGES,
  type Stage,
  type VersionEntry,
  type VersionKey,
} from './types.ts';

type Read = Pick<EntryDeps, 'db'>;

/** Throws `conflict` where the name is taken. */
export async function createModel(
  deps: EntryDeps,
  actor: Actor,
  input: { readonly name: string; readonly description?: string | undefined; readonly tags: readonly EntryTag[] },
): Promise<ModelEntry> {
  const { projectId } = actor;
  const now = deps.clock.now();
  return deps.db.write(async (tx) => {
    if ((await store.listModels(tx, projectId, input.name)).length > 0) throw modelTaken(input.name);
    await store.insertModel(tx, projectId, input.name, now);
    await store.touchModel(tx, projectId, input.name, now, input.description);
    await store.upsertModelTags(tx, projectId, input.name, input.tags);
    return getModelIn(tx, projectId, input.name);
  });
}

export const getModel = (deps: Read, actor: Actor, name: string): Promise<ModelEntry> =>
  deps.db.read((tx) => getModelIn(tx, actor.projectId, name));

/** By name unless ordered otherwise. Prompts are left out unless the filter asks for them. */
export async function searchModels(deps: Read, actor: Actor, query: EntryQuery): Promise<Page<ModelEntry>> {
  const clauses = parseFilter(MODEL_SPACE, query.filter);
  const orders = parseOrders(MODEL_SPACE, query.orders);
  const offset = offsetOf(query.after);
  const entries = await deps.db.read((tx) => listModelEntries(tx, actor.projectId));
  const found = entries.filter((entry) => matchesAll(entry, clauses));
  const sorted = sortEntries(found, orders, (a, b) => (a.name < b.name ? -1 : 1));
  return toOffsetPage(sorted.slice(offset, offset + query.limit + 1), query.limit, offset);
}

/** Refused where a pipeline owns the model: endpoints and rollouts know it by its name. */
export async function renameModel(
  deps: EntryDeps,
  actor: Actor,
  input: { readonly name: string; readonly newName: string },
): Promise<ModelEntry> {
  const { projectId } = actor;
  return deps.db.write(async (tx) => {
    await getModelIn(tx, projectId, input.name);
    await assertForeign(tx, projectId, input.name, 'renamed');
    if (input.newName !== input.name) {
      if ((await store.listModels(tx, projectId, input.newName)).length > 0) throw modelTaken(input.newName);
      await store.renameModelRows(tx, projectId, input.name, input.newName);
    }
    await store.touchModel(tx, projectId, input.newName, deps.clock.now());
    return getModelIn(tx, projectId, input.newName);
  });
}

export async function describeModel(
  deps: EntryDeps,
  actor: Actor,
  input: { readonly name: string; readonly description: string },
): Promise<ModelEntry> {
  return changeModel(deps, actor, input.name, (tx, now) =>
    store.touchModel(tx, actor.projectId, input.name, now, input.description),
  );
}

/** The model, its versions, tags and aliases. Refused where a pipeline owns it. */
export async function deleteModel(deps: EntryDeps, actor: Actor, name: string): Promise<void> {
  const { projectId } = actor;
  await deps.db.write(async (tx) => {
    await getModelIn(tx, projectId, name);
    await assertForeign(tx, projectId, name, 'deleted');
    for (const { version, id } of await store.listVersions(tx, projectId, name)) {
      await store.deleteVersionRows(tx, projectId, name, version);
      await deps.content.release(tx, { kind: 'model_version', id });
    }
    await store.deleteModelRows(tx, projectId, name);
  });
}

export async function setModelTag(
  deps: EntryDeps,
  actor: Actor,
  input: { readonly name: string; readonly tag: EntryTag },
): Promise<void> {
  await changeModel(deps, actor, input.name, (tx) =>
    store.upsertModelTags(tx, actor.projectId, input.name, [input.tag]),
  );
}

export async function deleteModelTag(
  deps: EntryDeps,
  actor: Actor,
  input: { readonly name: string; readonly key: string },
): Promise<void> {
  await changeModel(deps, actor, input.name, (tx) =>
    store.deleteModelTagRow(tx, actor.projectId, input.name, input.key),
  );
}

/**
 * Points an alias at a version. `champion` of a model that a pipeline owns moves by promotion only, so that no client goes around
 * gates and approvals; of any other model it is an alias like the rest.
 */
export async function setModelAlias(
  deps: EntryDeps,
  actor: Actor,
  input: VersionKey & { readonly alias: string },
): Promise<void> {
  const { projectId } = actor;
  const { name, version, alias } = input;
  await deps.db.write(async (tx) => {
    await getVersionIn(tx, projectId, input);
    if (alias === 'champion') {
      await assertForeign(tx, projectId, name, 'given a champion');
      await setChampionIn(tx, deps, { projectId, model: name, version });
    } else await upsertAlias(tx, projectId, name, alias, version);
    await store.touchModel(tx, projectId, name, deps.clock.now());
  });
}

export async function deleteModelAlias(
  deps: EntryDeps,
  actor: Actor,
  input: { readonly name: string; readonly alias: string },
): Promise<void> {
  await changeModel(deps, actor, input.name, async (tx) => {
    if (input.alias === 'champion') await assertForeign(tx, actor.projectId, input.name, 'left without a champion');
    await deleteAlias(tx, actor.projectId, input.name, input.alias);
  });
}

export const getVersionEntry = (deps: Read, actor: Actor, key: VersionKey): Promise<VersionEntry> =>
  deps.db.read((tx) => getVersionIn(tx, actor.projectId, key));

/** `latest` is the newest version, without being set. */
export async function getVersionByAlias(
  deps: Read,
  actor: Actor,
  { name, alias }: { readonly name: string; readonly alias: string },
): Promise<VersionEntry> {
  return deps.db.read(async (tx) => {
    await getModelIn(tx, actor.projectId, name);
    const isLatest = alias.toLowerCase() === 'latest';
    const version = isLatest
      ? (await store.listVersions(tx, actor.projectId, name)).reduce((max, row) => Math.max(max, row.version), 0)
      : await findAlias(tx, actor.projectId, name, alias);
    if (!version) throw new AppError('invalid', `Registered model alias ${alias} not found.`);
    return getVersionIn(tx, actor.projectId, { name, version });
  });
}

/** Last changed first unless ordered otherwise. Aliases are not filled in, as with MLflow. */
export async function searchVersions(deps: Read, actor: Actor, query: EntryQuery): Promise<Page<VersionEntry>> {
  const clauses = parseFilter(VERSION_SPACE, query.filter);
  const orders = parseOrders(VERSION_SPACE, query.orders);
  const offset = offsetOf(query.after);
  const entries = await deps.db.read((tx) => listVersionEntries(tx, actor.projectId));
  const found = entries.filter((entry) => matchesAll(entry, clauses)).map((entry) => ({ ...entry, aliases: [] }));
  const sorted = sortEntries(found, orders, byChange);
  return toOffsetPage(sorted.slice(offset, offset + query.limit + 1), query.limit, offset);
}

/** The newest version of each of these stages; of every stage where none is named. */
export async function latestVersions(
  deps: Read,
  actor: Actor,
  input: { readonly name: string; readonly stages: readonly Stage[] },
): Promise<readonly VersionEntry[]> {
  return deps.db.read(async (tx) => {
    await getModelIn(tx, actor.projectId, input.name);
    const entries = await listVersionEntries(tx, actor.projectId, input.name);
    return newestPerStage(entries, input.stages.length > 0 ? input.stages : STAGES);
  });
}

export async function describeVersion(
  deps: EntryDeps,
  actor: Actor,
  input: VersionKey & { readonly description: string },
): Promise<VersionEntry> {
  return changeVersion(deps, actor, input, { description: input.description });
}

/** Moves a version to a stage; with `archiveOthers`, what was there goes to Archived. */
export async function moveToStage(
  deps: EntryDeps,
  actor: Actor,
  input: VersionKey & { readonly stage: Stage; readonly archiveOthers: boolean },
): Promise<VersionEntry> {
  const now = deps.clock.now();
  const { projectId } = actor;
  if (input.archiveOthers) {
    await deps.db.write(async (tx) => {
      await getVersionIn(tx, projectId, input);
      for (const row of await store.listVersions(tx, projectId, input.name)) {
        if (row.stage !== input.stage || row.version === input.version) continue;
        const key = { project_id: projectId, model: input.name, version: row.version };
        await store.upsertVersionNote(tx, key, { stage: 'Archived', updated_at: now });
      }
    });
  }
  return changeVersion(deps, actor, input, { stage: input.stage });
}

/** Numbers are never used again. Refused for versions that a pipeline made. */
export async function deleteVersion(deps: EntryDeps, actor: Actor, key: VersionKey): Promise<void> {
  const { projectId } = actor;
  await deps.db.write(async (tx) => {
    const row = (await store.listVersions(tx, projectId, key.name, key.version))[0];
    if (!row) throw noVersion(key);
    if (row.state !== 'external') throw ownedByPipeline(`${key.name}@v${key.version}`, 'deleted');
    await store.deleteVersionRows(tx, projectId, key.name, key.version);
    await deps.content.release(tx, { kind: 'model_version', id: row.id });
    await store.touchModel(tx, projectId, key.name, deps.clock.now());
  });
}

export async function setVersionTag(
  deps: EntryDeps,
  actor: Actor,
  input: VersionKey & { readonly tag: EntryTag },
): Promise<void> {
  await changeVersion(deps, actor, input, {}, (tx) =>
    store.upsertVersionTags(tx, actor.projectId, input.name, input.version, [input.tag]),
  );
}

export async function deleteVersionTag(
  deps: EntryDeps,
  actor: Actor,
  input: VersionKey & { readonly key: string },
): Promise<void> {
  await changeVersion(deps, actor, input, {}, (tx) =>
    store.deleteVersionTagRow(tx, actor.projectId, input.name, input.version, input.key),
  );
}

export async function getModelIn(tx: Tx, projectId: string, name: string): Promise<ModelEntry> {
  const entry = (await listModelEntries(tx, projectId, name))[0];
  if (entry) return entry;
  throw new AppError('not_found', `Registered Model with name=${name} not found`);
}

export async function getVersionIn(tx: Tx, projectId: string, key: VersionKey): Promise<VersionEntry> {
  const entry = (await listVersionEntries(tx, projectId, key.name, key.version))[0];
  if (entry) return entry;
  throw noVersion(key);
}

async function changeModel(
  deps: EntryDeps,
  actor: Actor,
  name: string,
  apply: (tx: Tx, now: number) => Promise<unknown>,
): Promise<ModelEntry> {
  const now = deps.clock.now();
  return deps.db.write(async (tx) => {
    await getModelIn(tx, actor.projectId, name);
    await store.touchModel(tx, actor.projectId, name, now);
    await apply(tx, now);
    return getModelIn(tx, actor.projectId, name);
  });
}

async function changeVersion(
  deps: EntryDeps,
  actor: Actor,
  key: VersionKey,
  change: { readonly description?: string; readonly stage?: Stage },
  apply?: (tx: Tx) => Promise<unknown>,
): Promise<VersionEntry> {
  const now = deps.clock.now();
  const row = { project_id: actor.projectId, model: key.name, version: key.version };
  return deps.db.write(async (tx) => {
    await getVersionIn(tx, actor.projectId, key);
    await store.upsertVersionNote(tx, row, { ...change, updated_at: now });
    await apply?.(tx);
    await store.touchModel(tx, actor.projectId, key.name, now);
    return getVersionIn(tx, actor.projectId, key);
  });
}

/** What a pipeline made is changed by Levain's own verbs, which keep gates, approvals and endpoints right. */
async function assertForeign(tx: Tx, projectId: string, name: string, what: string): Promise<void> {
  const versions = await store.listVersions(tx, projectId, name);
  if (versions.some(({ state }) => state !== 'external')) throw ownedByPipeline(name, what);
}

const ownedByPipeline = (name: string, what: string): AppError =>
  new AppError(
    'precondition_failed',
    `${name} belongs to a pipeline and cannot be ${what} here; use levain deploy, levain rollback or levain models`,
  );

async function listModelEntries(tx: Tx, projectId: string, name?: string): Promise<readonly ModelEntry[]> {
  const models = await store.listModels(tx, projectId, name);
  if (models.length === 0) return [];
  const tags = Map.groupBy(await store.listModelTags(tx, projectId, name), ({ model }) => model);
  const aliases = Map.groupBy(await store.listAllAliases(tx, projectId, name), ({ model }) => model);
  const versions = Map.groupBy(await listVersionEntries(tx, projectId, name), (entry) => entry.name);
  return models.map((row) => ({
    name: row.name,
    createdAt: row.created_at,
    updatedAt: row.updated_at ?? row.created_at,
    description: row.description,
    tags: (tags.get(row.name) ?? []).map(({ key, value }) => ({ key, value })),
    aliases: (aliases.get(row.name) ?? []).map(({ alias, version }) => ({ alias, version })),
    latest: newestPerStage(versions.get(row.name) ?? [], STAGES),
  }));
}

async function listVersionEntries(
  tx: Tx,
  projectId: string,
  name?: string,
  version?: number,
): Promise<readonly VersionEntry[]> {
  const rows = await store.listVersions(tx, projectId, name, version);
  if (rows.length === 0) return [];
  const keyOf = (row: { readonly model: string; readonly version: number }): string => `${row.model}/${row.version}`;
  const tags = Map.groupBy(await store.listVersionTags(tx, projectId, name), keyOf);
  const aliases = Map.groupBy(await store.listAllAliases(tx, projectId, name), keyOf);
  return rows.map((row) => ({
    name: row.model,
    version: row.version,
    createdAt: row.created_at,
    updatedAt: row.updated_at ?? row.created_at,
    user: row.user_id,
    stage: (row.stage ?? 'None') as Stage,
    description: row.description,
    source: row.source ?? registryUri(row.id),
    runId: row.run_id,
    runLink: row.run_link,
    loggedModelId: row.logged_model_id,
    tags: (tags.get(keyOf(row)) ?? []).map(({ key, value }) => ({ key, value })),
    aliases: (aliases.get(keyOf(row)) ?? []).map(({ alias }) => alias),
  }));
}

/** Where the frozen files of a version that a pipeline made are read as artifacts. */
export const registryUri = (versionId: string): string => `mlflow-artifacts:/registry/${versionId}`;

const newestPerStage = (entries: readonly VersionEntry[], stages: readonly Stage[]): readonly VersionEntry[] =>
  stages.flatMap((stage) => {
    const found = entries.filter((entry) => entry.stage === stage).sort((a, b) => b.version - a.version);
    return found[0] ? [found[0]] : [];
  });

const byChange = (a: VersionEntry, b: VersionEntry): number =>
  b.updatedAt - a.updatedAt || (a.name < b.name ? -1 : a.name > b.name ? 1 : b.version - a.version);

const modelTaken = (name: string): AppError =>
  new AppError('conflict', `Registered Model (name=${name}) already exists.`, { reason: 'exists' });

const noVersion = ({ name, version }: VersionKey): AppError =>
  new AppError('not_found', `Model Version (name=${name}, version=${version}) not found`);
