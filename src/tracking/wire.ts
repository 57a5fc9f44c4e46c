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
