import type { Readable } from 'node:stream';
import { z } from 'zod';
import { AppError } from '../kernel/errors.ts';
import { type RawResponse, route } from '../wire/route.ts';
import { askEndpoint } from './ask.ts';
import { pollDesired } from './desired.ts';
import { getEndpoint, listEndpoints, setFallback } from './endpoints.ts';
import { listGateways, reportGateway } from './gateways.ts';
import { ingestSegments } from './log/ingest.ts';
import { findPrediction, listPredictions } from './log/reads.ts';
import { rollback } from './rollback.ts';
import { controlRollout, getRollout, listRollouts } from './rollouts/control.ts';
import { deploy } from './rollouts/start.ts';
import { MAX_SEGMENT_BYTES } from './segment.ts';
import { getTraffic } from './traffic.ts';
import { deploySchema, fallbackSettingSchema, rollbackSchema, type ServingDeps } from './types.ts';
import { GATEWAY_PATHS, type GatewayReport } from './wire.ts';

const MAX_REPORT_BYTES = 4 * 2 ** 20;
const MAX_ASKED_BYTES = 2 ** 20;
const named = z.object({ name: z.string().min(1).max(200) });
const time = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));

/** What people and their tools call; under /api/levain/v1. */
export function servingRoutes(deps: ServingDeps) {
  return [...endpointRoutes(deps), ...rolloutRoutes(deps), ...predictionRoutes(deps)];
}

function endpointRoutes(deps: ServingDeps) {
  return [
    route({ method: 'GET', path: '/endpoints', permission: 'read', summary: 'List endpoints' }, async ({ actor }) => ({
      items: await listEndpoints(deps, actor),
    })),
    route(
      { method: 'GET', path: '/endpoints/:name', permission: 'read', summary: 'Show an endpoint', params: named },
      ({ actor, params }) => getEndpoint(deps, actor, params.name),
    ),
    route(
      {
        method: 'GET',
        path: '/endpoints/:name/traffic',
        permission: 'read',
        summary: 'Show requests, errors and latencies over event time, by version, and where traffic was moved',
        params: named,
        query: z.object({ hours: z.coerce.number().int().min(1).max(9_600).default(168), to: time.optional() }),
      },
      ({ actor, params, query }) => getTraffic(deps, actor, { ...params, ...query }),
    ),
    route(
      {
        method: 'PUT',
        path: '/endpoints/:name/fallback',
        permission: 'deploy',
        summary: 'Switch the fallback of an endpoint on or off',
        params: named,
        body: z.object({ active: z.boolean(), setting: fallbackSettingSchema.nullable().optional() }),
      },
      ({ actor, params, body }) => setFallback(deps, actor, { ...params, ...body }),
    ),
    route(
      { method: 'POST', path: '/deployments', permission: 'deploy', summary: 'Deploy a version', body: deploySchema },
      ({ actor, body }) => deploy(deps, actor, body),
    ),
    route(
      {
        method: 'POST',
        path: '/rollbacks',
        permission: 'deploy',
        summary: 'Roll back, and hold',
        body: rollbackSchema,
      },
      ({ actor, body }) => rollback(deps, actor, body),
    ),
    route({ method: 'GET', path: '/gateways', permission: 'read', summary: 'List gateways' }, async () => ({
      items: await listGateways(deps),
    })),
  ];
}

function rolloutRoutes(deps: ServingDeps) {
  return [
    route(
      {
        method: 'GET',
        path: '/endpoints/:name/rollout',
        permission: 'read',
        summary: 'Show the running or last rollout with its evidence and transitions',
        params: named,
        query: z.object({ id: z.string().max(100).optional() }),
      },
      ({ actor, params, query }) => getRollout(deps, actor, { ...params, ...query }),
    ),
    route(
      {
        method: 'GET',
        path: '/endpoints/:name/rollouts',
        permission: 'read',
        summary: 'List rollouts, newest first',
        params: named,
        query: z.object({ limit: z.coerce.number().int().min(1).max(100).optional() }),
      },
      async ({ actor, params, query }) => ({ items: await listRollouts(deps, actor, { ...params, ...query }) }),
    ),
    route(
      {
        method: 'POST',
        path: '/endpoints/:name/rollout',
        permission: 'deploy',
        summary: 'Continue, wait, pause, abort or promote the running rollout',
        params: named,
        body: z.object({
          action: z.enum(['continue', 'wait', 'pause', 'abort', 'promote']),
          reason: z.string().max(1_000).optional(),
          /** The rollout that the caller saw; another one by now is a conflict. */
          rollout: z.string().max(100).optional(),
        }),
      },
      ({ actor, params, body }) => controlRollout(deps, actor, { ...params, ...body }),
    ),
  ];
}

const predictionsQuery = z.object({
  endpoint: z.string().min(1).max(200),
  from: time.optional(),
  to: time.optional(),
  version: z.string().max(100).optional(),
  entity: z.string().max(1_000).optional(),
  callerId: z.string().max(1_000).optional(),
  rehearsal: z.string().max(100).optional(),
  limit: z.coerce.number().int().min(1).max(1_000).default(20),
});

function predictionRoutes(deps: ServingDeps) {
  return [
    route(
      {
        method: 'POST',
        path: '/predictions',
        permission: 'predict',
        summary: "Ask an endpoint through this server: the gateway's own answer, for those who cannot reach it",
        body: z.object({ endpoint: z.string().min(1).max(200), request: z.record(z.string(), z.json()) }),
        bodyLimitBytes: MAX_ASKED_BYTES,
      },
      ({ actor, body, signal }) => askEndpoint(deps, actor, { ...body, signal }),
    ),
    route(
      {
        method: 'GET',
        path: '/predictions',
        permission: 'read',
        summary: 'List logged predictions, newest first',
        query: predictionsQuery,
      },
      async ({ actor, query }) => {
        const { from = 0, to = Number.MAX_SAFE_INTEGER, version, ...rest } = query;
        const input = { ...rest, projectId: actor.projectId, from, to, versionId: version };
        return { items: await listPredictions(deps, input) };
      },
    ),
    route(
      {
        method: 'GET',
        path: '/predictions/:id',
        permission: 'read',
        summary: "Show a prediction by our id or the caller's",
        params: z.object({ id: z.string().min(1).max(512) }),
        query: z.object({ endpoint: z.string().max(200).optional() }),
      },
      async ({ actor, params, query }) => {
        const found = await findPrediction(deps, {
          projectId: actor.projectId,
          id: params.id,
          endpoint: query.endpoint,
        });
        if (found) return found;
        throw new AppError(
          'not_found',
          `There is no logged prediction "${params.id}"; the log is about a second behind the answers`,
        );
      },
    ),
  ];
}

/** What gateways call; the paths are absolute. */
export function gatewayRoutes(deps: ServingDeps) {
  return [
    route(
      {
        method: 'GET',
        path: GATEWAY_PATHS.desired,
        permission: 'gateway',
        summary: 'The desired state, as soon as it is newer',
        query: z.object({ after: z.coerce.number().int().min(0).default(0) }),
      },
      async ({ query, signal }) => (await pollDesired(deps, query.after, signal)) ?? noContent(),
    ),
    route(
      {
        method: 'POST',
        path: GATEWAY_PATHS.report,
        permission: 'gateway',
        summary: 'What a gateway does',
        body: z.looseObject({ gatewayId: z.string().min(1).max(100) }),
        bodyLimitBytes: MAX_REPORT_BYTES,
      },
      // Our own gateway wrote it; `reportGateway` checks what decisions stand on.
      ({ body }) => reportGateway(deps, body as unknown as GatewayReport),
    ),
    route(
      {
        method: 'POST',
        path: GATEWAY_PATHS.segments,
        permission: 'gateway',
        summary: 'Segments of the prediction log, one after the other',
        body: 'stream',
        bodyLimitBytes: MAX_SEGMENT_BYTES,
      },
      async ({ body }) => ({ segments: await ingestSegments(deps, await readAll(body, MAX_SEGMENT_BYTES)) }),
    ),
    route(
      {
        method: 'GET',
        path: `${GATEWAY_PATHS.content}/:digest`,
        permission: 'gateway',
        summary: 'The bytes of a content',
        params: z.object({ digest: z.string().regex(/^[0-9a-f]{64}$/) }),
      },
      async ({ params }): Promise<RawResponse> => ({
        raw: true,
        headers: { 'content-type': 'application/octet-stream' },
        body: await deps.content.open(params.digest),
      }),
    ),
  ];
}

const noContent = (): RawResponse => ({ raw: true, status: 204, body: '' });

async function readAll(body: Readable, limitBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > limitBytes) throw new AppError('too_large', `A log segment has more than ${limitBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
