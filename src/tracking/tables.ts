/** The pillar's tables as rows, for its stores. Column for column what `migrations/0004-tracking.ts` makes. */
export interface TrackingTables {
  readonly tracking_sequence: SequenceRow;
  readonly experiment: ExperimentRow;
  readonly experiment_tag: { project_id: string; experiment_id: number; key: string; value: string };
  readonly run: RunRow;
  readonly run_param: RunPairRow;
  readonly run_tag: RunPairRow;
  readonly metric_key: { project_id: string; name: string; id: number };
  readonly metric_context: MetricContextRow;
  readonly series: { project_id: string; run_id: string; key_id: number; context_id: number; id: number };
  readonly metric_hot: PointRow;
  readonly metric_chunk: MetricChunkRow;
  readonly metric_latest: PointRow & { project_id: string; run_id: string; key_id: number };
  readonly series_latest: PointRow;
  readonly logged_dataset: LoggedDatasetRow;
  readonly run_dataset: RunDatasetRow;
  readonly run_model: RunModelRow;
  readonly logged_model: LoggedModelRow;
  readonly logged_model_param: ModelPairRow;
  readonly logged_model_tag: ModelPairRow;
  readonly artifact_path: ArtifactRow;
}

export interface SequenceRow {
  name: string;
  value: number;
}

export interface ExperimentRow {
  project_id: string;
  id: number;
  name: string;
  artifact_location: string;
  lifecycle: 'active' | 'deleted';
  created_at: number;
  updated_at: number;
}

export interface RunRow {
  project_id: string;
  id: string;
  experiment_id: number;
  name: string;
  user_id: string;
  status: string;
  started_at: number;
  ended_at: number | null;
  artifact_uri: string;
  lifecycle: 'active' | 'deleted';
  deleted_at: number | null;
  deleted_with_experiment: number;
  attempt_id: string | null;
  created_at: number;
}

export interface RunPairRow {
  project_id: string;
  run_id: string;
  key: string;
  value: string;
}

export interface MetricContextRow {
  project_id: string;
  model_id: string;
  dataset_name: string;
  dataset_digest: string;
  id: number;
}

export interface PointRow {
  series_id: number;
  step: number;
  ts: number;
  is_nan: number;
  value: number;
}

export interface MetricChunkRow {
  series_id: number;
  seq: number;
  min_step: number;
  max_step: number;
  min_ts: number;
  max_ts: number;
  count: number;
  crc: number;
  bytes: Uint8Array;
}

export interface LoggedDatasetRow {
  project_id: string;
  experiment_id: number;
  name: string;
  digest: string;
  id: string;
  source_type: string;
  source: string;
  schema: string | null;
  profile: string | null;
}

export interface RunDatasetRow {
  project_id: string;
  run_id: string;
  dataset_id: string;
  context: string | null;
  tags: string;
  created_at: number;
}

export interface RunModelRow {
  project_id: string;
  run_id: string;
  direction: 'input' | 'output';
  id: string;
  model_id: string;
  step: number;
}

export interface LoggedModelRow {
  project_id: string;
  id: string;
  experiment_id: number;
  name: string;
  model_type: string;
  source_run_id: string;
  creator_id: string;
  status: 'PENDING' | 'READY' | 'FAILED';
  artifact_uri: string;
  lifecycle: 'active' | 'deleted';
  autologged: number;
  created_at: number;
  updated_at: number;
}

export interface ModelPairRow {
  project_id: string;
  model_id: string;
  key: string;
  value: string;
}

export interface ArtifactRow {
  project_id: string;
  root: string;
  path: string;
  digest: string;
  size_bytes: number;
  updated_at: number;
}
