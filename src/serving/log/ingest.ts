import { AppError } from '../../kernel/errors.ts';
import { uuidv7 } from '../../kernel/ids.ts';
import { publish } from '../../outbox/index.ts';
import { afterCommit } from '../../ports/after-commit.ts';
import type { Tx } from '../../ports/db.ts';
import { mergeWindow, type WindowCounters } from '../../stats/profile.ts';
import { selectAllEndpoints, selectUnannounced, updateEndpoint } from '../endpoints.store.ts';
import { type CounterDelta, decodeSegment, type Segment, type SegmentBlock } from '../segment.ts';
import type { EndpointTable, LogFileTable, PredictionCallerTable } from '../tables.ts';
import type { ServingDeps } from '../types.ts';
import { referenceSegment, storeSegment } from './bytes.ts';
import { advanceClock } from './event-clock.ts';
import {
  compileCallers,
  insertLogFiles,
  insertSegment,
  selectCounters,
  selectSegment,
  upsertCounters,
} from './log.store.ts';
import { createLogReader } from './rows.ts';

/** `serving.segments_ingested` is published at most this often an endpoint; the ticker publishes what is left. */
const ANNOUNCE_EVERY_MS = 500;
const CALLERS_A_STATEMENT = 200;

export interface Ingested {
  readonly id: string;
  /** False where the segment had come in before; nothing changed then. */
  readonly created: boolean;
  readonly rows: number;
}

/**
 * Takes a segment of a gateway into the log, once by (gateway, incarnation, seq): bytes, files, counters, clocks and the event
 * are there all or none. Throws `invalid` for bytes that are no segment; rows of endpoints that are not known are left out.
 */
export async function ingestSegment(deps: ServingDeps, bytes: Uint8Array): Promise<Ingested> {
  const segment = decodeSegment(bytes);
  const key = { gateway_id: segment.gatewayId, incarnation: segment.incarnation, seq: segment.seq };
  const before = await deps.db.read((tx) => selectSegment(tx, key));
  if (before) return { id: before.id, created: false, rows: 0 };
  await indexCallers(deps, segment);
  const digest = segment.blocks.length > 0 ? await storeSegment(deps, bytes) : null;
  const id = uuidv7(deps.clock.now(), deps.random.fill);
  const created = await deps.db.write((tx) => ingestIn(tx, deps, { segment, id, digest }));
  if (created && digest) deps.runtime.segments.add(digest, segment);
  return { id, created, rows: segment.blocks.reduce((sum, { rows }) => sum + rows.rowCount, 0) };
}

interface Ingesting {
  readonly segment: Segment;
  readonly id: string;
  readonly digest: string | null;
}

async function ingestIn(tx: Tx, deps: ServingDeps, ingesting: Ingesting): Promise<boolean> {
  const { segment, id, digest } = ingesting;
  const now = deps.clock.now();
  const isNew = await insertSegment(tx, {
    gateway_id: segment.gatewayId,
    incarnation: segment.incarnation,
    seq: segment.seq,
    id,
    rows_dropped: segment.rowsDropped,
    ingested_at: now,
  });
  if (!isNew) return false;
  const endpoints = new Map((await selectAllEndpoints(tx)).map((row) => [keyOf(row.project_id, row.name), row]));
  const files = filesOf(deps, ingesting, endpoints, now);
  if (files.length > 0 && digest !== null) {
    await referenceSegment(tx, deps, id, digest);
    await insertLogFiles(tx, files);
  }
  const counters = segment.counters.filter((delta) => endpoints.has(keyOf(delta.projectId, delta.endpoint)));
  await mergeCounters(tx, counters);
  for (const [key, endpoint] of endpoints) {
    const touched = counters.some((delta) => keyOf(delta.projectId, delta.endpoint) === key);
    const mine = files.filter((file) => keyOf(file.project_id, file.endpoint) === key);
    if (touched || mine.length > 0) await touchEndpoint(tx, deps, endpoint, newestOf(segment, endpoint), now);
  }
  afterCommit(tx, () => deps.runtime.work.wake());
  return true;
}

const keyOf = (projectId: string, endpoint: string): string => `${projectId}/${endpoint}`;

function filesOf(
  deps: ServingDeps,
  { segment, digest }: Ingesting,
  endpoints: ReadonlyMap<string, EndpointTable>,
  now: number,
): LogFileTable[] {
  const files: LogFileTable[] = [];
  segment.blocks.forEach((block, index) => {
    if (block.rows.rowCount === 0 || digest === null) return;
    if (!endpoints.has(keyOf(block.projectId, block.endpoint))) {
      deps.log.warn('rows of an unknown endpoint were left out', {
        endpoint: block.endpoint,
        rows: block.rows.rowCount,
      });
      return;
    }
    const span = spanOf(block);
    files.push({
      project_id: block.projectId,
      endpoint: block.endpoint,
      id: uuidv7(now, deps.random.fill),
      digest,
      format: 'segment',
      block: index,
      row_count: block.rows.rowCount,
      min_event: span.min,
      max_event: span.max,
      created_at: now,
    });
  });
  return files;
}

function spanOf(block: SegmentBlock): { readonly min: number; readonly max: number } {
  const reader = createLogReader(block);
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (let row = 0; row < reader.rowCount; row++) {
    const at = reader.number('event_time', row);
    if (!Number.isFinite(at))
      throw new AppError('invalid', `Row ${row} of endpoint "${block.endpoint}" has no event_time`);
    min = Math.min(min, at);
    max = Math.max(max, at);
  }
  return { min: Math.floor(min), max: Math.ceil(max) };
}

/** The newest event of real traffic: rehearsals replay the past and move no clock. */
function newestOf(segment: Segment, endpoint: EndpointTable): number | null {
  let newest: number | null = null;
  for (const block of segment.blocks) {
    if (block.projectId !== endpoint.project_id || block.endpoint !== endpoint.name) continue;
    const reader = createLogReader(block);
    for (let row = 0; row < reader.rowCount; row++) {
      if (reader.cell('rehearsal', row) !== null || reader.text('role', row) === 'shadow') continue;
      newest = Math.max(newest ?? 0, Math.floor(reader.number('event_time', row)));
    }
  }
  return newest;
}

/** Sorted by key, so that two servers that merge into the same windows wait for each other instead of for ever. */
async function mergeCounters(tx: Tx, deltas: readonly CounterDelta[]): Promise<void> {
  const rows = deltas.map((delta) => ({
    project_id: delta.projectId,
    endpoint: delta.endpoint,
    window_start: delta.windowStart,
    version_id: delta.versionId,
    role: delta.role,
    rehearsal: delta.rehearsal ?? '',
    counters: delta.counters,
  }));
  const textOf = (row: (typeof rows)[number]): string => JSON.stringify({ ...row, counters: undefined });
  rows.sort((a, b) => (textOf(a) < textOf(b) ? -1 : 1));
  for (const { counters, ...key } of rows) {
    const known = await selectCounters(tx, key);
    const merged = known ? mergeWindow(JSON.parse(known.counters) as WindowCounters, counters) : counters;
    await upsertCounters(tx, { ...key, counters: JSON.stringify(merged) });
  }
}

async function touchEndpoint(
  tx: Tx,
  deps: ServingDeps,
  endpoint: EndpointTable,
  newestEvent: number | null,
  now: number,
): Promise<void> {
  const isDue = now - endpoint.announced_at >= ANNOUNCE_EVERY_MS;
  await updateEndpoint(tx, endpoint.project_id, endpoint.name, {
    event_clock: advanceClock(endpoint, newestEvent, now),
    // A clock that stands still within the millisecond must not hide rows that were not announced.
    ingested_at: isDue ? now : Math.max(now, endpoint.announced_at + 1),
    ...(isDue ? { announced_at: now } : {}),
  });
  if (isDue) await announce(tx, deps, endpoint, now);
}

/** Publishes what the last segments of an endpoint left unsaid. */
export async function announceRest(deps: ServingDeps): Promise<void> {
  const waiting = await deps.db.read((tx) => selectUnannounced(tx));
  if (waiting.length === 0) return;
  await deps.db.write(async (tx) => {
    for (const endpoint of await selectUnannounced(tx)) {
      await updateEndpoint(tx, endpoint.project_id, endpoint.name, { announced_at: endpoint.ingested_at });
      await announce(tx, deps, endpoint, endpoint.ingested_at);
    }
  });
}

const announce = (tx: Tx, deps: ServingDeps, endpoint: EndpointTable, at: number): Promise<unknown> =>
  publish(
    tx,
    {
      topic: 'serving.segments_ingested',
      projectId: endpoint.project_id,
      key: `${endpoint.name}/${at}`,
      payload: { endpoint: endpoint.name },
    },
    deps,
  );

/** The index of callers' own ids. Idempotent, so that it may run before the segment is in; the latest prediction wins. */
async function indexCallers(deps: ServingDeps, segment: Segment): Promise<void> {
  const rows = new Map<string, PredictionCallerTable>();
  for (const block of segment.blocks) {
    const reader = createLogReader(block);
    for (let row = 0; row < reader.rowCount; row++) addCaller(rows, block, reader, row);
  }
  const sorted = [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
  for (let start = 0; start < sorted.length; start += CALLERS_A_STATEMENT)
    await deps.db.batch([compileCallers(deps.db, sorted.slice(start, start + CALLERS_A_STATEMENT))]);
}

function addCaller(
  rows: Map<string, PredictionCallerTable>,
  block: SegmentBlock,
  reader: ReturnType<typeof createLogReader>,
  row: number,
): void {
  const callerId = reader.text('caller_id', row);
  if (callerId === null || reader.text('role', row) === 'shadow') return;
  rows.set(`${block.projectId}\u0000${block.endpoint}\u0000${callerId}`, {
    project_id: block.projectId,
    endpoint: block.endpoint,
    caller_id: callerId,
    prediction_id: reader.text('prediction_id', row) ?? '',
    event_time: Math.floor(reader.number('event_time', row)),
  });
}
