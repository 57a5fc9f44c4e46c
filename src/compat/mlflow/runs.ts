import {
  createRun,
  deleteRun,
  getRun,
  listArtifactFolder,
  listMetricHistory,
  type Metric,
  restoreRun,
  rootOf,
  searchRuns,
  type TrackingDeps,
  updateRun,
} from '../../tracking/index.ts';
import { ifAny, ifText, RUN_STATUS, toMetric, toRun, toRunInfo, VIEW_TYPE } from './entities.ts';
import { checkPageSize, toExperimentId } from './experiments.ts';
import { enumOf, integerOf, invalid, messagesOf, requiredText, runIdOf, textOf, textsOf } from './message.ts';
import { toTag } from './names.ts';
import type { Call, Rpc } from './rpc.ts';

const MAX_PAGE = 50_000;
const MAX_HISTORY_PAGE = 25_000;
const MAX_BULK_RUNS = 100;
const DEFAULT_SAMPLES = 320;

export const runRpcs = (deps: TrackingDeps): readonly Rpc[] => [
  {
    method: 'POST',
    path: '/runs/create',
    permission: 'write',
    summary: 'start a run',
    handler: (call) => create(deps, call),
  },
  {
    method: 'POST',
    path: '/runs/update',
    permission: 'write',
    summary: 'change a run',
    handler: (call) => update(deps, call),
  },
  { method: 'GET', path: '/runs/get', permission: 'read', summary: 'get a run', handler: (call) => get(deps, call) },
  {
    method: 'POST',
    path: '/runs/search',
    permission: 'read',
    summary: 'search runs',
    handler: (call) => search(deps, call),
  },
  {
    method: 'POST',
    path: '/runs/delete',
    permission: 'write',
    summary: 'delete a run',
    handler: (call) => remove(deps, call),
  },
  {
    method: 'POST',
    path: '/runs/restore',
    permission: 'write',
    summary: 'restore a run',
    handler: (call) => restore(deps, call),
  },
  {
    method: 'GET',
    path: '/metrics/get-history',
    permission: 'read',
    summary: 'the points of a metric',
    handler: (call) => history(deps, call),
  },
  {
    method: 'GET',
    path: '/metrics/get-history-bulk',
    permission: 'read',
    summary: 'a metric of several runs',
    handler: (call) => bulkHistory(deps, call),
  },
  {
    method: 'GET',
    path: '/metrics/get-history-bulk-interval',
    permission: 'read',
    summary: 'a metric of several runs, sampled',
    handler: (call) => sampledHistory(deps, call),
  },
  {
    method: 'GET',
    path: '/artifacts/list',
    permission: 'read',
    summary: 'the artifacts of a run',
    handler: (call) => artifacts(deps, call),
  },
];

async function create(deps: TrackingDeps, { actor, message }: Call): Promise<unknown> {
  const run = await createRun(deps, actor, {
    experimentId: toExperimentId(textOf(message, 'experiment_id') || '0'),
    name: textOf(message, 'run_name'),
    user: textOf(message, 'user_id'),
    startedAt: integerOf(message, 'start_time'),
    tags: messagesOf(message, 'tags').map((tag, i) => toTag(tag, `tags[${i}]`)),
  });
  return { run: toRun(run) };
}

async function update(deps: TrackingDeps, { actor, message }: Call): Promise<unknown> {
  const run = await updateRun(deps, actor, {
    id: runIdOf(message),
    status: enumOf(message, 'status', RUN_STATUS),
    endedAt: integerOf(message, 'end_time'),
    name: textOf(message, 'run_name'),
  });
  return { run_info: toRunInfo(run) };
}

async function get(deps: TrackingDeps, { actor, message }: Call): Promise<unknown> {
  return { run: toRun(await getRun(deps, actor, runIdOf(message))) };
}

async function search(deps: TrackingDeps, { actor, message }: Call): Promise<unknown> {
  const page = await searchRuns(deps, actor, {
    experimentIds: textsOf(message, 'experiment_ids').map(toExperimentId),
    filter: textOf(message, 'filter'),
    orders: textsOf(message, 'order_by'),
    view: enumOf(message, 'run_view_type', VIEW_TYPE) ?? 'active',
    limit: checkPageSize(integerOf(message, 'max_results') ?? 1_000, MAX_PAGE),
    after: textOf(message, 'page_token'),
  });
  return { ...ifAny('runs', page.items.map(toRun)), ...ifText('next_page_token', page.next) };
}

async function remove(deps: TrackingDeps, { actor, message }: Call): Promise<unknown> {
  await deleteRun(deps, actor, runIdOf(message));
  return {};
}

async function restore(deps: TrackingDeps, { actor, message }: Call): Promise<unknown> {
  await restoreRun(deps, actor, runIdOf(message));
  return {};
}

async function history(deps: TrackingDeps, { actor, message }: Call): Promise<unknown> {
  const limit = integerOf(message, 'max_results') ?? MAX_HISTORY_PAGE;
  const page = await listMetricHistory(deps, actor, {
    runId: runIdOf(message),
    key: requiredText(message, 'metric_key'),
    limit: Math.min(checkPageSize(limit, Number.MAX_SAFE_INTEGER), MAX_HISTORY_PAGE),
    after: textOf(message, 'page_token') || undefined,
  });
  return {
    ...ifAny(
      'metrics',
      page.items.map((metric) => toMetric(metric)),
    ),
    ...ifText('next_page_token', page.next),
  };
}

async function bulkHistory(deps: TrackingDeps, { actor, message }: Call): Promise<unknown> {
  const runIds = runIdsOf(textsOf(message, 'run_id'));
  const key = requiredText(message, 'metric_key');
  const limit = Math.min(integerOf(message, 'max_results') ?? MAX_HISTORY_PAGE, MAX_HISTORY_PAGE);
  const metrics: Metric[] = [];
  for (const runId of [...runIds].sort()) {
    if (metrics.length >= limit) break;
    const page = await listMetricHistory(deps, actor, { runId, key, limit: limit - metrics.length });
    metrics.push(...page.items);
  }
  return { metrics: metrics.map((metric) => toMetric(metric, metric.runId)) };
}

async function sampledHistory(deps: TrackingDeps, { actor, message }: Call): Promise<unknown> {
  const runIds = runIdsOf(textsOf(message, 'run_ids'));
  const key = requiredText(message, 'metric_key');
  const start = integerOf(message, 'start_step');
  const end = integerOf(message, 'end_step');
  const samples = Math.min(Math.max(integerOf(message, 'max_results') ?? DEFAULT_SAMPLES, 2), MAX_HISTORY_PAGE);
  const metrics: Metric[] = [];
  for (const runId of runIds) {
    const all = await wholeHistory(deps, call(actor, runId, key));
    const inside = all.filter(
      ({ step }) => (start === undefined || step >= start) && (end === undefined || step <= end),
    );
    metrics.push(...sample(inside, samples));
  }
  return ifAny(
    'metrics',
    metrics.map((metric) => toMetric(metric, metric.runId)),
  );
}

interface HistoryCall {
  readonly actor: Call['actor'];
  readonly runId: string;
  readonly key: string;
}

const call = (actor: Call['actor'], runId: string, key: string): HistoryCall => ({ actor, runId, key });

const MAX_SAMPLED_PAGES = 40;

async function wholeHistory(deps: TrackingDeps, { actor, runId, key }: HistoryCall): Promise<readonly Metric[]> {
  const metrics: Metric[] = [];
  let after: string | undefined;
  for (let pages = 0; pages < MAX_SAMPLED_PAGES; pages++) {
    const page = await listMetricHistory(deps, actor, { runId, key, after });
    metrics.push(...page.items);
    after = page.next;
    if (after === undefined) break;
  }
  return metrics;
}

/** Evenly over the steps, with the first and the last. */
function sample(metrics: readonly Metric[], count: number): readonly Metric[] {
  const sorted = [...metrics].sort((a, b) => a.step - b.step || a.timestamp - b.timestamp);
  if (sorted.length <= count) return sorted;
  const stride = (sorted.length - 1) / (count - 1);
  return Array.from({ length: count }, (_, i) => sorted[Math.round(i * stride)]!);
}

function runIdsOf(ids: readonly string[]): readonly string[] {
  if (ids.length === 0) throw invalid('GetMetricHistoryBulk request must specify at least one run_id.');
  if (ids.length <= MAX_BULK_RUNS) return ids;
  throw invalid(
    `GetMetricHistoryBulk request cannot specify more than ${MAX_BULK_RUNS} run_ids. Received ${ids.length} run_ids.`,
  );
}

async function artifacts(deps: TrackingDeps, { actor, message }: Call): Promise<unknown> {
  const run = await getRun(deps, actor, runIdOf(message));
  const path = textOf(message, 'path') ?? '';
  const root = rootOf(run.artifactUri);
  if (root === null) {
    throw invalid(`The artifacts of this run are at ${run.artifactUri}, where only the client can read them`);
  }
  const entries = await listArtifactFolder(deps, actor.projectId, path === '' ? root : `${root}/${path}`);
  const files = entries.map(({ name, isFolder, sizeBytes }) => ({
    path: path === '' ? name : `${path.replace(/\/+$/, '')}/${name}`,
    is_dir: isFolder,
    ...(isFolder ? {} : { file_size: sizeBytes }),
  }));
  return { root_uri: run.artifactUri, ...ifAny('files', files) };
}
