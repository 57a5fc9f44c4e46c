import { hashOf } from './identity.ts';
import { loadVersion, localPaths } from './loading.ts';
import { literal, type Relation, rawRows, relationOf } from './relation.ts';
import type { Cut, DataDeps, NotebookSplit } from './types.ts';

/** The first version's data and the list of its test rows, as local files. */
export interface HeldBase {
  readonly relation: Relation;
  readonly rowsPath: string | null;
  /** The asking cut is of this very version: rows are told by their place. */
  readonly isSame: boolean;
}

/** One number for a row's place, file and row. */
const PLACE = '(cast(__file as bigint) * 1099511627776 + __row)';

/** A cut in which nothing is kept back is an unsplit one: the same bytes under the same digest. */
export function plainCut<C extends Cut>(cut: C): C {
  const { split } = cut;
  const isPlain = split?.kind === 'notebook' && split.rows === null && split.base === cut.versionId;
  return isPlain ? { ...cut, split: null } : cut;
}

/** What a notebook's split needs beside the asking version; undefined for other splits. */
export async function baseOf(
  deps: Pick<DataDeps, 'db' | 'content'>,
  { split, versionId }: Cut,
): Promise<HeldBase | undefined> {
  if (split?.kind !== 'notebook') return undefined;
  const version = await loadVersion(deps, split.base);
  return {
    relation: relationOf(version, await localPaths(deps, version)),
    rowsPath: split.rows === null ? null : await deps.content.localPath(split.rows),
    isSame: split.base === versionId,
  };
}

/**
 * SQL over `ruledRows` with places: the row is one of the first version's test rows, or new since then and in the share of new rows
 * that is kept back. A row is the same where its identity is: key, else the values of the columns that both versions have and how
 * many equal rows came before.
 */
export function heldRule(relation: Relation, split: NotebookSplit, base: HeldBase, isInShare: string): string {
  const held = base.rowsPath === null ? 'select null as __p where false' : placesIn(base.rowsPath);
  if (base.isSame) return `${PLACE} in (${held})`;
  const shared = base.relation.plan.columns.filter(({ name }) =>
    relation.plan.columns.some((own) => own.name === name),
  );
  const names = split.key.length > 0 ? split.key : shared.map(({ name }) => name);
  const known = identified(base.relation, names, split.key.length === 0);
  const own = identified(relation, names, split.key.length === 0);
  const tested = `select __id from (${known}) where __p in (${held})`;
  const isTest = `${PLACE} in (select __p from (${own}) where __id in (${tested}))`;
  const isNew = `${PLACE} not in (select __p from (${own}) where __id in (select __id from (${known})))`;
  return `(${isTest}) or ((${isNew}) and ${isInShare})`;
}

const placesIn = (path: string): string =>
  `select ${PLACE.replace('__file', 'file').replace('__row', 'row')} as __p from read_csv(${literal(path)}, header = true, columns = {'file': 'BIGINT', 'row': 'BIGINT'})`;

/** Every row's place and identity. */
function identified(relation: Relation, names: readonly string[], counts: boolean): string {
  const rows = `select ${PLACE} as __p, ${hashOf(relation, names)} as __i from (${rawRows(relation, ['__file', '__row'])})`;
  if (!counts) return `select __p, __i as __id from (${rows})`;
  return `select __p, md5_number(concat(hex(__i), '#', row_number() over (partition by __i order by __p))) as __id from (${rows})`;
}
