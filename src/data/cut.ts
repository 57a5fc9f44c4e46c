import { constants } from 'node:fs';
import { copyFile, mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Column, type Frame, findColumn, toRecords } from '../kernel/frame.ts';
import { digestOf } from '../kernel/hash.ts';
import { identifier } from '../ports/analytics.ts';
import type { DataSection } from '../project-file/index.ts';
import { baseOf, plainCut } from './held-rows.ts';
import { identifiedRows, identityOf, sketchOf } from './identity.ts';
import { loadVersion, localPaths } from './loading.ts';
import { patient } from './patience.ts';
import { literal, presentText, type Relation, relationOf, typed } from './relation.ts';
import { endOfCut, type RowRules, rowRules, ruledRows } from './split.ts';
import type { ColumnSchema, Cut, DataDeps, DatasetVersion } from './types.ts';

export interface Materialised {
  readonly rows: number;
  readonly digest: string;
}

export interface GateRowsResult {
  /** All columns as the files hold them: timestamps as epoch ms, the dates of CSV files as their text. */
  readonly frame: Frame;
  /** Identity of each row. */
  readonly rowIds: readonly string[];
  /** Gate rows before sampling. */
  readonly total: number;
  readonly digest: string;
}

type CutDeps = Pick<DataDeps, 'db' | 'content' | 'analytics'>;

/** How cuts are made; raised when the same cut would come out otherwise. */
const CUT_FORMAT = 1;

/**
 * Identity of what `materialise` writes, without doing the work: the version's files, the cut and where steps see it. Cuts
 * that cannot differ (an `asOf` after the newest row) are equal.
 */
export async function cutDigest(deps: Pick<DataDeps, 'db'>, cut: Cut): Promise<string> {
  return digestOfCut(await loadVersion(deps, cut.versionId), cut);
}

function digestOfCut(version: DatasetVersion, written: Cut): string {
  const cut = plainCut(written);
  const { section, split } = cut;
  const isTimed = section.time !== null && (section.windowMs !== null || cut.asOf !== null);
  const end = isTimed ? endOfCut(version, cut) : null;
  const endsEarly =
    end !== null && (section.windowMs !== null || version.timeRange === null || end < version.timeRange.max);
  return digestOf({
    format: CUT_FORMAT,
    manifest: version.manifestDigest,
    as: section.as,
    ...(split && { split, key: section.key }),
    ...(isTimed && endsEarly && { time: section.time, windowMs: section.windowMs, end }),
  });
}

/**
 * Writes the rows that steps may see: of the version, less the gate's rows, cut by window and `asOf`. `to` is a file whose
 * format follows its name (.parquet, .csv, .json), or a folder (ends in `/`) that gets every file under its own name. The same
 * cut gives the same bytes; where nothing is cut, the bytes are the source's own.
 */
export async function materialise(dataDeps: CutDeps, written: Cut & { readonly to: string }): Promise<Materialised> {
  const input = plainCut(written);
  const deps = { ...dataDeps, analytics: patient(dataDeps.analytics) };
  const version = await loadVersion(deps, input.versionId);
  const digest = digestOfCut(version, input);
  const paths = await localPaths(deps, version);
  const targets = input.to.endsWith('/') ? version.files.map((file) => join(input.to, file.name)) : [input.to];
  const isWhole =
    input.split === null &&
    (input.section.windowMs === null || input.section.time === null) &&
    !endsBefore(version, input);
  if (
    isWhole &&
    version.files.length === targets.length &&
    targets.every((target, i) => formatOf(target) === formatOf(version.files[i]!.name))
  ) {
    for (const [i, target] of targets.entries()) await placeCopy(paths[i]!, target);
    return { rows: version.rowCount, digest };
  }
  const relation = relationOf(version, paths);
  const rules = await rowRules(deps.analytics, relation, version, input, await baseOf(deps, input));
  let rows = 0;
  for (const [i, target] of targets.entries())
    rows += await writeCut(deps, relation, rules, target, targets.length === 1 ? null : i);
  return { rows, digest };
}

const endsBefore = (version: DatasetVersion, cut: Cut): boolean =>
  cut.section.time !== null && cut.asOf !== null && (version.timeRange === null || cut.asOf < version.timeRange.max);

async function writeCut(
  deps: CutDeps,
  relation: Relation,
  rules: RowRules,
  target: string,
  file: number | null,
): Promise<number> {
  const format = formatOf(target);
  const isText = format.startsWith('csv') && relation.plan.format === 'csv';
  const columns = relation.plan.columns.map((column) => {
    const name = identifier(column.name);
    return isText ? name : `${shown(relation, column)} as ${name}`;
  });
  const extra = file === null ? [] : (['__file'] as const);
  const where = file === null ? rules.isTrain : `(${rules.isTrain}) and __file = ${file}`;
  const select = `select ${columns.join(', ')} from (${ruledRows(relation, rules, extra)}) where ${where}`;
  await mkdir(dirname(target), { recursive: true });
  const draft = `${target}.part`;
  try {
    const frame = await deps.analytics.query(
      `copy (${select}) to ${literal(draft)} (${copyOptions(format, relation)})`,
    );
    await rename(draft, target);
    return Number(frame.columns[0]?.values[0] ?? 0);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

function copyOptions(format: string, { plan }: Relation): string {
  const zipped = format.endsWith('.gz') ? ', compression gzip' : '';
  if (format === 'parquet') return 'format parquet, compression zstd';
  if (format.startsWith('csv'))
    return `format csv, header, delimiter ${literal(plan.format === 'csv' ? plan.delimiter : ',')}${zipped}`;
  if (format.startsWith('jsonl')) return `format json, array false${zipped}`;
  return `format json, array true${zipped}`;
}

/** The format that a name stands for, with `.gz` where it is compressed. */
function formatOf(path: string): string {
  const match = /\.(parquet|pq|csv|tsv|txt|json|jsonl|ndjson)(\.gz)?$/i.exec(path);
  const formats: Readonly<Record<string, string>> = { pq: 'parquet', tsv: 'csv', txt: 'csv', ndjson: 'jsonl' };
  if (!match) return path.split('.').at(-1) ?? '';
  const name = match[1]!.toLowerCase();
  return `${formats[name] ?? name}${match[2]?.toLowerCase() ?? ''}`;
}

async function placeCopy(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await copyFile(from, to, constants.COPYFILE_FICLONE);
}

/** The rows kept for the gate, in source order; beyond `limit` a sample that `seed` decides. */
export async function gateRows(
  deps: CutDeps,
  input: Cut & { readonly limit: number; readonly seed: number },
): Promise<GateRowsResult> {
  const version = await loadVersion(deps, input.versionId);
  const relation = relationOf(version, await localPaths(deps, version));
  const rules = await rowRules(deps.analytics, relation, version, input, await baseOf(deps, input));
  const frame = await deps.analytics.query(gateQuery(relation, rules, input), [], { maxRows: input.limit });
  const total = Number(findColumn(frame, '__total')!.values[0] ?? 0);
  const ids = findColumn(frame, '__id')!.values as readonly string[];
  const data: Column[] = frame.columns.filter(({ name }) => name !== '__id' && name !== '__total');
  return {
    frame: { rowCount: frame.rowCount, columns: data },
    rowIds: ids,
    total,
    digest: digestOf({ cut: digestOfCut(version, input), limit: input.limit, seed: input.seed }),
  };
}

/** The sample first, by place alone; then its rows with those that may equal them, for their number is part of their identity. */
function gateQuery(
  relation: Relation,
  rules: RowRules,
  { section, limit, seed }: Pick<Cut, 'section'> & { readonly limit: number; readonly seed: number },
): string {
  const identity = identityOf(relation, section);
  const sketch = sketchOf(relation, identity);
  const names = relation.plan.columns.map(({ name }) => name);
  const columns = relation.plan.columns.map((column) => `${shown(relation, column)} as ${identifier(column.name)}`);
  const order = `md5_number(concat(__file, '/', __row, ${literal(`/${seed}`)})) >> 64, __file, __row`;
  const rows = identifiedRows(relation, { rules, identity, sketch, among: 'sample', kept: names });
  return `with gate as materialized (select __file, __row, __s from (${ruledRows(relation, rules, ['__file', '__row'], [`${sketch} as __s`])}) where ${rules.isGate}),
    sample as materialized (select * from gate order by ${order} limit ${limit})
    select ${columns.join(', ')}, lower(hex(__id)) as __id, (select count(*) from gate) as __total
    from (${rows}) semi join sample using (__file, __row) order by __file, __row`;
}

/** Typed, but for the dates of a CSV file: they stay the text that a notebook reads and a caller sends. */
export function shown({ plan }: Relation, column: ColumnSchema): string {
  const isText = plan.format === 'csv' && (column.kind === 'date' || column.kind === 'timestamp');
  return isText ? presentText(identifier(column.name)) : typed(plan, column);
}

/** How many gate rows of one cut the other cut left to training: what a comparison on these rows would be worth. */
export async function overlapCount(deps: CutDeps, input: Cut & { readonly other: Cut }): Promise<number> {
  const [mine, theirs] = [await sideOf(deps, input), await sideOf(deps, input.other)];
  // The identity is the asking cut's: a key declared since would make every row look new.
  const section = identifying(input);
  const wanted = { ...mine, identity: identityOf(mine.relation, section) };
  const known = { ...theirs, identity: identityOf(theirs.relation, section) };
  const sketch = sketchOf(wanted.relation, wanted.identity, known.relation);
  const knownSketch = sketchOf(known.relation, known.identity, wanted.relation);
  const gate = `select __s from (${ruledRows(wanted.relation, wanted.rules, [], [`${sketch} as __s`])}) where ${wanted.rules.isGate}`;
  const trained = `select __id, __s from (${identifiedRows(known.relation, { ...known, sketch: knownSketch, among: 'gate' })}) where ${known.rules.isTrain}`;
  const both = `select count(*) as n from (${identifiedRows(wanted.relation, { ...wanted, sketch, among: 'trained' })}) where ${wanted.rules.isGate} and __id in (select __id from trained)`;
  const frame = await deps.analytics.query(
    `with gate as materialized (${gate}), trained as materialized (${trained}) ${both}`,
  );
  return Number(toRecords(frame)[0]?.['n'] ?? 0);
}

/** A key that is not unique tells no rows apart: the first version's test rows would drag others along. */
const identifying = ({ section, split }: Cut): DataSection =>
  split?.kind === 'notebook' && split.key.length === 0 ? { ...section, key: [], time: null } : section;

async function sideOf(deps: CutDeps, cut: Cut): Promise<{ readonly relation: Relation; readonly rules: RowRules }> {
  const version = await loadVersion(deps, cut.versionId);
  const relation = relationOf(version, await localPaths(deps, version));
  return { relation, rules: await rowRules(deps.analytics, relation, version, cut, await baseOf(deps, cut)) };
}
