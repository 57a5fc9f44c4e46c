import { z } from 'zod';
import { route } from '../../wire/route.ts';
import type { MonitoringDeps } from '../types.ts';
import { getDistribution } from './distribution.ts';
import { getDrift } from './drift.ts';
import { getMarks } from './marks.ts';
import { getOutcomes } from './outcomes.ts';
import { getRule } from './rule.ts';
import { getScores } from './scores.ts';
import { getSettings } from './settings.ts';

const byModel = z.object({ model: z.string().min(1).max(200) });
const days = z.coerce.number().int().min(1).max(400).default(30);
const day = z.iso.date().transform((text) => Date.parse(`${text}T00:00:00Z`));
/** Days of event time, both included. */
const span = { from: day, to: day, version: z.coerce.number().int().positive().optional() };

/** What a monitor page shows beside `GET /models/:model/monitor`, each by itself, for it may be much. */
export function monitorViewRoutes(deps: MonitoringDeps) {
  return [
    route(
      {
        method: 'GET',
        path: '/models/:model/monitor/drift',
        permission: 'read',
        summary: 'Show every watched column in every window: effect, p, missing, unseen',
        params: byModel,
        query: z.object({ days }),
      },
      ({ actor, params, query }) => getDrift(deps, actor, { ...params, ...query }),
    ),
    route(
      {
        method: 'GET',
        path: '/models/:model/monitor/distribution',
        permission: 'read',
        summary: 'Compare one column (without one: the score) with its reference over days of event time',
        params: byModel,
        query: z.object({ ...span, column: z.string().min(1).max(1_000).optional() }),
      },
      ({ actor, params, query }) => getDistribution(deps, actor, { ...params, ...query }),
    ),
    route(
      {
        method: 'GET',
        path: '/models/:model/monitor/scores',
        permission: 'read',
        summary: 'Show the scores of each day: mean, quantiles, answers by label',
        params: byModel,
        query: z.object({ days }),
      },
      ({ actor, params, query }) => getScores(deps, actor, { ...params, ...query }),
    ),
    route(
      {
        method: 'GET',
        path: '/models/:model/monitor/outcomes',
        permission: 'read',
        summary: 'Compare predictions with labels over days of event time: metrics, reliability, slices of a column',
        params: byModel,
        query: z.object({ ...span, slice: z.string().min(1).max(1_000).optional() }),
      },
      ({ actor, params, query }) => getOutcomes(deps, actor, { ...params, ...query }),
    ),
    route(
      {
        method: 'GET',
        path: '/models/:model/monitor/rules/:rule',
        permission: 'read',
        summary: 'Show one rule over event time: value, threshold, what it decided by, its part of the false alarms',
        params: byModel.extend({ rule: z.string().min(1).max(100) }),
        query: z.object({ days }),
      },
      ({ actor, params, query }) => getRule(deps, actor, { ...params, ...query }),
    ),
    route(
      {
        method: 'GET',
        path: '/models/:model/monitor/marks',
        permission: 'read',
        summary: 'List what happened to a model by event time: deploys, incidents, data versions',
        params: byModel,
        query: z.object({ days }),
      },
      async ({ actor, params, query }) => ({ items: await getMarks(deps, actor, { ...params, ...query }) }),
    ),
    route(
      {
        method: 'GET',
        path: '/models/:model/monitor/settings',
        permission: 'read',
        summary: 'Show what is watched and how labels come, as levain.yaml was applied',
        params: byModel,
      },
      ({ actor, params }) => getSettings(deps, actor, params),
    ),
  ];
}
