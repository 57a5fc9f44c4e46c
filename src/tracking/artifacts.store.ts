import { sqlOf, type Tx } from '../ports/db.ts';
import type { ArtifactRow, TrackingTables } from './tables.ts';

export interface ArtifactPlace {
  readonly projectId: string;
  readonly root: string;
  readonly path: string;
}

export async function upsertArtifact(tx: Tx, row: ArtifactRow): Promise<void> {
  await sqlOf<TrackingTables>(tx)
    .insertInto('artifact_path')
    .values(row)
    .onConflict((conflict) =>
      conflict.columns(['project_id', 'root', 'path']).doUpdateSet(({ ref }) => ({
        digest: ref('excluded.digest'),
        size_bytes: ref('excluded.size_bytes'),
        updated_at: ref('excluded.updated_at'),
      })),
    )
    .execute();
}

export async function findArtifactRow(
  tx: Tx,
  { projectId, root, path }: ArtifactPlace,
): Promise<ArtifactRow | undefined> {
  return sqlOf<TrackingTables>(tx)
    .selectFrom('artifact_path')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('root', '=', root)
    .where('path', '=', path)
    .executeTakeFirst();
}

/** All files below a folder of one root, by path. The range uses that `0` follows `/` in the order of texts. */
export async function listArtifactRows(
  tx: Tx,
  { projectId, root, path }: ArtifactPlace,
  limit: number,
): Promise<ArtifactRow[]> {
  let query = sqlOf<TrackingTables>(tx)
    .selectFrom('artifact_path')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('root', '=', root);
  if (path !== '') query = query.where('path', '>=', `${path}/`).where('path', '<', `${path}0`);
  return query.orderBy('path').limit(limit).execute();
}

/** The roots below a path of the tree that is above them, such as `1` or `1/models`. */
export async function listRootsBelow(
  tx: Tx,
  projectId: string,
  path: string,
  limit: number,
): Promise<readonly string[]> {
  let query = sqlOf<TrackingTables>(tx)
    .selectFrom('artifact_path')
    .select('root')
    .distinct()
    .where('project_id', '=', projectId)
    .where('root', '!=', '');
  if (path !== '') query = query.where('root', '>=', `${path}/`).where('root', '<', `${path}0`);
  const rows = await query.orderBy('root').limit(limit).execute();
  return rows.map(({ root }) => root);
}

export async function deleteArtifactRow(tx: Tx, { projectId, root, path }: ArtifactPlace): Promise<void> {
  await sqlOf<TrackingTables>(tx)
    .deleteFrom('artifact_path')
    .where('project_id', '=', projectId)
    .where('root', '=', root)
    .where('path', '=', path)
    .execute();
}
