import { AppError } from '../kernel/errors.ts';
import { digestOf } from '../kernel/hash.ts';
import type { Tx } from '../ports/db.ts';
import { selectAllEndpoints, selectGateways, upsertGateway } from './endpoints.store.ts';
import { eventClockOf } from './log/event-clock.ts';
import type { GatewayTable } from './tables.ts';
import type { ServingDeps } from './types.ts';
import type { GatewayReport, ReportAnswer } from './wire.ts';

/** A report that says nothing new is stored this often; one that does is stored at once. */
const STORE_EVERY_MS = 5_000;
/** A gateway is alive while it was heard of within this. */
export const ALIVE_MS = 15_000;

export interface Gateway {
  readonly id: string;
  readonly incarnation: string;
  readonly url: string;
  /** Generation that it applied. */
  readonly generation: number;
  readonly alive: boolean;
  readonly seenAt: string;
  readonly report: GatewayReport;
}

/** Keeps what a gateway says, wakes what waits for it, and answers the merged event clocks. */
export async function reportGateway(deps: ServingDeps, report: GatewayReport): Promise<ReportAnswer> {
  assertReport(report);
  const now = deps.clock.now();
  const digest = digestOf(newsOf(report));
  const last = deps.runtime.reports.get(report.gatewayId);
  if (last?.digest !== digest || now - last.storedAt >= STORE_EVERY_MS) {
    await deps.db.write((tx) => upsertGateway(tx, toRow(report, now)));
    deps.runtime.reports.set(report.gatewayId, { digest, storedAt: now });
    if (last?.digest !== digest) deps.runtime.work.wake();
  }
  return { eventClocks: await deps.db.read((tx) => clocksIn(tx, now)) };
}

/** Every gateway that was ever heard of. */
export const listGateways = (deps: Pick<ServingDeps, 'db' | 'clock'>): Promise<readonly Gateway[]> =>
  deps.db.read((tx) => gatewaysIn(tx, deps.clock.now()));

export async function gatewaysIn(tx: Tx, now: number): Promise<readonly Gateway[]> {
  return (await selectGateways(tx)).map((row) => ({
    id: row.id,
    incarnation: row.incarnation,
    url: row.url,
    generation: row.generation,
    alive: now - row.seen_at < ALIVE_MS,
    seenAt: new Date(row.seen_at).toISOString(),
    report: JSON.parse(row.report) as GatewayReport,
  }));
}

/** What decisions stand on; counters change with every report and wait for the next storing. */
const newsOf = (report: GatewayReport) => ({
  incarnation: report.incarnation,
  url: report.url,
  generation: report.generation,
  versions: report.versions.map(({ endpoint, versionId, state, error, parity }) => ({
    endpoint,
    versionId,
    state,
    error,
    parity,
  })),
  latched: report.latched.map(({ rolloutId }) => rolloutId),
  gap: report.gap,
});

const toRow = (report: GatewayReport, now: number): GatewayTable => ({
  id: report.gatewayId,
  incarnation: report.incarnation,
  url: report.url,
  generation: report.generation,
  started_at: Math.floor(report.startedAt),
  seen_at: now,
  report: JSON.stringify(report),
});

async function clocksIn(tx: Tx, now: number): Promise<Record<string, number>> {
  const clocks: Record<string, number> = {};
  for (const row of await selectAllEndpoints(tx)) {
    const clock = eventClockOf(row, now);
    if (clock !== null) clocks[row.name] = clock;
  }
  return clocks;
}

function assertReport(report: GatewayReport): void {
  const { gatewayId, incarnation, generation, versions, latched } = report;
  const isWhole =
    typeof gatewayId === 'string' &&
    gatewayId.length > 0 &&
    gatewayId.length <= 100 &&
    typeof incarnation === 'string' &&
    Number.isSafeInteger(generation) &&
    typeof report.url === 'string' &&
    Array.isArray(versions) &&
    Array.isArray(latched) &&
    Number.isFinite(report.startedAt);
  if (!isWhole)
    throw new AppError(
      'invalid',
      'The gateway report lacks gatewayId, incarnation, url, generation, versions or latched',
    );
}
