export { cutDigest, type GateRowsResult, gateRows, type Materialised, materialise, overlapCount } from './cut.ts';
export type { DataTables } from './data.store.ts';
export { type ColumnDiff, diffVersions, type VersionDiff } from './diff.ts';
export { holdRows } from './notebook-rows.ts';
export { dataRoutes } from './routes.ts';
export { diffRows, type RowDiff } from './row-diff.ts';
export type { RowsRead } from './rows.ts';
export { gateSplitOf } from './split.ts';
export { currentVersion, type Synced, type SyncInput, syncDataset, versionSentence } from './sync.ts';
export type {
  CheckResult,
  ColumnKind,
  ColumnProfile,
  ColumnSchema,
  ContractReport,
  Cut,
  DataDeps,
  DataFile,
  DatasetVersion,
  DatasetVersionState,
  FailingRow,
  GateSplit,
  NotebookSplit,
  Profile,
} from './types.ts';
export {
  type DatasetSummary,
  getProfile,
  getVersion,
  listDatasets,
  listVersions,
  type VersionRef,
} from './versions.ts';
export type { DatasetVersionWire, DatasetWire, VersionSummaryWire } from './wire.ts';
