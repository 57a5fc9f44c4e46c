import { type QueryClient, type UseQueryResult, useQuery, useQueryClient } from '@tanstack/react-query';
import { call } from '../../api/client.ts';
import type { ApiError } from '../../errors.ts';
import { type Held, merge, toHeld } from './table-data.ts';

export interface TableQuery {
  readonly experiment: string;
  readonly view: 'active' | 'deleted';
  /** Undefined leaves the choice to the server. */
  readonly columns: readonly string[] | undefined;
}

/** Clients date the end of their runs by their own clocks. */
const SLACK_MS = 60_000;
/** Changes of ended runs (a tag, a deletion by somebody else) are seen at the latest then. */
const WHOLE_EVERY_MS = 60_000;

/** All runs, read whole once; then only what is new, what ended and what still runs. */
export function useRunTable(wanted: TableQuery): UseQueryResult<Held, ApiError> {
  const queries = useQueryClient();
  const query = toQuery(wanted);
  const queryKey = ['GET /runs/table', { query }];
  return useQuery<Held, ApiError>({
    queryKey,
    queryFn: ({ signal }) => read(queries, queryKey, query, signal),
    // What changed is merged by us; comparing ten thousand rows once more would cost as much as reading them.
    structuralSharing: false,
    gcTime: 60_000,
  });
}

const toQuery = ({ experiment, view, columns }: TableQuery) => ({
  ...(experiment !== '' && { experiment }),
  view,
  ...(columns && { columns: JSON.stringify(columns) }),
});

async function read(
  queries: QueryClient,
  queryKey: readonly unknown[],
  query: ReturnType<typeof toQuery>,
  signal: AbortSignal,
): Promise<Held> {
  const held = queries.getQueryData<Held>(queryKey);
  const isWhole = held !== undefined && held.rows.length === held.total;
  if (isWhole && held.at - held.wholeAt < WHOLE_EVERY_MS && query.view === 'active') {
    const since = String(held.at - SLACK_MS);
    const columns = JSON.stringify(held.columns);
    const merged = merge(held, toHeld(await call('GET /runs/table', { query: { ...query, since, columns }, signal })));
    if (merged) return merged;
  }
  return toHeld(await call('GET /runs/table', { query, signal }));
}
