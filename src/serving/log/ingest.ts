import type { StagedContent } from '../../content/index.ts';
import { AppError } from '../../kernel/errors.ts';
import { uuidv7 } from '../../kernel/ids.ts';
import { publish } from '../../outbox/index.ts';
import { afterCommit } from '../../ports/after-commit.ts';
import type { Tx } from '../../ports/db.ts';
import { mergeWindow, type WindowCounters } from '../../stats/profile.ts';
import { selectAllEndpoints, selectUnannounced, updateEndpoint } from '../endpoints.store.ts';
import { type CounterDelta, decodeSegments, type Segment, type SegmentBlock } from '../segment.ts';
import type { EndpointTable, LogFileTable, PredictionCallerTable, WindowCountersTable } from '../tables.ts';
import type { ServingDeps } from '../types.ts';
import { advanceClock } from './event-clock.ts';
import {
  compileCallers,
  insertLogFiles,
  insertSegments,
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

/** One segment, as `ingestSegments` takes it. */
export const ingestSegment = async (deps: ServingDeps, bytes: Uint8Array): Promise<Ingested> =>
  (await ingestSegments(deps, bytes))[0]!;

/**
 * Takes segments of a gateway, one after the other in `bytes`, into the log: each once by (gateway, incarnation, seq), and what is new
 * of them in one transaction, so that bytes, files, counters, clocks and the event are there all or none. Throws `invalid` for
 * bytes that are no segments; rows of endpoints that are not known are left out.
 */
export async function ingestSegments(deps: ServingDeps, bytes: Uint8Array): Promise<readonly Ingested[]> {
  const segments = decodeSegments(bytes);
  await indexCallers(deps, segments);
  const now = deps.clock.now();
  const arrivals = arrivalsOf(deps, segments, now);
  const hasRows = segments.some(({ blocks }) => blocks.length > 0);
  const staged = hasRows ? await deps.content.stage(bytes) : null;
  const { known, isAdopted } = await deps.db.write((tx) => ingestIn(tx, deps, arrivals, staged, now));
  if (staged && !isAdopted) await deps.content.discard(staged);
  if (staged && isAdopted)
    deps.runtime.segments.add(staged.digest, { blocks: segments.flatMap(({ blocks }) => blocks) });
  return arrivals.map(({ id, segment }) => ({
    id: known.get(id) ?? id,
    created: !known.has(id),
    rows: known.has(id) ? 0 : segment.blocks.reduce((sum, { rows }) => sum + rows.rowCount, 0),
  }));
}

interface Arrival {
  readonly id: string;
  readonly segment: Segment;
  /** Index of its first block among those of all segments that came with it. */
  readonly firstBlock: number;
}

function arrivalsOf(deps: ServingDeps, segments: readonly Segment[], now: number): readonly Arrival[] {
  let firstBlock = 0;
  return segments.map((segment) => {
    const arrival = { id: uuidv7(now, deps.random.fill), segment, firstBlock };
    firstBlock += segment.blocks.length;
    return arrival;
  });
}

const keyOfSegment = ({ gatewayId, incarnation, seq }: Segment) => ({ gateway_id: gatewayId, incarnation, seq });

interface Taken {
  /** The arrivals that had come in before, by their id here, with the id that they have. */
  readonly known: ReadonlyMap<string, string>;
  readonly isAdopted: boolean;
}

async function ingestIn(
  tx: Tx,
  deps: ServingDeps,
  arrivals: readonly Arrival[],
  staged: StagedContent | null,
  now: number,
): Promise<Taken> {
  const rows = arrivals.map(({ id, segment }) => ({
    ...keyOfSegment(segment),
    id,
    rows_dropped: segment.rowsDropped,
    ingested_at: now,
  }));
  const added = await insertSegments(tx, rows);
  const fresh = arrivals.filter(({ id }) => added.has(id));
  const isAdopted = fresh.length > 0 && (await takeIn(tx, deps, fresh, staged, now));
  const known = new Map<string, string>();
  for (const { id, segment } of arrivals)
    if (!added.has(id)) known.set(id, (await selectSegment(tx, keyOfSegment(segment)))?.id ?? id);
  return { known, isAdopted };
}

/** Answers whether the staged bytes are content now: where no row is of an endpoint that is known, nothing needs them. */
async function takeIn(
  tx: Tx,
  deps: ServingDeps,
  fresh: readonly Arrival[],
  staged: StagedContent | null,
  now: number,
): Promise<boolean> {
  const endpoints = new Map((await selectAllEndpoints(tx)).map((row) => [keyOf(row.project_id, row.name), row]));
  const files = staged ? fresh.flatMap((arrival) => filesOf(deps, arrival, staged.digest, endpoints, now)) : [];
  if (staged && files.length > 0) {
    const owners = fresh
      .filter(({ segment }) => segment.blocks.length > 0)
      .map(({ id }) => ({ kind: 'log_segment', id }));
    await deps.content.adopt(tx, owners, staged);
    await insertLogFiles(tx, files);
  }
  const counters = fresh
    .flatMap(({ segment }) => segment.counters)
    .filter((delta) => endpoints.has(keyOf(delta.projectId, delta.endpoint)));
  await mergeCounters(tx, counters);
  for (const [key, endpoint] of endpoints) {
    const touched = counters.some((delta) => keyOf(delta.projectId, delta.endpoint) === key);
    const mine = files.some((file) => keyOf(file.project_id, file.endpoint) === key);
    if (touched || mine) await touchEndpoint(tx, deps, endpoint, newestOf(fresh, endpoint), now);
  }
  afterCommit(tx, () => deps.runtime.work.wake());
  return files.length > 0;
}

const keyOf = (projectId: string, endpoint: string): string => `${projectId}/${endpoint}`;

function filesOf(
  deps: ServingDeps,
  { segment, firstBlock }: Arrival,
  digest: string,
  endpoints: ReadonlyMap<string, EndpointTable>,
  now: number,
): LogFileTable[] {
  const files: LogFileTable[] = [];
  segment.blocks.forEach((block, index) => {
    if (block.rows.rowCount === 0) return;
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
      block: firstBlock + index,
      row_count: block.rows.rowCount,
      min_event: span.min,
      max_event: span.max,
      created_at: now,
    });
  });
  return files;
}

function spanOf(block: SegmentBlock): { readonly min: number; readonly max: number } {
  const times = createLogReader(block).values('event_time');
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (let row = 0; row < block.rows.rowCount; row++) {
    const at = times[row] ?? null;
    if (typeof at !== 'number' || !Number.isFinite(at))
      throw new AppError('invalid', `Row ${row} of endpoint "${block.endpoint}" has no event_time`);
    if (at < min) min = at;
    if (at > max) max = at;
  }
  return { min: Math.floor(min), max: Math.ceil(max) };
}

/** The newest event of real traffic: rehearsals replay the past and move no clock. */
function newestOf(fresh: readonly Arrival[], endpoint: EndpointTable): number | null {
  let newest: number | null = null;
  for (const block of fresh.flatMap(({ segment }) => segment.blocks)) {
    if (block.projectId !== endpoint.project_id || block.endpoint !== endpoint.name) continue;
    const reader = createLogReader(block);
    const [times, roles, rehearsals] = [reader.values('event_time'), reader.values('role'), reader.values('rehearsal')];
    for (let row = 0; row < reader.rowCount; row++) {
      if ((rehearsals[row] ?? null) !== null || roles[row] === 'shadow') continue;
      newest = Math.max(newest ?? 0, Math.floor(times[row] as number));
    }
  }
  return newest;
}

/** Sorted by key, so that two servers that merge into the same windows wait for each other instead of for ever. */
async function mergeCounters(tx: Tx, deltas: readonly CounterDelta[]): Promise<void> {
  for (const { counters, ...key } of addedUp(deltas)) {
    const known = await selectCounters(tx, key);
    const merged = known ? mergeWindow(JSON.parse(known.counters) as WindowCounters, counters) : counters;
    await upsertCounters(tx, { ...key, counters: JSON.stringify(merged) });
  }
}

type CountedWindow = Omit<WindowCountersTable, 'counters'> & { readonly counters: WindowCounters };

/** One entry a window: each is read and written once, however many segments add to it. */
function addedUp(deltas: readonly CounterDelta[]): readonly CountedWindow[] {
  const windows = new Map<string, CountedWindow>();
  for (const delta of deltas) {
    const key = {
      project_id: delta.projectId,
      endpoint: delta.endpoint,
      window_start: delta.windowStart,
      version_id: delta.versionId,
      role: delta.role,
      rehearsal: delta.rehearsal ?? '',
    };
    const text = JSON.stringify(key);
    const known = windows.get(text);
    // A copy, for `mergeWindow` adds into it and the segment is kept for readers.
    if (known) mergeWindow(known.counters, delta.counters);
    else windows.set(text, { ...key, counters: structuredClone(delta.counters) });
  }
  return [...windows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, window]) => window);
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

/** The index of callers' own ids. Idempotent, so that it may run before the segments are in; the latest prediction wins. */
async function indexCallers(deps: ServingDeps, segments: readonly Segment[]): Promise<void> {
  const rows = new Map<string, PredictionCallerTable>();
  for (const block of segments.flatMap(({ blocks }) => blocks)) addCallers(rows, block);
  const sorted = [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
  for (let start = 0; start < sorted.length; start += CALLERS_A_STATEMENT)
    await deps.db.batch([compileCallers(deps.db, sorted.slice(start, start + CALLERS_A_STATEMENT))]);
}

function addCallers(rows: Map<string, PredictionCallerTable>, block: SegmentBlock): void {
  const reader = createLogReader(block);
  const [callers, roles] = [reader.values('caller_id'), reader.values('role')];
  for (let row = 0; row < reader.rowCount; row++) {
    const callerId = callers[row];
    if (typeof callerId !== 'string' || roles[row] === 'shadow') continue;
    rows.set(`${block.projectId}\u0000${block.endpoint}\u0000${callerId}`, {
      project_id: block.projectId,
      endpoint: block.endpoint,
      caller_id: callerId,
      prediction_id: reader.text('prediction_id', row) ?? '',
      event_time: Math.floor(reader.number('event_time', row)),
    });
  }
}
