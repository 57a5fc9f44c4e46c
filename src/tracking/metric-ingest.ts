import type { Db } from '../ports/db.ts';
import { markAutologged } from './autolog.store.ts';
import { encodeChunk } from './metric-chunk.ts';
import { compareLatest, isLater, type MetricInput, toPoint } from './metric-points.ts';
import {
  findContexts,
  findKeys,
  findSeries,
  insertChunk,
  insertContexts,
  insertKeys,
  insertPoints,
  insertSeries,
  type LatestPoint,
  type Statement,
  takeIds,
  upsertRunLatest,
  upsertSeriesLatest,
} from './metrics.store.ts';
import type { Lifecycle } from './types.ts';

/** A series that this process has seen; `hotCount` counts what is not sealed, roughly (retries count twice). */
export interface KnownSeries {
  readonly id: number;
  readonly keyId: number;
  readonly contextId: number;
  hotCount: number;
  isSealing: boolean;
}

/** A run that is being written to. Its lifecycle may be `RUN_TRUST_MS` old where another server deletes it. */
export interface KnownRun {
  readonly projectId: string;
  readonly runId: string;
  readonly experimentId: number;
  readonly lifecycle: Lifecycle;
  readonly checkedAt: number;
  readonly series: Map<string, KnownSeries>;
}

/** What a process remembers of a database, so that a point that is logged again and again looks nothing up. */
export interface Ingest {
  readonly runs: Map<string, KnownRun>;
  readonly keyIds: Map<string, number>;
  readonly contextIds: Map<string, number>;
  nextId: number;
  lastId: number;
}

export const RUN_TRUST_MS = 2_000;
const MAX_KNOWN_RUNS = 2_000;
const MAX_KNOWN_NAMES = 100_000;
const ID_BLOCK = 1_000;
const ROWS_A_STATEMENT = 500;

const ingests = new WeakMap<Db, Ingest>();

export function ingestOf(db: Db): Ingest {
  const known = ingests.get(db);
  if (known) return known;
  const ingest: Ingest = { runs: new Map(), keyIds: new Map(), contextIds: new Map(), nextId: 1, lastId: 0 };
  ingests.set(db, ingest);
  return ingest;
}

export const findKnownRun = (db: Db, projectId: string, runId: string, now: number): KnownRun | undefined => {
  const known = ingestOf(db).runs.get(`${projectId}/${runId}`);
  return known && now - known.checkedAt < RUN_TRUST_MS && now >= known.checkedAt ? known : undefined;
};

/** Remembers a run's state; its series stay. The run that was not written to for longest is forgotten first. */
export function rememberRun(db: Db, run: Omit<KnownRun, 'series'>): KnownRun {
  const { runs } = ingestOf(db);
  const name = `${run.projectId}/${run.runId}`;
  const known: KnownRun = { ...run, series: runs.get(name)?.series ?? new Map() };
  runs.delete(name);
  runs.set(name, known);
  if (runs.size > MAX_KNOWN_RUNS) runs.delete(runs.keys().next().value!);
  return known;
}

/** The next write asks the database again: after a delete, a restore, or anything that touches many runs. */
export function forgetRuns(db: Db, projectId: string, runId?: string): void {
  const { runs } = ingestOf(db);
  if (runId !== undefined) runs.delete(`${projectId}/${runId}`);
  else for (const [name, run] of runs) if (run.projectId === projectId) runs.delete(name);
}

/** Makes the series of these metrics known, and creates those that are missing. Nothing to do where all are known. */
export async function ensureSeries(db: Db, run: KnownRun, metrics: readonly MetricInput[]): Promise<void> {
  const missing = new Map<string, MetricInput>();
  for (const metric of metrics) {
    const name = seriesName(metric);
    if (!run.series.has(name)) missing.set(name, metric);
  }
  if (missing.size === 0) return;
  const inputs = [...missing.values()];
  await ensureKeys(db, run.projectId, [...new Set(inputs.map(({ key }) => key))].sort());
  await ensureContexts(db, run.projectId, inputs);
  await createSeries(db, run, inputs);
  if (run.series.size > MAX_KNOWN_NAMES) forgetRuns(db, run.projectId, run.runId);
}

/** So many points of one series in one call are sealed at once: one row instead of many, a tenth of the work. */
const SEALED_TOGETHER = 64;

/**
 * The statements that store points of known series: the points in the order of their key, which is the order in which the tree
 * takes them with least work; the run's latest; the latest of series with a context.
 */
export function pointStatements(db: Db, run: KnownRun, metrics: readonly MetricInput[]): readonly Statement[] {
  const bySeries = new Map<number, IngestPoint[]>();
  for (const metric of metrics) {
    const point = toSeriesPoint(run.series.get(seriesName(metric))!, metric);
    const group = bySeries.get(point.seriesId);
    if (group) group.push(point);
    else bySeries.set(point.seriesId, [point]);
  }
  const groups = [...bySeries].sort(([a], [b]) => a - b).map(([, points]) => inStepOrder(points));
  const sealed = groups.filter((points) => points.length >= SEALED_TOGETHER);
  const hot = groups.filter((points) => points.length < SEALED_TOGETHER);
  for (const points of hot) run.series.get(points[0]!.name)!.hotCount += points.length;
  const latest = groups.map((points) => points.at(-1)!);
  return [
    ...insertPoints(db, hot.length === 1 ? hot[0]! : hot.flat()),
    ...sealed.map((points) => insertChunk(db, points[0]!.seriesId, encodeChunk(points))),
    ...upsertRunLatest(db, run, latestPerKey(latest)),
    ...upsertSeriesLatest(
      db,
      latest.filter(({ contextId }) => contextId !== NO_CONTEXT),
    ),
  ];
}

interface IngestPoint extends LatestPoint {
  readonly name: string;
  readonly contextId: number;
}

function toSeriesPoint({ id, keyId, contextId }: KnownSeries, metric: MetricInput): IngestPoint {
  const { step, ts, isNan, value } = toPoint(metric);
  return { seriesId: id, keyId, contextId, name: seriesName(metric), step, ts, isNan, value };
}

/** By step, time and value; the last one is the latest. Points mostly come in order. */
function inStepOrder(points: IngestPoint[]): IngestPoint[] {
  for (let i = 1; i < points.length; i++) {
    if (compareLatest(points[i]!, points[i - 1]!) < 0) return points.sort(compareLatest);
  }
  return points;
}

/** A key may come in several contexts, that is in several series of the run. */
function latestPerKey(points: readonly LatestPoint[]): readonly LatestPoint[] {
  if (points.length <= 1) return points;
  const byKey = new Map<number, LatestPoint>();
  for (const point of points) {
    const known = byKey.get(point.keyId);
    if (!known || isLater(point, known)) byKey.set(point.keyId, point);
  }
  return [...byKey.values()].sort((a, b) => a.keyId - b.keyId);
}

export const NO_CONTEXT = 0;

/** A key without context is its own name: the common case builds no text. */
export const seriesName = ({ key, modelId, datasetName, datasetDigest }: MetricInput): string =>
  modelId || datasetName || datasetDigest
    ? `${key}\n${modelId ?? ''}\n${datasetName ?? ''}\n${datasetDigest ?? ''}`
    : key;

async function ensureKeys(db: Db, projectId: string, names: readonly string[]): Promise<void> {
  const { keyIds } = ingestOf(db);
  const missing = names.filter((name) => !keyIds.has(`${projectId}/${name}`));
  if (keyIds.size > MAX_KNOWN_NAMES) keyIds.clear();
  for (const block of blocks(missing)) {
    const ids = await allocateIds(db, block.length);
    await db.batch([
      insertKeys(
        db,
        projectId,
        block.map((name, i) => ({ name, id: ids[i]! })),
      ),
    ]);
    const rows = await db.read((tx) => findKeys(tx, projectId, block));
    for (const { name, id } of rows) keyIds.set(`${projectId}/${name}`, id);
  }
}

async function ensureContexts(db: Db, projectId: string, inputs: readonly MetricInput[]): Promise<void> {
  const { contextIds } = ingestOf(db);
  if (contextIds.size > MAX_KNOWN_NAMES) contextIds.clear();
  const missing = new Map(
    inputs
      .map((input) => [contextName(projectId, input), input] as const)
      .filter(([name, { key, ...context }]) => hasContext(context) && !contextIds.has(name)),
  );
  for (const block of blocks([...missing.values()])) {
    const ids = await allocateIds(db, block.length);
    const rows = block.map((input, i) => ({
      project_id: projectId,
      model_id: input.modelId ?? '',
      dataset_name: input.datasetName ?? '',
      dataset_digest: input.datasetDigest ?? '',
      id: ids[i]!,
    }));
    await db.batch([insertContexts(db, rows)]);
    const found = await db.read((tx) => findContexts(tx, projectId, [...new Set(rows.map((row) => row.model_id))]));
    for (const row of found) {
      contextIds.set(`${projectId}\n${row.model_id}\n${row.dataset_name}\n${row.dataset_digest}`, row.id);
    }
  }
}

const hasContext = ({ modelId, datasetName, datasetDigest }: Omit<MetricInput, 'key'>): boolean =>
  Boolean(modelId || datasetName || datasetDigest);

const contextName = (projectId: string, { modelId, datasetName, datasetDigest }: MetricInput): string =>
  `${projectId}\n${modelId ?? ''}\n${datasetName ?? ''}\n${datasetDigest ?? ''}`;

async function createSeries(db: Db, run: KnownRun, inputs: readonly MetricInput[]): Promise<void> {
  const { keyIds, contextIds } = ingestOf(db);
  const wanted = inputs.map((input) => ({
    name: seriesName(input),
    key: input.key,
    modelId: input.modelId ?? '',
    keyId: keyIds.get(`${run.projectId}/${input.key}`)!,
    contextId: contextIds.get(contextName(run.projectId, input)) ?? NO_CONTEXT,
  }));
  for (const block of blocks(wanted)) {
    const ids = await allocateIds(db, block.length);
    const rows = block.map(({ keyId, contextId }, i) => ({ id: ids[i]!, keyId, contextId }));
    await db.batch([insertSeries(db, run, rows)]);
    const found = await db.read((tx) =>
      findSeries(tx, run.projectId, run.runId, [...new Set(block.map(({ keyId }) => keyId))]),
    );
    const byIds = new Map(found.map((row) => [`${row.key_id}/${row.context_id}`, row]));
    for (const { name, keyId, contextId } of block) {
      const row = byIds.get(`${keyId}/${contextId}`)!;
      run.series.set(name, { id: row.id, keyId, contextId, hotCount: Number(row.hot ?? 0), isSealing: false });
    }
    const fresh = block.filter(({ keyId, modelId }) => modelId && !byIds.has(`${keyId}/${NO_CONTEXT}`));
    const marks = markAutologged(db, run.projectId, fresh);
    if (marks.length > 0) await db.batch(marks);
  }
}

/** Ids come in blocks, so that servers rarely meet at the sequence's row. What a stopped server had left is never used. */
async function allocateIds(db: Db, count: number): Promise<readonly number[]> {
  const ingest = ingestOf(db);
  const ids: number[] = [];
  while (ids.length < count) {
    if (ingest.nextId > ingest.lastId) await takeBlock(db, ingest);
    ids.push(ingest.nextId++);
  }
  return ids;
}

async function takeBlock(db: Db, ingest: Ingest): Promise<void> {
  const [result] = await db.batch([takeIds(db, 'series', ID_BLOCK)]);
  const last = Number((result!.rows[0] as { value: number }).value);
  ingest.lastId = last;
  ingest.nextId = last - ID_BLOCK + 1;
}

const blocks = <T>(items: readonly T[]): T[][] =>
  Array.from({ length: Math.ceil(items.length / ROWS_A_STATEMENT) }, (_, i) =>
    items.slice(i * ROWS_A_STATEMENT, (i + 1) * ROWS_A_STATEMENT),
  );
