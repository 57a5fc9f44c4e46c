export { eventClock, getEndpoint, listEndpoints, setFallback } from './endpoints.ts';
export { onApplied, onVersionApproved } from './events.ts';
export { type Gateway, listGateways } from './gateways.ts';
export { ingestSegment, ingestSegments } from './log/ingest.ts';
export {
  type CountedWindow,
  countersOf,
  findPrediction,
  type ListInput,
  lastRequests,
  listPredictions,
  readPredictions,
} from './log/reads.ts';
export { rollback } from './rollback.ts';
export { isCleanEnd } from './rollouts/advance.ts';
export { controlRollout, getRollout, listRollouts, promote } from './rollouts/control.ts';
export type { EvidenceSummary } from './rollouts/evidence.ts';
export type { RolloutPlan, RolloutState } from './rollouts/machine.ts';
export { isRolloutSettled } from './rollouts/settled.ts';
export { deploy, startRollout } from './rollouts/start.ts';
export { gatewayRoutes, servingRoutes } from './routes.ts';
export { createServingRuntime, type ServingRuntime } from './runtime.ts';
export type {
  Deployment,
  Endpoint,
  FallbackSetting,
  Prediction,
  Rollback,
  Rollout,
  RolloutTransition,
  ServingDeps,
} from './types.ts';
export { startServingWork } from './work.ts';
