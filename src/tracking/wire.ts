import type { Experiment, LoggedModel, Pair, Run } from './types.ts';

export const iso = (ms: number): string => new Date(ms).toISOString();

/** JSON has no NaN: null. */
export const toJsonNumber = (value: number): number | null => (Number.isNaN(value) ? null : value);

export const toWireExperiment = ({ id, createdAt, updatedAt, tags, ...rest }: Experiment) => ({
  id: String(id),
  ...rest,
  createdAt: iso(createdAt),
  updatedAt: iso(updatedAt),
  tags: toRecord(tags),
});

/** A run as our interface shows it: times in ISO 8601, NaN as null. */
export const toWireRun = (run: Run) => ({
  id: run.id,
  experimentId: String(run.experimentId),
  name: run.name,
  user: run.user,
  status: run.status,
  startedAt: iso(run.startedAt),
  endedAt: run.endedAt === null ? null : iso(run.endedAt),
  lifecycle: run.lifecycle,
  attemptId: run.attemptId,
  params: toRecord(run.params),
  tags: toRecord(run.tags),
  metrics: Object.fromEntries(run.metrics.map(({ key, value }) => [key, toJsonNumber(value)])),
  datasets: run.datasets.map(({ dataset }) => ({ name: dataset.name, digest: dataset.digest })),
  inputModels: run.inputModels,
  outputModels: run.outputModels,
});

/** A run as its own page shows it: when each metric was measured last, and where its data came from. */
export const toWireRunDetail = (run: Run, models: readonly LoggedModel[]) => ({
  ...toWireRun(run),
  artifactUri: run.artifactUri,
  latest: run.metrics.map(({ key, value, step, timestamp }) => ({
    key,
    value: toJsonNumber(value),
    step,
    at: isoOrNull(timestamp),
  })),
  inputs: run.datasets.map(({ dataset, tags }) => ({
    name: dataset.name,
    digest: dataset.digest,
    sourceType: dataset.sourceType,
    source: dataset.source.slice(0, MAX_SOURCE_LENGTH),
    context: tags.find(({ key }) => key === 'mlflow.data.context')?.value ?? null,
  })),
  models: models.map(toWireLoggedModel),
});

const MAX_SOURCE_LENGTH = 1_000;
const MAX_DATE = 8.64e15;

/** Clients date points as they like; what is no date is null. */
const isoOrNull = (ms: number): string | null => (Math.abs(ms) <= MAX_DATE ? iso(ms) : null);

export const toWireLoggedModel = ({ createdAt, updatedAt, tags, params, metrics, ...rest }: LoggedModel) => ({
  ...rest,
  experimentId: String(rest.experimentId),
  createdAt: iso(createdAt),
  updatedAt: iso(updatedAt),
  tags: toRecord(tags),
  params: toRecord(params),
  metrics: metrics.map(({ key, value, step, runId }) => ({ key, value: toJsonNumber(value), step, runId })),
});

const toRecord = (pairs: readonly Pair[]): Record<string, string> =>
  Object.fromEntries(pairs.map(({ key, value }) => [key, value]));

export type TrackedRunWire = ReturnType<typeof toWireRun>;
export type LoggedModelWire = ReturnType<typeof toWireLoggedModel>;
export type TrackedRunDetailWire = TrackedRunWire & { readonly models: readonly LoggedModelWire[] };
