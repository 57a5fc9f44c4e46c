import type { TriggerSection } from '../project-file/index.ts';
import { findHold } from '../registry/index.ts';
import { appliedFile } from './applied.ts';
import { cronId } from './cron.ts';
import type { PipelinesDeps } from './deps.ts';
import { listCronTriggers, listTriggerEvents } from './triggers.store.ts';

export interface TriggerFired {
  readonly kind: string;
  readonly key: string;
  /** started, coalesced, skipped or held */
  readonly outcome: string;
  readonly runId: string | null;
  readonly at: string;
}

export interface TriggerList {
  readonly items: readonly {
    readonly trigger: TriggerSection;
    /** When a schedule is due next; null for the others. */
    readonly nextAt: string | null;
    /** The last event that it answered, or may have: events of one kind are not told apart by trigger. */
    readonly last: TriggerFired | null;
  }[];
  /** The newest events first, also of triggers that the file has no more. */
  readonly events: readonly TriggerFired[];
  /** Why triggers are not followed; null where they are. */
  readonly held: string | null;
}

const MAX_EVENTS = 50;

/** The triggers of the applied file, when they are due, and what came of their last events. */
export async function listTriggers(deps: PipelinesDeps, projectId: string, pipeline: string): Promise<TriggerList> {
  const applied = await appliedFile(deps, projectId, pipeline);
  const { cron, rows } = await deps.db.read(async (tx) => ({
    cron: await listCronTriggers(tx, projectId, pipeline),
    rows: await listTriggerEvents(tx, { projectId, pipeline, limit: MAX_EVENTS }),
  }));
  const hold = await findHold(deps.registry, projectId, pipeline);
  const events = rows.map(({ kind, key, outcome, run_id, created_at }) => ({
    kind,
    key,
    outcome,
    runId: run_id,
    at: new Date(created_at).toISOString(),
  }));
  const items = (applied?.file.triggers ?? []).map((trigger) => {
    const due = trigger.kind === 'cron' ? cron.find((row) => row.trigger_id === cronId(trigger))?.due_at : null;
    return {
      trigger,
      nextAt: due === null || due === undefined ? null : new Date(due).toISOString(),
      last: events.find((event) => isOf(trigger, event)) ?? null,
    };
  });
  return { items, events, held: hold?.reason ?? null };
}

/** Keys begin with the schedule, or hold the light: `incident/light/as of`. */
function isOf(trigger: TriggerSection, { kind, key }: TriggerFired): boolean {
  if (trigger.kind !== kind) return false;
  if (trigger.kind === 'cron') return key.startsWith(`${cronId(trigger)}/`);
  return trigger.kind !== 'alert' || key.split('/')[1] === trigger.light;
}
