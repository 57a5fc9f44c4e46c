import { AppError } from '../kernel/errors.ts';
import type { Page } from '../kernel/pages.ts';
import type { Db } from '../ports/db.ts';
import type { Actor } from '../wire/route.ts';
import { parseExperimentFilter, parseExperimentOrders } from './experiment-search.ts';
import {
  deleteExperimentTagRow,
  deleteRunsWithExperiment,
  findExperimentByName,
  findExperimentRow,
  insertExperiment,
  insertExperimentIfAbsent,
  listExperimentTags,
  restoreRunsWithExperiment,
  searchExperimentRows,
  updateExperimentRow,
  upsertExperimentTags,
} from './experiments.store.ts';
import { forgetRuns } from './metric-ingest.ts';
import { takeId } from './metrics.store.ts';
import { offsetOf, toOffsetPage } from './offset-page.ts';
import { lastPerKey } from './pairs.ts';
import type { ExperimentRow } from './tables.ts';
import type { Experiment, Pair, TrackingDeps, ViewType } from './types.ts';

export const DEFAULT_EXPERIMENT_ID = 0;
export const ARTIFACT_SCHEME = 'mlflow-artifacts:/';

/** Creates an experiment with an id that no other of the instance has. Throws `conflict` where the name is taken. */
export async function createExperiment(
  deps: TrackingDeps,
  actor: Actor,
  input: { readonly name: string; readonly artifactLocation?: string | undefined; readonly tags?: readonly Pair[] },
): Promise<Experiment> {
  await ensureDefaultExperiment(deps, actor.projectId);
  const now = deps.clock.now();
  return deps.db.write(async (tx) => {
    const taken = await findExperimentByName(tx, actor.projectId, input.name);
    if (taken) throw nameTaken(taken);
    const id = await takeId(tx, 'experiment');
    const row = toRow(actor.projectId, id, input.name, input.artifactLocation || `${ARTIFACT_SCHEME}${id}`, now);
    await insertExperiment(tx, row);
    const tags = lastPerKey(input.tags ?? []);
    await upsertExperimentTags(tx, actor.projectId, id, tags);
    return toExperiment(row, tags);
  });
}

export async function getExperiment(deps: TrackingDeps, actor: Actor, id: number): Promise<Experiment> {
  await ensureDefaultExperiment(deps, actor.projectId);
  return deps.db.read(async (tx) => {
    const row = await findExperimentRow(tx, actor.projectId, id);
    if (!row) throw noExperiment(id);
    return toExperiment(row, (await listExperimentTags(tx, actor.projectId, [id])).get(id) ?? []);
  });
}

export async function findExperiment(deps: TrackingDeps, actor: Actor, name: string): Promise<Experiment | undefined> {
  await ensureDefaultExperiment(deps, actor.projectId);
  return deps.db.read(async (tx) => {
    const row = await findExperimentByName(tx, actor.projectId, name);
    return row && toExperiment(row, (await listExperimentTags(tx, actor.projectId, [row.id])).get(row.id) ?? []);
  });
}

/** Throws `conflict` where the name is taken, `precondition_failed` where the experiment is deleted. */
export async function renameExperiment(
  deps: TrackingDeps,
  actor: Actor,
  input: { readonly id: number; readonly name: string },
): Promise<void> {
  await deps.db.write(async (tx) => {
    assertActive(await findExperimentRow(tx, actor.projectId, input.id), input.id);
    const taken = await findExperimentByName(tx, actor.projectId, input.name);
    if (taken && taken.id !== input.id) throw nameTaken(taken);
    await updateExperimentRow(tx, actor.projectId, input.id, { name: input.name, updated_at: deps.clock.now() });
  });
}

/** Deletes the experiment, and its active runs with it. Nothing is lost: `restoreExperiment` brings both back. */
export async function deleteExperiment(deps: TrackingDeps, actor: Actor, id: number): Promise<void> {
  await ensureDefaultExperiment(deps, actor.projectId);
  const now = deps.clock.now();
  await deps.db.write(async (tx) => {
    const row = await findExperimentRow(tx, actor.projectId, id);
    if (row?.lifecycle !== 'active') throw noExperiment(id);
    await updateExperimentRow(tx, actor.projectId, id, { lifecycle: 'deleted', updated_at: now });
    await deleteRunsWithExperiment(tx, actor.projectId, id, now);
  });
  forgetRuns(deps.db, actor.projectId);
}

export async function restoreExperiment(deps: TrackingDeps, actor: Actor, id: number): Promise<void> {
  await deps.db.write(async (tx) => {
    const row = await findExperimentRow(tx, actor.projectId, id);
    if (row?.lifecycle !== 'deleted') throw noExperiment(id);
    await updateExperimentRow(tx, actor.projectId, id, { lifecycle: 'active', updated_at: deps.clock.now() });
    await restoreRunsWithExperiment(tx, actor.projectId, id);
  });
  forgetRuns(deps.db, actor.projectId);
}

export async function setExperimentTag(
  deps: TrackingDeps,
  actor: Actor,
  input: { readonly id: number; readonly tag: Pair },
): Promise<void> {
  await ensureDefaultExperiment(deps, actor.projectId);
  await deps.db.write(async (tx) => {
    assertActive(await findExperimentRow(tx, actor.projectId, input.id), input.id);
    await upsertExperimentTags(tx, actor.projectId, input.id, [input.tag]);
  });
}

export async function deleteExperimentTag(
  deps: TrackingDeps,
  actor: Actor,
  input: { readonly id: number; readonly key: string },
): Promise<void> {
  await deps.db.write(async (tx) => {
    assertActive(await findExperimentRow(tx, actor.projectId, input.id), input.id);
    if (await deleteExperimentTagRow(tx, actor.projectId, input.id, input.key)) return;
    throw new AppError('not_found', `No tag with name: ${input.key} in experiment with id ${input.id}`);
  });
}

/** Newest first, then by `orders`. Filters and orders are MLflow's grammar. */
export async function searchExperiments(
  deps: TrackingDeps,
  actor: Actor,
  input: {
    readonly filter?: string | undefined;
    readonly orders?: readonly string[];
    readonly view?: ViewType;
    readonly limit: number;
    readonly after?: string | undefined;
  },
): Promise<Page<Experiment>> {
  const clauses = parseExperimentFilter(input.filter);
  const orders = parseExperimentOrders(input.orders ?? []);
  const offset = offsetOf(input.after);
  await ensureDefaultExperiment(deps, actor.projectId);
  return deps.db.read(async (tx) => {
    const view = input.view ?? 'active';
    const search = { projectId: actor.projectId, view, clauses, orders, limit: input.limit + 1, offset };
    const rows = await searchExperimentRows(tx, search);
    const tags = await listExperimentTags(
      tx,
      actor.projectId,
      rows.map(({ id }) => id),
    );
    const items = rows.map((row) => toExperiment(row, tags.get(row.id) ?? []));
    return toOffsetPage(items, input.limit, offset);
  });
}

export const noExperiment = (id: number | string): AppError =>
  new AppError('not_found', `No Experiment with id=${id} exists`);

/** The row of an experiment that may be written to. */
export function assertActive(row: ExperimentRow | undefined, id: number): ExperimentRow {
  if (!row) throw noExperiment(id);
  if (row.lifecycle === 'active') return row;
  throw new AppError(
    'precondition_failed',
    `The experiment ${id} must be in the 'active' state. Current state is deleted.`,
  );
}

const withDefault = new WeakMap<Db, Set<string>>();

/** Experiment 0 is each project's own: clients know the number by heart, so it is there before anyone asks. */
export async function ensureDefaultExperiment(
  deps: Pick<TrackingDeps, 'db' | 'clock'>,
  projectId: string,
): Promise<void> {
  const known = withDefault.get(deps.db) ?? new Set();
  withDefault.set(deps.db, known);
  if (known.has(projectId)) return;
  const now = deps.clock.now();
  const location = `${ARTIFACT_SCHEME}${DEFAULT_EXPERIMENT_ID}`;
  const row = toRow(projectId, DEFAULT_EXPERIMENT_ID, 'Default', location, now);
  await deps.db.batch([insertExperimentIfAbsent(deps.db, row)]);
  known.add(projectId);
}

const toRow = (
  project_id: string,
  id: number,
  name: string,
  artifact_location: string,
  now: number,
): ExperimentRow => ({
  project_id,
  id,
  name,
  artifact_location,
  lifecycle: 'active',
  created_at: now,
  updated_at: now,
});

const toExperiment = (row: ExperimentRow, tags: readonly Pair[]): Experiment => ({
  id: row.id,
  name: row.name,
  artifactLocation: row.artifact_location,
  lifecycle: row.lifecycle,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  tags,
});

function nameTaken({ name, lifecycle }: ExperimentRow): AppError {
  const message =
    lifecycle === 'active'
      ? `Experiment(name=${name}) already exists.`
      : `Experiment(name=${name}) already exists. It is in deleted state: restore it, or choose another name.`;
  return new AppError('conflict', message, { reason: 'exists' });
}
