import { type Cell, toRecords } from '../kernel/frame.ts';
import { identifier } from '../ports/analytics.ts';
import type { Actor } from '../wire/route.ts';
import { shown } from './cut.ts';
import { localPaths } from './loading.ts';
import { rawRows, relationOf } from './relation.ts';
import type { DataDeps } from './types.ts';
import { getVersion, type VersionRef } from './versions.ts';

export const MAX_ROWS_READ = 1_000;

export interface RowsRead {
  readonly dataset: string;
  readonly version: number;
  /** Of the whole version. */
  readonly rowCount: number;
  readonly rows: readonly Readonly<Record<string, Cell>>[];
}

/** Rows of a version from `offset` (0 is the first) in the order of its files, as gates and callers see them. */
export async function readRows(
  deps: Pick<DataDeps, 'db' | 'content' | 'analytics'>,
  actor: Actor,
  ref: VersionRef,
  { offset, limit }: { readonly offset: number; readonly limit: number },
): Promise<RowsRead> {
  const version = await getVersion(deps, actor, ref);
  const relation = relationOf(version, await localPaths(deps, version));
  const columns = relation.plan.columns.map((column) => `${shown(relation, column)} as ${identifier(column.name)}`);
  const numbered = rawRows(relation, ['__file', '__row']);
  const query = `select ${columns.join(', ')} from (${numbered}) order by __file, __row limit ${Math.min(limit, MAX_ROWS_READ)} offset ${offset}`;
  const frame = await deps.analytics.query(query);
  return { dataset: version.dataset, version: version.version, rowCount: version.rowCount, rows: toRecords(frame) };
}
