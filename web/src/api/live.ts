import type { Query, QueryClient } from '@tanstack/react-query';
import { addressOf } from './client.ts';

export type Connection = 'open' | 'lost';

/** Hints of the server name first path segments of what changed; queries are keyed by the same. */
const ALSO: Readonly<Record<string, readonly string[]>> = {
  incidents: ['status', 'activity', 'models'],
  models: ['status', 'activity'],
  deployments: ['status', 'endpoints', 'activity', 'models'],
  rollbacks: ['status', 'endpoints', 'activity', 'models'],
  endpoints: ['status', 'activity'],
  'pipeline-runs': ['status', 'activity', 'pipelines', 'runs'],
  pipelines: ['status', 'activity', 'pipeline-runs'],
  labels: ['status', 'models'],
  rehearsals: ['status', 'activity', 'incidents'],
  apply: ['pipelines', 'status', 'activity'],
  // What the server did by itself.
  'serving.rollout_changed': ['status', 'endpoints', 'activity', 'models'],
  'serving.rolled_back': ['status', 'endpoints', 'activity', 'models'],
  'registry.version_registered': ['status', 'activity', 'models'],
  'registry.version_approved': ['status', 'activity', 'models'],
  'registry.champion_changed': ['status', 'endpoints', 'activity', 'models'],
  'pipelines.run_finished': ['status', 'activity', 'models', 'pipelines', 'pipeline-runs', 'runs'],
  'pipelines.applied': ['status', 'activity', 'pipelines'],
  'data.version_created': ['status', 'activity', 'datasets'],
  'monitoring.incident_changed': ['status', 'activity', 'incidents', 'models'],
  'serving.segments_ingested': ['labels'],
};

/** Listens to the server's hints and has what they name asked again. Answers how to stop. */
export function listen(queries: QueryClient, onConnection: (state: Connection) => void): () => void {
  const source = new EventSource(addressOf('/events'));
  source.onopen = () => {
    onConnection('open');
    void queries.invalidateQueries();
  };
  source.onerror = () => onConnection('lost');
  const refresh = refresher(queries);
  source.onmessage = ({ data }: MessageEvent<string>) => {
    const { changed } = JSON.parse(data) as { changed: readonly string[] };
    refresh(changed);
  };
  return () => source.close();
}

/** A refresh that hangs may not keep the next ones waiting for ever. */
const PATIENCE_MS = 5_000;

/**
 * One refresh at a time: what changes meanwhile is asked for once more when it is over, so that a run which logs a thousand points
 * a second costs a page no more than it can draw, and the last point is never missed.
 */
function refresher(queries: QueryClient): (changed: readonly string[]) => void {
  const waiting = new Set<string>();
  let isBusy = false;
  const work = async (): Promise<void> => {
    isBusy = true;
    while (waiting.size > 0) {
      const topics = new Set(waiting);
      waiting.clear();
      const concerned = (query: Query): boolean => concerns(topics, query);
      // What was under way before the change may have read before it.
      const early = new Set(queries.getQueryCache().findAll({ predicate: concerned, fetchStatus: 'fetching' }));
      const refresh = queries.invalidateQueries({ predicate: concerned }, { cancelRefetch: false });
      const again = refresh.then(() => redo(queries, early));
      await Promise.race([again, new Promise((resolve) => setTimeout(resolve, PATIENCE_MS))]);
    }
    isBusy = false;
  };
  return (changed) => {
    for (const topic of changed) for (const each of [topic, ...(ALSO[topic] ?? [])]) waiting.add(each);
    if (!isBusy) void work();
  };
}

const redo = async (queries: QueryClient, early: ReadonlySet<Query>): Promise<void> => {
  if (early.size > 0) await queries.invalidateQueries({ predicate: (each) => early.has(each) });
};

/** `runs` concerns all that was asked of runs; `runs/ID` the lists, and what names that run. */
function concerns(topics: ReadonlySet<string>, { queryKey: [name, options] }: Query): boolean {
  if (topics.has('all')) return true;
  const topic = topicOf(String(name));
  if (topics.has(topic)) return true;
  for (const each of topics) {
    const [noun, id] = each.split('/', 2);
    if (noun === topic && id !== undefined && isAbout(options, id)) return true;
  }
  return false;
}

/** Lists are about everything; a call with parameters is about what they name. */
function isAbout(options: unknown, id: string): boolean {
  const { params, query } = (options ?? {}) as { params?: object; query?: { runs?: string } };
  if (query?.runs !== undefined) return query.runs.includes(id);
  return params === undefined || Object.values(params).includes(id);
}

/** `GET /models/:model` belongs to `models`. */
const topicOf = (call: string): string => /\/([a-z-]+)/.exec(call)?.[1] ?? '';
