export { approvalSentence, approve, assertDeployable, decideAfterGate, reject, subjectDigest } from './approvals.ts';
export { type Background, backgroundOf } from './background.ts';
export { registerCandidate } from './candidate.ts';
export { clearChampionIn, setAlias, setChampionIn } from './champion.ts';
export { type CodingRule, codingRule } from './coding.ts';
export { GATE_ROWS_LIMIT, runGate } from './gate.ts';
export { findHold, findHoldIn, resume, setHold, setHoldIn } from './holds.ts';
export { mlflowRegistry, uniqueRegistrations } from './mlflow/index.ts';
export { faultWords, registerRehearsal } from './rehearsal.ts';
export { registryRoutes } from './routes.ts';
export { openServable, scoreRows } from './scoring.ts';
export { type TruthRule, truthColumn, truthOf, truthRule } from './truth.ts';
export type {
  ApprovalState,
  Candidate,
  DataCut,
  Decision,
  GateOutcome,
  GateSample,
  GateVerdict,
  Hold,
  ModelFile,
  ModelVersion,
  Parity,
  Registered,
  RegisteredModel,
  RegistryDeps,
  VersionFacts,
  VersionRef,
} from './types.ts';
export {
  findChampion,
  findVersionById,
  getVersion,
  getVersionIn,
  listModels,
  listVersions,
  parseVersionRef,
  profileOf,
  servableOf,
} from './versions.ts';
export { startRegistryWork } from './work.ts';
