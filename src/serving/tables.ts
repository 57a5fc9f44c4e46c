/** The tables of the pillar, as Kysely wants them. Booleans are 0 or 1, times epoch ms, JSON canonical text. */
export interface ServingTables {
  endpoint: EndpointTable;
  rollout: RolloutTable;
  rollout_transition: TransitionTable;
  desired_state: { id: number; generation: number };
  gateway: GatewayTable;
  log_segment: LogSegmentTable;
  log_file: LogFileTable;
  window_counters: WindowCountersTable;
  prediction_caller: PredictionCallerTable;
}

export interface EndpointTable {
  project_id: string;
  name: string;
  model: string;
  champion: number | null;
  champion_id: string | null;
  previous: number | null;
  previous_id: string | null;
  entity: string | null;
  event_time: string;
  lateness_ms: number;
  event_clock: number | null;
  fallback_active: number;
  fallback: string | null;
  /** When rows last came in, and when that was last published. */
  ingested_at: number;
  announced_at: number;
  created_at: number;
  updated_at: number;
}

export interface RolloutTable {
  project_id: string;
  id: string;
  endpoint: string;
  model: string;
  version: number;
  version_id: string;
  from_version: number | null;
  from_version_id: string | null;
  revision: number;
  state: string;
  plan: string;
  step: number;
  weight: number;
  shadow: number;
  rehearsal: string | null;
  requested_by: string;
  /** Generation of the desired state that this revision made. */
  generation: number;
  sentence: string;
  reason: string | null;
  /** The person who paused it; null where it paused by itself. */
  paused_by: string | null;
  evidence: string | null;
  replay: string | null;
  /** The endpoint's `ingested_at` that the last look had seen. */
  evaluated_ingest: number | null;
  started_at: number;
  started_event: number | null;
  step_started_at: number;
  step_started_event: number | null;
  deadline_event: number | null;
  finished_at: number | null;
}

export interface TransitionTable {
  project_id: string;
  rollout_id: string;
  revision: number;
  from_state: string | null;
  event: string;
  to_state: string;
  step: number;
  weight: number;
  at: number;
  event_at: number | null;
  sentence: string;
  evidence: string | null;
}

export interface GatewayTable {
  id: string;
  incarnation: string;
  url: string;
  generation: number;
  started_at: number;
  seen_at: number;
  report: string;
}

export interface LogSegmentTable {
  gateway_id: string;
  incarnation: string;
  seq: number;
  id: string;
  rows_dropped: number;
  ingested_at: number;
}

export interface LogFileTable {
  project_id: string;
  endpoint: string;
  id: string;
  digest: string;
  format: string;
  /** Which block of the segment. */
  block: number;
  row_count: number;
  min_event: number;
  max_event: number;
  created_at: number;
}

export interface WindowCountersTable {
  project_id: string;
  endpoint: string;
  window_start: number;
  version_id: string;
  role: string;
  /** '' where it is none. */
  rehearsal: string;
  counters: string;
}

export interface PredictionCallerTable {
  project_id: string;
  endpoint: string;
  caller_id: string;
  prediction_id: string;
  event_time: number;
}
