import { z } from 'zod';
import type { Page } from '../kernel/pages.ts';
import { route } from '../wire/route.ts';
import { rootOf } from './artifact-paths.ts';
import { listArtifactFolder, openArtifact } from './artifacts.ts';
import { getExperiment, searchExperiments } from './experiments.ts';
import { getLoggedModel, loggedModelsOfRun } from './logged-models.ts';
import { listMetricHistory } from './metrics.ts';
import { searchRuns } from './run-listing.ts';
import { getRun } from './runs.ts';
import {
  ArtifactsQuery,
  ExperimentParams,
  ExperimentsQuery,
  HistoryQuery,
  RunParams,
  RunsQuery,
  type TrackingDeps,
} from './types.ts';
import { iso, toJsonNumber, toWireExperiment, toWireLoggedModel, toWireRun } from './wire.ts';

/** What our own clients see of tracking. Writing goes through MLflow's protocol, which every client speaks. */
export const trackingRoutes = (deps: TrackingDeps) => [
  ...experimentRoutes(deps),
  ...runRoutes(deps),
  ...runFileRoutes(deps),
];

const experimentRoutes = (deps: TrackingDeps) => [
  route(
    {
      method: 'GET',
      path: '/experiments',
      permission: 'read',
      summary: 'Experiments, newest first',
      query: ExperimentsQuery,
    },
    async ({ actor, query }) => mapPage(await searchExperiments(deps, actor, query), toWireExperiment),
  ),
  route(
    {
      method: 'GET',
      path: '/experiments/:id',
      permission: 'read',
      summary: 'One experiment',
      params: ExperimentParams,
    },
    async ({ actor, params }) => toWireExperiment(await getExperiment(deps, actor, Number(params.id))),
  ),
];

const runRoutes = (deps: TrackingDeps) => [
  route(
    { method: 'GET', path: '/runs', permission: 'read', summary: 'Tracked runs, newest first', query: RunsQuery },
    async ({ actor, query }) => {
      const page = await searchRuns(deps, actor, {
        experimentIds: query.experiment === undefined ? null : [Number(query.experiment)],
        filter: query.filter,
        orders: query.order === undefined ? [] : [query.order],
        view: query.view,
        limit: query.limit,
        after: query.after,
      });
      return mapPage(page, toWireRun);
    },
  ),
  route(
    {
      method: 'GET',
      path: '/runs/:id',
      permission: 'read',
      summary: 'One run and all that it logged',
      params: RunParams,
    },
    async ({ actor, params }) => {
      const run = await getRun(deps, actor, params.id);
      const models = await loggedModelsOfRun(deps, actor.projectId, params.id);
      return { ...toWireRun(run), models: models.map(toWireLoggedModel) };
    },
  ),
  route(
    {
      method: 'GET',
      path: '/runs/:id/metrics',
      permission: 'read',
      summary: 'The points of one metric, by time',
      params: RunParams,
      query: HistoryQuery,
    },
    async ({ actor, params, query }) => {
      const page = await listMetricHistory(deps, actor, { runId: params.id, ...query });
      return mapPage(page, ({ value, timestamp, step }) => ({ value: toJsonNumber(value), at: iso(timestamp), step }));
    },
  ),
  route(
    {
      method: 'GET',
      path: '/logged-models/:id',
      permission: 'read',
      summary: 'One logged model',
      params: RunParams,
    },
    async ({ actor, params }) => toWireLoggedModel(await getLoggedModel(deps, actor, params.id)),
  ),
];

const FileParams = RunParams.extend({ '*': z.string().min(1).max(1_024) });

const runFileRoutes = (deps: TrackingDeps) => [
  route(
    {
      method: 'GET',
      path: '/runs/:id/artifacts',
      permission: 'read',
      summary: 'The files and folders in a folder of a run',
      params: RunParams,
      query: ArtifactsQuery,
    },
    async ({ actor, params, query }) => {
      const { artifactUri } = await getRun(deps, actor, params.id);
      const root = rootOf(artifactUri);
      if (root === null) return { items: [], elsewhere: artifactUri };
      const folder = query.path === '' ? root : `${root}/${query.path}`;
      return { items: await listArtifactFolder(deps, actor.projectId, folder) };
    },
  ),
  route(
    {
      method: 'GET',
      path: '/runs/:id/artifacts/*',
      permission: 'read',
      summary: 'One file of a run',
      params: FileParams,
    },
    async ({ actor, params }) => {
      const { artifactUri } = await getRun(deps, actor, params.id);
      const { artifact, open } = await openArtifact(deps, actor.projectId, rootOf(artifactUri) ?? '', params['*']);
      const headers = { 'content-length': String(artifact.sizeBytes), 'content-security-policy': 'sandbox' };
      return { raw: true, headers, body: await open() };
    },
  ),
];

const mapPage = <T, U>({ items, ...rest }: Page<T>, to: (item: T) => U): Page<U> => ({ ...rest, items: items.map(to) });
