import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createAnalytics } from './adapters/duckdb/index.ts';
import { createLocalExecutor } from './adapters/executor-local/index.ts';
import { createPredictionCaller } from './adapters/gateway-http/index.ts';
import { openFsObjects } from './adapters/objects-fs/index.ts';
import { createPythonWorkers } from './adapters/python-worker/index.ts';
import { createSources } from './adapters/sources/index.ts';
import {
  createLog,
  createMachine,
  createNotifier,
  openSecrets,
  systemClock,
  systemRandom,
} from './adapters/system/index.ts';
import { createUvEnvironments } from './adapters/uv/index.ts';
import { mlflowRoutes } from './compat/mlflow/index.ts';
import { createContent } from './content/index.ts';
import { type DataDeps, dataRoutes } from './data/index.ts';
import { createBus, createHttpServer, isLoopback, loadWeb, serverRoutes, sessionRoutes } from './http/index.ts';
import {
  createAuthenticator,
  hasAdministrator,
  type IdentityDeps,
  identityRoutes,
  issueGatewayToken,
  secretRoutes,
} from './identity/index.ts';
import { AppError, isAppError } from './kernel/errors.ts';
import { hinting } from './main/hints.ts';
import { saveRecord } from './main/records.ts';
import { migrate } from './migrations/index.ts';
import {
  createMonitoringRuntime,
  type MonitoringDeps,
  monitoringRoutes,
  onDataVersion,
  onIncidentChanged,
  onRolledBack,
  startMonitoringWork,
} from './monitoring/index.ts';
import { createOutbox, type Outbox } from './outbox/index.ts';
import {
  appliedFile,
  onAlertFired,
  onDataVersionCreated,
  onRunChanged,
  onRunFinished,
  type PipelinesDeps,
  pipelinesRoutes,
  startPipelinesWork,
} from './pipelines/index.ts';
import type { Db } from './ports/db.ts';
import type { ObjectStore } from './ports/object-store.ts';
import type { Clock, Log, Random } from './ports/system.ts';
import { type RegistryDeps, registryRoutes, startRegistryWork } from './registry/index.ts';
import {
  createServingRuntime,
  gatewayRoutes,
  onApplied,
  onVersionApproved,
  type ServingDeps,
  servingRoutes,
  startServingWork,
} from './serving/index.ts';
import { settleSeals, type TrackingDeps, trackingRoutes } from './tracking/index.ts';
import type { Route } from './wire/route.ts';

export interface AppOptions {
  readonly dataDir: string;
  /** `postgres://…`; by default SQLite in the data directory. */
  readonly db?: string | undefined;
  /** `s3://bucket/prefix`; by default files in the data directory. */
  readonly objects?: string | undefined;
  readonly host?: string;
  /** 0 takes any free one. */
  readonly port: number;
  /** The port of the server before: steps that it started may still call there. */
  readonly formerPort?: number | undefined;
  /** Where predictions are answered, once that is known. */
  readonly gatewayUrl?: () => string | undefined;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly log?: Log;
}

export interface App {
  readonly url: string;
  readonly port: number;
  readonly version: string;
  /** Every route that is mounted. */
  readonly routes: readonly Route[];
  /** Waits until no event is due any more. */
  drain(): Promise<void>;
  /** Answers what is under way, then stops; steps and gateways go on. Safe to call twice. */
  close(): Promise<void>;
}

/** The folder that holds package.json, python/ and src/ or dist/. */
const PACKAGE = fileURLToPath(new URL('..', import.meta.url));
const WEB_FOLDER = join(PACKAGE, 'web', 'dist');

/**
 * The control plane's root: adapters, then pillars, then routes and subscriptions. Resolves when it answers at `url`. Throws
 * AppErrors in words where the port, the database or the rights for this address are missing.
 */
export async function startApp(options: AppOptions): Promise<App> {
  const { dataDir, clock = systemClock, random = systemRandom, host = '127.0.0.1' } = options;
  const log = options.log ?? createAppLog(undefined);
  const version = versionOf();
  mkdirSync(join(dataDir, 'tmp'), { recursive: true, mode: 0o700 });
  const db = await openDb(options);
  const closing: (() => Promise<unknown>)[] = [() => db.close()];
  try {
    await migrate(db, { backupTo: join(dataDir, `before-${version}.sqlite`) });
    let url = '';
    const bus = createBus();
    const base = { db, clock, random, log };
    const outbox = createOutbox(base);
    const adapters = await openAdapters(options, base);
    closing.unshift(() => Promise.all([adapters.analytics.close(), adapters.workers.close()]));
    const pillars = wire({ ...base, ...adapters, outbox: hinting(outbox, bus), dataDir, serverUrl: () => url });
    subscribe(outbox, pillars);
    const ended = onRunChanged(({ projectId, runId }) => bus.publish({ projectId, topic: `pipeline-runs/${runId}` }));
    closing.push(async () => ended());
    const authenticator = createAuthenticator(pillars.identity);
    if (!isLoopback(host)) await assertAdministrator(pillars.identity, host);
    await keepGatewayToken(pillars.identity, authenticator, dataDir);
    const info = () => ({
      version,
      url,
      gatewayUrl: options.gatewayUrl?.() ?? null,
      dataDir: isLoopback(host) ? dataDir : null,
    });
    const askDatabase = () => hasAdministrator(pillars.identity);
    const machine = createMachine({ dataDir, clock, askDatabase, env: process.env });
    const routes = [
      ...serverRoutes(info, machine, placesOf(options)),
      ...identityRoutes(pillars.identity, authenticator),
      ...sessionRoutes(pillars.identity, authenticator),
      ...secretRoutes(adapters.secrets),
      ...routesOf(pillars),
    ];
    const web = await loadWeb(WEB_FOLDER);
    const http = createHttpServer({ routes, authenticator, bus, clock, random, log, host, version, web });
    closing.unshift(() => http.close());
    const port = await http.listen(options.port);
    url = `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
    await listenOnFormerPort(http, options, port, log);
    const work = startWork(outbox, pillars);
    closing.splice(1, 0, work.stop);
    log.info('The control plane is up', { url, dataDir, version });
    return { url, port, version, routes: http.mounted, drain: outbox.drain, close: once(() => closeAll(closing)) };
  } catch (error) {
    await closeAll(closing);
    throw error;
  }
}

/** A database's address may hold a password: host and name are told. */
function placesOf({ db, objects }: AppOptions): { readonly database: string; readonly objects: string } {
  const at = db === undefined ? undefined : new URL(db);
  return {
    database: at ? `PostgreSQL, ${at.host}${at.pathname}` : 'SQLite, db.sqlite in the data directory',
    objects: objects ?? 'files, objects/ in the data directory',
  };
}

/** To a file, or to stderr. */
const createAppLog = (file: string | undefined): Log => createLog({ name: 'server', file });

async function openDb({ db, dataDir }: AppOptions): Promise<Db> {
  if (db === undefined) {
    const { openSqlite } = await import('./adapters/sqlite/index.ts');
    return openSqlite({ path: join(dataDir, 'db.sqlite') });
  }
  if (!/^postgres(ql)?:\/\//.test(db)) {
    throw new AppError(
      'invalid',
      `"${db.split(':')[0]}:…" is not a database of ours; write --db postgres://user@host/name`,
    );
  }
  const { openPostgres } = await import('./adapters/postgres/index.ts');
  return openPostgres({ url: db });
}

async function openObjects({ objects, dataDir }: AppOptions): Promise<ObjectStore> {
  if (objects === undefined) return openFsObjects({ dir: join(dataDir, 'objects') });
  if (!objects.startsWith('s3://'))
    throw new AppError('invalid', `"${objects}" is not a store of ours; write --objects s3://bucket/prefix`);
  const { openS3Objects } = await import('./adapters/objects-s3/index.ts');
  return openS3Objects({ url: objects });
}

interface Base {
  readonly db: Db;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

async function openAdapters(options: AppOptions, base: Base) {
  const { dataDir } = options;
  const objects = await openObjects(options);
  const secrets = await openSecrets({ dataDir });
  return {
    content: createContent({ ...base, objects, cacheDir: join(dataDir, 'cache') }),
    analytics: createAnalytics({ tempDir: join(dataDir, 'tmp') }),
    workers: createPythonWorkers({ ...base, pythonPath: join(PACKAGE, 'python'), envsDir: join(dataDir, 'envs') }),
    sources: createSources(),
    executor: createLocalExecutor(),
    environments: createUvEnvironments({ dataDir }),
    secrets,
    notifier: createNotifier({ ...base, secrets }),
    caller: createPredictionCaller({
      url: () => options.gatewayUrl?.(),
      token: async () => readFileSync(gatewayTokenPath(dataDir), 'utf8').trim(),
    }),
  };
}

type Adapters = Awaited<ReturnType<typeof openAdapters>>;

interface Pillars {
  readonly identity: IdentityDeps;
  readonly data: DataDeps;
  readonly tracking: TrackingDeps;
  readonly registry: RegistryDeps;
  readonly pipelines: PipelinesDeps;
  readonly serving: ServingDeps;
  readonly monitoring: MonitoringDeps;
}

interface Wiring extends Base, Adapters {
  readonly outbox: Outbox;
  readonly dataDir: string;
  readonly serverUrl: () => string;
}

/** From low to high: each pillar gets what stands below it. */
function wire(wiring: Wiring): Pillars {
  const { db, clock, random, log, content, outbox, analytics, workers, dataDir } = wiring;
  const common = { db, clock, random, log, content, outbox };
  const identity: IdentityDeps = common;
  const data: DataDeps = { ...common, identity, analytics, sources: wiring.sources };
  const tracking: TrackingDeps = { ...common, analytics };
  const registry: RegistryDeps = { ...common, analytics, workers, identity, data, tempDir: join(dataDir, 'tmp') };
  const pipelines: PipelinesDeps = {
    ...common,
    identity,
    data,
    tracking,
    registry,
    executor: wiring.executor,
    environments: wiring.environments,
    secrets: wiring.secrets,
    workDir: join(dataDir, 'work'),
    projectsDir: join(dataDir, 'projects'),
    dropsDir: join(dataDir, 'drops'),
    command: join(PACKAGE, 'bin', 'levain'),
    serverUrl: wiring.serverUrl,
    node: process.execPath,
    notebookMain: fileURLToPath(new URL(`./notebooks/main${extension()}`, import.meta.url)),
    pythonPath: join(PACKAGE, 'python'),
    env: process.env,
  };
  const serving: ServingDeps = {
    ...common,
    identity,
    registry,
    appliedFile: (projectId, pipeline) => appliedFile(pipelines, projectId, pipeline),
    caller: wiring.caller,
    runtime: createServingRuntime(),
  };
  const monitoring: MonitoringDeps = {
    ...common,
    identity,
    data,
    registry,
    pipelines,
    serving,
    notifier: wiring.notifier,
    secrets: wiring.secrets,
    caller: wiring.caller,
    serverUrl: wiring.serverUrl,
    runtime: createMonitoringRuntime(clock.now()),
  };
  return { identity, data, tracking, registry, pipelines, serving, monitoring };
}

/** What flows upward among pillars. Subscribers' names are stored: they never change. */
function subscribe(outbox: Outbox, { pipelines, serving, monitoring }: Pillars): void {
  outbox.subscribe('pipelines', 'data.version_created', (event) => onDataVersionCreated(pipelines, event));
  outbox.subscribe('pipelines', 'monitoring.alert_fired', (event) => onAlertFired(pipelines, event));
  outbox.subscribe('pipelines', 'pipelines.run_finished', (event) => onRunFinished(pipelines, event));
  outbox.subscribe('serving', 'registry.version_approved', (event) => onVersionApproved(serving, event));
  outbox.subscribe('serving', 'pipelines.applied', (event) => onApplied(serving, event));
  outbox.subscribe('monitoring', 'data.version_created', (event) => onDataVersion(monitoring, event));
  outbox.subscribe('monitoring', 'serving.rolled_back', (event) => onRolledBack(monitoring, event));
  outbox.subscribe('monitoring', 'serving.segments_ingested', async () => monitoring.runtime.wake());
  outbox.subscribe('monitoring', 'monitoring.incident_changed', (event) => onIncidentChanged(monitoring, event));
}

const routesOf = (pillars: Pillars): readonly Route[] => [
  ...dataRoutes(pillars.data),
  ...trackingRoutes(pillars.tracking),
  ...registryRoutes(pillars.registry),
  ...pipelinesRoutes(pillars.pipelines),
  ...servingRoutes(pillars.serving),
  ...gatewayRoutes(pillars.serving),
  ...monitoringRoutes(pillars.monitoring),
  ...mlflowRoutes(pillars.tracking),
];

function startWork(outbox: Outbox, pillars: Pillars): { stop(): Promise<void> } {
  const started = outbox.start();
  const works = [
    startRegistryWork(pillars.registry),
    startPipelinesWork(pillars.pipelines),
    startServingWork(pillars.serving),
    startMonitoringWork(pillars.monitoring),
  ];
  return {
    async stop() {
      await Promise.all(works.map((work) => work.stop()));
      await started;
      await outbox.stop();
      await settleSeals();
    },
  };
}

async function assertAdministrator(identity: IdentityDeps, host: string): Promise<void> {
  if (await hasAdministrator(identity)) return;
  throw new AppError(
    'forbidden',
    `Levain does not listen on ${host} before it has an administrator: anybody there could do everything; add one on the loopback address first`,
    { hint: 'levain up, then levain users add NAME --role admin', host },
  );
}

/** The gateway of this data directory reads its token from a file of its owner; a token that the database forgot is replaced. */
async function keepGatewayToken(
  identity: IdentityDeps,
  authenticator: ReturnType<typeof createAuthenticator>,
  dataDir: string,
): Promise<void> {
  const path = gatewayTokenPath(dataDir);
  if (existsSync(path)) {
    const authorization = `Bearer ${readFileSync(path, 'utf8').trim()}`;
    const known = await authenticator.identify({ project: undefined, authorization }).catch((error) => {
      if (isAppError(error, 'unauthenticated')) return undefined;
      throw error;
    });
    if (known?.actor.kind === 'gateway') return;
  }
  saveRecord(path, `${await issueGatewayToken(identity)}\n`);
}

const gatewayTokenPath = (dataDir: string): string => join(dataDir, 'gateway', 'token');

/** Steps outlive a server, with its address in their environment. */
async function listenOnFormerPort(
  http: { listenAlso(port: number): Promise<void> },
  { formerPort, dataDir }: AppOptions,
  port: number,
  log: Log,
): Promise<void> {
  if (formerPort === undefined || formerPort === port || !existsSync(join(dataDir, 'work'))) return;
  await http.listenAlso(formerPort).catch((error) => {
    if (!isAppError(error)) throw error;
    log.warn('Steps of the server before cannot reach this one', { formerPort, reason: error.message });
  });
}

/** In order; what fails does not keep the rest open, and is thrown at the end. */
async function closeAll(closing: readonly (() => Promise<unknown>)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const close of closing) await close().catch((error) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}

function once(fn: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => {
    running ??= fn();
    return running;
  };
}

/** `.ts` in a checkout, `.js` where it was compiled. */
const extension = (): string => (import.meta.url.endsWith('.ts') ? '.ts' : '.js');

const versionOf = (): string =>
  (JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8')) as { version: string }).version;
