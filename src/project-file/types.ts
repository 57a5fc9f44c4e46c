import type { Json } from '../kernel/canonical-json.ts';

/** The only words for health anywhere. */
export type Light = 'service' | 'data' | 'predictions' | 'performance' | 'business';
export const LIGHTS: readonly Light[] = ['service', 'data', 'predictions', 'performance', 'business'];

/** A levain.yaml, checked and with every default filled in. Durations are milliseconds, shares are 0..1, sizes are bytes. */
export interface ProjectFile {
  readonly name: string;
  readonly python: PythonSection;
  readonly data: Readonly<Record<string, DataSection>>;
  readonly params: Readonly<Record<string, Json>>;
  readonly steps: Readonly<Record<string, StepSection>>;
  readonly model: ModelSection | null;
  /** By endpoint. Where a model is declared and nothing else said: the model's name, rollout `auto`. */
  readonly deploy: Readonly<Record<string, DeploySection>>;
  readonly environments: Readonly<Record<string, EnvironmentSection>>;
  readonly monitor: MonitorSection;
  readonly notify: Readonly<Record<string, NotifySection>>;
  readonly triggers: readonly TriggerSection[];
  readonly concurrency: ConcurrencySection;
}

/** `lock` null: `requirements.lock` beside the file, where there is one. `version` null: the lock's first line says it. */
export interface PythonSection {
  readonly lock: string | null;
  readonly version: string | null;
}

export interface DataSection {
  /** A path, a glob or a URL; or a query. */
  readonly from: string | SqlSource;
  /** Where steps see it, relative to the project. A folder (the files of a glob keep their names in it) ends in `/`. */
  readonly as: string;
  /** Numbers of its CSV files are written `3,14`. */
  readonly decimal?: ',';
  /** Columns of its CSV files that are text though their cells look like numbers: codes with leading zeros. */
  readonly text?: readonly string[];
  /** Only the bytes count, whatever the name says: steps read it in a way of their own. */
  readonly table?: false;
  /** Columns that identify a row; empty where none were named. */
  readonly key: readonly string[];
  readonly time: string | null;
  readonly windowMs: number | null;
  readonly expect: Readonly<Record<string, ColumnExpectation>>;
  readonly expectTable: TableExpectation;
}

export interface SqlSource {
  readonly sql: string;
  /** An address, or `$SECRET`. */
  readonly url: string;
}

export type ColumnType = 'number' | 'integer' | 'boolean' | 'string' | 'category' | 'date' | 'timestamp';

/** What a column promises; null where nothing is said. */
export interface ColumnExpectation {
  readonly type: ColumnType | null;
  /** At most so many missing values: a count, or a share of the rows. */
  readonly nulls:
    | { readonly kind: 'count'; readonly atMost: number }
    | { readonly kind: 'share'; readonly atMost: number }
    | null;
  /** Inclusive bounds. */
  readonly between: readonly [number | string, number | string] | null;
  /** At most so many values that the last good version did not hold. */
  readonly maxNew: number | null;
  readonly unique: boolean;
  readonly in: readonly (string | number | boolean)[] | null;
  /** A regular expression (RE2) that the whole text must match. */
  readonly matches: string | null;
  /** Share of the rows that must keep `between`, `in` and `matches`; 1 by default. */
  readonly mostly: number;
}

export interface TableExpectation {
  readonly rowCount: { readonly min: number | null; readonly max: number | null } | null;
}

export interface StepSection {
  readonly run: string | null;
  readonly notebook: string | null;
  /** Paths as the notebook writes them, and the project's files that are read instead. */
  readonly reads: Readonly<Record<string, string>>;
  /** Code cells, counted from 1, whose failure is passed over. */
  readonly mayFail: readonly number[];
  /** Files and `data:NAME`; null: all data and the whole snapshot. */
  readonly in: readonly string[] | null;
  readonly out: readonly string[];
  readonly needs: readonly string[];
  readonly retry: RetrySection;
  readonly timeoutMs: number | null;
  readonly resources: {
    readonly cpu: number | null;
    readonly memoryBytes: number | null;
    readonly gpu: number;
    readonly pool: string | null;
  };
  readonly when: string | null;
  readonly each: readonly Json[] | null;
  readonly secrets: readonly string[];
}

export interface RetrySection {
  /** Further attempts after the first. */
  readonly max: number;
  readonly backoffMs: number;
  readonly factor: number;
  /** Share of the delay that is random. */
  readonly jitter: number;
  readonly when: readonly ('exit' | 'oom' | 'lost')[];
}

/** Of `step` take the kernel's `variable` (or what one holds: `models['rf']`), the `file`, or a logged model (`true`: the last one, explicit before autolog). */
export type ModelFrom =
  | { readonly kind: 'variable'; readonly step: string; readonly variable: string }
  | { readonly kind: 'file'; readonly step: string; readonly file: string }
  | { readonly kind: 'logged'; readonly step: string; readonly logged: string | true };

export type Positive = string | number | boolean | { readonly op: '>' | '>=' | '<' | '<='; readonly value: number };

export type GateRows =
  | { readonly kind: 'newest'; readonly share: number }
  | { readonly kind: 'hash'; readonly share: number }
  | { readonly kind: 'notebook' }
  | { readonly kind: 'path'; readonly path: string };

export type Metric = string | { readonly name: string; readonly better: 'higher' | 'lower' };

export interface GateSection {
  readonly rows: GateRows;
  /** null: the task's own (log_loss for classes, rmse for regression). */
  readonly metric: Metric | null;
  readonly pass: { readonly kind: 'better' } | { readonly kind: 'not_worse'; readonly margin: number };
  readonly slices: readonly string[];
}

export interface ApproveSection {
  readonly first: 'human' | 'auto';
  readonly retrain: 'human' | 'auto';
  readonly by: string;
  readonly withinMs: number | null;
  readonly then: 'keep_champion' | null;
}

export interface ModelSection {
  readonly from: ModelFrom;
  readonly features: string | null;
  readonly task: 'binary' | 'multiclass' | 'regression' | null;
  readonly target: { readonly column: string; readonly positive: Positive | null; readonly threshold: number } | null;
  /** Default: the data's key, where it is one column and only one dataset has one. */
  readonly entity: string | null;
  readonly gate: GateSection;
  readonly approve: ApproveSection;
}

export type RolloutSection =
  | { readonly kind: 'auto'; readonly atMostMs: number }
  | { readonly kind: 'direct' }
  | { readonly kind: 'blue_green' }
  | { readonly kind: 'canary'; readonly steps: readonly number[] };

export interface DeploySection {
  readonly rollout: RolloutSection;
  readonly eventTime: 'server' | 'client';
  readonly abortOn: { readonly errorRate?: number; readonly latencyP99Ms?: number };
  readonly fallback:
    | { readonly kind: 'base_rate' }
    | { readonly kind: 'version'; readonly version: number }
    | { readonly kind: 'constant'; readonly value: number | string | boolean }
    | null;
}

export interface EnvironmentSection {
  readonly endpoint: string | null;
  readonly rollout: RolloutSection | null;
}

export interface MonitorSection {
  readonly labels: LabelsSection | null;
  /** Empty: the task's own. */
  readonly metrics: readonly string[];
  readonly falseAlarms: { readonly count: number; readonly perMs: number };
  readonly page: readonly Light[];
  /** Names of `notify`. */
  readonly to: { readonly page: string | null; readonly ticket: string | null };
}

export interface LabelsSection {
  /** null: labels come only through the API. */
  readonly data: string | null;
  readonly join: 'prediction' | 'entity';
  /** The column of `data` that names the entity or prediction; default: its key. */
  readonly key: string | null;
  readonly column: string | null;
  readonly at: string | null;
  readonly horizonMs: number | null;
}

export interface NotifySection {
  readonly kind: 'log' | 'webhook' | 'slack' | 'smtp' | 'pagerduty' | 'alertmanager';
  /** An address, or `$SECRET`. */
  readonly address: string;
}

export type TriggerSection =
  | { readonly kind: 'cron'; readonly cron: string; readonly tz: string; readonly catchup: 'none' | 'last' | 'all' }
  | { readonly kind: 'data'; readonly dataset: string }
  | { readonly kind: 'alert'; readonly light: Light }
  | { readonly kind: 'after'; readonly pipeline: string; readonly status: 'succeeded' | 'failed' | 'finished' };

export interface ConcurrencySection {
  readonly maxRuns: number;
  readonly onConflict: 'queue' | 'skip' | 'cancel_old' | 'coalesce';
}
