import type { Tx } from '../ports/db.ts';
import { type MetricInput, numberOf } from './metric-points.ts';
import { toPointOfRow } from './metrics.store.ts';
import { listRunDatasets, listRunModels } from './run-inputs.store.ts';
import { listLatestMetrics, listRunPairs } from './runs.store.ts';
import type { RunRow } from './tables.ts';
import type { DatasetInput, ModelOutput, Pair, Run, RunStatus, RunSummary } from './types.ts';

const RUNS_A_QUERY = 500;

/** Runs with all that they logged, in the order of `rows`. */
export async function loadRuns(tx: Tx, projectId: string, rows: readonly RunRow[]): Promise<readonly Run[]> {
  const runs: Run[] = [];
  for (let at = 0; at < rows.length; at += RUNS_A_QUERY) {
    runs.push(...(await loadBlock(tx, projectId, rows.slice(at, at + RUNS_A_QUERY))));
  }
  return runs;
}

export const toRunSummary = (row: RunRow): RunSummary => ({
  id: row.id,
  experimentId: row.experiment_id,
  name: row.name,
  user: row.user_id,
  status: row.status as RunStatus,
  startedAt: row.started_at,
  endedAt: row.ended_at,
  artifactUri: row.artifact_uri,
  lifecycle: row.lifecycle,
  attemptId: row.attempt_id,
});

async function loadBlock(tx: Tx, projectId: string, rows: readonly RunRow[]): Promise<Run[]> {
  const ids = rows.map(({ id }) => id);
  const params = group(await listRunPairs(tx, 'run_param', projectId, ids), toPair);
  const tags = group(await listRunPairs(tx, 'run_tag', projectId, ids), toPair);
  const metrics = group(await listLatestMetrics(tx, projectId, ids), toLatest);
  const datasets = group(await listRunDatasets(tx, projectId, ids), toDatasetInput);
  const models = await listRunModels(tx, projectId, ids);
  const inputs = group(
    models.filter(({ direction }) => direction === 'input'),
    ({ model_id }) => model_id,
  );
  const outputs = group(
    models.filter(({ direction }) => direction === 'output'),
    ({ model_id, step }): ModelOutput => ({ modelId: model_id, step }),
  );
  return rows.map((row) => ({
    ...toRunSummary(row),
    params: params.get(row.id) ?? [],
    tags: tags.get(row.id) ?? [],
    metrics: metrics.get(row.id) ?? [],
    datasets: datasets.get(row.id) ?? [],
    inputModels: inputs.get(row.id) ?? [],
    outputModels: outputs.get(row.id) ?? [],
  }));
}

function group<R extends { readonly run_id: string }, T>(rows: readonly R[], to: (row: R) => T): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const row of rows) {
    const known = groups.get(row.run_id);
    if (known) known.push(to(row));
    else groups.set(row.run_id, [to(row)]);
  }
  return groups;
}

const toPair = ({ key, value }: Pair): Pair => ({ key, value });

type LatestRow = Awaited<ReturnType<typeof listLatestMetrics>>[number];

const toLatest = (row: LatestRow): MetricInput => ({
  key: row.name,
  value: numberOf(toPointOfRow({ series_id: 0, ...row })),
  timestamp: row.ts,
  step: row.step,
  ...(row.model_id ? { modelId: row.model_id } : {}),
  ...(row.dataset_name ? { datasetName: row.dataset_name } : {}),
  ...(row.dataset_digest ? { datasetDigest: row.dataset_digest } : {}),
});

type DatasetRow = Awaited<ReturnType<typeof listRunDatasets>>[number];

const toDatasetInput = (row: DatasetRow): DatasetInput => ({
  dataset: {
    name: row.name,
    digest: row.digest,
    sourceType: row.source_type,
    source: row.source,
    schema: row.schema,
    profile: row.profile,
  },
  tags: JSON.parse(row.tags) as readonly Pair[],
});
