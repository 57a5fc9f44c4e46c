/**
 * What must flow upward among pillars, as rows of the outbox: inserted in the domain transaction, delivered at least once to
 * each subscriber. Handlers are idempotent and read the state again; a payload names things, it does not carry them.
 */
export interface DomainEvents {
  'data.version_created': { dataset: string; version: number; versionId: string };
  'tracking.run_finished': { runId: string; status: string };
  'registry.version_registered': { model: string; version: number };
  /** Approved, or needing no approval: may be deployed. */
  'registry.version_approved': { model: string; version: number };
  'registry.champion_changed': { model: string; version: number; previous: number | null };
  /** A levain.yaml was applied: sections that serving and monitoring read may have changed. */
  'pipelines.applied': { pipeline: string; digest: string };
  'pipelines.run_finished': { runId: string; pipeline: string; status: string; trigger: string };
  'serving.rollout_changed': { endpoint: string; model: string; rolloutId: string; version: number; state: string };
  /** Rolled back, by hand or by itself: a hold is set. */
  'serving.rolled_back': {
    endpoint: string;
    model: string;
    from: number;
    to: number | null;
    rolloutId: string | null;
    reason: string;
  };
  /** Segments of the prediction log came in for these windows. */
  'serving.segments_ingested': { endpoint: string };
  /** An incident opened or got worse, and its rule asks for an action. `asOf` is the endpoint's event clock, epoch ms. */
  'monitoring.alert_fired': { model: string; endpoint: string; incident: number; light: string; asOf: number };
  'monitoring.incident_changed': { model: string; incident: number; state: string };
}

export type Topic = keyof DomainEvents;

export interface DomainEvent<T extends Topic = Topic> {
  readonly id: string;
  readonly topic: T;
  readonly projectId: string;
  readonly key: string;
  readonly payload: DomainEvents[T];
  readonly createdAt: number;
}
