import type {
  DatasetInput,
  Experiment,
  LoggedModel,
  LoggedModelStatus,
  MetricInput,
  Run,
  RunStatus,
  RunSummary,
  ViewType,
} from '../../tracking/index.ts';

/** Enums by name and by number, as protobuf's JSON allows both. */
export const RUN_STATUS: ReadonlyMap<string, RunStatus> = both({
  RUNNING: [1, 'RUNNING'],
  SCHEDULED: [2, 'SCHEDULED'],
  FINISHED: [3, 'FINISHED'],
  FAILED: [4, 'FAILED'],
  KILLED: [5, 'KILLED'],
});

export const VIEW_TYPE: ReadonlyMap<string, ViewType> = both({
  ACTIVE_ONLY: [1, 'active'],
  DELETED_ONLY: [2, 'deleted'],
  ALL: [3, 'all'],
});

export const LOGGED_MODEL_STATUS: ReadonlyMap<string, LoggedModelStatus> = both({
  LOGGED_MODEL_PENDING: [1, 'PENDING'],
  LOGGED_MODEL_READY: [2, 'READY'],
  LOGGED_MODEL_UPLOAD_FAILED: [3, 'FAILED'],
});

const STATUS_NAMES: Readonly<Record<LoggedModelStatus, string>> = {
  PENDING: 'LOGGED_MODEL_PENDING',
  READY: 'LOGGED_MODEL_READY',
  FAILED: 'LOGGED_MODEL_UPLOAD_FAILED',
};

export const toExperiment = (experiment: Experiment): unknown => ({
  experiment_id: String(experiment.id),
  name: experiment.name,
  artifact_location: experiment.artifactLocation,
  lifecycle_stage: experiment.lifecycle,
  last_update_time: experiment.updatedAt,
  creation_time: experiment.createdAt,
  ...ifAny('tags', experiment.tags),
});

export const toRunInfo = (run: RunSummary): unknown => ({
  run_uuid: run.id,
  experiment_id: String(run.experimentId),
  run_name: run.name,
  user_id: run.user,
  status: run.status,
  start_time: run.startedAt,
  ...(run.endedAt === null ? {} : { end_time: run.endedAt }),
  artifact_uri: run.artifactUri,
  lifecycle_stage: run.lifecycle,
  run_id: run.id,
});

export const toRun = (run: Run): unknown => ({
  info: toRunInfo(run),
  data: {
    ...ifAny(
      'metrics',
      run.metrics.map((metric) => toMetric(metric)),
    ),
    ...ifAny('params', run.params),
    ...ifAny('tags', run.tags),
  },
  inputs: {
    ...ifAny('dataset_inputs', run.datasets.map(toDatasetInput)),
    ...ifAny(
      'model_inputs',
      run.inputModels.map((id) => ({ model_id: id })),
    ),
  },
  outputs: {
    ...ifAny(
      'model_outputs',
      run.outputModels.map(({ modelId, step }) => ({ model_id: modelId, step })),
    ),
  },
});

/** NaN has no JSON number: it is the text "NaN" both ways. */
export const toMetric = (metric: MetricInput, runId?: string): unknown => ({
  key: metric.key,
  value: Number.isNaN(metric.value) ? 'NaN' : metric.value,
  timestamp: metric.timestamp,
  step: metric.step,
  ...(metric.datasetName ? { dataset_name: metric.datasetName } : {}),
  ...(metric.datasetDigest ? { dataset_digest: metric.datasetDigest } : {}),
  ...(metric.modelId ? { model_id: metric.modelId } : {}),
  ...(runId === undefined ? {} : { run_id: runId }),
});

export const toLoggedModel = (model: LoggedModel): unknown => ({
  info: {
    model_id: model.modelId,
    experiment_id: String(model.experimentId),
    name: model.name,
    creation_timestamp_ms: model.createdAt,
    last_updated_timestamp_ms: model.updatedAt,
    artifact_uri: model.artifactUri,
    status: STATUS_NAMES[model.status],
    model_type: model.modelType,
    source_run_id: model.sourceRunId,
    ...ifAny('tags', model.tags),
  },
  data: {
    ...ifAny('params', model.params),
    ...ifAny(
      'metrics',
      model.metrics.map((metric) => toMetric(metric, metric.runId)),
    ),
  },
});

const toDatasetInput = ({ dataset, tags }: DatasetInput): unknown => ({
  ...ifAny('tags', tags),
  dataset: {
    name: dataset.name,
    digest: dataset.digest,
    source_type: dataset.sourceType,
    source: dataset.source,
    ...(dataset.schema === null ? {} : { schema: dataset.schema }),
    ...(dataset.profile === null ? {} : { profile: dataset.profile }),
  },
});

/** Empty lists are left out: an empty answer is `{}`. */
export const ifAny = (name: string, list: readonly unknown[]): Readonly<Record<string, unknown>> =>
  list.length === 0 ? {} : { [name]: list };

export const ifText = (name: string, text: string | undefined): Readonly<Record<string, unknown>> =>
  text ? { [name]: text } : {};

function both<T>(values: Readonly<Record<string, readonly [number, T]>>): ReadonlyMap<string, T> {
  return new Map(
    Object.entries(values).flatMap(([name, [number, value]]) => [
      [name, value],
      [String(number), value],
    ]),
  );
}
