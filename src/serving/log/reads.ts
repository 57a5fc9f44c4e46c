import { AppError } from '../../kernel/errors.ts';
import { type Cell, cellAt, type Frame } from '../../kernel/frame.ts';
import { timeOfUuidv7 } from '../../kernel/ids.ts';
import { findVersionById, type ModelVersion } from '../../registry/index.ts';
import { mergeWindow, type WindowCounters } from '../../stats/profile.ts';
import { LOG_COLUMNS } from '../segment.ts';
import type { LogFileTable } from '../tables.ts';
import type { Prediction, ServingDeps } from '../types.ts';
import { openSegment } from './bytes.ts';
import {
  selectCaller,
  selectCountersInRange,
  selectFilesAt,
  selectFilesInRange,
  selectNewestFiles,
} from './log.store.ts';
import { createLogReader, featureNames, type LogReader, type LogRow, toFrame } from './rows.ts';

/** Bounds of one read. */
export const MAX_READ_ROWS = 1_000_000;
const DEFAULT_READ_ROWS = 100_000;
const MAX_FILES = 200_000;
/** A search that finds little looks no further back than this. */
const MAX_SEARCHED_FILES = 20_000;
const FILES_A_PAGE = 64;
const FILES_AT_ONCE = 16;

type Reads = Pick<ServingDeps, 'db' | 'content' | 'runtime'>;

export interface ReadInput {
  readonly projectId: string;
  readonly endpoint: string;
  /** Event time, epoch ms: from inclusive, to exclusive. */
  readonly from: number;
  readonly to: number;
  readonly versionId?: string | undefined;
  /** An id reads that rehearsal; default: real traffic only. */
  readonly rehearsal?: string | null | undefined;
  /** Default: the answers that callers got. */
  readonly roles?: readonly ('champion' | 'challenger' | 'shadow')[] | undefined;
  /** Log columns and raw features by name; default: all of them. */
  readonly columns?: readonly string[] | undefined;
  readonly limit?: number | undefined;
}

const ANSWERED = ['champion', 'challenger'] as const;

/** Logged rows of a span of event time, oldest first; at most `limit` of them. */
export async function readPredictions(deps: Reads, input: ReadInput): Promise<Frame> {
  const limit = Math.min(input.limit ?? DEFAULT_READ_ROWS, MAX_READ_ROWS);
  const files = await deps.db.read((tx) => selectFilesInRange(tx, input, MAX_FILES));
  const rows: LogRow[] = [];
  for (const [index, file] of files.entries()) {
    if (index % FILES_AT_ONCE === 0)
      await Promise.all(files.slice(index, index + FILES_AT_ONCE).map((f) => openSegment(deps, f)));
    await addMatching(deps, file, input, rows);
    // Files come by their first event: what is before the next file's can be cut to the limit already.
    const next = files[index + 1];
    if (rows.length > limit && next && countBefore(rows, next.min_event) >= limit) break;
  }
  sortByEvent(rows);
  const kept = rows.slice(0, limit);
  return toFrame(kept, input.columns ?? columnsOf(kept));
}

/** The newest `n` answered requests' rows of real traffic (or of one rehearsal), newest first, with all their columns. */
export async function lastRequests(
  deps: Reads,
  input: {
    readonly projectId: string;
    readonly endpoint: string;
    readonly n: number;
    readonly rehearsal?: string | null | undefined;
    /** Only rows that arrived before this, epoch ms of the wall clock. */
    readonly receivedBefore?: number | undefined;
  },
): Promise<{ readonly rows: Frame; readonly features: Frame }> {
  const range = { ...input, from: 0, to: Number.MAX_SAFE_INTEGER };
  const found = await newestRows(deps, range, input.n, (reader, row) => {
    if (reader.number('status', row) === 2 || reader.cell('fallback', row) === true) return false;
    return input.receivedBefore === undefined || reader.number('received_at', row) < input.receivedBefore;
  });
  return { rows: toFrame(found, columnsOf([])), features: toFrame(found, featureNames(found)) };
}

export interface ListInput extends Omit<ReadInput, 'columns'> {
  readonly callerId?: string | undefined;
  readonly entity?: string | undefined;
  /** Some of our id, of the caller's or of the entity, whatever its case. */
  readonly text?: string | undefined;
  readonly status?: Prediction['status'] | undefined;
  /** So many of the newest are left out: rows of one moment have no other order than that of the log. */
  readonly skip?: number | undefined;
}

/** For listings: the newest predictions first. */
export async function listPredictions(deps: ServingDeps, input: ListInput): Promise<readonly Prediction[]> {
  const { skip = 0 } = input;
  const text = input.text?.toLowerCase();
  const limit = Math.min(input.limit ?? 20, 1_000);
  const found = await newestRows(deps, input, skip + limit, (reader, row) => {
    if (input.callerId !== undefined && reader.text('caller_id', row) !== input.callerId) return false;
    if (input.entity !== undefined && reader.text('entity', row) !== input.entity) return false;
    if (input.status !== undefined && statusOf(reader, row) !== input.status) return false;
    return text === undefined || NAMED.some((column) => reader.text(column, row)?.toLowerCase().includes(text));
  });
  const kept = found.slice(skip);
  const versions = new Map<string, ModelVersion | undefined>();
  for (const { block, row } of kept) {
    const id = createLogReader(block).text('version_id', row) ?? '';
    if (!versions.has(id)) versions.set(id, await findVersionById(deps.registry, id));
  }
  return kept.map((row) => toPrediction(input.endpoint, row, versions));
}

const NAMED = ['prediction_id', 'caller_id', 'entity'] as const;

/** A prediction by our id or by the caller's (its latest); undefined where there is none in this project. */
export async function findPrediction(
  deps: ServingDeps,
  input: { readonly projectId: string; readonly id: string; readonly endpoint?: string | undefined },
): Promise<Prediction | undefined> {
  return (await findByOurs(deps, input.projectId, input.id)) ?? (await findByCallers(deps, input));
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Our ids carry the event time, which says in which files to look. */
async function findByOurs(deps: ServingDeps, projectId: string, id: string): Promise<Prediction | undefined> {
  if (!UUID.test(id)) return undefined;
  const files = await deps.db.read((tx) => selectFilesAt(tx, projectId, timeOfUuidv7(id), MAX_FILES));
  for (const file of files) {
    const { block, reader } = await openBlock(deps, file);
    for (let row = 0; row < reader.rowCount; row++)
      if (reader.text('prediction_id', row) === id) {
        const versionId = reader.text('version_id', row) ?? '';
        const version = await findVersionById(deps.registry, versionId);
        return toPrediction(file.endpoint, { block, row, at: 0 }, new Map([[versionId, version]]));
      }
  }
  return undefined;
}

async function findByCallers(
  deps: ServingDeps,
  input: { readonly projectId: string; readonly id: string; readonly endpoint?: string | undefined },
): Promise<Prediction | undefined> {
  if (input.id.length > 512) throw new AppError('invalid', 'A prediction id has at most 512 characters');
  const known = await deps.db.read((tx) => selectCaller(tx, input.projectId, input.id, input.endpoint));
  return known && findByOurs(deps, input.projectId, known.prediction_id);
}

/** What was counted of one version in one hour of event time. */
export interface CountedWindow {
  readonly windowStart: number;
  readonly versionId: string;
  readonly counters: WindowCounters;
}

/** Counters of the windows (hours of event time) that start in the span, merged over gateways, by window and version. */
export async function countersOf(
  deps: Pick<ServingDeps, 'db'>,
  input: {
    readonly projectId: string;
    readonly endpoint: string;
    readonly from: number;
    readonly to: number;
    readonly rehearsal?: string | null | undefined;
    /** Default: what callers got. Shadow answers are counted apart. */
    readonly roles?: readonly string[] | undefined;
  },
): Promise<readonly CountedWindow[]> {
  const rows = await deps.db.read((tx) => selectCountersInRange(tx, input, input.rehearsal ?? ''));
  const roles: readonly string[] = input.roles ?? ANSWERED;
  const merged = new Map<string, CountedWindow>();
  for (const row of rows) {
    if (!roles.includes(row.role)) continue;
    const counters = JSON.parse(row.counters) as WindowCounters;
    const key = `${row.window_start}/${row.version_id}`;
    const known = merged.get(key);
    if (known) mergeWindow(known.counters, counters);
    else merged.set(key, { windowStart: row.window_start, versionId: row.version_id, counters });
  }
  return [...merged.values()];
}

async function openBlock(deps: Reads, file: LogFileTable) {
  const segment = await openSegment(deps, file);
  const block = segment.blocks[file.block];
  if (!block)
    throw new Error(`Log file ${file.id} names block ${file.block} of a segment with ${segment.blocks.length}`);
  return { block, reader: createLogReader(block) };
}

type Filter = Pick<ReadInput, 'from' | 'to' | 'versionId' | 'rehearsal' | 'roles'>;

async function addMatching(deps: Reads, file: LogFileTable, filter: Filter, rows: LogRow[]): Promise<void> {
  const { block, reader } = await openBlock(deps, file);
  const times = reader.values('event_time');
  const roles = reader.values('role');
  const rehearsals = reader.values('rehearsal');
  const versions = reader.values('version_id');
  const wantedRoles: ReadonlySet<unknown> = new Set(filter.roles ?? ANSWERED);
  const rehearsal = filter.rehearsal ?? null;
  for (let row = 0; row < reader.rowCount; row++) {
    const at = times[row] as number;
    if (!(at >= filter.from && at < filter.to) || !wantedRoles.has(roles[row])) continue;
    if ((rehearsals[row] ?? null) !== rehearsal) continue;
    if (filter.versionId === undefined || versions[row] === filter.versionId) rows.push({ block, row, at });
  }
}

async function newestRows(
  deps: Reads,
  input: Filter & { readonly projectId: string; readonly endpoint: string },
  n: number,
  isWanted: (reader: LogReader, row: number) => boolean,
): Promise<LogRow[]> {
  const rows: LogRow[] = [];
  for (let offset = 0; offset < MAX_SEARCHED_FILES; offset += FILES_A_PAGE) {
    const files = await deps.db.read((tx) => selectNewestFiles(tx, input, { limit: FILES_A_PAGE, offset }));
    for (const file of files) {
      // Files come by their last event: what is left is older than all that is kept.
      if (rows.length >= n && countBefore(rows, file.max_event + 1) <= rows.length - n) return newest(rows, n);
      const found: LogRow[] = [];
      await addMatching(deps, file, input, found);
      rows.push(...found.filter(({ block, row }) => isWanted(createLogReader(block), row)));
    }
    if (files.length < FILES_A_PAGE) break;
  }
  return newest(rows, n);
}

const newest = (rows: LogRow[], n: number): LogRow[] => sortByEvent(rows).reverse().slice(0, n);

const countBefore = (rows: readonly LogRow[], at: number): number =>
  rows.reduce((sum, row) => sum + Number(row.at < at), 0);

/** Stable: rows of the same moment stay in the order of their files. */
const sortByEvent = (rows: LogRow[]): LogRow[] => rows.sort((a, b) => a.at - b.at);

const columnsOf = (rows: readonly LogRow[]): string[] => [...LOG_COLUMNS, ...featureNames(rows)];

const statusOf = (reader: LogReader, row: number): Prediction['status'] =>
  (['ok', 'error', 'refused'] as const)[reader.number('status', row)] ?? 'ok';

function toPrediction(
  endpoint: string,
  { block, row }: LogRow,
  versions: ReadonlyMap<string, ModelVersion | undefined>,
): Prediction {
  const reader = createLogReader(block);
  const versionId = reader.text('version_id', row) ?? '';
  const version = versions.get(versionId);
  const status = statusOf(reader, row);
  const score = reader.number('score', row);
  const latencyUs = reader.number('latency_us', row);
  const features: Record<string, Cell> = {};
  for (const { name, values } of block.features.columns) features[name] = cellAt(values, row);
  return {
    id: reader.text('prediction_id', row) ?? '',
    endpoint,
    model: version?.model ?? endpoint,
    versionId,
    version: version?.version ?? null,
    role: reader.text('role', row) ?? 'champion',
    callerId: reader.text('caller_id', row),
    requestId: reader.text('request_id', row) ?? '',
    rolloutId: reader.text('rollout_id', row),
    eventTime: new Date(reader.number('event_time', row)).toISOString(),
    receivedAt: new Date(reader.number('received_at', row)).toISOString(),
    entity: reader.text('entity', row),
    latencyMs: Number.isFinite(latencyUs) ? latencyUs / 1000 : null,
    status,
    error: reader.text('error', row),
    label: reader.cell('label', row),
    score: Number.isFinite(score) ? score : null,
    fallback: reader.cell('fallback', row) === true,
    rehearsal: reader.text('rehearsal', row),
    features,
  };
}
