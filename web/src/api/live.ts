import type { QueryClient } from '@tanstack/react-query';
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
};

/** Listens to the server's hints and has what they name asked again. Answers how to stop. */
export function listen(queries: QueryClient, onConnection: (state: Connection) => void): () => void {
  const source = new EventSource(addressOf('/events'));
  source.onopen = () => {
    onConnection('open');
    void queries.invalidateQueries();
  };
  source.onerror = () => onConnection('lost');
  source.onmessage = ({ data }: MessageEvent<string>) => {
    const { changed } = JSON.parse(data) as { changed: readonly string[] };
    const topics = new Set(changed.flatMap((topic) => [topic, ...(ALSO[topic] ?? [])]));
    void queries.invalidateQueries({
      predicate: ({ queryKey }) => changed.includes('all') || topics.has(topicOf(String(queryKey[0]))),
    });
  };
  return () => source.close();
}

/** `GET /models/:model` belongs to `models`. */
const topicOf = (call: string): string => /\/([a-z-]+)/.exec(call)?.[1] ?? '';
