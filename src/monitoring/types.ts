import { z } from 'zod';
import type { DataDeps } from '../data/index.ts';
import type { IdentityDeps } from '../identity/index.ts';
import type { Outbox } from '../outbox/index.ts';
import type { PipelinesDeps } from '../pipelines/index.ts';
import type { Db } from '../ports/db.ts';
import type { PredictionCaller } from '../ports/prediction-caller.ts';
import type { Clock, Log, Notifier, Random, Secrets } from '../ports/system.ts';
import type { Light } from '../project-file/index.ts';
import type { ServingDeps } from '../serving/index.ts';
import type { MonitoringRuntime } from './runtime.ts';

export interface MonitoringDeps {
  readonly db: Db;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly identity: IdentityDeps;
  readonly data: DataDeps;
  readonly registry: ServingDeps['registry'];
  readonly pipelines: Pick<PipelinesDeps, 'db'>;
  readonly serving: ServingDeps;
  readonly notifier: Notifier;
  readonly secrets: Pick<Secrets, 'find'>;
  /** Asks the living endpoint: rehearsals replay logged requests through it. */
  readonly caller: PredictionCaller;
  /** Where this server answers, for links in messages. */
  readonly serverUrl: () => string;
  /** `createMonitoringRuntime()`: what this process keeps between calls. */
  readonly runtime: MonitoringRuntime;
}

export const WINDOW_MS = 86_400_000;

export type LightState = 'green' | 'amber' | 'red' | 'grey';

export interface LightView {
  readonly state: LightState;
  readonly sentence: string;
}

export type Lights = Readonly<Record<Light, LightView>>;

export const cellSchema = z.union([z.number(), z.string().max(10_000), z.boolean()]);
const when = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));
export const MAX_LABELS = 10_000;

/** One of `predictionId`, `callerId` and `entity`; with `entity`, `at` says which prediction: its latest at or before then. */
const labelRow = z.object({
  predictionId: z.string().min(1).max(512).optional(),
  callerId: z.string().min(1).max(512).optional(),
  entity: z.string().min(1).max(1_000).optional(),
  at: when.optional(),
  value: cellSchema,
  availableAt: when.optional(),
  source: z.string().max(100).optional(),
});

const SNAKE: Readonly<Record<string, string>> = {
  prediction_id: 'predictionId',
  caller_id: 'callerId',
  available_at: 'availableAt',
};

/** Files of labels are often written in snake_case; both are read. */
const camelKeys = (row: unknown): unknown =>
  typeof row === 'object' && row !== null
    ? Object.fromEntries(Object.entries(row).map(([key, value]) => [SNAKE[key] ?? key, value]))
    : row;

export const labelsSchema = z.object({
  /** An endpoint or a model; may be left out where there is one endpoint. */
  endpoint: z.string().min(1).max(200).optional(),
  labels: z.array(z.preprocess(camelKeys, labelRow)).min(1).max(MAX_LABELS),
});
export type LabelsInput = z.output<typeof labelsSchema>;
export type LabelRow = LabelsInput['labels'][number];

export interface LabelsAccepted {
  readonly endpoint: string;
  readonly received: number;
  /** New labels, changed ones, and those that said what was known. */
  readonly created: number;
  readonly changed: number;
  readonly unchanged: number;
  /** Kept until their prediction is known. */
  readonly pending: number;
}

export const REHEARSAL_KINDS = [
  'unit-change',
  'nulls',
  'shift',
  'new-category',
  'broken-model',
  'slow-model',
  'late-labels',
] as const;
export type RehearsalKind = (typeof REHEARSAL_KINDS)[number];
/** Kinds that spoil a raw column, and kinds that roll out a version with a fault. */
export type ColumnFault = 'unit-change' | 'nulls' | 'shift' | 'new-category';
export type ModelFault = 'broken-model' | 'slow-model';

export const rehearsalSchema = z.object({
  kind: z.enum(REHEARSAL_KINDS),
  model: z.string().min(1).max(200),
  endpoint: z.string().min(1).max(200).optional(),
  /** The raw column to spoil; default: the most important one that fits. */
  column: z.string().min(1).max(500).optional(),
  /** unit-change: what the column is multiplied by. */
  factor: z.number().positive().optional(),
  /** shift: standard deviations; slow-model: milliseconds. For nulls and new-category another word for `share`. */
  amount: z.number().optional(),
  /** broken-model. */
  fault: z.enum(['constant', 'errors']).optional(),
  /** Share of the rows that are spoiled; broken-model: of the rows that fail, or the constant answer. */
  share: z.number().min(0).max(1).optional(),
  /** So many rows are replayed: logged ones, and training rows where few are logged. */
  rows: z.number().int().min(1).max(20_000).optional(),
  /** Says what would be done, in the report's sentence, and does nothing. */
  dryRun: z.boolean().default(false),
});
export type RehearsalInput = z.input<typeof rehearsalSchema>;

/** The facts behind a verdict; which of them there are depends on the cause. */
export interface IncidentDetails {
  /** Predictions of the windows that opened it. */
  readonly affected?: number;
  /** What a rollback would do: the last requests answered by the version before. */
  readonly rollback?: {
    readonly helps: boolean | null;
    readonly requests: number;
    readonly differing: number;
    readonly sentence: string;
  };
  readonly rules?: readonly { readonly rule: string; readonly value: number | null; readonly sentence: string }[];
  /** Of a rollback: versions, why, and the rollout that ended with it. */
  readonly from?: number;
  readonly to?: number | null;
  readonly reason?: string;
  readonly rolloutId?: string | null;
}

export interface IncidentView {
  readonly number: number;
  readonly model: string;
  readonly endpoint: string;
  readonly light: Light;
  readonly cause: string;
  readonly severity: 'page' | 'ticket';
  readonly state: 'open' | 'acknowledged' | 'resolved';
  readonly rehearsal: string | null;
  readonly version: number | null;
  /** Four lines: what and since when; likely cause and what did not change; impact; safe actions. */
  readonly verdict: string;
  /** The verdict's first line. */
  readonly sentence: string;
  readonly since: string;
  readonly openedAt: string;
  readonly openedEvent: string | null;
  readonly acknowledgedBy: string | null;
  readonly acknowledgedAt: string | null;
  readonly resolvedBy: string | null;
  readonly resolvedAt: string | null;
  readonly resolvedEvent: string | null;
  readonly resolution: string | null;
  readonly details: IncidentDetails;
  readonly alerts: readonly {
    readonly rule: string;
    readonly light: string;
    readonly window: string;
    readonly inhibited: boolean;
    readonly sentence: string;
  }[];
  readonly actions: readonly ActionView[];
}

export interface ActionView {
  readonly incident: number;
  readonly light: string;
  readonly decision: 'fired' | 'refused';
  readonly guard: string | null;
  readonly why: string;
  readonly at: string;
  readonly eventAt: string;
}
