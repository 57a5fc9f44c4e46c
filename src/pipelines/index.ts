export { appliedFile, appliedFileIn, applyProject, differences, listApplied } from './applied.ts';
export type { PipelinesDeps } from './deps.ts';
export { pipelinesRoutes } from './routes.ts';
export {
  activeRuns,
  cancelRun,
  getRun,
  getRunDetail,
  latestRuns,
  listRuns,
  type RunDetail,
  startRun,
  startRunIn,
} from './runs.ts';
export { snapshotDigest } from './snapshots.ts';
export {
  fire,
  onAlertFired,
  onDataVersionCreated,
  onRunFinished,
  type TriggerEvent,
  type TriggerOutcome,
} from './triggers.ts';
export type {
  AppliedFile,
  ApplyInput,
  ApplyResult,
  Change,
  Failure,
  KeyPart,
  OutputFile,
  PipelineRun,
  RunState,
  SnapshotFile,
  StartRunInput,
  StepOutputs,
  StepRun,
  StepState,
  TriggerKind,
} from './types.ts';
export { onRunChanged } from './wake.ts';
export { type WhyStep, whyStep } from './why.ts';
export type { WireDetail, WireRun, WireStep } from './wire.ts';
export { startPipelinesWork } from './work.ts';
