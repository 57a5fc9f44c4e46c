import assert from 'node:assert/strict';

/** Logs to a server as MLflow's clients do: the same calls, over HTTP. */
export interface MlflowClient {
  createRun(run: NewRun): Promise<string>;
  log(runId: string, batch: Batch): Promise<void>;
  metric(runId: string, key: string, value: number | string, step: number): Promise<void>;
  end(runId: string, status: 'FINISHED' | 'FAILED' | 'KILLED'): Promise<void>;
  /** `path` below the run's own artifacts. */
  artifact(runId: string, path: string, body: string | Uint8Array): Promise<void>;
  experiment(name: string): Promise<string>;
}

interface NewRun {
  readonly name: string;
  readonly experiment?: string;
  readonly user?: string;
  readonly startedAt?: number;
  readonly tags?: Readonly<Record<string, string>>;
}

interface Batch {
  readonly metrics?: readonly Point[];
  readonly params?: Readonly<Record<string, string>>;
  readonly tags?: Readonly<Record<string, string>>;
}

export interface Point {
  readonly key: string;
  /** `NaN` and `Infinity` as texts, as the protocol has them. */
  readonly value: number | string;
  readonly step: number;
  readonly timestamp: number;
}

/** Parameters and tags of the same call count too. */
const MAX_METRICS = 800;
const MAX_PARAMS = 100;

export function mlflowClient(url: string): MlflowClient {
  const post = async (path: string, body: unknown): Promise<Record<string, never>> => {
    const answer = await fetch(`${url}/api/2.0/mlflow${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const text = await answer.text();
    assert.equal(answer.status, 200, `${path}: ${text.slice(0, 300)}`);
    return JSON.parse(text) as Record<string, never>;
  };
  const roots = new Map<string, string>();
  return {
    async createRun({ name, experiment = '0', user = 'ana', startedAt = Date.now(), tags = {} }) {
      const { run } = (await post('/runs/create', {
        experiment_id: experiment,
        run_name: name,
        user_id: user,
        start_time: startedAt,
        tags: pairs(tags),
      })) as unknown as { run: { info: { run_id: string; artifact_uri: string } } };
      roots.set(run.info.run_id, run.info.artifact_uri.replace(/^mlflow-artifacts:\//, ''));
      return run.info.run_id;
    },
    async log(runId, { metrics = [], params = {}, tags = {} }) {
      const given = pairs(params);
      const calls = Math.max(1, Math.ceil(metrics.length / MAX_METRICS), Math.ceil(given.length / MAX_PARAMS));
      for (let call = 0; call < calls; call++) {
        const [at, from] = [call * MAX_METRICS, call * MAX_PARAMS];
        await post('/runs/log-batch', {
          run_id: runId,
          metrics: metrics.slice(at, at + MAX_METRICS),
          params: given.slice(from, from + MAX_PARAMS),
          tags: call === 0 ? pairs(tags) : [],
        });
      }
    },
    async metric(runId, key, value, step) {
      await post('/runs/log-metric', { run_id: runId, key, value, step, timestamp: Date.now() });
    },
    async end(runId, status) {
      await post('/runs/update', { run_id: runId, status, end_time: Date.now() });
    },
    async artifact(runId, path, body) {
      const address = `${url}/api/2.0/mlflow-artifacts/artifacts/${roots.get(runId)}/${path.split('/').map(encodeURIComponent).join('/')}`;
      const answer = await fetch(address, {
        method: 'PUT',
        body: typeof body === 'string' ? body : new Blob([body as Uint8Array<ArrayBuffer>]),
      });
      assert.equal(answer.status, 200, await answer.text());
    },
    async experiment(name) {
      const answer = (await post('/experiments/create', { name })) as unknown as { experiment_id: string };
      return answer.experiment_id;
    },
  };
}

const pairs = (record: Readonly<Record<string, string>>) =>
  Object.entries(record).map(([key, value]) => ({ key, value }));

/** A loss that falls and wavers, with the clock of its training. */
export function curve(key: string, points: number, seed: number, startedAt: number): readonly Point[] {
  return Array.from({ length: points }, (_, step) => ({
    key,
    value:
      0.2 +
      1.4 / (1 + step / (points / 20)) +
      0.05 * Math.sin(step * 0.7 + seed) +
      0.02 * Math.sin(step * 13.7 * (seed + 1)),
    step,
    timestamp: startedAt + step * 250,
  }));
}
