import { useQuery } from '@tanstack/react-query';
import { call } from '../../../api/client.ts';
import { useGet } from '../../../api/queries.ts';
import type { ApiError } from '../../../errors.ts';
import type { Version } from './verdict.ts';

const PAGE = 200;
const MAX_PAGES = 25;

/** Every version of a model, newest first; older ones come page by page, so that nothing has to be turned over. */
export function useVersions(model: string) {
  const { data, error, refetch } = useQuery<readonly Version[], ApiError>({
    queryKey: ['GET /models/:model/versions', { params: { model }, all: true }],
    queryFn: ({ signal }) => readAll(model, signal),
  });
  return { versions: data, error, refetch };
}

async function readAll(model: string, signal: AbortSignal): Promise<readonly Version[]> {
  const found: Version[] = [];
  let below: string | undefined;
  for (let page = 0; page < MAX_PAGES; page++) {
    const query = { limit: PAGE, ...(below !== undefined && { below }) };
    const { items, next } = await call('GET /models/:model/versions', {
      params: { model },
      query: query as never,
      signal,
    });
    found.push(...items);
    if (next === undefined) break;
    below = next;
  }
  return found;
}

/** The version that stands by for a rollback on the endpoint. */
export function usePrevious(endpoint: string | null): number | null | undefined {
  return useGet('GET /endpoints/:name', { params: { name: endpoint ?? '' } }, { enabled: endpoint !== null }).data
    ?.previous;
}
