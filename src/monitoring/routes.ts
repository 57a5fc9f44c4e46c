import { z } from 'zod';
import { WaitSeconds } from '../wire/long-poll.ts';
import { route } from '../wire/route.ts';
import { exportAffected, listAffected } from './incidents/affected.ts';
import { getEvidence } from './incidents/evidence.ts';
import { acknowledge, getIncident, listIncidents, resolveIncident } from './incidents/incidents.ts';
import { sendLabels } from './labels/labels.ts';
import { listLabelled } from './labels/predictions.ts';
import { labelStatus } from './labels/status.ts';
import { listNotifiers, testNotifier } from './notify/notifiers.ts';
import { getMonitor } from './overview.ts';
import { followRehearsal, listRehearsals } from './rehearsals/rehearsals.ts';
import { startRehearsal } from './rehearsals/start.ts';
import { getStatus, getWatermark } from './status.ts';
import { labelsSchema, type MonitoringDeps, rehearsalSchema } from './types.ts';
import { monitorViewRoutes } from './views/routes.ts';
import { why } from './why/why.ts';

const MAX_LABELS_BYTES = 16 * 2 ** 20;
const numbered = z.object({ number: z.coerce.number().int().positive().max(Number.MAX_SAFE_INTEGER) });
const time = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));
const labelledQuery = z.object({
  endpoint: z.string().max(200).optional(),
  from: time.optional(),
  to: time.optional(),
  version: z.coerce.number().int().positive().optional(),
  label: z.enum(['known', 'missing']).optional(),
  status: z.enum(['ok', 'error', 'refused']).optional(),
  text: z.string().min(1).max(200).optional(),
  entity: z.string().max(1_000).optional(),
  callerId: z.string().max(1_000).optional(),
  rehearsal: z.string().max(100).optional(),
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
  after: z.string().max(500).optional(),
});
/** Models may be called at length by clients of ours. */
const MAX_MODEL_NAME = 255;
const byModel = z.object({ model: z.string().min(1).max(MAX_MODEL_NAME) });

/** Under /api/levain/v1. */
export function monitoringRoutes(deps: MonitoringDeps) {
  return [
    ...statusRoutes(deps),
    ...monitorViewRoutes(deps),
    ...labelRoutes(deps),
    ...incidentRoutes(deps),
    ...rehearsalRoutes(deps),
    ...notifierRoutes(deps),
  ];
}

function statusRoutes(deps: MonitoringDeps) {
  return [
    route(
      {
        method: 'GET',
        path: '/status',
        permission: 'read',
        summary: 'Show every model with its lights, and what needs you',
      },
      ({ actor }) => getStatus(deps, actor),
    ),
    route(
      {
        method: 'GET',
        path: '/models/:model/monitor',
        permission: 'read',
        summary: 'Show windows, columns and performance of a model over event time',
        params: byModel,
        query: z.object({ days: z.coerce.number().int().min(1).max(400).default(30) }),
      },
      ({ actor, params, query }) => getMonitor(deps, actor, { ...params, ...query }),
    ),
    route(
      {
        method: 'GET',
        path: '/endpoints/:endpoint/watermark',
        permission: 'read',
        summary: 'Say how far monitoring and actions are, for replays in lock-step',
        params: z.object({ endpoint: z.string().min(1).max(200) }),
      },
      ({ actor, params }) => getWatermark(deps, actor, params.endpoint),
    ),
    route(
      {
        method: 'GET',
        path: '/why/:id',
        permission: 'read',
        summary: 'Say why: an incident, version, prediction, run, step, rollout or rehearsal',
        params: z.object({ id: z.string().min(1).max(512) }),
      },
      ({ actor, params }) => why(deps, actor, params.id),
    ),
  ];
}

function labelRoutes(deps: MonitoringDeps) {
  return [
    route(
      {
        method: 'POST',
        path: '/labels',
        permission: 'write',
        summary: 'Send labels: what came true for predictions',
        body: labelsSchema,
        bodyLimitBytes: MAX_LABELS_BYTES,
      },
      ({ actor, body }) => sendLabels(deps, actor, body),
    ),
    route(
      {
        method: 'GET',
        path: '/labels/predictions',
        permission: 'read',
        summary: 'List logged predictions with what came true of them, newest first',
        query: labelledQuery,
      },
      ({ actor, query }) => listLabelled(deps, actor, query),
    ),
    route(
      {
        method: 'GET',
        path: '/labels/status',
        permission: 'read',
        summary: 'Show how many predictions have labels, by day',
        query: z.object({
          endpoint: z.string().max(200).optional(),
          days: z.coerce.number().int().min(1).max(400).optional(),
        }),
      },
      ({ actor, query }) => labelStatus(deps, actor, query.endpoint, query.days),
    ),
  ];
}

function incidentRoutes(deps: MonitoringDeps) {
  return [
    route(
      {
        method: 'GET',
        path: '/incidents',
        permission: 'read',
        summary: 'List incidents, newest first',
        query: z.object({
          model: z.string().max(MAX_MODEL_NAME).optional(),
          state: z.enum(['open', 'acknowledged', 'resolved']).optional(),
          limit: z.coerce.number().int().min(1).max(200).default(20),
          after: z.string().max(100).optional(),
        }),
      },
      ({ actor, query }) => listIncidents(deps, actor, query),
    ),
    route(
      {
        method: 'GET',
        path: '/incidents/:number',
        permission: 'read',
        summary: 'Show an incident: verdict, alerts and actions',
        params: numbered,
      },
      ({ actor, params }) => getIncident(deps, actor, params.number),
    ),
    route(
      {
        method: 'GET',
        path: '/incidents/:number/evidence',
        permission: 'read',
        summary: 'What an incident stands on: its numbers over event time, and how each light was',
        params: numbered,
      },
      ({ actor, params }) => getEvidence(deps, actor, params.number),
    ),
    route(
      {
        method: 'GET',
        path: '/incidents/:number/predictions',
        permission: 'read',
        summary: 'Predictions that an incident is about, newest first, with their labels',
        params: numbered,
        query: z.object({ limit: z.coerce.number().int().min(1).max(1_000).default(50) }),
      },
      ({ actor, params, query }) => listAffected(deps, actor, { ...params, ...query }),
    ),
    route(
      {
        method: 'GET',
        path: '/incidents/:number/predictions/export',
        permission: 'read',
        summary: 'All of them as a file, oldest first: CSV or JSON lines',
        params: numbered,
        query: z.object({ format: z.enum(['csv', 'jsonl']).default('csv') }),
      },
      ({ actor, params, query }) => exportAffected(deps, actor, { ...params, ...query }),
    ),
    route(
      {
        method: 'POST',
        path: '/incidents/:number/ack',
        permission: 'write',
        summary: 'Acknowledge an incident',
        params: numbered,
      },
      ({ actor, params }) => acknowledge(deps, actor, params.number),
    ),
    route(
      {
        method: 'POST',
        path: '/incidents/:number/resolve',
        permission: 'write',
        summary: 'Resolve an incident',
        params: numbered,
        body: z.object({ reason: z.string().max(1_000).optional() }).optional(),
      },
      ({ actor, params, body }) => resolveIncident(deps, actor, { ...params, ...body }),
    ),
  ];
}

function rehearsalRoutes(deps: MonitoringDeps) {
  return [
    route(
      {
        method: 'POST',
        path: '/rehearsals',
        permission: 'deploy',
        summary: 'Start a rehearsal on a model of yours',
        body: rehearsalSchema,
      },
      ({ actor, body }) => startRehearsal(deps, actor, body),
    ),
    route(
      {
        method: 'GET',
        path: '/rehearsals',
        permission: 'read',
        summary: 'List rehearsals, newest first',
        query: z.object({ limit: z.coerce.number().int().min(1).max(100).default(20) }),
      },
      async ({ actor, query }) => ({ items: await listRehearsals(deps, actor, query.limit) }),
    ),
    route(
      {
        method: 'GET',
        path: '/rehearsals/:id',
        permission: 'read',
        summary: 'Show a rehearsal and its report; with `since` and `wait` it answers when something changed',
        params: z.object({ id: z.string().min(1).max(100) }),
        query: z.object({ since: z.string().max(100).optional(), wait: WaitSeconds }),
      },
      ({ actor, params, query, signal }) => followRehearsal(deps, actor, { ...params, ...query, signal }),
    ),
  ];
}

function notifierRoutes(deps: MonitoringDeps) {
  return [
    route(
      {
        method: 'GET',
        path: '/notifiers',
        permission: 'read',
        summary: 'List where applied files send messages, without addresses',
      },
      async ({ actor }) => ({ items: await listNotifiers(deps, actor) }),
    ),
    route(
      {
        method: 'POST',
        path: '/notifiers/test',
        permission: 'admin',
        summary: 'Send a test message to one of them',
        body: z.object({ pipeline: z.string().min(1).max(100), name: z.string().min(1).max(100) }),
      },
      ({ actor, body }) => testNotifier(deps, actor, body),
    ),
  ];
}
