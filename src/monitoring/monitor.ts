import { listProjects } from '../identity/index.ts';
import { messageOf } from '../kernel/errors.ts';
import { listEndpoints } from '../serving/index.ts';
import { evaluateEndpoint } from './evaluation/evaluate.ts';
import { actOnIncidents } from './incidents/actions.ts';
import { judgeWindows } from './incidents/judge.ts';
import type { MonitoringDeps } from './types.ts';

/** One look at one endpoint: evaluate, judge, act. Idempotent; one at a time an endpoint. */
export function monitorEndpoint(
  deps: MonitoringDeps,
  input: { readonly projectId: string; readonly endpoint: string },
): Promise<void> {
  return deps.runtime.inTurn(`${input.projectId}/${input.endpoint}`, async () => {
    const evaluated = await evaluateEndpoint(deps, input);
    if (!evaluated) return;
    const judging = { projectId: input.projectId, ...evaluated };
    await judgeWindows(deps, judging, evaluated.windows);
    await actOnIncidents(deps, judging);
    await evaluated.commit();
  });
}

/** One look at everything. What fails for one endpoint does not keep the others waiting. */
export async function monitorAll(deps: MonitoringDeps): Promise<void> {
  for (const project of await listProjects(deps.identity)) {
    for (const { name } of await listEndpoints(deps.serving, { projectId: project.id })) {
      try {
        await monitorEndpoint(deps, { projectId: project.id, endpoint: name });
      } catch (error) {
        deps.log.error('an endpoint could not be monitored', { endpoint: name, reason: messageOf(error) });
      }
    }
  }
}
