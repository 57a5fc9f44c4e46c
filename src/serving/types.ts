import { z } from 'zod';
import type { Content } from '../content/index.ts';
import type { IdentityDeps } from '../identity/index.ts';
import type { Cell } from '../kernel/frame.ts';
import type { Outbox } from '../outbox/index.ts';
import type { Db } from '../ports/db.ts';
import type { PredictionCaller } from '../ports/prediction-caller.ts';
import type { Clock, Log, Random } from '../ports/system.ts';
import type { ProjectFile } from '../project-file/index.ts';
import type { RegistryDeps } from '../registry/index.ts';
import type { EvidenceSummary } from './rollouts/evidence.ts';
import type { RolloutPlan, RolloutState } from './rollouts/machine.ts';
import type { ServingRuntime } from './runtime.ts';

export interface ServingDeps {
  readonly db: Db;
  readonly content: Content;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly identity: IdentityDeps;
  readonly registry: Pick<RegistryDeps, 'db' | 'content' | 'outbox' | 'clock' | 'random' | 'workers' | 'identity'>;
  /** What was applied for a pipeline (which is also the model's name): read at decision time, never copied. */
  readonly appliedFile: (projectId: string, pipeline: string) => Promise<{ readonly file: ProjectFile } | undefined>;
  /** Asks endpoints for people who cannot reach a gateway themselves: a browser. */
  readonly caller: PredictionCaller;
  /** `createServingRuntime()`: what this process keeps between calls, all of it derived. */
  readonly runtime: ServingRuntime;
}

/** Times are ISO 8601. */
export interface Endpoint {
  readonly name: string;
  readonly model: string;
  /** The version that answers, and the one that stands by. */
  readonly champion: number | null;
  readonly championId: string | null;
  readonly previous: number | null;
  readonly entity: string | null;
  readonly eventTime: 'server' | 'client';
  readonly latenessMs: number;
  readonly eventClock: string | null;
  readonly fallback: { readonly active: boolean; readonly value: FallbackSetting | null };
  readonly rollout: Rollout | null;
  /** Where predictions are answered now: one URL a living gateway. */
  readonly urls: readonly string[];
}

export interface Rollout {
  readonly id: string;
  readonly endpoint: string;
  readonly model: string;
  readonly version: number;
  readonly versionId: string;
  readonly fromVersion: number | null;
  readonly revision: number;
  readonly state: RolloutState;
  readonly plan: RolloutPlan;
  readonly step: number;
  readonly weight: number;
  readonly shadow: boolean;
  readonly rehearsal: string | null;
  readonly requestedBy: string;
  /** What happens now, in words. */
  readonly sentence: string;
  /** Why it was aborted or paused. */
  readonly reason: string | null;
  readonly evidence: EvidenceSummary | null;
  readonly startedAt: string;
  readonly finishedAt: string | null;
  readonly eventClock: string | null;
  readonly deadline: string | null;
}

export interface RolloutTransition {
  readonly revision: number;
  readonly from: RolloutState | null;
  readonly event: string;
  readonly to: RolloutState;
  readonly weight: number;
  readonly at: string;
  readonly eventAt: string | null;
  readonly sentence: string;
  /** Step of the plan that it led to; -1 before the first. */
  readonly step: number;
  /** What it was decided on; null where nothing was looked at. */
  readonly evidence: EvidenceSummary | null;
}

export const fallbackSettingSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('base_rate') }),
  z.object({ kind: z.literal('version'), version: z.number().int().positive() }),
  z.object({ kind: z.literal('constant'), value: z.union([z.number(), z.string().max(1_000), z.boolean()]) }),
]);
export type FallbackSetting = z.output<typeof fallbackSettingSchema>;

const RISING = 'the shares of a canary must rise from step to step, for example 5, 25, 50 %';
const isRising = (steps: readonly number[]): boolean => steps.every((share, i) => i === 0 || share > steps[i - 1]!);

export const rolloutSectionSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('auto'), atMostMs: z.number().positive().default(86_400_000) }),
  z.object({ kind: z.literal('direct') }),
  z.object({ kind: z.literal('blue_green') }),
  z.object({
    kind: z.literal('canary'),
    steps: z.array(z.number().gt(0).lt(1)).min(1).max(20).refine(isRising, RISING),
  }),
]);

export const deploySchema = z.object({
  model: z.string().min(1).max(200),
  /** A number or alias; default: the newest approved version. */
  version: z.union([z.number().int().positive(), z.string().min(1).max(255)]).optional(),
  endpoint: z.string().min(1).max(200).optional(),
  rollout: rolloutSectionSchema.optional(),
  /** Lifts a hold with this deployment. */
  resume: z.boolean().default(false),
  dryRun: z.boolean().default(false),
  /** Id of the rehearsal that deploys a version made for it. */
  rehearsal: z.string().min(1).max(100).optional(),
});
export type DeployInput = z.input<typeof deploySchema>;

export interface Deployment {
  readonly endpoint: string;
  readonly model: string;
  readonly version: number;
  readonly fromVersion: number | null;
  readonly plan: RolloutPlan;
  readonly sentence: string;
  /** null under `dryRun`. */
  readonly rollout: Rollout | null;
  readonly held: string | null;
}

export const rollbackSchema = z.object({
  /** An endpoint or a model. */
  name: z.string().min(1).max(200),
  reason: z.string().max(1_000).optional(),
  /** The version that the caller saw answering: where it is another one by now, nothing is done and the answer is `conflict`. */
  from: z.number().int().positive().optional(),
  dryRun: z.boolean().default(false),
});
export type RollbackInput = z.input<typeof rollbackSchema>;

export interface Rollback {
  readonly endpoint: string;
  readonly model: string;
  readonly from: number;
  readonly to: number | null;
  /** Of the last logged requests, scored again by the version that comes back; null where they could not be. */
  readonly compared: { readonly requests: number; readonly differing: number } | null;
  readonly sentence: string;
  readonly done: boolean;
}

/** One logged prediction with its raw features. */
export interface Prediction {
  readonly id: string;
  readonly endpoint: string;
  readonly model: string;
  readonly versionId: string;
  readonly version: number | null;
  readonly role: string;
  readonly callerId: string | null;
  readonly requestId: string;
  readonly rolloutId: string | null;
  readonly eventTime: string;
  readonly receivedAt: string;
  readonly entity: string | null;
  readonly latencyMs: number | null;
  readonly status: 'ok' | 'error' | 'refused';
  readonly error: string | null;
  readonly label: Cell;
  readonly score: number | null;
  readonly fallback: boolean;
  readonly rehearsal: string | null;
  readonly features: Readonly<Record<string, Cell>>;
}
