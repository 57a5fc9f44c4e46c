import { CompiledQuery, type Expression, type Kysely, type RawBuilder, type SqlBool, sql } from 'kysely';
import { compilerOf, type Db, sqlOf, type Tx } from '../ports/db.ts';
import type { Chunk, Point } from './metric-chunk.ts';
import type { MetricChunkRow, MetricContextRow, PointRow, TrackingTables } from './tables.ts';

/** A compiled statement for `Db.batch`. */
export type Statement = CompiledQuery;

/** A point on its way to a series. */
export interface SeriesPoint extends Point {
  readonly seriesId: number;
}

export interface LatestPoint extends SeriesPoint {
  readonly keyId: number;
}

export interface SeriesRow {
  readonly id: number;
  readonly keyId: number;
  readonly contextId: number;
}

const POINT_COLUMNS: readonly string[] = ['series_id', 'step', 'ts', 'is_nan', 'value'];
const LATEST_COLUMNS: readonly string[] = ['project_id', 'run_id', 'key_id', ...POINT_COLUMNS];

/** Later by step, then time; a number beats NaN; then the larger value. */
const guardOf = (table: string): string =>
  `where (excluded.step, excluded.ts, 1 - excluded.is_nan, excluded.value) > (${table}.step, ${table}.ts, 1 - ${table}.is_nan, ${table}.value)`;

const SET_POINT = 'step = excluded.step, ts = excluded.ts, is_nan = excluded.is_nan, value = excluded.value';

const CHUNK_COLUMNS: readonly string[] = [
  'series_id',
  'seq',
  'min_step',
  'max_step',
  'min_ts',
  'max_ts',
  'count',
  'crc',
  'bytes',
];
const ON_RUN_LATEST = `on conflict (project_id, run_id, key_id) do update set series_id = excluded.series_id, ${SET_POINT} ${guardOf('metric_latest')}`;
const ON_SERIES_LATEST = `on conflict (series_id) do update set ${SET_POINT} ${guardOf('series_latest')}`;

/**
 * Statements of the hot path are made once a table and size, and only given new values: building them anew costs more than
 * running them, and so does freezing their values. Rows go in blocks of powers of two, so that a dozen prepared statements
 * serve every batch.
 */
const templates = new Map<string, Statement>();

/** Inserts points and ignores those that are there: a retry changes nothing. Cheapest in the order of the key. */
export const insertPoints = (db: Db, points: readonly SeriesPoint[]): readonly Statement[] =>
  inBlocks(points, (block) =>
    toStatement(db, 'metric_hot', POINT_COLUMNS, 'on conflict do nothing', block, (values, point) =>
      pushPoint(values, point),
    ),
  );

/** Moves the run's latest point of each key forward. One point a key, sorted by key. */
export const upsertRunLatest = (
  db: Db,
  owner: { readonly projectId: string; readonly runId: string },
  points: readonly LatestPoint[],
): readonly Statement[] =>
  inBlocks(points, (block) =>
    toStatement(db, 'metric_latest', LATEST_COLUMNS, ON_RUN_LATEST, block, (values, point) => {
      values.push(owner.projectId, owner.runId, point.keyId);
      pushPoint(values, point);
    }),
  );

/** Moves the latest point of series that have a context forward. One point a series, sorted by series. */
export const upsertSeriesLatest = (db: Db, points: readonly SeriesPoint[]): readonly Statement[] =>
  inBlocks(points, (block) =>
    toStatement(db, 'series_latest', POINT_COLUMNS, ON_SERIES_LATEST, block, (values, point) =>
      pushPoint(values, point),
    ),
  );

/** Takes `count` ids of the instance; the answer's row holds the last of them. */
export const takeIds = (db: Db, name: string, count: number): CompiledQuery =>
  takeIdsQuery(compilerOf<TrackingTables>(db), name, count).compile();

export async function takeId(tx: Tx, name: string): Promise<number> {
  return (await takeIdsQuery(sqlOf<TrackingTables>(tx), name, 1).executeTakeFirstOrThrow()).value;
}

const takeIdsQuery = (k: Kysely<TrackingTables>, name: string, count: number) =>
  k
    .insertInto('tracking_sequence')
    .values({ name, value: count })
    .onConflict((conflict) =>
      conflict.column('name').doUpdateSet(({ ref }) => ({ value: sqlAdd(ref('tracking_sequence.value'), count) })),
    )
    .returning('value');

export const insertKeys = (db: Db, projectId: string, rows: readonly { name: string; id: number }[]): CompiledQuery =>
  compilerOf<TrackingTables>(db)
    .insertInto('metric_key')
    .values(rows.map((row) => ({ project_id: projectId, ...row })))
    .onConflict((conflict) => conflict.doNothing())
    .compile();

export const insertContexts = (db: Db, rows: readonly MetricContextRow[]): CompiledQuery =>
  compilerOf<TrackingTables>(db)
    .insertInto('metric_context')
    .values([...rows])
    .onConflict((conflict) => conflict.doNothing())
    .compile();

export const insertSeries = (
  db: Db,
  owner: { readonly projectId: string; readonly runId: string },
  rows: readonly SeriesRow[],
): CompiledQuery =>
  compilerOf<TrackingTables>(db)
    .insertInto('series')
    .values(
      rows.map(({ id, keyId, contextId }) => ({
        project_id: owner.projectId,
        run_id: owner.runId,
        key_id: keyId,
        context_id: contextId,
        id,
      })),
    )
    .onConflict((conflict) => conflict.doNothing())
    .compile();

export async function findKeys(tx: Tx, projectId: string, names: readonly string[]) {
  return sqlOf<TrackingTables>(tx)
    .selectFrom('metric_key')
    .select(['name', 'id'])
    .where('project_id', '=', projectId)
    .where('name', 'in', names)
    .execute();
}

/** Contexts are few: a logged model and a dataset each. */
export async function findContexts(tx: Tx, projectId: string, modelIds: readonly string[]) {
  return sqlOf<TrackingTables>(tx)
    .selectFrom('metric_context')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('model_id', 'in', modelIds)
    .execute();
}

/** The series of a run for these keys, with how many points are not sealed yet. */
export async function findSeries(tx: Tx, projectId: string, runId: string, keyIds: readonly number[]) {
  return sqlOf<TrackingTables>(tx)
    .selectFrom('series')
    .select(['id', 'key_id', 'context_id'])
    .select((eb) =>
      eb
        .selectFrom('metric_hot')
        .select((inner) => inner.fn.countAll<number>().as('points'))
        .whereRef('metric_hot.series_id', '=', 'series.id')
        .as('hot'),
    )
    .where('project_id', '=', projectId)
    .where('run_id', '=', runId)
    .where('key_id', 'in', keyIds)
    .execute();
}

export async function countHot(tx: Tx, seriesId: number): Promise<number> {
  const row = await sqlOf<TrackingTables>(tx)
    .selectFrom('metric_hot')
    .select((eb) => eb.fn.countAll<number>().as('points'))
    .where('series_id', '=', seriesId)
    .executeTakeFirstOrThrow();
  return Number(row.points);
}

export async function listOldestHot(tx: Tx, seriesId: number, count: number): Promise<readonly Point[]> {
  const rows = await sqlOf<TrackingTables>(tx)
    .selectFrom('metric_hot')
    .selectAll()
    .where('series_id', '=', seriesId)
    .orderBy('step')
    .orderBy('ts')
    .orderBy('is_nan')
    .orderBy('value')
    .limit(count)
    .execute();
  return rows.map(toPointOfRow);
}

/** Deletes the points up to and with `last`, in the order of the key. */
export async function deleteHotUpTo(tx: Tx, seriesId: number, last: Point): Promise<void> {
  await sqlOf<TrackingTables>(tx)
    .deleteFrom('metric_hot')
    .where('series_id', '=', seriesId)
    .where(sql<SqlBool>`(step, ts, is_nan, value) <= (${last.step}, ${last.ts}, ${Number(last.isNan)}, ${last.value})`)
    .execute();
}

/** Stores sealed points; the same ones again are nothing new. */
export const insertChunk = (db: Db, seriesId: number, chunk: Chunk): Statement =>
  toStatement(db, 'metric_chunk', CHUNK_COLUMNS, 'on conflict do nothing', [chunk], (values, sealed) => {
    values.push(seriesId, sealed.seq, sealed.minStep, sealed.maxStep, sealed.minTs, sealed.maxTs);
    values.push(sealed.count, sealed.crc, sealed.bytes);
  });

/** Every series of one key of a run, with its context. */
export async function findSeriesOfKey(tx: Tx, projectId: string, runId: string, key: string) {
  return sqlOf<TrackingTables>(tx)
    .selectFrom('series')
    .innerJoin('metric_key', 'metric_key.id', 'series.key_id')
    .leftJoin('metric_context', 'metric_context.id', 'series.context_id')
    .select(['series.id', 'metric_context.model_id', 'metric_context.dataset_name', 'metric_context.dataset_digest'])
    .where('series.project_id', '=', projectId)
    .where('series.run_id', '=', runId)
    .where('metric_key.project_id', '=', projectId)
    .where('metric_key.name', '=', key)
    .execute();
}

export type ChunkRange = Pick<MetricChunkRow, 'series_id' | 'seq' | 'min_ts' | 'max_ts'>;

/** Where the sealed points of these series lie in time, oldest first; without those that end before `fromTs`. */
export async function listChunkRanges(tx: Tx, seriesIds: readonly number[], fromTs: number): Promise<ChunkRange[]> {
  return sqlOf<TrackingTables>(tx)
    .selectFrom('metric_chunk')
    .select(['series_id', 'seq', 'min_ts', 'max_ts'])
    .where('series_id', 'in', seriesIds)
    .where('max_ts', '>=', fromTs)
    .orderBy('min_ts')
    .orderBy('series_id')
    .orderBy('seq')
    .execute();
}

export async function getChunk(tx: Tx, { series_id, seq }: ChunkRange) {
  return sqlOf<TrackingTables>(tx)
    .selectFrom('metric_chunk')
    .select(['count', 'crc', 'bytes'])
    .where('series_id', '=', series_id)
    .where('seq', '=', seq)
    .executeTakeFirstOrThrow();
}

export async function listHotFrom(tx: Tx, seriesIds: readonly number[], fromTs: number): Promise<SeriesPoint[]> {
  const rows = await sqlOf<TrackingTables>(tx)
    .selectFrom('metric_hot')
    .selectAll()
    .where('series_id', 'in', seriesIds)
    .where('ts', '>=', fromTs)
    .execute();
  return rows.map((row) => ({ ...toPointOfRow(row), seriesId: row.series_id }));
}

export const toPointOfRow = ({ step, ts, is_nan, value }: PointRow): Point => ({
  step,
  ts,
  isNan: is_nan === 1,
  value,
});

type Bound = number | string | Uint8Array;

function pushPoint(values: Bound[], { seriesId, step, ts, isNan, value }: SeriesPoint): void {
  values.push(seriesId, step, ts, isNan ? 1 : 0, value);
}

function toStatement<P>(
  db: Db,
  table: string,
  columns: readonly string[],
  tail: string,
  rows: readonly P[],
  push: (values: Bound[], row: P) => void,
): Statement {
  const name = `${db.dialect}/${table}/${rows.length}`;
  let template = templates.get(name);
  if (!template) {
    template = CompiledQuery.raw(
      `insert into ${table} (${columns.join(', ')}) values ${marks(db, columns.length, rows.length)} ${tail}`,
    );
    templates.set(name, template);
  }
  const parameters: Bound[] = [];
  for (const row of rows) push(parameters, row);
  return { ...template, parameters };
}

function marks(db: Db, width: number, rows: number): string {
  const mark = (i: number): string => (db.dialect === 'postgres' ? `$${i + 1}` : '?');
  const row = (r: number): string => `(${Array.from({ length: width }, (_, c) => mark(r * width + c)).join(', ')})`;
  return Array.from({ length: rows }, (_, r) => row(r)).join(', ');
}

const MAX_BLOCK = 128;

function inBlocks<T>(items: readonly T[], toQuery: (block: readonly T[]) => Statement): readonly Statement[] {
  const queries: Statement[] = [];
  for (let at = 0; at < items.length; ) {
    const size = Math.min(MAX_BLOCK, 2 ** Math.floor(Math.log2(items.length - at)));
    queries.push(toQuery(size === items.length ? items : items.slice(at, at + size)));
    at += size;
  }
  return queries;
}

const sqlAdd = (value: Expression<number>, count: number): RawBuilder<number> => sql<number>`${value} + ${count}`;
