import { canonicalJson } from '../kernel/canonical-json.ts';
import { sqlOf, type Tx } from '../ports/db.ts';
import type { ContractReport, DatasetVersion, DatasetVersionState } from './types.ts';

export interface DataTables {
  dataset: { project_id: string; name: string; next_version: number; created_at: number };
  dataset_version: VersionRow;
}

export interface VersionRow {
  project_id: string;
  dataset: string;
  version: number;
  id: string;
  state: string;
  manifest_digest: string;
  section_digest: string;
  source: string;
  files: string;
  row_count: number;
  size_bytes: number;
  plan: string;
  schema: string;
  profile: string;
  domains: string;
  contract: string;
  time_column: string | null;
  time_min: number | null;
  time_max: number | null;
  created_at: number;
}

const sql = (tx: Tx) => sqlOf<DataTables>(tx);

export const insertDataset = (tx: Tx, projectId: string, name: string, now: number) =>
  sql(tx)
    .insertInto('dataset')
    .values({ project_id: projectId, name, next_version: 1, created_at: now })
    .onConflict((conflict) => conflict.doNothing())
    .execute();

/** The next version number; numbers are never used twice. */
export async function takeVersionNumber(tx: Tx, projectId: string, name: string): Promise<number> {
  const row = await sql(tx)
    .updateTable('dataset')
    .set((e) => ({ next_version: e('next_version', '+', 1) }))
    .where('project_id', '=', projectId)
    .where('name', '=', name)
    .returning('next_version')
    .executeTakeFirstOrThrow();
  return row.next_version - 1;
}

export const insertVersion = (tx: Tx, row: VersionRow) => sql(tx).insertInto('dataset_version').values(row).execute();

export const updateContract = (
  tx: Tx,
  id: string,
  change: Pick<VersionRow, 'state' | 'section_digest' | 'contract' | 'time_column' | 'time_min' | 'time_max'>,
) => sql(tx).updateTable('dataset_version').set(change).where('id', '=', id).execute();

export const findByManifest = (tx: Tx, projectId: string, dataset: string, digest: string) =>
  sql(tx)
    .selectFrom('dataset_version')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('dataset', '=', dataset)
    .where('manifest_digest', '=', digest)
    .executeTakeFirst();

export const findById = (tx: Tx, id: string) =>
  sql(tx).selectFrom('dataset_version').selectAll().where('id', '=', id).executeTakeFirst();

export const findByNumber = (tx: Tx, projectId: string, dataset: string, version: number) =>
  sql(tx)
    .selectFrom('dataset_version')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('dataset', '=', dataset)
    .where('version', '=', version)
    .executeTakeFirst();

/** Newest first. */
export const selectVersions = (
  tx: Tx,
  filter: {
    projectId: string;
    dataset: string;
    below?: number | undefined;
    state?: DatasetVersionState | undefined;
    limit: number;
  },
) => {
  let query = sql(tx)
    .selectFrom('dataset_version')
    .selectAll()
    .where('project_id', '=', filter.projectId)
    .where('dataset', '=', filter.dataset);
  if (filter.below !== undefined) query = query.where('version', '<', filter.below);
  if (filter.state !== undefined) query = query.where('state', '=', filter.state);
  return query.orderBy('version', 'desc').limit(filter.limit).execute();
};

export const selectDatasets = (tx: Tx, projectId: string) =>
  sql(tx).selectFrom('dataset').select('name').where('project_id', '=', projectId).orderBy('name').execute();

export const toVersion = (row: VersionRow): DatasetVersion => ({
  id: row.id,
  projectId: row.project_id,
  dataset: row.dataset,
  version: row.version,
  state: row.state as DatasetVersionState,
  files: JSON.parse(row.files) as DatasetVersion['files'],
  rowCount: row.row_count,
  sizeBytes: row.size_bytes,
  schema: JSON.parse(row.schema) as DatasetVersion['schema'],
  plan: JSON.parse(row.plan) as DatasetVersion['plan'],
  profile: JSON.parse(row.profile) as DatasetVersion['profile'],
  contract: JSON.parse(row.contract) as ContractReport,
  timeRange:
    row.time_column === null || row.time_min === null || row.time_max === null
      ? null
      : { column: row.time_column, min: row.time_min, max: row.time_max },
  manifestDigest: row.manifest_digest,
  createdAt: row.created_at,
  source: row.source,
});

export const toRow = (version: DatasetVersion, more: { sectionDigest: string; domains: unknown }): VersionRow => ({
  project_id: version.projectId,
  dataset: version.dataset,
  version: version.version,
  id: version.id,
  state: version.state,
  manifest_digest: version.manifestDigest,
  section_digest: more.sectionDigest,
  source: version.source,
  files: canonicalJson(version.files),
  row_count: version.rowCount,
  size_bytes: version.sizeBytes,
  plan: canonicalJson(version.plan),
  schema: canonicalJson(version.schema),
  profile: canonicalJson(version.profile),
  domains: canonicalJson(more.domains),
  contract: canonicalJson(version.contract),
  time_column: version.timeRange?.column ?? null,
  time_min: version.timeRange?.min ?? null,
  time_max: version.timeRange?.max ?? null,
  created_at: version.createdAt,
});
