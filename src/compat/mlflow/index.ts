import { mlflowRegistry } from '../../registry/index.ts';
import type { TrackingDeps } from '../../tracking/index.ts';
import type { RawResponse, Route } from '../../wire/route.ts';
import { artifactRoutes } from './artifacts.ts';
import { experimentRpcs } from './experiments.ts';
import { loggedModelRpcs } from './logged-models.ts';
import { loggingRpcs } from './logging.ts';
import { registryRpcs } from './registry.ts';
import type { RegistryPort } from './registry-port.ts';
import { routesOf } from './rpc.ts';
import { runRpcs } from './runs.ts';

/** What `/version` answers: clients choose by it what they may call. */
export const MLFLOW_VERSION = '3.17.2';

/** The protocol of MLflow's tracking server on our pillars: unchanged `mlflow` code of 2.x and 3.x works against it. */
export const mlflowRoutes = (deps: TrackingDeps): readonly Route[] => [
  ...[
    ...experimentRpcs(deps),
    ...runRpcs(deps),
    ...loggingRpcs(deps),
    ...loggedModelRpcs(deps),
    ...registryRpcs(deps, mlflowRegistry satisfies RegistryPort),
  ].flatMap(routesOf),
  ...artifactRoutes(deps),
  ...metaRoutes,
];

const text = (body: string, contentType: string): RawResponse => ({
  raw: true,
  headers: { 'content-type': contentType },
  body,
});

const metaRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/version',
    permission: 'public',
    summary: 'MLflow: the version whose protocol is spoken',
    handler: async () => text(MLFLOW_VERSION, 'text/plain; charset=utf-8'),
  },
  ...['/api/3.0/mlflow/server-info', '/ajax-api/3.0/mlflow/server-info'].map(
    (path): Route => ({
      method: 'GET',
      path,
      permission: 'public',
      summary: 'MLflow: what the server can',
      handler: async () => text('{"store_type":"SqlStore","workspaces_enabled":false}', 'application/json'),
    }),
  ),
];
