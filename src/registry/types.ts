import type { Content } from '../content/index.ts';
import type { Cut, DataDeps, GateSplit } from '../data/index.ts';
import type { Fault, ServableSpec, Task } from '../engines/types.ts';
import type { IdentityDeps } from '../identity/index.ts';
import type { Frame } from '../kernel/frame.ts';
import type { Outbox } from '../outbox/index.ts';
import type { Analytics } from '../ports/analytics.ts';
import type { Db } from '../ports/db.ts';
import type { PythonWorkers } from '../ports/python-worker.ts';
import type { Clock, Log, Random } from '../ports/system.ts';
import type { DataSection, ModelSection } from '../project-file/index.ts';
import type { Interval } from '../stats/paired.ts';
import type { MonitorProfile } from '../stats/profile.ts';
import type { CodingRule } from './coding.ts';

export interface RegistryDeps {
  readonly db: Db;
  readonly content: Content;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly analytics: Analytics;
  readonly workers: PythonWorkers;
  readonly identity: IdentityDeps;
  readonly data: DataDeps;
  /** A folder for files that live as long as one registration. */
  readonly tempDir: string;
}

export interface ModelFile {
  readonly path: string;
  readonly digest: string;
  readonly sizeBytes: number;
}

/** The exact rows that a step saw of one dataset: the version, less the gate's rows, cut by time. */
export interface DataCut {
  readonly dataset: string;
  readonly versionId: string;
  readonly version: number;
  readonly section: DataSection;
  readonly split: GateSplit | null;
  readonly asOf: number | null;
  readonly cutDigest: string;
}

/** Rows that no step saw, with all columns as the data holds them. `rowIds` are identity hashes. */
export interface GateSample {
  readonly frame: Frame;
  readonly rowIds: readonly string[];
  /** Gate rows before sampling. */
  readonly total: number;
  readonly digest: string;
  /** The rows as a cut, whose gate they are. */
  readonly cut: Cut;
}

/** What a finished run offers as a version. */
export interface Candidate {
  readonly model: string;
  readonly pipeline: string;
  readonly pipelineRunId: string;
  readonly runId: string;
  /** An MLflow model folder. */
  readonly modelFiles: readonly ModelFile[];
  readonly featuresDigest: string | null;
  readonly env: { readonly digest: string };
  readonly python: string;
  readonly data: readonly DataCut[];
  readonly sourceDigest: string;
  readonly fileDigest: string;
  readonly section: ModelSection;
  /** What the run logged, by name. */
  readonly metrics: Readonly<Record<string, number>>;
  readonly draft: boolean;
  readonly retrain: boolean;
  /** The training rows as the step saw them (Parquet or CSV), of the first dataset. */
  readonly trainingFile: string;
  readonly gate: GateSample | null;
  /** How the run's notebook writes the target; null where that is not known. */
  readonly coding: CodingRule | null;
}

export type VersionState = 'registered' | 'external';
export type ApprovalState = 'not_needed' | 'waiting' | 'approved' | 'rejected' | 'void';

/** What a version was made of and found to be when it was registered; never changes. */
export interface VersionFacts {
  readonly pipeline: string | null;
  readonly files: readonly ModelFile[];
  readonly featuresDigest: string | null;
  readonly env: string | null;
  readonly data: readonly DataCut[];
  readonly sourceDigest: string | null;
  readonly fileDigest: string | null;
  readonly section: ModelSection | null;
  readonly metrics: Readonly<Record<string, number>>;
  readonly retrain: boolean;
  readonly engine: EngineFacts | null;
  readonly parity: Parity | null;
  /** A version that a rehearsal made of another one, and what is broken in it. */
  readonly madeOf: { readonly version: number; readonly fault: Fault } | null;
  readonly trainingRows: number | null;
  /** How the notebook writes the target; versions of before, and those whose rows did not tell, have none. */
  readonly coding?: CodingRule | null;
  /** Of a model of several classes: their shares in the training rows, in their order. */
  readonly classShares?: readonly number[];
  /** Training rows that were kept, drawn by chance; versions of before have none. */
  readonly background?: { readonly digest: string; readonly rows: number };
}

export interface EngineFacts {
  readonly kind: 'levain' | 'python';
  /** Which reader read the model file, or why only Python can. */
  readonly reason: string;
}

/** Golden predictions replayed through the engine against the training environment's own. */
export interface Parity {
  readonly maxDifference: number;
  readonly flips: number;
  readonly rows: number;
}

export type GateOutcome = 'passed' | 'failed' | 'not_measured' | 'refused';

export interface GateVerdict {
  readonly outcome: GateOutcome;
  readonly metric: string;
  readonly better: 'lower' | 'higher';
  /** The champion it was compared with; null: the base rate. */
  readonly championVersion: number | null;
  readonly champion: number | null;
  readonly challenger: number | null;
  /** Positive is better. */
  readonly difference: Interval | null;
  readonly auc: number | null;
  readonly rows: number;
  readonly totalRows: number;
  /** Gate rows that the champion was trained on. */
  readonly overlap: number;
  readonly flips: number | null;
  readonly slices: readonly SliceVerdict[];
  readonly rowsDigest: string | null;
  readonly sentence: string;
  readonly at: number;
}

export interface SliceVerdict {
  readonly column: string;
  readonly value: string;
  readonly rows: number;
  readonly champion: number | null;
  readonly challenger: number | null;
}

/** Who decided, and over exactly what: a change of the digest voids it. */
export interface Decision {
  readonly by: string;
  readonly at: number;
  readonly reason: string;
  readonly subjectDigest: string;
  /** Waiting: until when, and what happens then. */
  readonly dueAt: number | null;
  readonly atDeadline: 'keep_champion' | 'approve' | null;
}

export interface ModelVersion {
  readonly projectId: string;
  readonly model: string;
  readonly version: number;
  readonly id: string;
  readonly state: VersionState;
  readonly runId: string | null;
  readonly pipelineRunId: string | null;
  readonly createdAt: number;
  readonly draft: boolean;
  readonly rehearsal: string | null;
  readonly aliases: readonly string[];
  readonly facts: VersionFacts;
  readonly spec: ServableSpec | null;
  readonly gate: GateVerdict | null;
  readonly approval: ApprovalState;
  readonly decision: Decision | null;
}

export interface RegisteredModel {
  readonly name: string;
  readonly createdAt: number;
  readonly versions: number;
  readonly champion: number | null;
  readonly hold: Hold | null;
  readonly waiting: readonly number[];
}

export interface Hold {
  readonly model: string;
  readonly reason: string;
  readonly setBy: string;
  readonly setAt: number;
}

export interface Registered {
  readonly version: ModelVersion;
  /** False where the same model, data, features and environment were registered before. */
  readonly created: boolean;
}

export interface VersionRef {
  readonly model: string;
  /** A number, an alias such as `champion`, or `latest`. */
  readonly version: number | string;
}

export type { Fault, MonitorProfile, ServableSpec, Task };
