import { AppError } from '../kernel/errors.ts';
import { toRecords } from '../kernel/frame.ts';
import { hashOf } from './identity.ts';
import { loadVersion, localPaths } from './loading.ts';
import { literal, type Relation, rawRows, relationOf } from './relation.ts';
import { rowRules, ruledRows } from './split.ts';
import type { Cut, DataDeps, NotebookSplit } from './types.ts';

type Deps = Pick<DataDeps, 'db' | 'content' | 'analytics'>;

/**
 * Keeps the test rows of a notebook: `rows` are positions, from 0, in what the cut (unsplit) showed it. Answers the split that
 * stands for them. Throws `precondition_failed` where the notebook counted other rows than the data has.
 */
export async function holdRows(
  deps: Deps,
  cut: Omit<Cut, 'split'>,
  told: { readonly rows: readonly number[]; readonly fileRows: number; readonly share: number },
): Promise<NotebookSplit> {
  const version = await loadVersion(deps, cut.versionId);
  const relation = relationOf(version, await localPaths(deps, version));
  const { section } = cut;
  const key = (await isUnique(deps, relation, section.key)) ? section.key : [];
  const split = { kind: 'notebook' as const, base: version.id, share: told.share, key };
  if (told.rows.length === 0) return { ...split, rows: null };
  const rules = await rowRules(deps.analytics, relation, version, { ...cut, split: null });
  const list = await deps.content.put(Buffer.from(`row\n${told.rows.join('\n')}\n`));
  const rows = `read_csv(${literal(await deps.content.localPath(list.digest))}, header = true, columns = {'row': 'BIGINT'})`;
  const inCut = `select __file, __row, row_number() over (order by __file, __row) - 1 as __n from (${ruledRows(relation, rules, ['__file', '__row'], [])}) where ${rules.inCut}`;
  const query = `with cut as materialized (${inCut}) select (select count(*) from cut) as total, coalesce(string_agg(concat(__file, ',', __row), chr(10) order by __n), '') as places, count(*) as found from cut where __n in (select row from ${rows})`;
  const found = toRecords(await deps.analytics.query(query))[0]!;
  if (Number(found['total']) !== told.fileRows || Number(found['found']) !== new Set(told.rows).size)
    throw new AppError(
      'precondition_failed',
      `the notebook counts ${told.fileRows} rows in a file of ${Number(found['total'])}`,
    );
  const places = await deps.content.put(Buffer.from(`file,row\n${found['places']}\n`));
  return { ...split, rows: places.digest };
}

async function isUnique(deps: Deps, relation: Relation, key: readonly string[]): Promise<boolean> {
  if (key.length === 0) return false;
  if (key.some((name) => !relation.plan.columns.some((column) => column.name === name))) return false;
  const rows = `select ${hashOf(relation, key)} as __i from (${rawRows(relation)})`;
  const counted = toRecords(
    await deps.analytics.query(`select count(*) as n, count(distinct __i) as d from (${rows})`),
  )[0]!;
  return Number(counted['n']) === Number(counted['d']);
}
