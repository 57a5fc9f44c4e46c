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
  /** Cells of `rows` that are infinite: JSON has no form for them, so in JSON they look missing. */
  readonly infinite: readonly { readonly row: number; readonly column: string; readonly negative: boolean }[];
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
  const rows = toRecords(frame);
  return {
    dataset: version.dataset,
    version: version.version,
    rowCount: version.rowCount,
    rows,
    infinite: rows.flatMap((row, i) => infiniteIn(row, i)),
  };
}

const infiniteIn = (row: Readonly<Record<string, Cell>>, i: number): RowsRead['infinite'] =>
  Object.entries(row).flatMap(([column, cell]) =>
    typeof cell === 'number' && !Number.isFinite(cell) ? [{ row: i, column, negative: cell < 0 }] : [],
  );
