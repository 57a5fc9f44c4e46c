import { z } from 'zod';
import type { Page } from '../kernel/pages.ts';
import { type Route, route } from '../wire/route.ts';
import { rootOf } from './artifact-paths.ts';
import { listArtifactFolder, openArtifact } from './artifacts.ts';
import { getExperiment, searchExperiments } from './experiments.ts';
import { getLoggedModel, loggedModelsOfRun } from './logged-models.ts';
import { listMetricHistory } from './metrics.ts';
import { searchRuns } from './run-listing.ts';
import { getRun } from './runs.ts';
import {
  ArtifactsQuery,
  type Experiment,
  ExperimentParams,
  ExperimentsQuery,
  HistoryQuery,
  type LoggedModel,
  type Run,
  RunParams,
  RunsQuery,
  type TrackingDeps,
} from './types.ts';

/** What our own clients see of tracking. Writing goes through MLflow's protocol, which every client speaks. */
export const trackingRoutes = (deps: TrackingDeps): readonly Route[] => [
  ...experimentRoutes(deps),
  ...runRoutes(deps),
  ...runFileRoutes(deps),
];

const experimentRoutes = (deps: TrackingDeps): readonly Route[] => [
  route(
    {
      method: 'GET',
      path: '/experiments',
      permission: 'read',
      summary: 'Experiments, newest first',
      query: ExperimentsQuery,
    },
    async ({ actor, query }) => mapPage(await searchExperiments(deps, actor, query), toExperiment),
  ),
  route(
    {
      method: 'GET',
      path: '/experiments/:id',
      permission: 'read',
      summary: 'One experiment',
      params: ExperimentParams,
    },
    async ({ actor, params }) => toExperiment(await getExperiment(deps, actor, Number(params.id))),
  ),
];

const runRoutes = (deps: TrackingDeps): readonly Route[] => [
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
      return mapPage(page, toRun);
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
      return { ...toRun(run), models: models.map(toLoggedModel) };
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
    async ({ actor, params }) => toLoggedModel(await getLoggedModel(deps, actor, params.id)),
  ),
];

const FileParams = RunParams.extend({ '*': z.string().min(1).max(1_024) });

const runFileRoutes = (deps: TrackingDeps): readonly Route[] => [
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

const iso = (ms: number): string => new Date(ms).toISOString();

/** JSON has no NaN: null. */
const toJsonNumber = (value: number): number | null => (Number.isNaN(value) ? null : value);

const mapPage = <T, U>({ items, ...rest }: Page<T>, to: (item: T) => U): Page<U> => ({ ...rest, items: items.map(to) });

const toExperiment = ({ id, createdAt, updatedAt, tags, ...rest }: Experiment) => ({
  id: String(id),
  ...rest,
  createdAt: iso(createdAt),
  updatedAt: iso(updatedAt),
  tags: toRecord(tags),
});

const toRun = (run: Run) => ({
  id: run.id,
  experimentId: String(run.experimentId),
  name: run.name,
  user: run.user,
  status: run.status,
  startedAt: iso(run.startedAt),
  endedAt: run.endedAt === null ? null : iso(run.endedAt),
  lifecycle: run.lifecycle,
  attemptId: run.attemptId,
  params: toRecord(run.params),
  tags: toRecord(run.tags),
  metrics: Object.fromEntries(run.metrics.map(({ key, value }) => [key, toJsonNumber(value)])),
  datasets: run.datasets.map(({ dataset }) => ({ name: dataset.name, digest: dataset.digest })),
  inputModels: run.inputModels,
  outputModels: run.outputModels,
});

const toLoggedModel = ({ createdAt, updatedAt, tags, params, metrics, ...rest }: LoggedModel) => ({
  ...rest,
  experimentId: String(rest.experimentId),
  createdAt: iso(createdAt),
  updatedAt: iso(updatedAt),
  tags: toRecord(tags),
  params: toRecord(params),
  metrics: metrics.map(({ key, value, step, runId }) => ({ key, value: toJsonNumber(value), step, runId })),
});

const toRecord = (pairs: readonly { key: string; value: string }[]): Record<string, string> =>
  Object.fromEntries(pairs.map(({ key, value }) => [key, value]));
