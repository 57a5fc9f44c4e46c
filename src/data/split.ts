import { toRecords } from '../kernel/frame.ts';
import { type Analytics, identifier } from '../ports/analytics.ts';
import type { DataSection, GateRows } from '../project-file/index.ts';
import { type HeldBase, heldRule } from './held-rows.ts';
import { shortHashOf } from './identity.ts';
import { type Relation, rawRows, requireColumn, timeMs } from './relation.ts';
import type { Cut, DatasetVersion, GateSplit } from './types.ts';

/** The split that a model's `gate.rows` means for a dataset; null where its rows come from elsewhere (a notebook, a path). */
export function gateSplitOf(section: DataSection, rows: GateRows): GateSplit | null {
  if (rows.kind === 'newest' && section.time !== null) return { kind: 'newest', share: rows.share, time: section.time };
  return rows.kind === 'newest' || rows.kind === 'hash' ? { kind: 'hash', share: rows.share, key: section.key } : null;
}

/**
 * A cut as SQL over `rawRows` with two more columns: `__t` (epoch ms, null without a time column) and `__h` (the hash by which
 * rows are split: of the key, else of all values, so that equal rows stay on one side).
 */
export interface RowRules {
  /** In the window and not after `asOf`. */
  readonly inCut: string;
  /** In the cut and kept for the gate. */
  readonly isGate: string;
  /** In the cut and left to steps. */
  readonly isTrain: string;
  readonly time: string;
  readonly hash: string;
  /** The rules speak of `__file` and `__row` too. */
  readonly needsPlace: boolean;
}

/** Rows whose hash lies in the first `share` of its range. Compared, not divided: 128-bit division is twenty times slower. */
const inShare = (share: number): string => `__h < cast(${BigInt(Math.round(share * 2 ** 32)) * 2n ** 32n} as ubigint)`;

export async function rowRules(
  analytics: Analytics,
  relation: Relation,
  version: DatasetVersion,
  cut: Cut,
  base?: HeldBase,
): Promise<RowRules> {
  const { section, split } = cut;
  const timeColumn = split?.kind === 'newest' ? split.time : section.time;
  const time = timeColumn === null ? 'cast(null as bigint)' : timeMs(relation.plan, timeColumn, 'data.time');
  const key = split?.kind === 'hash' || split?.kind === 'notebook' ? split.key : section.key;
  for (const name of key) requireColumn(relation.plan, name, 'data.key');
  const hash = shortHashOf(relation, key.length > 0 ? key : relation.plan.columns.map(({ name }) => name));
  const inCut = await windowRule(analytics, relation, version, cut, time);
  const gate = await gateRule(analytics, relation, cut, { inCut, time, base });
  const isGate = `(${inCut}) and (${gate})`;
  return { inCut, isGate, isTrain: `(${inCut}) and not (${gate})`, time, hash, needsPlace: split?.kind === 'notebook' };
}

async function gateRule(
  analytics: Analytics,
  relation: Relation,
  { split }: Cut,
  { inCut, time, base }: Pick<RowRules, 'inCut' | 'time'> & { readonly base: HeldBase | undefined },
): Promise<string> {
  if (split === null) return 'false';
  if (split.kind === 'all') return 'true';
  if (split.kind === 'hash') return inShare(split.share);
  if (split.kind === 'newest') return newestRule(analytics, relation, split.share, { inCut, time });
  return heldRule(relation, split, base!, inShare(split.share));
}

/** Rows with the columns that the rules speak of. */
export function ruledRows(
  relation: Relation,
  rules: RowRules,
  extra: readonly ('__file' | '__row')[] = [],
  columns?: readonly string[],
): string {
  const kept = columns ?? relation.plan.columns.map(({ name }) => identifier(name));
  const places = rules.needsPlace ? (['__file', '__row'] as const) : extra;
  return `select ${[...kept, ...places, `${rules.time} as __t`, `${rules.hash} as __h`].join(', ')} from (${rawRows(relation, places)})`;
}

/** The end of the cut: `asOf`, or the newest row where that is earlier. */
export function endOfCut(version: DatasetVersion, cut: Pick<Cut, 'section' | 'asOf'>): number | null {
  const newest = version.timeRange?.column === cut.section.time ? (version.timeRange?.max ?? null) : null;
  return newest === null ? cut.asOf : Math.min(newest, cut.asOf ?? newest);
}

/** `(end − window, end]`. Where a time cuts, a row without one is in no cut: nothing says that it exists by then. */
async function windowRule(
  analytics: Analytics,
  relation: Relation,
  version: DatasetVersion,
  cut: Cut,
  time: string,
): Promise<string> {
  const { section, asOf } = cut;
  if (section.time === null || (section.windowMs === null && asOf === null)) return 'true';
  const end = endOfCut(version, cut) ?? (await newestTime(analytics, relation, time));
  if (end === null) return 'true';
  if (section.windowMs === null)
    return version.timeRange?.column === section.time && end >= version.timeRange.max
      ? 'true'
      : `coalesce(__t <= ${end}, false)`;
  return `coalesce(__t <= ${end} and __t > ${end - section.windowMs}, false)`;
}

async function newestTime(analytics: Analytics, relation: Relation, time: string): Promise<number | null> {
  const row = toRecords(await analytics.query(`select max(${time}) as t from (${rawRows(relation)})`))[0];
  return typeof row?.['t'] === 'number' ? row['t'] : null;
}

/**
 * The newest share of the rows: all rows of one time stay together, while that at most doubles the share; else that time is
 * left to training, where at least half the share is newer; else (few distinct times) it is divided by the rows' hash.
 * A row without a time trains.
 */
async function newestRule(
  analytics: Analytics,
  relation: Relation,
  share: number,
  { inCut, time }: Pick<RowRules, 'inCut' | 'time'>,
): Promise<string> {
  const cut = `select ${time} as __t from (${rawRows(relation)})`;
  const groups = `select __t, count(*) as n from (${cut}) where ${inCut} and __t is not null group by __t`;
  const running = `select __t, n, sum(n) over (order by __t desc) as upto, sum(n) over () as total from (${groups})`;
  const row = toRecords(
    await analytics.query(
      `select __t, n, upto, total from (${running}) where upto >= total * cast($1 as double) order by __t desc limit 1`,
      [share],
    ),
  )[0];
  if (!row) return 'false';
  const [at, ties, upTo, total] = [Number(row['__t']), Number(row['n']), Number(row['upto']), Number(row['total'])];
  const wanted = share * total;
  if (upTo <= 2 * wanted) return `coalesce(__t >= ${at}, false)`;
  if (upTo - ties >= wanted / 2) return `coalesce(__t > ${at}, false)`;
  const divided = (wanted - (upTo - ties)) / ties;
  return `coalesce(__t > ${at} or (__t = ${at} and ${inShare(divided)}), false)`;
}
