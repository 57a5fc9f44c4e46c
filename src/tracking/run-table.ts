import { AppError } from '../kernel/errors.ts';
import type { Tx } from '../ports/db.ts';
import type { Actor } from '../wire/route.ts';
import { ensureDefaultExperiment } from './experiments.ts';
import { INFINITY_VALUE } from './metric-points.ts';
import { searchRunIds } from './run-search.store.ts';
import { parseRunFilter } from './run-search.ts';
import {
  countRuns,
  listMetricColumn,
  listMetricKeys,
  listPairColumn,
  listPairKeys,
  listTableRows,
  type TableScope,
} from './run-table.store.ts';
import type { TrackingDeps, ViewType } from './types.ts';

/** Texts of one column: each distinct one once, and for every row which it is; -1 where there is none. */
export interface TextColumn {
  readonly texts: readonly string[];
  readonly codes: readonly number[];
}

/** What a number cannot say in JSON. */
export type MetricCell = number | 'NaN' | 'Infinity' | '-Infinity' | null;

/** A column that was asked for, by its name in the search grammar: `params.depth`, `metrics.loss`, `tags.team`. */
export type LoggedColumn =
  | ({ readonly id: string; readonly kind: 'text' } & TextColumn)
  | { readonly id: string; readonly kind: 'number'; readonly values: readonly MetricCell[] };

export interface RunTable {
  /** When this was read (epoch ms): what `since` takes. */
  readonly at: number;
  /** The runs that there are; `ids` may be fewer. */
  readonly total: number;
  readonly ids: readonly string[];
  readonly names: readonly string[];
  readonly startedAt: readonly number[];
  readonly endedAt: readonly (number | null)[];
  readonly user: TextColumn;
  readonly status: TextColumn;
  readonly lifecycle: TextColumn;
  readonly experiment: TextColumn;
  readonly pipeline: TextColumn;
  readonly pipelineRun: TextColumn;
  readonly step: TextColumn;
  readonly columns: readonly LoggedColumn[];
}

export interface RunTableQuery {
  readonly experimentId: number | null;
  readonly view: ViewType;
  readonly since: number | null;
  readonly limit: number;
  readonly columns: readonly string[];
}

type ReadDeps = Pick<TrackingDeps, 'db' | 'clock'>;

/** A value longer than this is cut in a table; the run's own page has it whole. */
export const MAX_CELL_LENGTH = 200;
export const MAX_TABLE_ROWS = 50_000;
export const MAX_TABLE_COLUMNS = 60;
const MAX_KEYS = 2_000;
/** Up to so many runs are looked up one by one; beyond that a column is read whole. */
const FEW_RUNS = 500;

/** The runs of a project as columns, newest first: ten thousand of them are half a megabyte instead of twenty. */
export async function readRunTable(deps: ReadDeps, actor: Actor, query: RunTableQuery): Promise<RunTable> {
  const { projectId } = actor;
  const wanted = query.columns.map(parseColumn);
  const scope: TableScope = { ...query, projectId };
  const at = deps.clock.now();
  return deps.db.read(async (tx) => {
    const rows = await listTableRows(tx, scope);
    const total = query.since === null && rows.length < query.limit ? rows.length : await countRuns(tx, scope);
    const ids = rows.map(({ id }) => id);
    const placeOf = new Map(ids.map((id, i) => [id, i]));
    const reading = { tx, projectId, placeOf, runIds: ids.length <= FEW_RUNS ? ids : null };
    return {
      at,
      total,
      ids,
      names: rows.map(({ name }) => name),
      startedAt: rows.map(({ started_at }) => started_at),
      endedAt: rows.map(({ ended_at }) => ended_at),
      user: toTextColumn(rows.map(({ user_id }) => user_id)),
      status: toTextColumn(rows.map(({ status }) => status)),
      lifecycle: toTextColumn(rows.map(({ lifecycle }) => lifecycle)),
      experiment: toTextColumn(rows.map(({ experiment_id }) => String(experiment_id))),
      pipeline: await readTexts(reading, 'run_tag', 'levain.pipeline'),
      pipelineRun: await readTexts(reading, 'run_tag', 'levain.pipeline_run'),
      step: await readTexts(reading, 'run_tag', 'levain.step'),
      columns: await readColumns(reading, wanted),
    };
  });
}

/** The ids of the runs that match MLflow's filter. Throws `invalid` with MLflow's texts. */
export async function matchRuns(
  deps: TrackingDeps,
  actor: Actor,
  query: { readonly experimentId: number | null; readonly view: ViewType; readonly filter: string },
): Promise<readonly string[]> {
  const clauses = parseRunFilter(query.filter);
  await ensureDefaultExperiment(deps, actor.projectId);
  return deps.db.read((tx) =>
    searchRunIds(tx, {
      projectId: actor.projectId,
      experimentIds: query.experimentId === null ? null : [query.experimentId],
      view: query.view,
      clauses,
      orders: [],
      limit: MAX_TABLE_ROWS,
      offset: 0,
    }),
  );
}

export interface LoggedKey {
  readonly key: string;
  readonly runs: number;
  /** Whether two runs have different values. */
  readonly varies: boolean;
}

export interface LoggedKeys {
  readonly metrics: readonly LoggedKey[];
  readonly params: readonly LoggedKey[];
  readonly tags: readonly LoggedKey[];
}

/** What the runs of a project logged: the columns that a table may show. */
export async function listLoggedKeys(deps: Pick<TrackingDeps, 'db'>, actor: Actor): Promise<LoggedKeys> {
  const { projectId } = actor;
  return deps.db.read(async (tx) => ({
    metrics: (await listMetricKeys(tx, projectId, MAX_KEYS)).map(toKey),
    params: (await listPairKeys(tx, 'run_param', projectId, MAX_KEYS)).map(toKey),
    tags: (await listPairKeys(tx, 'run_tag', projectId, MAX_KEYS)).map(toKey),
  }));
}

const DEFAULT_METRICS = 6;
const DEFAULT_PARAMS = 4;
/** A parameter tells runs apart where most of them have it and not all have the same. */
const MIN_SHARE = 0.5;

/** The columns of a table for which none were chosen: the metrics of most runs, and the parameters that tell runs apart. */
export function defaultColumns({ metrics, params }: LoggedKeys): readonly string[] {
  const most = params[0]?.runs ?? 0;
  const telling = params.filter(({ runs, varies }) => varies && runs >= most * MIN_SHARE);
  const own = metrics.filter(({ key }) => !key.startsWith('system/'));
  const best = [...own.filter(({ varies }) => varies), ...own.filter(({ varies }) => !varies)];
  return [
    ...best.slice(0, DEFAULT_METRICS).map(({ key }) => `metrics.${key}`),
    ...telling.slice(0, DEFAULT_PARAMS).map(({ key }) => `params.${key}`),
  ];
}

const toKey = (row: { key: string; runs: number; low: unknown; high: unknown }): LoggedKey => ({
  key: row.key,
  runs: Number(row.runs),
  varies: row.low !== row.high,
});

interface WantedColumn {
  readonly id: string;
  readonly entity: 'params' | 'metrics' | 'tags';
  readonly key: string;
}

function parseColumn(id: string): WantedColumn {
  const [, entity, key] = /^(params|metrics|tags)\.(.+)$/s.exec(id) ?? [];
  if (entity && key) return { id, entity: entity as WantedColumn['entity'], key };
  throw new AppError(
    'invalid',
    `"${id.slice(0, 80)}" is no column; name it as in params.depth, metrics.loss or tags.team`,
  );
}

interface Reading {
  readonly tx: Tx;
  readonly projectId: string;
  readonly placeOf: ReadonlyMap<string, number>;
  readonly runIds: readonly string[] | null;
}

async function readColumns(reading: Reading, wanted: readonly WantedColumn[]): Promise<LoggedColumn[]> {
  const columns: LoggedColumn[] = [];
  for (const { id, entity, key } of wanted) {
    if (entity === 'metrics') columns.push({ id, kind: 'number', values: await readNumbers(reading, key) });
    else {
      const texts = await readTexts(reading, entity === 'params' ? 'run_param' : 'run_tag', key);
      columns.push({ id, kind: 'text', ...texts });
    }
  }
  return columns;
}

async function readTexts(
  { tx, projectId, placeOf, runIds }: Reading,
  table: 'run_param' | 'run_tag',
  key: string,
): Promise<TextColumn> {
  const values: (string | undefined)[] = new Array(placeOf.size).fill(undefined);
  if (placeOf.size === 0) return toTextColumn(values);
  for (const { run_id, value } of await listPairColumn(tx, table, {
    projectId,
    key,
    runIds,
    maxLength: MAX_CELL_LENGTH,
  })) {
    const place = placeOf.get(run_id);
    if (place !== undefined) values[place] = value;
  }
  return toTextColumn(values);
}

async function readNumbers({ tx, projectId, placeOf, runIds }: Reading, key: string): Promise<MetricCell[]> {
  const values: MetricCell[] = new Array(placeOf.size).fill(null);
  if (placeOf.size === 0) return values;
  for (const { run_id, is_nan, value } of await listMetricColumn(tx, { projectId, key, runIds })) {
    const place = placeOf.get(run_id);
    if (place !== undefined) values[place] = is_nan === 1 ? 'NaN' : toMetricCell(value);
  }
  return values;
}

/** Infinities are kept as the largest doubles. */
const toMetricCell = (value: number): MetricCell =>
  Math.abs(value) < INFINITY_VALUE ? value : value > 0 ? 'Infinity' : '-Infinity';

function toTextColumn(values: readonly (string | undefined)[]): TextColumn {
  const codeOf = new Map<string, number>();
  const codes = values.map((value) => {
    if (value === undefined) return -1;
    const code = codeOf.get(value) ?? codeOf.size;
    codeOf.set(value, code);
    return code;
  });
  return { texts: [...codeOf.keys()], codes };
}
