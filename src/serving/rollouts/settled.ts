import { selectEndpoint } from '../endpoints.store.ts';
import { gatewaysIn } from '../gateways.ts';
import { eventClockOf } from '../log/event-clock.ts';
import type { Rollout, ServingDeps } from '../types.ts';
import { selectActiveRollout } from './rollouts.store.ts';
import { toRollout } from './views.ts';

/** States that move on by themselves within moments, without new traffic. */
const IN_MOTION: readonly string[] = ['preflight', 'promoting', 'aborting'];

/**
 * For replays in lock-step: the running rollout, and whether the gateways run its last step and it has looked at all that came
 * in, so that it waits for more traffic or for a person. Without a rollout it is settled.
 */
export async function isRolloutSettled(
  deps: Pick<ServingDeps, 'db' | 'clock'>,
  input: { readonly projectId: string; readonly endpoint: string },
): Promise<{ readonly settled: boolean; readonly rollout: Rollout | null }> {
  return deps.db.read(async (tx) => {
    const row = await selectActiveRollout(tx, input.projectId, input.endpoint);
    const endpoint = await selectEndpoint(tx, input.projectId, input.endpoint);
    if (!row || !endpoint) return { settled: true, rollout: null };
    const clock = eventClockOf(endpoint, deps.clock.now());
    const isUpToDate = (row.evaluated_ingest ?? 0) >= endpoint.ingested_at;
    const gateways = (await gatewaysIn(tx, deps.clock.now())).filter(({ alive }) => alive);
    const isApplied = gateways.every(({ generation }) => generation >= row.generation);
    const isReplaying = row.state === 'shadow' && row.replay === null && row.shadow === 0;
    return {
      settled: !IN_MOTION.includes(row.state) && !isReplaying && isUpToDate && isApplied,
      rollout: toRollout(row, clock),
    };
  });
}
