import { mkdir } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { ServableIo } from '../engines/types.ts';
import { AppError, messageOf } from '../kernel/errors.ts';
import { uuidv7 } from '../kernel/ids.ts';
import type { PythonWorkers } from '../ports/python-worker.ts';
import type { Clock, Log, Random } from '../ports/system.ts';
import type { EndpointReport, Gap, GatewayReport, Latch, ReportAnswer } from '../serving/wire.ts';
import { ContentCache } from './control/content-cache.ts';
import { ControlLoop } from './control/control-loop.ts';
import { createDialer, type Dialer } from './control/dial.ts';
import { readJson, writeJsonDurably } from './control/durable-json.ts';
import { Fleet } from './control/fleet.ts';
import { GatewayState } from './control/gateway-state.ts';
import { Reporter } from './control/reporter.ts';
import { GatheredRequest } from './http/body.ts';
import { DataPlane } from './http/data-plane.ts';
import { createRouter } from './http/router.ts';
import { createIds } from './ids.ts';
import { LIMITS } from './limits.ts';
import { PredictionLog } from './log/prediction-log.ts';
import { Shipper } from './log/shipper.ts';
import { type Heartbeat, readHeartbeat, Spool, writeHeartbeat } from './log/spool.ts';
import { metricsText } from './metrics.ts';
import { type Breach, sentenceOf } from './serve/limit-watch.ts';
import type { LiveEndpoint } from './serve/live-endpoint.ts';
import { ShadowQueue } from './serve/shadow.ts';

/** Not imported: an import of `node:http` loads WebSocket and fetch with it, 45 ms and 4 MiB. */
const { createServer } = process.getBuiltinModule('node:http');

export interface GatewayOptions {
  /** The gateway's own folder: identity, configuration, content, spool. */
  readonly dir: string;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly version: string;
  /** Asked before each call to the control plane. */
  readonly serverUrl: () => Promise<string>;
  readonly token: () => Promise<string | undefined>;
  /** Engine file formats that this release reads. */
  readonly formats: readonly number[];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly workers: PythonWorkers;
}

export interface Gateway {
  readonly url: string;
  /** Finishes what it answers, makes the log durable, sends what it can, and stops. */
  close(): Promise<void>;
}

const SHIP_GRACE_MS = 2_000;
/** How long the start waits for the stored configuration to load, so that the first request already finds it. */
const RESTORE_MS = 2_000;
const KEEP_ALIVE_MS = 65_000;

/** Starts the data plane: answers from the stored configuration at once, and follows the control plane when that is there. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const parts = await assemble(options);
  const { server, control, reporter, shipper, fleet, dataPlane, log, dialer, state } = parts;
  const waited = new AbortController();
  await Promise.race([control.restore(), options.clock.sleep(RESTORE_MS, waited.signal)]);
  waited.abort();
  const url = await listen(server, options);
  parts.url = url;
  shipper.start();
  control.start();
  reporter.start();
  options.log.info('The gateway answers', { url, gap: parts.gap });
  let closing: Promise<void> | undefined;
  return {
    url,
    close() {
      closing ??= (async () => {
        dataPlane.drain();
        await closeServer(server);
        await control.stop();
        await log.flush();
        await shipper.stop(SHIP_GRACE_MS);
        await reporter.stop();
        await writeHeartbeat(join(options.dir, 'heartbeat'), { durableUntil: options.clock.now(), isClean: true });
        await state.save();
        await fleet.close();
        await options.workers.close();
        dialer.close();
      })();
      return closing;
    },
  };
}

interface Parts {
  readonly options: GatewayOptions;
  readonly gatewayId: string;
  readonly incarnation: string;
  readonly startedAt: number;
  readonly gap: Gap | null;
  readonly dialer: Dialer;
  readonly state: GatewayState;
  readonly fleet: Fleet;
  readonly spool: Spool;
  readonly log: PredictionLog;
  readonly shadow: ShadowQueue;
  readonly dataPlane: DataPlane;
  readonly control: ControlLoop;
  readonly reporter: Reporter;
  readonly shipper: Shipper;
  readonly server: Server;
  url: string;
}

async function assemble(options: GatewayOptions): Promise<Parts> {
  const { dir, clock, random } = options;
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const gatewayId = await identityOf(dir, clock, random);
  const startedAt = clock.now();
  const incarnation = uuidv7(startedAt, (bytes) => random.fill(bytes));
  const state = await GatewayState.open(dir);
  const spool = new Spool(join(dir, 'spool'), LIMITS.spoolBytes);
  const recovered = await spool.recover();
  const gap = gapOf(await readHeartbeat(join(dir, 'heartbeat')), recovered.lastTime, startedAt);
  let token: string | undefined;
  const dialer = createDialer({
    serverUrl: options.serverUrl,
    token: async () => {
      token = await options.token();
      return token;
    },
  });
  token = await options.token();
  const content = new ContentCache(join(dir, 'content'), dialer);
  const io: ServableIo = { localPath: (digest) => content.localPath(digest), workers: options.workers, random, clock };
  const fleet = new Fleet({ io, state, clock, log: options.log, spooledEvents: recovered.newestEvents });
  const newId = createIds((bytes) => random.fill(bytes));
  const shipper = new Shipper({ spool, dialer, gatewayId, clock, log: options.log });
  const log = new PredictionLog({ spool, clock, log: options.log, gatewayId, incarnation, onSegment: shipper.nudge });
  const shadow = new ShadowQueue({ log, newId });
  const control = new ControlLoop({ dir, dialer, fleet, clock, log: options.log });
  const reporter: Reporter = new Reporter({
    dialer,
    clock,
    log: options.log,
    build: () => reportOf(parts),
    onAnswer: (answer) => mergeClocks(fleet, answer),
    onTick: () => tick(parts),
  });
  const dataPlane = new DataPlane({
    clock,
    newId,
    log,
    shadow,
    logger: options.log,
    gatewayToken: () => token,
    onBreach: (endpoint, choice, breach) =>
      latch(parts, endpoint, choice.version.spec.versionId, choice.rollout!.id, breach),
  });
  const router = createRouter({
    host: options.host,
    dataPlane,
    endpoints: fleet.endpoints,
    version: options.version,
    isReady: () => fleet.isReady,
    metrics: () => metricsOf(parts),
  });
  const server = createServer(
    {
      IncomingMessage: GatheredRequest,
      keepAliveTimeout: KEEP_ALIVE_MS,
      headersTimeout: 15_000,
      requestTimeout: 60_000,
      maxHeaderSize: 16_384,
    },
    router,
  );
  const parts: Parts = {
    options,
    gatewayId,
    incarnation,
    startedAt,
    gap,
    dialer,
    state,
    fleet,
    spool,
    log,
    shadow,
    dataPlane,
    control,
    reporter,
    shipper,
    server,
    url: '',
  };
  return parts;
}

/** Who this gateway is, kept beside its spool. */
async function identityOf(dir: string, clock: Clock, random: Random): Promise<string> {
  const path = join(dir, 'gateway-id.json');
  const stored = await readJson(path);
  if (typeof stored === 'string' && stored !== '') return stored;
  const id = uuidv7(clock.now(), (bytes) => random.fill(bytes));
  await writeJsonDurably(path, id);
  return id;
}

/** The span of which predictions may be missing: from the last time that all was durable to the start. Null after an end in order, and the first time. */
function gapOf(heartbeat: Heartbeat | undefined, lastSegment: number | null, startedAt: number): Gap | null {
  if (!heartbeat || heartbeat.isClean) return null;
  return { from: Math.max(heartbeat.durableUntil, lastSegment ?? 0), to: startedAt };
}

async function tick({ options, log, fleet, state }: Parts): Promise<void> {
  await writeHeartbeat(join(options.dir, 'heartbeat'), { durableUntil: log.durableUntil(), isClean: false });
  let isMoved = false;
  for (const { name, clock } of fleet.endpoints.values()) {
    const value = clock.stored();
    if (value === state.clockOf(name)) continue;
    state.saveClock(name, value);
    isMoved = true;
  }
  if (isMoved) await state.save();
  // A latch that the control plane hears of must hold over a crash.
  await state.settled();
}

function latch(parts: Parts, endpoint: LiveEndpoint, versionId: string, rolloutId: string, breach: Breach): void {
  const { options, state, reporter } = parts;
  if (state.isLatched(rolloutId)) return;
  const entry: Latch = {
    endpoint: endpoint.name,
    rolloutId,
    versionId,
    at: options.clock.now(),
    ...breach,
    reason: sentenceOf(breach),
  };
  state
    .latch(entry)
    .catch((error: unknown) => options.log.error('A latch was not written', { error: messageOf(error) }));
  options.log.warn('A challenger was stopped', { ...entry });
  reporter.nudge();
}

function mergeClocks(fleet: Fleet, { eventClocks }: ReportAnswer): void {
  for (const [name, value] of Object.entries(eventClocks ?? {}))
    if (typeof value === 'number') fleet.endpoints.get(name)?.clock.merge(value);
}

function reportOf(parts: Parts): GatewayReport {
  const { options, gatewayId, incarnation, startedAt, url, fleet, state, spool, log, gap } = parts;
  const now = options.clock.now();
  return {
    gatewayId,
    incarnation,
    startedAt,
    at: now,
    url,
    generation: fleet.generation,
    formats: options.formats,
    versions: fleet.reports(),
    endpoints: [...fleet.endpoints.values()].map((endpoint) => endpointReport(endpoint, now)),
    latched: state.latched,
    spool: { ...spool.size, rowsDropped: log.rowsDropped, rejected: spool.rejected },
    gap,
  };
}

const endpointReport = ({ name, traffic, clock, stats, projectId }: LiveEndpoint, now: number): EndpointReport => ({
  projectId: traffic?.desired.projectId ?? projectId,
  endpoint: name,
  eventClock: clock.read(now),
  inFlight: stats.inFlight,
  arms: stats.arms.map((arm) => arm.toReport()),
  shadowDropped: stats.shadowDropped,
  overloaded: stats.overloaded,
});

const metricsOf = ({ fleet, dataPlane, shadow, log, spool }: Parts): string =>
  metricsText({
    endpoints: fleet.endpoints.values(),
    inFlight: dataPlane.inFlight,
    shadowDepth: shadow.depth,
    rowsDropped: log.rowsDropped,
    logBytes: log.bytesWritten,
    spoolBytes: spool.size.sizeBytes,
    loads: fleet.loads(),
  });

function listen(server: Server, { host, port }: GatewayOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const hint =
        error.code === 'EADDRINUSE'
          ? `Port ${port} on ${host} is in use; stop what listens there or choose another with --port`
          : `The gateway cannot listen on ${host}:${port}: ${error.message}`;
      reject(new AppError('unavailable', hint, { code: error.code }, error));
    });
    server.listen(port, host, () => {
      const { port: bound } = server.address() as AddressInfo;
      resolve(`http://${host.includes(':') ? `[${host}]` : host}:${bound}`);
    });
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const limit = setTimeout(() => server.closeAllConnections(), LIMITS.drainMs);
    server.close(() => {
      clearTimeout(limit);
      resolve();
    });
    server.closeIdleConnections();
  });
}
