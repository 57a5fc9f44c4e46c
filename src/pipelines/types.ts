import { z } from 'zod';
import type { GateSplit } from '../data/index.ts';
import type { Json } from '../kernel/canonical-json.ts';
import type { ProjectFile } from '../project-file/index.ts';

export const RUN_STATES = [
  'pending',
  'running',
  'succeeded',
  'failed',
  'cancelled',
  'waiting',
  'refused',
  'gate_failed',
] as const;
/** `waiting`: for an approval. `refused`: a data contract is broken. All but the first two are ends. */
export type RunState = (typeof RUN_STATES)[number];

export const STEP_STATES = [
  'pending',
  'ready',
  'leased',
  'running',
  'ok',
  'cached',
  'failed',
  'lost',
  'skipped',
  'cancelled',
] as const;
/** `lost`: its process is gone without an exit code. */
export type StepState = (typeof STEP_STATES)[number];

/** Phases of a run are rows alike: data in, the file's steps, then registration and gate. */
export type StepKind = 'data' | 'run' | 'notebook' | 'register' | 'gate';

export const TRIGGER_KINDS = ['manual', 'cron', 'data', 'alert', 'after', 'rehearsal', 'adopt'] as const;
export type TriggerKind = (typeof TRIGGER_KINDS)[number];

/** Why a step or a run did not get through: data, not an exception. */
export interface Failure {
  /** exit, cell, kernel_died, timeout, oom, lost, contract, environment, output, model, gate, internal */
  readonly kind: string;
  readonly message: string;
  readonly exitCode: number | null;
  readonly logTail: readonly string[];
  /** For notebooks: which code cell, counted from 1. */
  readonly cell: { readonly code: number; readonly of: number; readonly source: string } | null;
  readonly hint: string | null;
}

export interface SnapshotFile {
  readonly path: string;
  readonly digest: string;
  readonly sizeBytes: number;
  readonly executable: boolean;
}

/** A file of the project's snapshot, as a client sends it. */
export const SnapshotFileInput = z.object({
  path: z.string().min(1).max(1024),
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  sizeBytes: z.number().int().nonnegative(),
  executable: z.boolean().default(false),
});

export const ApplyInput = z.object({
  /** The text of levain.yaml. */
  text: z.string().min(1).max(1_048_576),
  /** Where the project stands on the server's machine: relative `data.*.from` stand on it. */
  folder: z.string().min(1).max(4096),
  sourceDigest: z.string().regex(/^[0-9a-f]{64}$/),
  /** The snapshot's files; left out where the server has the snapshot already. */
  sourceManifest: z.array(SnapshotFileInput).max(200_000).optional(),
  dryRun: z.boolean().default(false),
});
export type ApplyInput = z.input<typeof ApplyInput>;

export interface ApplyResult {
  readonly pipeline: string;
  readonly digest: string;
  readonly sourceDigest: string;
  /** False where nothing changed. */
  readonly applied: boolean;
  readonly dryRun: boolean;
  readonly changes: readonly Change[];
}

/** One difference between the applied file and this one, as people write them; undefined: not there. */
export interface Change {
  readonly key: string;
  readonly before?: string;
  readonly after?: string;
}

export interface AppliedFile {
  readonly pipeline: string;
  readonly file: ProjectFile;
  readonly folder: string;
  readonly digest: string;
  readonly sourceDigest: string;
  readonly appliedAt: number;
}

export const StartRunInput = z.object({
  trigger: z
    .object({ kind: z.enum(TRIGGER_KINDS), key: z.string().min(1).max(200), asOf: z.number().nullable().default(null) })
    .optional(),
  /** `latest` looks at the sources again; `current` takes the newest good version, and looks where there is none. */
  dataMode: z.enum(['current', 'latest']).default('current'),
  params: z.record(z.string(), z.json()).default({}),
  /** A file and snapshot other than the applied ones: where they differ, the run is a draft. */
  source: ApplyInput.omit({ dryRun: true }).optional(),
  rehearsal: z.string().max(100).nullable().default(null),
});
export type StartRunInput = z.input<typeof StartRunInput> & { readonly pipeline: string };

const Digest = z.string().regex(/^[0-9a-f]{64}$/);
const OutputFileInput = z.object({
  path: z.string().min(1).max(1024),
  digest: Digest,
  sizeBytes: z.number().int().nonnegative(),
});
const Pairs = z.record(z.string().min(1).max(250), z.string().max(6_000));
const TrackedInput = z.object({
  name: z.string().max(250).nullable().default(null),
  startedAt: z.number().int(),
  endedAt: z.number().int(),
  params: Pairs.default({}),
  tags: Pairs.default({}),
  metrics: z
    .array(
      z.object({
        key: z.string().min(1).max(250),
        value: z.number(),
        timestamp: z.number().int(),
        step: z.number().int(),
      }),
    )
    .max(100_000)
    .default([]),
  artifacts: z.array(OutputFileInput).max(10_000).default([]),
});

/** A step that ran outside of the server, by `levain adopt`. All bytes that it names are uploaded already. */
export const AdoptedInput = z.object({
  step: z.string().min(1).max(200),
  /** The applied snapshot; another one means that the project changed since. */
  sourceDigest: Digest,
  /** What it ran on, by content: it must be what the step has now. */
  ran: z.object({
    /** Bytes of the notebook. */
    notebook: Digest,
    /** By dataset, the digests of its files. */
    data: z.record(z.string().min(1).max(100), z.array(Digest).max(10_000)),
    /** SHA-256 of the lock's text; null without one. */
    lock: Digest.nullable(),
    params: z.record(z.string(), z.json()).default({}),
    platform: z.string().min(1).max(100),
  }),
  startedAt: z.number().int(),
  endedAt: z.number().int(),
  /** The executed notebook. */
  notebook: OutputFileInput.nullable().default(null),
  log: OutputFileInput.nullable().default(null),
  files: z.array(OutputFileInput).max(20_000).default([]),
  /** By variable: its model folder, and what is known of it. */
  exports: z.record(
    z.string().min(1).max(250),
    z.object({ files: z.array(OutputFileInput).max(20_000), facts: z.json() }),
  ),
  /** The scores that were found, for a run of ours where the code tracked nothing itself. */
  metrics: z.record(z.string().min(1).max(250), z.number()).default({}),
  /** The runs that the code tracked itself, the primary one first. */
  tracked: z.array(TrackedInput).max(1_000).default([]),
});
export type AdoptedInput = z.input<typeof AdoptedInput> & { readonly pipeline: string };

/** A file that a step put out. */
export interface OutputFile {
  readonly path: string;
  readonly digest: string;
  readonly sizeBytes: number;
}

/** What a finished step leaves: the value that the cache keeps. */
export interface StepOutputs {
  readonly files?: readonly OutputFile[];
  /** The executed notebook. */
  readonly notebook?: OutputFile | null;
  /** Variables saved as model folders, paths relative to the folder. */
  readonly exports?: Readonly<Record<string, { readonly files: readonly OutputFile[]; readonly facts: Json }>>;
  /** The tracked runs that the step made, the primary one first. */
  readonly trackedRuns?: readonly string[];
  readonly data?: DataOutputs;
  readonly register?: { readonly model: string; readonly version: number; readonly created: boolean };
  readonly gate?: { readonly outcome: string; readonly sentence: string; readonly approval: string };
}

export interface DataOutputs {
  readonly dataset: string;
  readonly versionId: string;
  readonly version: number;
  readonly cutDigest: string;
  readonly rows: number | null;
  readonly created: boolean;
  /** How the gate's rows are parted from what steps see, where the file alone does not say it; null: steps see all. */
  readonly split?: GateSplit | null;
  /** The gate's rows are those that the notebook kept for itself in this very run. */
  readonly isFirst?: boolean;
}

export interface PipelineRun {
  readonly projectId: string;
  readonly id: string;
  readonly pipeline: string;
  readonly fileDigest: string;
  readonly sourceDigest: string;
  readonly folder: string;
  readonly draft: boolean;
  readonly trigger: { readonly kind: TriggerKind; readonly key: string; readonly asOf: number | null };
  readonly dataMode: 'current' | 'latest';
  readonly params: Readonly<Record<string, Json>>;
  readonly startedBy: string;
  readonly rehearsal: string | null;
  readonly state: RunState;
  /** How it ended, in one sentence. */
  readonly summary: string | null;
  readonly failure: Failure | null;
  readonly model: string | null;
  readonly version: number | null;
  readonly cancelRequested: boolean;
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
}

export interface StepRun {
  readonly projectId: string;
  readonly runId: string;
  readonly name: string;
  readonly kind: StepKind;
  readonly position: number;
  readonly needs: readonly string[];
  readonly state: StepState;
  readonly attempt: number;
  readonly fence: number;
  readonly leaseOwner: string | null;
  readonly leaseUntil: number | null;
  /** Not to be started before: a retry's delay. */
  readonly dueAt: number | null;
  readonly cacheKey: string | null;
  readonly cachedFrom: string | null;
  /** Why it ran or did not. */
  readonly reason: string | null;
  readonly envDigest: string | null;
  readonly outputs: StepOutputs | null;
  readonly failure: Failure | null;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
}

/** One part of a cache key: `data:churn`, `code:train.py`, `notebook`, `env`, … */
export interface KeyPart {
  readonly name: string;
  readonly digest: string;
}

export const isFinished = (state: RunState): boolean => state !== 'pending' && state !== 'running';
export const isDone = (state: StepState): boolean => state === 'ok' || state === 'cached';
export const isStepEnd = (state: StepState): boolean =>
  isDone(state) || state === 'failed' || state === 'lost' || state === 'skipped' || state === 'cancelled';
