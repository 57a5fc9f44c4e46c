import { z } from 'zod';
import type { Content } from '../content/index.ts';
import type { Outbox } from '../outbox/index.ts';
import type { Analytics } from '../ports/analytics.ts';
import type { Db } from '../ports/db.ts';
import type { Clock, Log, Random } from '../ports/system.ts';
import type { MetricInput } from './metric-points.ts';

export interface TrackingDeps {
  readonly db: Db;
  readonly content: Content;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Shows the rows of Parquet files; without it they can only be downloaded. */
  readonly analytics?: Analytics | undefined;
}

export type Lifecycle = 'active' | 'deleted';
export type ViewType = 'active' | 'deleted' | 'all';

export const RUN_STATUSES = ['RUNNING', 'SCHEDULED', 'FINISHED', 'FAILED', 'KILLED'] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];
export const isFinal = (status: RunStatus): boolean => status !== 'RUNNING' && status !== 'SCHEDULED';

export interface Pair {
  readonly key: string;
  readonly value: string;
}

export interface Experiment {
  readonly id: number;
  readonly name: string;
  readonly artifactLocation: string;
  readonly lifecycle: Lifecycle;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly tags: readonly Pair[];
}

/** A run without what it logged. Times are epoch ms. */
export interface RunSummary {
  readonly id: string;
  readonly experimentId: number;
  readonly name: string;
  readonly user: string;
  readonly status: RunStatus;
  readonly startedAt: number;
  readonly endedAt: number | null;
  readonly artifactUri: string;
  readonly lifecycle: Lifecycle;
  /** The step attempt under whose token the run was made. */
  readonly attemptId: string | null;
}

export interface Run extends RunSummary {
  readonly params: readonly Pair[];
  readonly tags: readonly Pair[];
  /** The latest point of every key. */
  readonly metrics: readonly MetricInput[];
  readonly datasets: readonly DatasetInput[];
  readonly inputModels: readonly string[];
  readonly outputModels: readonly ModelOutput[];
}

export interface LoggedDataset {
  readonly name: string;
  readonly digest: string;
  readonly sourceType: string;
  readonly source: string;
  readonly schema: string | null;
  readonly profile: string | null;
}

export interface DatasetInput {
  readonly dataset: LoggedDataset;
  readonly tags: readonly Pair[];
}

export interface ModelOutput {
  readonly modelId: string;
  readonly step: number;
}

export const LOGGED_MODEL_STATUSES = ['PENDING', 'READY', 'FAILED'] as const;
export type LoggedModelStatus = (typeof LOGGED_MODEL_STATUSES)[number];

/** The path of an artifact folder below `mlflow-artifacts:/`, for example `1/<run>/artifacts` or `1/models/m-…/artifacts`. */
export type ArtifactRoot = string;

export interface LoggedModel {
  readonly modelId: string;
  readonly experimentId: number;
  readonly name: string;
  readonly modelType: string;
  readonly sourceRunId: string;
  readonly creator: string;
  readonly status: LoggedModelStatus;
  readonly artifactUri: string;
  /** Null where the files are not with us (an artifact location of the user's own). */
  readonly root: ArtifactRoot | null;
  /** By the user's own log_model, not by autolog; README.md says how that is known. */
  readonly explicit: boolean;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly tags: readonly Pair[];
  readonly params: readonly Pair[];
  readonly metrics: readonly (MetricInput & { readonly runId: string })[];
}

export interface Artifact {
  readonly path: string;
  readonly digest: string;
  readonly sizeBytes: number;
}

/** One entry of a folder listing; `path` is the last part only. */
export interface ArtifactEntry {
  readonly name: string;
  readonly isFolder: boolean;
  readonly sizeBytes: number;
}

export const MAX_RUNS_A_PAGE = 50_000;
export const MAX_HISTORY_A_PAGE = 25_000;

const pageQuery = {
  after: z.string().max(2_000).optional(),
  limit: z.coerce.number().int().min(1).max(1_000).default(50),
};

export const RunsQuery = z.object({
  ...pageQuery,
  experiment: z.string().regex(/^\d+$/).optional(),
  filter: z.string().max(20_000).optional(),
  order: z.string().max(1_000).optional(),
  view: z.enum(['active', 'deleted', 'all']).default('active'),
});

export const ExperimentsQuery = z.object({
  ...pageQuery,
  filter: z.string().max(20_000).optional(),
  view: z.enum(['active', 'deleted', 'all']).default('active'),
});

export const RunParams = z.object({ id: z.string().min(1).max(256) });
export const ExperimentParams = z.object({ id: z.string().regex(/^\d+$/) });

export const HistoryQuery = z.object({
  key: z.string().min(1).max(250),
  after: z.string().max(2_000).optional(),
  limit: z.coerce.number().int().min(1).max(MAX_HISTORY_A_PAGE).default(2_000),
});

const view = z.enum(['active', 'deleted', 'all']).default('active');
const experiment = z.string().regex(/^\d+$/).optional();

/** A list of texts in one query value, as JSON: keys may hold any separator. */
const jsonTexts = (max: number) =>
  z
    .string()
    .max(20_000)
    .transform((text, context) => {
      try {
        return JSON.parse(text) as unknown;
      } catch {
        context.addIssue({ code: 'custom', message: 'must be a JSON array of texts' });
        return z.NEVER;
      }
    })
    .pipe(z.array(z.string().min(1).max(1_000)).max(max));

export const RunTableQuery = z.object({
  experiment,
  view,
  since: z.coerce.number().int().min(0).optional(),
  limit: z.coerce.number().int().min(1).max(50_000).default(20_000),
  columns: jsonTexts(60).optional(),
});

export const RunMatchesQuery = z.object({ experiment, view, filter: z.string().max(20_000) });

export const RunChartQuery = z.object({
  runs: z.string().min(1).max(2_000),
  key: z.string().min(1).max(250),
  axis: z.enum(['step', 'time', 'relative']).default('step'),
  slots: z.coerce.number().int().min(10).max(4_000).default(600),
  from: z.coerce.number().optional(),
  to: z.coerce.number().optional(),
});

const TagKey = z.string().min(1).max(250);
/** MLflow's own bound. */
const TagValue = z.string().max(8_000);

/** A tag with null is removed. The note is the tag `mlflow.note.content`, as in MLflow. */
export const RunChange = z
  .object({ name: z.string().min(1).max(1_000).optional(), tags: z.record(TagKey, TagValue.nullable()).optional() })
  .strict();

export const ArtifactsQuery = z.object({ path: z.string().max(2_000).default('') });
export const ArtifactRowsQuery = z.object({
  path: z.string().min(1).max(2_000),
  limit: z.coerce.number().int().min(1).max(1_000).default(200),
});
