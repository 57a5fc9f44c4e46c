import type { Actor } from '../wire/route.ts';
import type { ColumnProfile, DataDeps, DatasetVersion } from './types.ts';
import { getVersion, type VersionRef } from './versions.ts';

export interface VersionDiff {
  readonly from: VersionName;
  readonly to: VersionName;
  readonly files: {
    readonly added: readonly string[];
    readonly removed: readonly string[];
    readonly changed: readonly string[];
    /** The same bytes under another name. */
    readonly moved: readonly { readonly from: string; readonly to: string }[];
    readonly unchanged: number;
  };
  readonly schema: {
    readonly added: readonly string[];
    readonly removed: readonly string[];
    readonly retyped: readonly { readonly name: string; readonly from: string; readonly to: string }[];
  };
  readonly rows: { readonly from: number; readonly to: number };
  readonly columns: readonly ColumnDiff[];
}

export interface VersionName {
  readonly dataset: string;
  readonly version: number;
  readonly id: string;
}

/** What changed in one column, from the stored profiles: no data is read. */
export interface ColumnDiff {
  readonly name: string;
  readonly nullShare: Change;
  readonly distinct: Change;
  readonly mean: Change | null;
  /** The mean's move in standard deviations of `from`. */
  readonly meanInSd: number | null;
  readonly min: Change | null;
  readonly max: Change | null;
  /** The largest move of one value's share, and the value; where both know their frequent values. */
  readonly share: (Change & { readonly value: string }) | null;
}

export interface Change {
  readonly from: number;
  readonly to: number;
}

/** Compares two versions, of one dataset or of two: files by content, schema, rows, and each column's numbers. */
export async function diffVersions(
  deps: Pick<DataDeps, 'db'>,
  actor: Actor,
  input: { readonly from: VersionRef; readonly to: VersionRef },
): Promise<VersionDiff> {
  const [from, to] = [await getVersion(deps, actor, input.from), await getVersion(deps, actor, input.to)];
  const nameOf = ({ dataset, version, id }: DatasetVersion): VersionName => ({ dataset, version, id });
  return {
    from: nameOf(from),
    to: nameOf(to),
    files: diffFiles(from, to),
    schema: diffSchema(from, to),
    rows: { from: from.rowCount, to: to.rowCount },
    columns: to.profile.columns.flatMap((column) => {
      const before = from.profile.columns.find(({ name }) => name === column.name);
      return before ? [diffColumn(before, column, from.rowCount, to.rowCount)] : [];
    }),
  };
}

function diffFiles(from: DatasetVersion, to: DatasetVersion): VersionDiff['files'] {
  const [before, after] = [
    new Map(from.files.map((f) => [f.name, f.digest])),
    new Map(to.files.map((f) => [f.name, f.digest])),
  ];
  const gone = from.files.filter((file) => !after.has(file.name));
  const fresh = to.files.filter((file) => !before.has(file.name));
  const moved = fresh.flatMap((file) => {
    const old = gone.find((candidate) => candidate.digest === file.digest);
    return old ? [{ from: old.name, to: file.name }] : [];
  });
  const both = to.files.filter((file) => before.has(file.name));
  const changed = both.filter((file) => before.get(file.name) !== file.digest).map((file) => file.name);
  return {
    added: fresh.map((file) => file.name).filter((name) => !moved.some((move) => move.to === name)),
    removed: gone.map((file) => file.name).filter((name) => !moved.some((move) => move.from === name)),
    changed,
    moved,
    unchanged: both.length - changed.length,
  };
}

function diffSchema(from: DatasetVersion, to: DatasetVersion): VersionDiff['schema'] {
  const [before, after] = [
    new Map(from.schema.map((c) => [c.name, c.type])),
    new Map(to.schema.map((c) => [c.name, c.type])),
  ];
  return {
    added: to.schema.filter((column) => !before.has(column.name)).map((column) => column.name),
    removed: from.schema.filter((column) => !after.has(column.name)).map((column) => column.name),
    retyped: to.schema.flatMap(({ name, type }) => {
      const old = before.get(name);
      return old !== undefined && old !== type ? [{ name, from: old, to: type }] : [];
    }),
  };
}

function diffColumn(before: ColumnProfile, after: ColumnProfile, rowsBefore: number, rowsAfter: number): ColumnDiff {
  const pick = (read: (stats: NonNullable<ColumnProfile['number']>) => number): Change | null =>
    before.number && after.number ? { from: read(before.number), to: read(after.number) } : null;
  const mean = pick((stats) => stats.mean);
  const sd = before.number?.sd;
  return {
    name: after.name,
    nullShare: { from: shareOf(before.nulls, rowsBefore), to: shareOf(after.nulls, rowsAfter) },
    distinct: { from: before.distinct, to: after.distinct },
    mean,
    meanInSd: mean && sd ? (mean.to - mean.from) / sd : null,
    min: pick((stats) => stats.min),
    max: pick((stats) => stats.max),
    share: largestShareMove(before, after, rowsBefore, rowsAfter),
  };
}

function largestShareMove(
  before: ColumnProfile,
  after: ColumnProfile,
  rowsBefore: number,
  rowsAfter: number,
): ColumnDiff['share'] {
  if (before.top.length === 0 || after.top.length === 0) return null;
  const countIn = (profile: ColumnProfile, value: string): number | undefined =>
    profile.top.find((entry) => entry.value === value)?.count;
  // A value beyond the other's twenty most frequent is known to be rare there only where all values are listed.
  const isWhole = (profile: ColumnProfile): boolean => profile.distinct <= profile.top.length;
  const values = new Set([...before.top, ...after.top].map((entry) => entry.value));
  const moves = [...values].flatMap((value) => {
    const [old, now] = [
      countIn(before, value) ?? (isWhole(before) ? 0 : undefined),
      countIn(after, value) ?? (isWhole(after) ? 0 : undefined),
    ];
    return old === undefined || now === undefined
      ? []
      : [{ value, from: shareOf(old, rowsBefore), to: shareOf(now, rowsAfter) }];
  });
  return moves.toSorted((a, b) => Math.abs(b.to - b.from) - Math.abs(a.to - a.from))[0] ?? null;
}

const shareOf = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);
