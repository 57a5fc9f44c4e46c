import { type Query, type QueryClient, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { addressOf } from './client.ts';
import { useGet } from './queries.ts';

/** What else is told by what changed: hints name first path segments or events, and queries are keyed by their paths. */
const ALSO: Readonly<Record<string, readonly string[]>> = {
  incidents: ['status', 'activity', 'models', 'why'],
  models: ['status', 'activity', 'why'],
  deployments: ['status', 'endpoints', 'activity', 'models'],
  rollbacks: ['status', 'endpoints', 'activity', 'models'],
  endpoints: ['status', 'activity'],
  'pipeline-runs': ['status', 'activity', 'pipelines', 'why'],
  pipelines: ['status', 'activity', 'pipeline-runs'],
  labels: ['status', 'models'],
  rehearsals: ['status', 'activity', 'incidents'],
  apply: ['pipelines', 'status', 'activity'],
  // What the server did by itself.
  'serving.rollout_changed': ['status', 'endpoints', 'activity', 'models', 'why'],
  'serving.rolled_back': ['status', 'endpoints', 'activity', 'models'],
  'serving.segments_ingested': ['status', 'endpoints', 'models', 'predictions', 'labels'],
  'registry.version_registered': ['status', 'activity', 'models'],
  'registry.version_approved': ['status', 'activity', 'models'],
  'registry.champion_changed': ['status', 'endpoints', 'activity', 'models'],
  'tracking.run_finished': ['runs'],
  'pipelines.run_finished': ['status', 'activity', 'models', 'pipelines', 'pipeline-runs', 'runs'],
  'pipelines.applied': ['status', 'activity', 'pipelines'],
  'data.version_created': ['status', 'activity', 'datasets'],
  'monitoring.alert_fired': ['status', 'activity', 'incidents', 'models'],
  'monitoring.incident_changed': ['status', 'activity', 'incidents', 'models', 'why'],
};

/** Since when the server does not answer; null while it does. Keeps what is on the screen fresh by its hints. */
export function useLive(): number | null {
  const queries = useQueryClient();
  const [lostAt, setLostAt] = useState<number | null>(null);
  const session = useGet('GET /session').data;
  const isIn = session !== undefined && (session.isOpen || session.user !== null);
  useEffect(() => {
    if (!isIn) return;
    return listen(queries, (isOpen) => setLostAt((before) => (isOpen ? null : (before ?? Date.now()))));
  }, [queries, isIn]);
  return lostAt;
}

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 10_000;
/** A restart that takes no longer is not worth a word. */
const GRACE_MS = 1_500;
/** A tab that nobody sees for so long listens no more: browsers give a server six connections for all tabs together. */
const HIDDEN_MS = 60_000;

type Timer = ReturnType<typeof setTimeout> | undefined;

/** Listens to the server's hints, and again when it comes back: then all that is on the screen is asked once. Answers how to stop. */
function listen(queries: QueryClient, onConnection: (isOpen: boolean) => void): () => void {
  const refresh = refresher(queries);
  let source: EventSource | undefined;
  let waitMs = FIRST_WAIT_MS;
  let mayHaveMissed = false;
  let [retry, grace, hidden]: Timer[] = [];
  const onOpen = (): void => {
    clearTimeout(grace);
    grace = undefined;
    waitMs = FIRST_WAIT_MS;
    onConnection(true);
    if (mayHaveMissed) void queries.invalidateQueries();
    mayHaveMissed = true;
  };
  const onError = (): void => {
    mayHaveMissed = true;
    grace ??= setTimeout(() => onConnection(false), GRACE_MS);
    // The browser tries again by itself where the connection broke, and never where the answer was another one.
    if (source?.readyState !== EventSource.CLOSED) return;
    retry = setTimeout(open, waitMs);
    waitMs = Math.min(LONGEST_WAIT_MS, waitMs * 2);
  };
  const shut = (): void => {
    clearTimeout(retry);
    source?.close();
    source = undefined;
  };
  const open = (): void => {
    shut();
    source = new EventSource(addressOf('/events'));
    source.onopen = onOpen;
    source.onerror = onError;
    source.onmessage = ({ data }: MessageEvent<string>) => refresh(JSON.parse(data).changed as readonly string[]);
  };
  const onVisibility = (): void => {
    clearTimeout(hidden);
    if (document.hidden) hidden = setTimeout(shut, HIDDEN_MS);
    else if (!source) open();
  };
  open();
  document.addEventListener('visibilitychange', onVisibility);
  return () => {
    document.removeEventListener('visibilitychange', onVisibility);
    for (const timer of [grace, hidden]) clearTimeout(timer);
    shut();
  };
}

/** Of one thing as fast as it changes; lists, which everything changes, at most once in two seconds. */
const DETAIL_GAP_MS = 100;
const LIST_GAP_MS = 2_000;

function refresher(queries: QueryClient): (changed: readonly string[]) => void {
  const lanes = [lane(queries, (query) => !isList(query), DETAIL_GAP_MS), lane(queries, isList, LIST_GAP_MS)];
  return (changed) => {
    const topics = changed.flatMap((topic) => [topic, ...(ALSO[topic.split('/', 1)[0]!] ?? [])]);
    for (const tell of lanes) tell(topics);
  };
}

/** A refresh that hangs may not keep the next ones waiting for ever. */
const PATIENCE_MS = 5_000;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * One refresh at a time: what changes meanwhile is asked for once more when it is over, so that a run which logs a thousand points
 * a second costs a page no more than it can draw, and the last point is never missed.
 */
function lane(
  queries: QueryClient,
  isMine: (query: Query) => boolean,
  gapMs: number,
): (topics: readonly string[]) => void {
  const waiting = new Set<string>();
  let isBusy = false;
  const work = async (): Promise<void> => {
    isBusy = true;
    while (waiting.size > 0) {
      const topics = new Set(waiting);
      waiting.clear();
      const concerned = (query: Query): boolean => isMine(query) && concerns(topics, query);
      // What was under way before the change may have read before it.
      const early = new Set(queries.getQueryCache().findAll({ predicate: concerned, fetchStatus: 'fetching' }));
      const refresh = queries.invalidateQueries({ predicate: concerned }, { cancelRefetch: false });
      const again = refresh.then(() => redo(queries, early));
      await Promise.race([again, pause(PATIENCE_MS)]);
      await pause(gapMs);
    }
    isBusy = false;
  };
  return (topics) => {
    for (const topic of topics) waiting.add(topic);
    if (!isBusy) void work();
  };
}

const redo = async (queries: QueryClient, early: ReadonlySet<Query>): Promise<void> => {
  if (early.size > 0) await queries.invalidateQueries({ predicate: (each) => early.has(each) });
};

interface Given {
  readonly params?: object;
  readonly query?: { readonly runs?: string };
}

const givenOf = ({ queryKey }: Query): Given => (queryKey[1] ?? {}) as Given;

const isList = (query: Query): boolean => {
  const { params, query: asked } = givenOf(query);
  return params === undefined && asked?.runs === undefined;
};

/** `runs` concerns all that was asked of runs; `runs/ID` the lists, and what names that run. */
function concerns(topics: ReadonlySet<string>, query: Query): boolean {
  if (topics.has('all')) return true;
  const topic = topicOf(String(query.queryKey[0]));
  if (topics.has(topic)) return true;
  for (const each of topics) {
    const [noun, id] = each.split('/', 2);
    if (noun === topic && id !== undefined && isAbout(givenOf(query), id)) return true;
  }
  return false;
}

/** Lists are about everything; a call with parameters is about what they name. */
function isAbout({ params, query }: Given, id: string): boolean {
  if (query?.runs !== undefined) return query.runs.includes(id);
  return params === undefined || Object.values(params).includes(id);
}

/** `GET /models/:model` belongs to `models`. */
const topicOf = (call: string): string => /\/([a-z-]+)/.exec(call)?.[1] ?? '';
