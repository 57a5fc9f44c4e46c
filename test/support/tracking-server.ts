import { mlflowRoutes } from '../../src/compat/mlflow/index.ts';
import { createBus, createHttpServer } from '../../src/http/index.ts';
import { createAuthenticator, issueStepToken } from '../../src/identity/index.ts';
import { type TrackingDeps, trackingRoutes } from '../../src/tracking/index.ts';
import { testDb } from './db.ts';
import { LOCAL, trackingDeps } from './tracking.ts';

export interface TrackingServer {
  readonly url: string;
  readonly deps: TrackingDeps;
  /** A token as a running step has it. */
  stepToken(attemptId: string): Promise<string>;
  close(): Promise<void>;
}

/** Tracking and MLflow's protocol on the real HTTP host, alone: one pillar is useful by itself. */
export async function startTrackingServer(): Promise<TrackingServer> {
  const deps = await trackingDeps(await testDb());
  const http = createHttpServer({
    ...deps,
    routes: [...mlflowRoutes(deps), ...trackingRoutes(deps)],
    authenticator: createAuthenticator(deps),
    bus: createBus(),
    host: '127.0.0.1',
    version: 'test',
  });
  const port = await http.listen(0);
  return {
    url: `http://127.0.0.1:${port}`,
    deps,
    stepToken: (attemptId) =>
      deps.db.write((tx) => issueStepToken(tx, deps, { projectId: LOCAL.projectId, attemptId })),
    async close() {
      await http.close();
      await deps.db.close();
    },
  };
}
