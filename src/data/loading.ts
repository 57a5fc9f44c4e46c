import { AppError } from '../kernel/errors.ts';
import * as store from './data.store.ts';
import type { DataDeps, DatasetVersion } from './types.ts';

/** A version by its id alone. Throws `not_found`. */
export async function loadVersion(deps: Pick<DataDeps, 'db'>, id: string): Promise<DatasetVersion> {
  const row = await deps.db.read((tx) => store.findById(tx, id));
  if (!row) throw new AppError('not_found', `There is no dataset version ${id}; see: levain data list`);
  return store.toVersion(row);
}

/** Where its files lie, in their order. */
export const localPaths = (deps: Pick<DataDeps, 'content'>, version: DatasetVersion): Promise<string[]> =>
  Promise.all(version.files.map((file) => deps.content.localPath(file.digest)));
