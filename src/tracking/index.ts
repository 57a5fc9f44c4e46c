export { parseArtifactPath, rootOf, splitArtifactPath } from './artifact-paths.ts';
export {
  deleteArtifacts,
  linkArtifactIn,
  listArtifactFolder,
  listArtifacts,
  listArtifactsIn,
  type OpenedArtifact,
  openArtifact,
  putArtifact,
} from './artifacts.ts';
export { parseRange } from './byte-range.ts';
export {
  createExperiment,
  deleteExperiment,
  deleteExperimentTag,
  findExperiment,
  getExperiment,
  renameExperiment,
  restoreExperiment,
  searchExperiments,
  setExperimentTag,
} from './experiments.ts';
export { type FinishedRun, prepareFinishedRun, type RecordRun } from './finished-runs.ts';
export {
  claimModelsOfAttempt,
  createLoggedModel,
  deleteLoggedModel,
  deleteLoggedModelTag,
  finishLoggedModel,
  getLoggedModel,
  getLoggedModelIn,
  loggedModelsOfRun,
  logLoggedModelParams,
  searchLoggedModels,
  setLoggedModelTags,
  setLoggedModelTagsIn,
} from './logged-models.ts';
export type { Metric, MetricInput } from './metric-points.ts';
export { listMetricHistory, logMetrics, settleSeals } from './metrics.ts';
export { recordModelHistory } from './model-history.ts';
export { offsetOf, toOffsetPage } from './offset-page.ts';
export { trackingRoutes } from './routes.ts';
export { listLoggedDatasets, logInputs, logOutputs } from './run-inputs.ts';
export { searchRuns } from './run-listing.ts';
export {
  createRun,
  createStepRun,
  deleteRun,
  deleteTag,
  finishRun,
  getRun,
  logBatch,
  logParams,
  restoreRun,
  runsOfAttempt,
  setTags,
  updateRun,
  updateRunIn,
} from './runs.ts';
export { parseFilter, parseOrders, type SearchClause, type SearchOrder, type SearchSpace } from './search-fields.ts';
export type { TrackingTables } from './tables.ts';
export { textMatches } from './text-match.ts';
export type {
  Artifact,
  ArtifactEntry,
  ArtifactRoot,
  DatasetInput,
  Experiment,
  LoggedModel,
  LoggedModelStatus,
  ModelOutput,
  Pair,
  Run,
  RunStatus,
  RunSummary,
  TrackingDeps,
  ViewType,
} from './types.ts';
