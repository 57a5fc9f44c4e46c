import { z } from 'zod';
import type { Content } from '../content/index.ts';
import type { IdentityDeps } from '../identity/index.ts';
import type { Cell } from '../kernel/frame.ts';
import type { Outbox } from '../outbox/index.ts';
import type { Analytics } from '../ports/analytics.ts';
import type { Db } from '../ports/db.ts';
import type { Sources } from '../ports/source.ts';
import type { Clock, Log, Random } from '../ports/system.ts';
import type { DataSection } from '../project-file/index.ts';

export interface DataDeps {
  readonly db: Db;
  readonly content: Content;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly outbox: Outbox;
  readonly identity: IdentityDeps;
  readonly analytics: Analytics;
  readonly sources: Sources;
}

export const DATASET_NAME = z.string().min(1).max(100);

/** What a column holds, whatever the engine calls it. */
export type ColumnKind = 'integer' | 'number' | 'boolean' | 'string' | 'date' | 'timestamp' | 'other';

export interface ColumnSchema {
  readonly name: string;
  /** DuckDB's name of the type. */
  readonly type: string;
  readonly kind: ColumnKind;
}

/** How the files of a version are read; kept with it, so that a version reads the same for ever. */
export type ReadPlan =
  | { readonly format: 'parquet'; readonly columns: readonly ColumnSchema[] }
  | {
      readonly format: 'csv';
      readonly delimiter: string;
      readonly quote: string;
      /** Numbers are written `3,14`. */
      readonly decimal?: ',';
      readonly columns: readonly ColumnSchema[];
    }
  | { readonly format: 'json'; readonly columns: readonly ColumnSchema[] }
  /** Not a table: images, text, archives. */
  | { readonly format: 'files'; readonly columns: readonly [] };

export interface DataFile {
  readonly name: string;
  readonly digest: string;
  readonly sizeBytes: number;
  /** The source's word for "unchanged"; saves reading the bytes again. */
  readonly stamp: string;
}

export interface NumberStats {
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly sd: number | null;
  /** p1, p5, p25, p50, p75, p95, p99. */
  readonly quantiles: readonly number[];
  readonly zeros: number;
  readonly negatives: number;
  /** Twenty bins of equal width between `min` and `max`. */
  readonly histogram: { readonly edges: readonly number[]; readonly counts: readonly number[] };
}

export interface ColumnProfile {
  readonly name: string;
  readonly type: string;
  readonly kind: ColumnKind;
  /** Missing values; NaN counts. */
  readonly nulls: number;
  /** Exact up to 1,000, else estimated. */
  readonly distinct: number;
  readonly number: NumberStats | null;
  /** Epoch ms. */
  readonly time: { readonly min: number; readonly max: number } | null;
  readonly text: { readonly minLength: number; readonly maxLength: number; readonly meanLength: number } | null;
  /** The twenty most frequent values with their counts, where a column has at most 10,000. */
  readonly top: readonly { readonly value: string; readonly count: number }[];
}

export interface Profile {
  readonly rowCount: number;
  readonly columns: readonly ColumnProfile[];
}

/** One promise of the contract and how it was kept. Names of checks are Great Expectations'. */
export interface CheckResult {
  readonly check: string;
  readonly column: string | null;
  readonly success: boolean;
  /** A broken `warn` refuses nothing. */
  readonly severity: 'error' | 'warn';
  /** `tenure: 3 of 7,043 rows outside [0, 120]`. */
  readonly sentence: string;
  readonly observed: Cell;
  readonly expected: string;
  readonly failing: number;
  /** At most 20. */
  readonly rows: readonly FailingRow[];
}

export interface FailingRow {
  readonly file: string;
  /** The data row in its file, from 1. */
  readonly row: number;
  readonly values: Readonly<Record<string, Cell>>;
}

export interface ContractReport {
  readonly success: boolean;
  readonly checks: readonly CheckResult[];
}

export type DatasetVersionState = 'ok' | 'refused';

export interface DatasetVersion {
  readonly id: string;
  readonly projectId: string;
  readonly dataset: string;
  readonly version: number;
  /** `refused`: its contract is broken; no run uses it. */
  readonly state: DatasetVersionState;
  readonly files: readonly DataFile[];
  readonly rowCount: number;
  readonly sizeBytes: number;
  readonly schema: readonly ColumnSchema[];
  readonly plan: ReadPlan;
  readonly profile: Profile;
  readonly contract: ContractReport;
  readonly timeRange: { readonly column: string; readonly min: number; readonly max: number } | null;
  readonly manifestDigest: string;
  readonly createdAt: number;
  readonly source: string;
}

export type GateSplit =
  | { readonly kind: 'newest'; readonly share: number; readonly time: string }
  | { readonly kind: 'hash'; readonly share: number; readonly key: readonly string[] }
  | NotebookSplit
  /** All rows are the gate's: those of a file of their own. */
  | { readonly kind: 'all' };

/**
 * What the first version's own test rows keep from later ones: those rows, wherever a later version of the data holds them, and a
 * share, by hash, of the rows that the first version's data did not hold.
 */
export interface NotebookSplit {
  readonly kind: 'notebook';
  /** The dataset version that the first model saw whole. */
  readonly base: string;
  /** Content that lists its test rows (`holdRows`); null where they could not be told. */
  readonly rows: string | null;
  readonly share: number;
  /** The columns that identify a row: the key, where it is unique in `base`; empty: all values. */
  readonly key: readonly string[];
}

/** Which rows of a version: cut by `section.window` and `asOf`, then split into gate and training rows. */
export interface Cut {
  readonly versionId: string;
  readonly section: DataSection;
  readonly split: GateSplit | null;
  /** Epoch ms: rows of a later time do not exist yet. */
  readonly asOf: number | null;
}
