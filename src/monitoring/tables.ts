export interface LabelTable {
  readonly project_id: string;
  readonly endpoint: string;
  readonly prediction_id: string;
  /** Event time of the prediction. */
  readonly event_time: number;
  /** A cell as JSON, in the terms of the target column. */
  readonly value: string;
  readonly available_at: number;
  readonly source: string;
  readonly revision: number;
  readonly updated_at: number;
}

export interface LabelHistoryTable {
  readonly project_id: string;
  readonly endpoint: string;
  readonly prediction_id: string;
  readonly revision: number;
  readonly value: string;
  readonly available_at: number;
  readonly source: string;
  readonly replaced_at: number;
}

export interface LabelPendingTable {
  readonly project_id: string;
  readonly endpoint: string;
  /** `caller` or `entity`. */
  readonly kind: string;
  readonly ref: string;
  /** For an entity: the prediction meant is its latest at or before this. 0 for callers' ids. */
  readonly at: number;
  readonly value: string;
  readonly available_at: number;
  readonly source: string;
  readonly received_at: number;
}

export interface LabelDayTable {
  readonly project_id: string;
  readonly endpoint: string;
  readonly window_start: number;
  readonly revision: number;
  /** The revision that was evaluated last. */
  readonly evaluated: number;
  /** Event time at which the last of its labels becomes available. */
  readonly due_at: number;
}

export interface ProgressTable {
  readonly project_id: string;
  readonly endpoint: string;
  /** Windows that ended at or before this are evaluated. */
  readonly evaluated_to: number;
  readonly updated_at: number;
}

export interface EvaluationTable {
  readonly project_id: string;
  readonly endpoint: string;
  /** '' for real traffic. */
  readonly rehearsal: string;
  readonly version_id: string;
  readonly window_start: number;
  readonly rule: string;
  readonly window_end: number;
  /** Of the data that it was evaluated on. */
  readonly revision: string;
  readonly light: string;
  readonly state: string;
  /** 1 where this window alone is beyond the threshold. */
  readonly exceeds: number;
  readonly value: number | null;
  readonly threshold: number | null;
  readonly sample_size: number;
  readonly sentence: string;
  readonly details: string;
  readonly evaluated_at: number;
}

export interface IncidentTable {
  readonly project_id: string;
  readonly number: number;
  readonly model: string;
  readonly endpoint: string;
  readonly light: string;
  readonly cause: string;
  readonly fingerprint: string;
  readonly rehearsal: string | null;
  /** `page` or `ticket`. */
  readonly severity: string;
  readonly state: string;
  readonly version_id: string | null;
  readonly version: number | null;
  /** Event time of the first window or request concerned. */
  readonly since: number;
  readonly verdict: string;
  readonly details: string;
  /** Windows without the cause in a row. */
  readonly good_windows: number;
  readonly last_window: number;
  readonly opened_at: number;
  readonly opened_event: number | null;
  readonly acknowledged_by: string | null;
  readonly acknowledged_at: number | null;
  readonly resolved_by: string | null;
  readonly resolved_at: number | null;
  readonly resolved_event: number | null;
  readonly resolution: string | null;
}

export interface IncidentAlertTable {
  readonly project_id: string;
  readonly number: number;
  readonly rule: string;
  readonly window_start: number;
  readonly light: string;
  readonly inhibited: number;
  readonly sentence: string;
}

export interface ActionTable {
  readonly project_id: string;
  readonly id: string;
  readonly model: string;
  readonly endpoint: string;
  readonly incident: number;
  readonly light: string;
  /** `fired` or `refused`. */
  readonly decision: string;
  readonly guard: string | null;
  readonly why: string;
  readonly at: number;
  readonly event_at: number;
  /** Labels of the endpoint at that time. */
  readonly labels: number;
}

export interface RehearsalTable {
  readonly project_id: string;
  readonly id: string;
  readonly model: string;
  readonly endpoint: string;
  readonly kind: string;
  /** running, done, failed */
  readonly state: string;
  readonly params: string;
  readonly report: string;
  readonly incident: number | null;
  readonly rollout_id: string | null;
  readonly started_by: string;
  readonly started_at: number;
  readonly finished_at: number | null;
}

export interface MonitoringTables {
  readonly label: LabelTable;
  readonly label_history: LabelHistoryTable;
  readonly label_pending: LabelPendingTable;
  readonly label_day: LabelDayTable;
  readonly monitor_progress: ProgressTable;
  readonly monitor_evaluation: EvaluationTable;
  readonly incident_counter: { readonly id: number; readonly next_number: number };
  readonly incident: IncidentTable;
  readonly incident_alert: IncidentAlertTable;
  readonly monitor_action: ActionTable;
  readonly rehearsal: RehearsalTable;
}
