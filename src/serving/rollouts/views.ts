import type { RolloutTable, TransitionTable } from '../tables.ts';
import type { Rollout, RolloutTransition } from '../types.ts';
import type { EvidenceSummary } from './evidence.ts';
import type { RolloutPlan, RolloutState } from './machine.ts';

const iso = (time: number): string => new Date(time).toISOString();
const isoOrNull = (time: number | null): string | null => (time === null ? null : iso(time));

export const toRollout = (row: RolloutTable, clock: number | null): Rollout => ({
  id: row.id,
  endpoint: row.endpoint,
  model: row.model,
  version: row.version,
  versionId: row.version_id,
  fromVersion: row.from_version,
  revision: row.revision,
  state: row.state as RolloutState,
  plan: JSON.parse(row.plan) as RolloutPlan,
  step: row.step,
  weight: row.weight,
  shadow: row.shadow === 1,
  rehearsal: row.rehearsal,
  requestedBy: row.requested_by,
  sentence: row.sentence,
  reason: row.reason,
  evidence: row.evidence === null ? null : (JSON.parse(row.evidence) as EvidenceSummary),
  startedAt: iso(row.started_at),
  finishedAt: isoOrNull(row.finished_at),
  eventClock: isoOrNull(clock),
  deadline: isoOrNull(row.deadline_event),
});

export const toTransition = (row: TransitionTable): RolloutTransition => ({
  revision: row.revision,
  from: row.from_state as RolloutState | null,
  event: row.event,
  to: row.to_state as RolloutState,
  weight: row.weight,
  at: iso(row.at),
  eventAt: isoOrNull(row.event_at),
  sentence: row.sentence,
  step: row.step,
  evidence: row.evidence === null ? null : (JSON.parse(row.evidence) as EvidenceSummary),
});
