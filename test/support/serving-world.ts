import { getRandomValues } from 'node:crypto';
import { join } from 'node:path';
import { createPredictionCaller } from '../../src/adapters/gateway-http/index.ts';
import { openFsObjects } from '../../src/adapters/objects-fs/index.ts';
import { createPythonWorkers } from '../../src/adapters/python-worker/index.ts';
import { createContent } from '../../src/content/index.ts';
import type { Fault, Servable, ServableSpec } from '../../src/engines/types.ts';
import { isInChallenger } from '../../src/gateway/serve/arm.ts';
import { makeLinear } from '../../src/gateway/testing/models.ts';
import { canonicalJson } from '../../src/kernel/canonical-json.ts';
import type { Cell, Frame } from '../../src/kernel/frame.ts';
import { DEFAULT_PROJECT_ID, uuidv7 } from '../../src/kernel/ids.ts';
import { createOutbox } from '../../src/outbox/index.ts';
import { type Db, sqlOf } from '../../src/ports/db.ts';
import type { Clock, Log } from '../../src/ports/system.ts';
import type { DeploySection, ProjectFile } from '../../src/project-file/index.ts';
import { keepBackground } from '../../src/registry/background.ts';
import { getVersion, openServable, subjectDigest } from '../../src/registry/index.ts';
import { currentDocument } from '../../src/serving/desired.ts';
import { reportGateway } from '../../src/serving/gateways.ts';
import { ingestSegment } from '../../src/serving/log/ingest.ts';
import { createServingRuntime } from '../../src/serving/runtime.ts';
import { encodeSegment, LOG_COLUMNS, type Segment, windowStartOf } from '../../src/serving/segment.ts';
import type { ServingDeps } from '../../src/serving/types.ts';
import type { DesiredEndpoint, GatewayReport, VersionReport } from '../../src/serving/wire.ts';
import { advanceAll } from '../../src/serving/work.ts';
import { Counters, type MonitorProfile } from '../../src/stats/profile.ts';
import type { Actor } from '../../src/wire/route.ts';

export const ACTOR: Actor = { projectId: DEFAULT_PROJECT_ID, user: 'ann', kind: 'user' };

export interface Sent {
  /** Requests, one row each. */
  readonly n: number;
  readonly from?: number;
  /** Whether version `versionId` fails for a unit. */
  readonly fails?: (versionId: string, unit: string) => boolean;
  readonly entities?: number;
  readonly rehearsal?: string;
  readonly callerIds?: boolean;
}

/** A server's serving pillar on a real database, and a gateway played by hand: it loads, routes, answers and reports. */
export class World {
  readonly deps: ServingDeps;
  section: DeploySection = {
    rollout: { kind: 'auto', atMostMs: 86_400_000 },
    eventTime: 'client',
    abortOn: {},
    fallback: null,
  };
  /** Where a gateway answers; by default nowhere, for this one is played by hand. */
  gatewayUrl: string | undefined;
  readonly published: string[] = [];
  /** Versions that the gateway cannot load, with the reason. */
  readonly broken = new Map<string, string>();
  readonly #clock: { time: number };
  #seq = 0;
  #requests = 0;
  readonly #models = new Map<
    string,
    { readonly spec: ServableSpec; readonly profile: MonitorProfile; readonly servable: Servable }
  >();

  constructor(
    deps: Omit<ServingDeps, 'appliedFile' | 'caller' | 'runtime' | 'clock'> & {
      clock: { time: number } & ServingDeps['clock'];
    },
  ) {
    const file = (): ProjectFile => ({ deploy: { churn: this.section } }) as unknown as ProjectFile;
    const caller = createPredictionCaller({ url: () => this.gatewayUrl, token: async () => '' });
    this.deps = { ...deps, caller, runtime: createServingRuntime(), appliedFile: async () => ({ file: file() }) };
    this.#clock = deps.clock;
  }

  get time(): number {
    return this.deps.clock.now();
  }

  set time(time: number) {
    this.#clock.time = time;
  }

  /** Registers an approved version whose model is drawn from `seed`; the same seed answers the same. */
  async addVersion(
    version: number,
    seed: number,
    more: {
      readonly fault?: Fault;
      readonly rehearsal?: string;
      readonly approval?: string;
      readonly draft?: boolean;
    } = {},
  ): Promise<string> {
    const made = makeLinear({ version, seed });
    for (const bytes of made.contents.values()) await this.deps.content.put(bytes);
    const id = uuidv7(this.time + version);
    const { golden: _, ...rest } = made.spec;
    const spec: ServableSpec = { ...rest, versionId: id, ...(more.fault ? { fault: more.fault } : {}) };
    const background = await keepBackground(this.deps, made.rows, spec.signature);
    await insertVersion(this.deps.db, { spec, profile: made.profile, id, version, background, ...more });
    await approveAsIs(this.deps.db, version, more.approval ?? 'approved');
    this.#models.set(id, { spec, profile: made.profile, servable: await openServable(this.deps.registry, spec) });
    return id;
  }

  /** What the gateway says after it has applied the newest document. */
  async report(more: Partial<GatewayReport> = {}): Promise<void> {
    const document = await currentDocument(this.deps);
    const versions = document.endpoints.flatMap(({ name, versions }) =>
      versions.map(({ versionId }): VersionReport => {
        const error = this.broken.get(versionId) ?? null;
        return {
          endpoint: name,
          versionId,
          state: error ? 'failed' : 'ready',
          error,
          parity: error ? null : { maxDifference: 1e-12, flips: 0, rows: 40 },
          microsPerRow: 1,
        };
      }),
    );
    await reportGateway(this.deps, {
      gatewayId: 'g1',
      incarnation: 'i1',
      startedAt: this.time,
      at: this.time,
      url: 'http://127.0.0.1:4748',
      generation: document.generation,
      formats: [1],
      versions,
      endpoints: [],
      latched: [],
      gap: null,
      spool: { segments: 0, sizeBytes: 0, rowsDropped: 0, rejected: 0 },
      ...more,
    });
  }

  /** Reports and moves rollouts on until nothing moves any more. */
  async settle(): Promise<void> {
    for (let i = 0; i < 4; i++) {
      await this.report();
      await advanceAll(this.deps);
    }
  }

  /** Answers requests as the gateway would by the newest document, and ships the segment. */
  async send(sent: Sent): Promise<void> {
    await ingestSegment(this.deps, await this.segment(sent));
  }

  async segment(sent: Sent): Promise<Uint8Array> {
    const endpoint = (await currentDocument(this.deps)).endpoints[0]!;
    const rows: Record<string, Cell>[] = [];
    const inputs: Row[] = [];
    for (let i = 0; i < sent.n; i++) {
      const request = `r${this.#requests++}`;
      const input = rowOf(this.#requests);
      for (const answer of this.#answer(endpoint, request, input, sent)) {
        rows.push(answer);
        inputs.push(input);
      }
    }
    return encodeSegment(this.#toSegment(endpoint, rows, inputs, sent));
  }

  #answer(endpoint: DesiredEndpoint, request: string, input: Row, sent: Sent): Record<string, Cell>[] {
    const eventTime = sent.from === undefined ? this.time : sent.from + this.#requests;
    const entity = sent.entities ? `e${this.#requests % sent.entities}` : null;
    const unit = entity ?? request;
    const rollout = endpoint.rollout?.rehearsal === (sent.rehearsal ?? null) ? endpoint.rollout : null;
    const [champion, challenger] = endpoint.arms.map(({ versionId }) => versionId);
    const isNew = rollout !== null && challenger !== undefined && isInChallenger(rollout.id, unit, rollout.weight);
    const shared = {
      request_id: request,
      request_row: 0,
      caller_id: sent.callerIds ? `caller-${request}` : null,
      rollout_id: rollout?.id ?? null,
      revision: rollout?.revision ?? null,
      event_time: eventTime,
      received_at: this.time,
      entity,
      unit,
      latency_us: 900,
      fallback: false,
      rehearsal: sent.rehearsal ?? null,
      caller: null,
    };
    const answerOf = (versionId: string, role: string): Record<string, Cell> => {
      const outputs = this.#models.get(versionId)!.servable.predictSync!(frameOf([input]));
      const failed = (sent.fails?.(versionId, unit) ?? false) || outputs.errors !== undefined;
      const score = failed ? Number.NaN : outputs.scores[0]!;
      return {
        ...shared,
        prediction_id: uuidv7(eventTime),
        version_id: versionId,
        role,
        status: failed ? 1 : 0,
        error: failed ? 'boom' : null,
        label: failed ? null : outputs.labels[0]!,
        score,
      };
    };
    const answers = [isNew ? answerOf(challenger, 'challenger') : answerOf(champion!, 'champion')];
    if (rollout?.shadow && challenger !== undefined) answers.push(answerOf(challenger, 'shadow'));
    return answers;
  }

  #toSegment(
    endpoint: DesiredEndpoint,
    rows: readonly Record<string, Cell>[],
    inputs: readonly Row[],
    sent: Sent,
  ): Segment {
    const numeric = new Set(['request_row', 'event_time', 'received_at', 'latency_us', 'status', 'score']);
    const frame: Frame = {
      rowCount: rows.length,
      columns: LOG_COLUMNS.map((name) => ({
        name,
        values: numeric.has(name)
          ? Float64Array.from(rows, (row) => row[name] as number)
          : rows.map((row) => row[name] ?? null),
      })),
    };
    const features = frameOf(inputs);
    const versionId = endpoint.arms[0]!.versionId;
    const counters = new Counters(this.#models.get(versionId)!.profile);
    counters.count(
      features,
      {
        labels: rows.map((row) => row['label'] ?? null),
        scores: Float64Array.from(rows, (row) => row['score'] as number),
      },
      900,
    );
    const { projectId, name } = endpoint;
    const windowStart = windowStartOf(rows[0] ? (rows[0]['event_time'] as number) : this.time);
    return {
      gatewayId: 'g1',
      incarnation: 'i1',
      seq: ++this.#seq,
      from: this.time,
      to: this.time,
      rowsDropped: 0,
      blocks: [{ projectId, endpoint: name, rows: frame, features }],
      counters: [
        {
          projectId,
          endpoint: name,
          versionId,
          windowStart,
          rehearsal: sent.rehearsal ?? null,
          role: 'champion',
          counters: counters.window,
        },
      ],
    };
  }
}

type Row = readonly [number, number, number];

/** Low-discrepancy rows, so that scores spread. */
const rowOf = (i: number): Row => [(i * 0.618034) % 1, (i * 0.754878) % 1, (i * 0.56984) % 1];

const frameOf = (rows: readonly Row[]): Frame => ({
  rowCount: rows.length,
  columns: [0, 1, 2].map((f) => ({ name: `x${f}`, values: Float64Array.from(rows, (row) => row[f]!) })),
});

/** With `clock` the world runs on it; else its time stands still until the test moves it. */
export async function createWorld(db: Db, dir: string, running?: Clock): Promise<World> {
  const still = { time: Date.UTC(2026, 0, 5), now: () => still.time, sleep: async () => {} };
  const clock = running ? { time: 0, ...running } : still;
  const random = { next: Math.random, fill: (bytes: Uint8Array) => void getRandomValues(bytes) };
  const log = createLog();
  const base = { db, clock, random, log };
  const content = createContent({
    ...base,
    objects: await openFsObjects({ dir: join(dir, 'objects') }),
    cacheDir: join(dir, 'cache'),
  });
  const outbox = createOutbox(base);
  const workers = createPythonWorkers({ clock, log, pythonPath: join(import.meta.dirname, '../../python') });
  const world = new World({
    ...base,
    content,
    outbox,
    identity: base,
    registry: { ...base, content, outbox, identity: base, workers },
  });
  for (const topic of ['serving.rollout_changed', 'serving.rolled_back', 'serving.segments_ingested'] as const)
    outbox.subscribe(
      'test',
      topic,
      async ({ topic, payload }) => void world.published.push(`${topic} ${canonicalJson(payload)}`),
    );
  return world;
}

/** Errors would be failures of the test: they go to stderr. */
function createLog(): Log {
  const quiet = (): void => {};
  const log: Log = {
    debug: quiet,
    info: quiet,
    warn: quiet,
    error: (message, fields) => console.error(message, fields),
    child: () => log,
  };
  return log;
}

interface RegistryRows {
  registered_model: { project_id: string; name: string; next_version: number; created_at: number };
  model_version: Record<string, string | number | null>;
}

async function insertVersion(
  db: Db,
  version: {
    readonly spec: ServableSpec;
    readonly profile: MonitorProfile;
    readonly id: string;
    readonly version: number;
    readonly background: { readonly digest: string; readonly rows: number };
    readonly rehearsal?: string;
    readonly draft?: boolean;
  },
): Promise<void> {
  const facts = {
    pipeline: 'churn',
    files: [],
    featuresDigest: null,
    env: null,
    data: [],
    sourceDigest: null,
    fileDigest: null,
    section: null,
    metrics: {},
    retrain: false,
    engine: null,
    parity: null,
    madeOf: null,
    trainingRows: null,
    background: version.background,
  };
  await db.write(async (tx) => {
    const sql = sqlOf<RegistryRows>(tx);
    const model = { project_id: ACTOR.projectId, name: 'churn', next_version: 100, created_at: 0 };
    await sql
      .insertInto('registered_model')
      .values(model)
      .onConflict((c) => c.doNothing())
      .execute();
    await sql
      .insertInto('model_version')
      .values({
        project_id: ACTOR.projectId,
        model: 'churn',
        version: version.version,
        id: version.id,
        state: 'registered',
        identity: version.id,
        run_id: null,
        pipeline_run_id: null,
        created_at: 0,
        draft: version.draft ? 1 : 0,
        rehearsal: version.rehearsal ?? null,
        facts: canonicalJson(facts),
        spec: canonicalJson(version.spec),
        profile: canonicalJson(version.profile),
        gate: null,
        approval: 'waiting',
        decision: null,
      })
      .execute();
  });
}

/** Approves what the version is now, as the registry would. */
async function approveAsIs(db: Db, version: number, approval: string): Promise<void> {
  const found = await getVersion({ db }, ACTOR, { model: 'churn', version });
  const decision = { by: 'ann', at: 0, reason: '', subjectDigest: subjectDigest(found), dueAt: null };
  await db.write(async (tx) => {
    const sql = sqlOf<RegistryRows>(tx);
    await sql
      .updateTable('model_version')
      .set({ approval, decision: canonicalJson(decision) })
      .where('model', '=', 'churn')
      .where('version', '=', version)
      .execute();
  });
}
