import { createNotifier } from '../../src/adapters/system/index.ts';
import type { Servable } from '../../src/engines/types.ts';
import type { Cell, Frame } from '../../src/kernel/frame.ts';
import { uuidv7 } from '../../src/kernel/ids.ts';
import { judgedBy } from '../../src/monitoring/evaluation/versions.ts';
import { createMonitoringRuntime, type MonitoringDeps, monitorEndpoint } from '../../src/monitoring/index.ts';
import type { Db } from '../../src/ports/db.ts';
import type { NotifyMessage } from '../../src/ports/system.ts';
import { type ProjectFile, parseProjectFile } from '../../src/project-file/index.ts';
import { openServable } from '../../src/registry/index.ts';
import { currentDocument } from '../../src/serving/desired.ts';
import { deploy } from '../../src/serving/index.ts';
import { ingestSegment } from '../../src/serving/log/ingest.ts';
import { encodeSegment, LOG_COLUMNS, windowStartOf } from '../../src/serving/segment.ts';
import { Counters } from '../../src/stats/profile.ts';
import { ACTOR, createWorld, type World } from './serving-world.ts';

export { ACTOR };
export const DAY = 86_400_000;
export const START = Date.UTC(2026, 0, 5);

const FILE = `name: churn
data: { churn: { from: churn.csv, key: id } }
steps: { train: { run: python train.py, out: [model.pkl] } }
model: { from: "train:model.pkl", target: { column: y, positive: 1 }, entity: id }
deploy: { churn: { rollout: auto, event_time: client } }
triggers: [{ alert: performance }]
`;

export interface Shipped {
  readonly id: string;
  readonly entity: string;
  readonly score: number;
  readonly at: number;
}

export interface Ship {
  readonly day: number;
  readonly n?: number;
  readonly spoil?: (row: number[], i: number) => Cell[];
  readonly rehearsal?: string;
  readonly errors?: (i: number) => boolean;
  /** First hour of the day; rows spread over what is left of it. */
  readonly fromHour?: number;
}

/** The monitoring pillar on a real database, above serving's world: rows are answered by the real engine and shipped as segments. */
export class MonitoringWorld {
  readonly world: World;
  readonly deps: MonitoringDeps;
  readonly messages: NotifyMessage[] = [];
  file: ProjectFile = parseProjectFile(FILE, 'levain.yaml');
  #seed = 1;
  #shipping: Promise<unknown> = Promise.resolve();
  #seq = 0;
  readonly #servables = new Map<string, Servable>();

  constructor(world: World) {
    this.world = world;
    const { deps } = world;
    const serving = { ...deps, appliedFile: async () => ({ file: this.file }) };
    const log = { ...deps.log, warn: () => {} };
    const notifier = createNotifier({ clock: deps.clock, log, secrets: { find: async () => undefined } });
    this.deps = {
      ...deps,
      serving,
      data: deps as never,
      pipelines: { db: deps.db },
      notifier: {
        send: async (target, message) => {
          this.messages.push(message);
          await notifier.send(target, message);
        },
      },
      secrets: { find: async () => undefined },
      caller: {
        // One gateway ships its segments one after another.
        call: (_endpoint, body, options) => {
          const answer = this.#shipping.then(() => this.#answer(body, options?.rehearsal ?? null));
          this.#shipping = answer.catch(() => {});
          return answer;
        },
      },
      serverUrl: () => 'http://127.0.0.1:4747',
      runtime: createMonitoringRuntime(deps.clock.now()),
    };
  }

  async deployFirst(seed = 7): Promise<void> {
    await this.world.addVersion(1, seed);
    await deploy(this.deps.serving, ACTOR, { model: 'churn' });
    await this.world.settle();
  }

  random(): number {
    this.#seed = (this.#seed + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#seed ^ (this.#seed >>> 15), 1 | this.#seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  look = (): Promise<void> => monitorEndpoint(this.deps, { projectId: ACTOR.projectId, endpoint: 'churn' });

  /** One day's rows, uniform as in training unless spoiled. */
  async ship(sent: Ship): Promise<readonly Shipped[]> {
    const { n = 600, fromHour = 0 } = sent;
    const start = START + sent.day * DAY + fromHour * 3_600_000;
    const rows: Cell[][] = [];
    const times: number[] = [];
    for (let i = 0; i < n; i++) {
      const row = [this.random(), this.random(), this.random()];
      rows.push(sent.spoil ? sent.spoil(row, i) : row);
      times.push(Math.floor(start + (i / n) * (START + (sent.day + 1) * DAY - start)));
    }
    return this.shipRows(rows, times, sent);
  }

  async shipRows(rows: readonly Cell[][], times: readonly number[], sent: Partial<Ship>): Promise<readonly Shipped[]> {
    const endpoint = (await currentDocument(this.deps.serving)).endpoints[0]!;
    const { versionId } = endpoint.arms[0]!;
    const judged = (await judgedBy(this.deps, versionId))!;
    const features: Frame = {
      rowCount: rows.length,
      columns: [0, 1, 2].map((f) => ({
        name: `x${f}`,
        values: Float64Array.from(rows, (row) => (typeof row[f] === 'number' ? row[f] : Number.NaN)),
      })),
    };
    const servable = await this.#servableOf(versionId, judged.version.spec!);
    const outputs = servable.predictSync!(features);
    const shipped: Shipped[] = times.map((at, i) => ({
      id: uuidv7(at),
      entity: `e${this.#seq}-${i}`,
      score: outputs.scores[i]!,
      at,
    }));
    const fails = shipped.map((_, i) => sent.errors?.(i) ?? false);
    const records = shipped.map(
      (row, i): Record<string, Cell> => ({
        prediction_id: row.id,
        request_id: `r${this.#seq}-${i}`,
        request_row: 0,
        caller_id: `c${this.#seq}-${i}`,
        version_id: versionId,
        role: 'champion',
        event_time: row.at,
        received_at: this.world.time,
        entity: row.entity,
        unit: row.entity,
        latency_us: 900,
        status: fails[i] ? 1 : 0,
        label: outputs.labels[i] ?? null,
        score: fails[i] ? Number.NaN : row.score,
        fallback: false,
        rehearsal: sent.rehearsal ?? null,
      }),
    );
    await this.#ingest(records, features, { versionId, rehearsal: sent.rehearsal ?? null, fails });
    return shipped;
  }

  async #ingest(
    records: readonly Record<string, Cell>[],
    features: Frame,
    { versionId, rehearsal, fails }: { versionId: string; rehearsal: string | null; fails: readonly boolean[] },
  ): Promise<void> {
    const profile = (await judgedBy(this.deps, versionId))!.profile!;
    const numeric = new Set(['request_row', 'event_time', 'received_at', 'latency_us', 'status', 'score']);
    const byHour = new Map<number, Counters>();
    records.forEach((record, i) => {
      const hour = windowStartOf(record['event_time'] as number);
      const counters = byHour.get(hour) ?? new Counters(profile);
      byHour.set(hour, counters);
      const row: Frame = {
        rowCount: 1,
        columns: features.columns.map(({ name, values }) => ({ name, values: Float64Array.of(values[i] as number) })),
      };
      counters.count(
        row,
        { labels: [record['label'] ?? null], scores: Float64Array.of(record['score'] as number) },
        900,
      );
      if (fails[i]) counters.window.errors += 1;
    });
    const segment = encodeSegment({
      gatewayId: 'g2',
      incarnation: 'i2',
      seq: ++this.#seq,
      from: this.world.time,
      to: this.world.time,
      rowsDropped: 0,
      blocks: [
        {
          projectId: ACTOR.projectId,
          endpoint: 'churn',
          rows: {
            rowCount: records.length,
            columns: LOG_COLUMNS.map((name) => ({
              name,
              values: numeric.has(name)
                ? Float64Array.from(records, (r) => r[name] as number)
                : records.map((r) => r[name] ?? null),
            })),
          },
          features,
        },
      ],
      counters: [...byHour].map(([windowStart, counters]) => ({
        projectId: ACTOR.projectId,
        endpoint: 'churn',
        versionId,
        windowStart,
        rehearsal,
        role: 'champion' as const,
        counters: counters.window,
      })),
    });
    await ingestSegment(this.deps.serving, segment);
  }

  async #servableOf(versionId: string, spec: NonNullable<Awaited<ReturnType<typeof judgedBy>>>['version']['spec']) {
    const known = this.#servables.get(versionId) ?? (await openServable(this.deps.registry, spec!));
    this.#servables.set(versionId, known);
    return known;
  }

  /** What the gateway does with a rehearsal's request. */
  async #answer(body: unknown, rehearsal: string | null): Promise<{ status: number; body: unknown }> {
    const { inputs, parameters } = body as {
      inputs: { name: string; data: Cell[] }[];
      parameters?: { event_time?: string };
    };
    const n = inputs[0]!.data.length;
    const at = parameters?.event_time ? Date.parse(parameters.event_time) : this.world.time;
    const rows = Array.from({ length: n }, (_, i) =>
      ['x0', 'x1', 'x2'].map((name) => inputs.find((input) => input.name === name)?.data[i] ?? null),
    );
    await this.shipRows(
      rows,
      rows.map(() => at),
      rehearsal === null ? {} : { rehearsal },
    );
    return { status: 200, body: {} };
  }
}

export async function createMonitoringWorld(db: Db, dir: string): Promise<MonitoringWorld> {
  const world = await createWorld(db, dir);
  const made = new MonitoringWorld(world);
  world.section = made.file.deploy['churn']!;
  return made;
}
