import type { ContractReport, DataFile, DatasetVersion, Profile } from './types.ts';
import type { DatasetSummary } from './versions.ts';

/** A version as it travels: times in ISO 8601. */
export interface DatasetVersionWire {
  readonly id: string;
  readonly dataset: string;
  readonly version: number;
  readonly state: DatasetVersion['state'];
  readonly rowCount: number;
  readonly sizeBytes: number;
  readonly files: readonly Omit<DataFile, 'stamp'>[];
  readonly schema: DatasetVersion['schema'];
  readonly profile: Profile;
  readonly contract: ContractReport;
  readonly timeRange: { readonly column: string; readonly min: string; readonly max: string } | null;
  readonly source: string;
  readonly createdAt: string;
}

/** Without profile, files and rows that broke the contract. */
export type VersionSummaryWire = Omit<DatasetVersionWire, 'profile' | 'files' | 'schema' | 'contract'> & {
  readonly fileCount: number;
  readonly columnCount: number;
  readonly checks: number;
  /** Sentences of the promises that were broken. */
  readonly broken: readonly string[];
};

export interface DatasetWire {
  readonly name: string;
  readonly latest: VersionSummaryWire | null;
  readonly refused: VersionSummaryWire | null;
}

const iso = (ms: number): string => new Date(ms).toISOString();

export const toVersionWire = (version: DatasetVersion): DatasetVersionWire => ({
  ...head(version),
  files: version.files.map(({ name, digest, sizeBytes }) => ({ name, digest, sizeBytes })),
  schema: version.schema,
  profile: version.profile,
  contract: version.contract,
});

export const toSummaryWire = (version: DatasetVersion): VersionSummaryWire => ({
  ...head(version),
  fileCount: version.files.length,
  columnCount: version.schema.length,
  checks: version.contract.checks.length,
  broken: version.contract.checks
    .filter((check) => !check.success && check.severity === 'error')
    .map((check) => check.sentence),
});

const head = (version: DatasetVersion) => ({
  id: version.id,
  dataset: version.dataset,
  version: version.version,
  state: version.state,
  rowCount: version.rowCount,
  sizeBytes: version.sizeBytes,
  timeRange: version.timeRange && {
    column: version.timeRange.column,
    min: iso(version.timeRange.min),
    max: iso(version.timeRange.max),
  },
  source: version.source,
  createdAt: iso(version.createdAt),
});

export const toDatasetWire = ({ name, latest, refused }: DatasetSummary): DatasetWire => ({
  name,
  latest: latest && toSummaryWire(latest),
  refused: refused && toSummaryWire(refused),
});
