import { AppError } from '../kernel/errors.ts';
import { type Cell, toRecords } from '../kernel/frame.ts';
import { identifier } from '../ports/analytics.ts';
import type { Actor } from '../wire/route.ts';
import { shown } from './cut.ts';
import { sketchOf } from './identity.ts';
import { localPaths } from './loading.ts';
import { patient } from './patience.ts';
import { type Relation, rawRows, relationOf, requireColumn } from './relation.ts';
import type { DataDeps, DatasetVersion } from './types.ts';
import { getVersion, type VersionRef } from './versions.ts';

const MAX_SAMPLE = 20;

/** Rows of two versions against each other, by the columns that both have. */
export interface RowDiff {
  readonly added: number;
  readonly removed: number;
  /** Rows of one key with other values; null where no key was given: a changed row is then one removed and one added. */
  readonly changed: number | null;
  readonly unchanged: number;
  /** What rows were matched by; empty: all values. */
  readonly key: readonly string[];
  /** Rows of files that both hold were not read: they are the same. */
  readonly read: { readonly from: number; readonly to: number };
  /** At most twenty of each; `changed` as the later version holds them. */
  readonly sample: {
    readonly added: readonly Readonly<Record<string, Cell>>[];
    readonly removed: readonly Readonly<Record<string, Cell>>[];
    readonly changed: readonly Readonly<Record<string, Cell>>[];
  };
}

type Deps = Pick<DataDeps, 'db' | 'content' | 'analytics'>;

interface Side {
  readonly version: DatasetVersion;
  /** Of the files that only this version holds; null where there are none. */
  readonly relation: Relation | null;
}

/**
 * Which rows came, went and changed. Files that both versions hold are left out, so that a table which grows by files costs what
 * grew. Throws `invalid` where a version is no table or the key is no column of both.
 */
export async function diffRows(
  deps: Deps,
  actor: Actor,
  input: { readonly from: VersionRef; readonly to: VersionRef; readonly key: readonly string[] },
): Promise<RowDiff> {
  const versions = [await getVersion(deps, actor, input.from), await getVersion(deps, actor, input.to)] as const;
  const [from, to] = [await sideOf(deps, versions[0], versions[1]), await sideOf(deps, versions[1], versions[0])];
  const names = commonColumns(versions[0], versions[1]);
  for (const { version } of [from, to]) for (const name of input.key) requireColumn(version.plan, name, 'key');
  const read = { from: await rowsIn(deps, from), to: await rowsIn(deps, to) };
  const changes = changesOf(from, to, names, input.key);
  // Where only one of them holds files of its own, all their rows came, or all went.
  const counts =
    from.relation && to.relation
      ? await countChanges(deps, changes)
      : { added: read.to, removed: read.from, changed: 0 };
  const sample = (kind: Kind, side: Side) =>
    counts[kind] === 0 ? [] : sampleRows(deps, { changes, kind, side, names, key: input.key, from, to });
  return {
    added: counts.added,
    removed: counts.removed,
    changed: input.key.length === 0 ? null : counts.changed,
    unchanged: versions[1].rowCount - counts.added - counts.changed,
    key: input.key,
    read,
    sample: {
      added: await sample('added', to),
      removed: await sample('removed', from),
      changed: await sample('changed', to),
    },
  };
}

async function countChanges({ analytics }: Deps, changes: string): Promise<Record<Kind, number>> {
  const sums = KINDS.map((kind) => `coalesce(sum(n) filter (where kind = '${kind}'), 0) as ${kind}`).join(', ');
  const [row] = toRecords(await patient(analytics).query(`select ${sums} from (${changes})`));
  const count = (kind: Kind): number => Number(row?.[kind] ?? 0);
  return { added: count('added'), removed: count('removed'), changed: count('changed') };
}

type Kind = 'added' | 'removed' | 'changed';
const KINDS: readonly Kind[] = ['added', 'removed', 'changed'];

async function sideOf(deps: Deps, version: DatasetVersion, other: DatasetVersion): Promise<Side> {
  if (version.plan.format === 'files')
    throw new AppError('invalid', `${version.dataset} v${version.version} is no table, so it has no rows to compare`);
  const shared = new Map<string, number>();
  for (const { digest } of other.files) shared.set(digest, (shared.get(digest) ?? 0) + 1);
  const paths = await localPaths(deps, version);
  const own = version.files.flatMap((file, i) => {
    const left = shared.get(file.digest) ?? 0;
    if (left > 0) shared.set(file.digest, left - 1);
    return left > 0 ? [] : [{ file, path: paths[i]! }];
  });
  const files = own.map(({ file }) => file);
  return {
    version,
    relation:
      own.length === 0
        ? null
        : relationOf(
            { ...version, files },
            own.map(({ path }) => path),
          ),
  };
}

function commonColumns(from: DatasetVersion, to: DatasetVersion): readonly string[] {
  const names = to.schema.map(({ name }) => name).filter((name) => from.schema.some((column) => column.name === name));
  if (names.length > 0) return names;
  throw new AppError('invalid', `v${from.version} and v${to.version} of ${to.dataset} have no column in common`);
}

const hashIn = (side: Side, other: Side, names: readonly string[]): string =>
  sketchOf(side.relation!, { names, counts: false }, other.relation ?? side.relation!);

/** Rows of one side as `k` (what matches them), `v` (their values) and `n` (−1 before, 1 after). */
function signed(side: Side, other: Side, names: readonly string[], key: readonly string[], n: 1 | -1): string | null {
  if (!side.relation) return null;
  const v = hashIn(side, other, names);
  const k = key.length === 0 ? v : hashIn(side, other, key);
  return `select ${k} as k, ${v} as v, ${n} as n from (${rawRows(side.relation)})`;
}

/**
 * `kind, k, n`: values cancel out first, whatever their order; what is left of a key on both sides has changed.
 */
function changesOf(from: Side, to: Side, names: readonly string[], key: readonly string[]): string {
  const parts = [signed(from, to, names, key, -1), signed(to, from, names, key, 1)].filter((part) => part !== null);
  if (parts.length === 0) return "select '' as kind, 0 as k, 0 as n where false";
  const left = `select k, v, sum(n) as d from (${parts.join(' union all ')}) group by k, v having sum(n) <> 0`;
  const byKey = `select k, coalesce(sum(d) filter (where d > 0), 0) as came, coalesce(-sum(d) filter (where d < 0), 0) as went from (${left}) group by k`;
  const kept = key.length === 0 ? '0' : 'least(came, went)';
  return KINDS.map((kind) => {
    const n = kind === 'changed' ? kept : kind === 'added' ? `came - ${kept}` : `went - ${kept}`;
    return `select '${kind}' as kind, k, ${n} as n from (${byKey}) where ${n} > 0`;
  }).join(' union all ');
}

async function rowsIn({ analytics }: Deps, { relation }: Side): Promise<number> {
  if (!relation) return 0;
  const frame = await patient(analytics).query(`select count(*) as n from (${rawRows(relation)})`);
  return Number(toRecords(frame)[0]?.['n'] ?? 0);
}

interface Sampled {
  readonly changes: string;
  readonly kind: Kind;
  readonly side: Side;
  readonly names: readonly string[];
  readonly key: readonly string[];
  readonly from: Side;
  readonly to: Side;
}

async function sampleRows(deps: Deps, { changes, kind, side, names, key, from, to }: Sampled) {
  const relation = side.relation;
  if (!relation) return [];
  const other = side === to ? from : to;
  const columns = relation.plan.columns.filter((column) => column.kind !== 'other');
  const select = columns.map((column) => `${shown(relation, column)} as ${identifier(column.name)}`);
  const k = hashIn(side, other, key.length === 0 ? names : key);
  const rows = rawRows(relation, ['__file', '__row']);
  const among = `${k} in (select k from (${changes}) where kind = '${kind}' order by k limit ${MAX_SAMPLE})`;
  const where = from.relation && to.relation ? `where ${among}` : '';
  const frame = await patient(deps.analytics).query(
    `select ${select.join(', ')} from (${rows}) ${where} order by __file, __row limit ${MAX_SAMPLE}`,
  );
  return toRecords(frame);
}
