/** The pillar's tables, as rows. */
export interface PipelinesTables {
  readonly project_file: { project_id: string; digest: string; text: string; created_at: number };
  readonly snapshot: { project_id: string; digest: string; manifest: string; size_bytes: number; created_at: number };
  readonly pipeline: PipelineRow;
  readonly pipeline_run: RunRow;
  readonly step_run: StepRow;
  readonly key_part: { project_id: string; run_id: string; step: string; name: string; digest: string };
  readonly step_cache: {
    project_id: string;
    cache_key: string;
    run_id: string;
    step: string;
    outputs: string;
    created_at: number;
  };
  readonly cron_trigger: { project_id: string; pipeline: string; trigger_id: string; due_at: number | null };
  readonly trigger_event: TriggerEventRow;
  /** `split`: a `NotebookSplit` as JSON. */
  readonly gate_rows: { project_id: string; model: string; dataset: string; split: string; created_at: number };
}

export interface PipelineRow {
  project_id: string;
  name: string;
  file_digest: string;
  source_digest: string;
  folder: string;
  generation: number;
  applied_at: number;
  applied_by: string;
}

export interface RunRow {
  project_id: string;
  id: string;
  pipeline: string;
  file_digest: string;
  source_digest: string;
  folder: string;
  draft: number;
  trigger_kind: string;
  trigger_key: string;
  as_of: number | null;
  data_mode: string;
  params: string;
  started_by: string;
  rehearsal: string | null;
  state: string;
  summary: string | null;
  failure: string | null;
  model: string | null;
  version: number | null;
  cancel_requested: number;
  created_at: number;
  started_at: number | null;
  finished_at: number | null;
}

export interface StepRow {
  project_id: string;
  run_id: string;
  name: string;
  kind: string;
  position: number;
  needs: string;
  state: string;
  attempt: number;
  fence: number;
  lease_owner: string | null;
  lease_until: number | null;
  due_at: number | null;
  cache_key: string | null;
  cached_from: string | null;
  reason: string | null;
  env_digest: string | null;
  outputs: string | null;
  failure: string | null;
  started_at: number | null;
  finished_at: number | null;
}

export interface TriggerEventRow {
  project_id: string;
  pipeline: string;
  kind: string;
  key: string;
  run_id: string | null;
  /** started, coalesced, skipped, held */
  outcome: string;
  created_at: number;
}
