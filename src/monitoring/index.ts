export { acknowledge, getIncident, listIncidents, resolveIncident } from './incidents/incidents.ts';
export { onIncidentChanged, onRolledBack } from './incidents/subscriptions.ts';
export { onDataVersion } from './labels/from-data.ts';
export { sendLabels } from './labels/labels.ts';
export { type LabelStatus, labelStatus } from './labels/status.ts';
export { lights } from './lights.ts';
export { monitorAll, monitorEndpoint } from './monitor.ts';
export type { Need } from './needs.ts';
export { getMonitor, type MonitorView } from './overview.ts';
export { getRehearsal, listRehearsals, type RehearsalView } from './rehearsals/rehearsals.ts';
export { startRehearsal } from './rehearsals/start.ts';
export { monitoringRoutes } from './routes.ts';
export { createMonitoringRuntime, type MonitoringRuntime } from './runtime.ts';
export { getStatus, getWatermark, type ModelStatus, type Status, type Watermark } from './status.ts';
export type {
  ActionView,
  IncidentView,
  LabelsAccepted,
  LightState,
  Lights,
  LightView,
  MonitoringDeps,
  RehearsalInput,
  RehearsalKind,
} from './types.ts';
export type { PredictionWhy } from './why/prediction.ts';
export type { Why, WhyLink } from './why/types.ts';
export { why } from './why/why.ts';
export { startMonitoringWork } from './work.ts';
