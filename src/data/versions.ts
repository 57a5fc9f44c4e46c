import { AppError } from '../kernel/errors.ts';
import { type Page, parsePageToken, toPageToken } from '../kernel/pages.ts';
import { suggestion } from '../project-file/index.ts';
import type { Actor } from '../wire/route.ts';
import * as store from './data.store.ts';
import type { DataDeps, DatasetVersion, Profile } from './types.ts';

type ReadDeps = Pick<DataDeps, 'db'>;

/** A version by number, by id, or the newest good one (`latest`). */
export type VersionRef = { readonly dataset: string; readonly version: number | 'latest' } | { readonly id: string };

export interface DatasetSummary {
  readonly name: string;
  /** The newest good version. */
  readonly latest: DatasetVersion | null;
  /** The newest one, where it was refused. */
  readonly refused: DatasetVersion | null;
}

/** Throws `not_found` where there is none: for `latest`, none whose contract held. */
export async function getVersion(deps: ReadDeps, actor: Actor, ref: VersionRef): Promise<DatasetVersion> {
  const { projectId } = actor;
  const row = await deps.db.read(async (tx) => {
    if ('id' in ref) {
      const found = await store.findById(tx, ref.id);
      return found?.project_id === projectId ? found : undefined;
    }
    if (ref.version !== 'latest') return store.findByNumber(tx, projectId, ref.dataset, ref.version);
    return (await store.selectVersions(tx, { projectId, dataset: ref.dataset, state: 'ok', limit: 1 }))[0];
  });
  if (row) return store.toVersion(row);
  if ('id' in ref) throw new AppError('not_found', `There is no dataset version ${ref.id}; see: levain data list`);
  throw await notFound(deps, projectId, ref);
}

async function notFound(
  deps: ReadDeps,
  projectId: string,
  ref: { dataset: string; version: number | 'latest' },
): Promise<AppError> {
  const names = (await deps.db.read((tx) => store.selectDatasets(tx, projectId))).map(({ name }) => name);
  if (!names.includes(ref.dataset))
    return new AppError('not_found', `There is no dataset "${ref.dataset}"${suggestion(ref.dataset, names)}`, {
      hint: 'levain data list',
    });
  const what = ref.version === 'latest' ? 'version whose contract held' : `version v${ref.version}`;
  return new AppError('not_found', `Dataset "${ref.dataset}" has no ${what}; see: levain data show ${ref.dataset}`, {
    hint: `levain data show ${ref.dataset}`,
  });
}

export async function listDatasets(deps: ReadDeps, actor: Actor): Promise<readonly DatasetSummary[]> {
  const { projectId } = actor;
  return deps.db.read(async (tx) => {
    const summaries: DatasetSummary[] = [];
    for (const { name } of await store.selectDatasets(tx, projectId)) {
      const [newest] = await store.selectVersions(tx, { projectId, dataset: name, limit: 1 });
      const [good] =
        newest?.state === 'ok'
          ? [newest]
          : await store.selectVersions(tx, { projectId, dataset: name, state: 'ok', limit: 1 });
      summaries.push({
        name,
        latest: good ? store.toVersion(good) : null,
        refused: newest?.state === 'refused' ? store.toVersion(newest) : null,
      });
    }
    return summaries;
  });
}

/** Newest first. */
export async function listVersions(
  deps: ReadDeps,
  actor: Actor,
  input: { readonly dataset: string; readonly limit?: number | undefined; readonly after?: string | undefined },
): Promise<Page<DatasetVersion>> {
  const limit = input.limit ?? 50;
  const below = input.after === undefined ? undefined : Number(parsePageToken(input.after)[0]);
  const rows = await deps.db.read((tx) =>
    store.selectVersions(tx, { projectId: actor.projectId, dataset: input.dataset, below, limit: limit + 1 }),
  );
  if (rows.length === 0 && below === undefined)
    throw await notFound(deps, actor.projectId, { dataset: input.dataset, version: 'latest' });
  const items = rows.slice(0, limit).map(store.toVersion);
  return rows.length > limit ? { items, next: toPageToken([items.at(-1)?.version]) } : { items };
}

export const getProfile = async (deps: ReadDeps, actor: Actor, ref: VersionRef): Promise<Profile> =>
  (await getVersion(deps, actor, ref)).profile;
