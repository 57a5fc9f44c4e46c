import { z } from 'zod';
import type { Page } from '../kernel/pages.ts';
import { type Actor, route } from '../wire/route.ts';
import { type ArtifactOwner, artifactRootOf, readArtifactRows, sendArtifact } from './artifact-files.ts';
import { listArtifactFolder } from './artifacts.ts';
import { getExperiment, searchExperiments } from './experiments.ts';
import { getLoggedModel, loggedModelsOfRun } from './logged-models.ts';
import { chartMetric, summarizeMetrics } from './metric-charts.ts';
import { listMetricHistory } from './metrics.ts';
import { changeRun } from './run-edits.ts';
import { searchRuns } from './run-listing.ts';
import { defaultColumns, listLoggedKeys, matchRuns, readRunTable } from './run-table.ts';
import { deleteRun, getRun, restoreRun } from './runs.ts';
import {
  ArtifactRowsQuery,
  ArtifactsQuery,
  ExperimentParams,
  ExperimentsQuery,
  HistoryQuery,
  RunChange,
  RunChartQuery,
  RunMatchesQuery,
  RunParams,
  RunsQuery,
  RunTableQuery,
  type TrackingDeps,
} from './types.ts';
import { iso, toJsonNumber, toWireExperiment, toWireLoggedModel, toWireRun, toWireRunDetail } from './wire.ts';

/** What our own clients see of tracking. Writing goes through MLflow's protocol, which every client speaks. */
export const trackingRoutes = (deps: TrackingDeps) => [
  ...experimentRoutes(deps),
  ...runTableRoutes(deps),
  ...runRoutes(deps),
  ...runEditRoutes(deps),
  ...runFileRoutes(deps),
  ...modelFileRoutes(deps),
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

const experimentOf = (text: string | undefined): number | null => (text === undefined ? null : Number(text));

const runTableRoutes = (deps: TrackingDeps) => [
  route(
    {
      method: 'GET',
      path: '/runs/table',
      permission: 'read',
      summary:
        'All runs as columns, newest first; `columns` is a JSON array of names such as "metrics.loss". Times are epoch ms',
      query: RunTableQuery,
    },
    async ({ actor, query }) =>
      readRunTable(deps, actor, {
        experimentId: experimentOf(query.experiment),
        view: query.view,
        since: query.since ?? null,
        limit: query.limit,
        columns: query.columns ?? defaultColumns(await listLoggedKeys(deps, actor)),
      }),
  ),
  route(
    {
      method: 'GET',
      path: '/runs/matches',
      permission: 'read',
      summary: "The ids of the runs that match a filter in MLflow's grammar",
      query: RunMatchesQuery,
    },
    async ({ actor, query }) => ({
      ids: await matchRuns(deps, actor, { ...query, experimentId: experimentOf(query.experiment) }),
    }),
  ),
  route(
    {
      method: 'GET',
      path: '/runs/keys',
      permission: 'read',
      summary: 'The metrics, parameters and tags that runs have, those of most runs first',
    },
    ({ actor }) => listLoggedKeys(deps, actor),
  ),
  route(
    {
      method: 'GET',
      path: '/runs/chart',
      permission: 'read',
      summary: 'One metric of some runs (`runs` is a list of ids with commas) at the level of detail of a chart',
      query: RunChartQuery,
    },
    ({ actor, query: { runs, ...query } }) =>
      chartMetric(deps, actor, { ...query, runIds: runs.split(',').filter(Boolean) }),
  ),
];

const runEditRoutes = (deps: TrackingDeps) => [
  route(
    {
      method: 'PATCH',
      path: '/runs/:id',
      permission: 'write',
      summary: "Change a run's name and tags; a tag with null is removed",
      params: RunParams,
      body: RunChange,
    },
    async ({ actor, params, body }) => toWireRun(await changeRun(deps, actor, { id: params.id, ...body })),
  ),
  route(
    {
      method: 'DELETE',
      path: '/runs/:id',
      permission: 'write',
      summary: 'Delete a run; it can be restored',
      params: RunParams,
    },
    ({ actor, params }) => deleteRun(deps, actor, params.id),
  ),
  route(
    {
      method: 'POST',
      path: '/runs/:id/restore',
      permission: 'write',
      summary: 'Bring a deleted run back',
      params: RunParams,
    },
    ({ actor, params }) => restoreRun(deps, actor, params.id),
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
      return toWireRunDetail(run, models);
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
      path: '/runs/:id/metric-summaries',
      permission: 'read',
      summary: 'Count, lowest and highest of every metric of a run',
      params: RunParams,
    },
    async ({ actor, params }) => ({ items: await summarizeMetrics(deps, actor, params.id) }),
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
    ({ actor, params, query }) => listFolder(deps, actor, { kind: 'run', id: params.id }, query.path),
  ),
  route(
    {
      method: 'GET',
      path: '/runs/:id/artifacts/*',
      permission: 'read',
      summary: 'One file of a run',
      params: FileParams,
    },
    ({ actor, params, headers }) =>
      sendArtifact(deps, actor, { owner: { kind: 'run', id: params.id }, path: params['*'], headers }),
  ),
  route(
    {
      method: 'GET',
      path: '/runs/:id/rows',
      permission: 'read',
      summary: 'The first rows of a Parquet file of a run',
      params: RunParams,
      query: ArtifactRowsQuery,
    },
    ({ actor, params, query, signal }) =>
      readArtifactRows(deps, actor, { owner: { kind: 'run', id: params.id }, ...query, signal }),
  ),
];

const modelFileRoutes = (deps: TrackingDeps) => [
  route(
    {
      method: 'GET',
      path: '/logged-models/:id/artifacts',
      permission: 'read',
      summary: 'The files and folders in a folder of a logged model',
      params: RunParams,
      query: ArtifactsQuery,
    },
    ({ actor, params, query }) => listFolder(deps, actor, { kind: 'model', id: params.id }, query.path),
  ),
  route(
    {
      method: 'GET',
      path: '/logged-models/:id/artifacts/*',
      permission: 'read',
      summary: 'One file of a logged model',
      params: FileParams,
    },
    ({ actor, params, headers }) =>
      sendArtifact(deps, actor, { owner: { kind: 'model', id: params.id }, path: params['*'], headers }),
  ),
  route(
    {
      method: 'GET',
      path: '/logged-models/:id/rows',
      permission: 'read',
      summary: 'The first rows of a Parquet file of a logged model',
      params: RunParams,
      query: ArtifactRowsQuery,
    },
    ({ actor, params, query, signal }) =>
      readArtifactRows(deps, actor, { owner: { kind: 'model', id: params.id }, ...query, signal }),
  ),
];

async function listFolder(deps: TrackingDeps, actor: Actor, owner: ArtifactOwner, path: string) {
  const { root, elsewhere } = await artifactRootOf(deps, actor, owner);
  if (root === null) return { items: [], elsewhere };
  return {
    items: await listArtifactFolder(deps, actor.projectId, path === '' ? root : `${root}/${path}`),
    elsewhere: null,
  };
}

const mapPage = <T, U>({ items, ...rest }: Page<T>, to: (item: T) => U): Page<U> => ({ ...rest, items: items.map(to) });
