import { findVersionById } from '../registry/index.ts';
import { latencyQuantileUs, type WindowCounters } from '../stats/profile.ts';
import type { Actor } from '../wire/route.ts';
import { findEndpointIn } from './endpoints.ts';
import { eventClockOf } from './log/event-clock.ts';
import { countersOf } from './log/reads.ts';
import { selectTurns } from './rollouts/rollouts.store.ts';
import type { ServingDeps } from './types.ts';

export interface TrafficCounts {
  /** Requests that reached a model; `refused` ones come on top. */
  readonly requests: number;
  readonly rows: number;
  readonly errors: number;
  readonly refused: number;
  /** Rows that the fallback answered. */
  readonly fallbacks: number;
  readonly latencyMs: { readonly p50: number | null; readonly p95: number | null; readonly p99: number | null };
}

export interface Traffic {
  readonly endpoint: string;
  /** Event time, ISO 8601: from inclusive, to exclusive. */
  readonly from: string;
  readonly to: string;
  readonly stepMs: number;
  readonly total: TrafficCounts;
  readonly versions: readonly ({ readonly version: number | null; readonly versionId: string } & TrafficCounts)[];
  /** Steps without traffic are left out. */
  readonly steps: readonly ({
    readonly at: string;
    readonly byVersion: readonly ({ readonly version: number | null } & TrafficCounts)[];
  } & TrafficCounts)[];
  /** Where traffic was moved: a version took all of it, or was taken away. */
  readonly deploys: readonly {
    readonly at: string;
    readonly version: number;
    readonly event: string;
    readonly sentence: string;
    readonly rolloutId: string;
  }[];
}

const HOUR_MS = 3_600_000;
/** Counters are kept by the hour; more of them are added up so that a chart gets about as many points as it has room for. */
const STEP_HOURS = [1, 3, 6, 12, 24, 168];
const MAX_POINTS = 240;

/**
 * Requests, errors and latencies of real traffic by event time and version, from the exact counters that gateways send; latencies
 * are upper edges of histogram bins, at most 9 % too high. By default the last week of the endpoint's event clock.
 */
export async function getTraffic(
  deps: ServingDeps,
  actor: Pick<Actor, 'projectId'>,
  input: { readonly name: string; readonly hours: number; readonly to?: number | undefined },
): Promise<Traffic> {
  const { projectId } = actor;
  const endpoint = await deps.db.read((tx) => findEndpointIn(tx, projectId, input.name));
  const now = deps.clock.now();
  const clock = eventClockOf(endpoint, now) ?? now;
  const to = Math.ceil(((input.to ?? clock + endpoint.lateness_ms) + 1) / HOUR_MS) * HOUR_MS;
  const stepMs = (STEP_HOURS.find((hours) => input.hours / hours <= MAX_POINTS) ?? STEP_HOURS.at(-1)!) * HOUR_MS;
  const from = Math.max(0, Math.floor((to - input.hours * HOUR_MS) / stepMs) * stepMs);
  const range = { projectId, endpoint: endpoint.name, from, to };
  const windows = await countersOf(deps, range);
  const turns = await deps.db.read((tx) => selectTurns(tx, range));
  const numbers = await numbersOf(
    deps,
    windows.map(({ versionId }) => versionId),
  );
  return {
    endpoint: endpoint.name,
    from: iso(from),
    to: iso(to),
    stepMs,
    total: toCounts(windows.map(({ counters }) => counters)),
    versions: [...grouped(windows, ({ versionId }) => versionId)].map(([versionId, some]) => ({
      version: numbers.get(versionId) ?? null,
      versionId,
      ...toCounts(some.map(({ counters }) => counters)),
    })),
    steps: [...grouped(windows, ({ windowStart }) => Math.floor(windowStart / stepMs) * stepMs)].map(([at, some]) => ({
      at: iso(at),
      ...toCounts(some.map(({ counters }) => counters)),
      byVersion: [...grouped(some, ({ versionId }) => versionId)].map(([versionId, ofVersion]) => ({
        version: numbers.get(versionId) ?? null,
        ...toCounts(ofVersion.map(({ counters }) => counters)),
      })),
    })),
    deploys: turns.map((turn) => ({
      at: iso(turn.event_at ?? turn.at),
      version: turn.version,
      event: turn.event,
      sentence: turn.sentence,
      rolloutId: turn.rollout_id,
    })),
  };
}

async function numbersOf(deps: ServingDeps, ids: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const numbers = new Map<string, number>();
  for (const id of new Set(ids)) {
    const version = await findVersionById(deps.registry, id);
    if (version) numbers.set(id, version.version);
  }
  return numbers;
}

function toCounts(windows: readonly WindowCounters[]): TrafficCounts {
  const counts = { requests: 0, rows: 0, errors: 0, refused: 0, fallbacks: 0 };
  const latency: number[] = [];
  for (const window of windows) {
    for (const key of Object.keys(counts) as (keyof typeof counts)[]) counts[key] += window[key];
    window.latency.forEach((n, bin) => {
      latency[bin] = (latency[bin] ?? 0) + n;
    });
  }
  const quantile = (q: number): number | null => {
    const us = latencyQuantileUs(latency, q);
    return us === null ? null : us / 1_000;
  };
  return { ...counts, latencyMs: { p50: quantile(0.5), p95: quantile(0.95), p99: quantile(0.99) } };
}

function grouped<T, K>(items: readonly T[], keyOf: (item: T) => K): ReadonlyMap<K, readonly T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}

const iso = (ms: number): string => new Date(ms).toISOString();
