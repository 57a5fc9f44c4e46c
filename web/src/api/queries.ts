import {
  MutationCache,
  QueryCache,
  QueryClient,
  type UseMutationResult,
  type UseQueryResult,
  useMutation,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query';
import { ApiError } from '../errors.ts';
import { type CallOptions, call } from './client.ts';
import type { AnswerOf, CallName } from './routes.ts';

const RETRIES = 3;
const SLOWEST_RETRY_MS = 10_000;

export function createQueries(): QueryClient {
  const queries: QueryClient = new QueryClient({
    // A session that ended is found out by the first refusal; the door then asks for a login.
    queryCache: new QueryCache({ onError: (error) => onRefusal(queries, error) }),
    mutationCache: new MutationCache({ onError: (error) => onRefusal(queries, error) }),
    defaultOptions: {
      mutations: { networkMode: 'always' },
      queries: {
        // The server may be this machine's own: whether there is a network says nothing.
        networkMode: 'always',
        staleTime: 10_000,
        // Refusals stay refusals; only a server that is away is asked again.
        retry: (times, error) => times < RETRIES && isAway(error),
        retryDelay: (times) => Math.min(SLOWEST_RETRY_MS, 500 * 2 ** times),
        refetchOnWindowFocus: true,
      },
    },
  });
  return queries;
}

const SESSION = 'GET /session';

function onRefusal(queries: QueryClient, error: unknown): void {
  if (error instanceof ApiError && error.status === 401) void queries.invalidateQueries({ queryKey: [SESSION] });
}

/** Also where a proxy in front says so. */
const isAway = (error: unknown): boolean =>
  error instanceof ApiError && (error.code === 'unreachable' || [502, 503, 504].includes(error.status));

type GetName = Extract<CallName, `GET ${string}`>;
type ChangeName = Exclude<CallName, GetName>;
type Given<C extends CallName> = Omit<CallOptions<C>, 'signal'>;

/** Asks a route and keeps the answer fresh by the server's hints. */
export function useGet<C extends GetName>(
  name: C,
  ...[options, more]: Record<never, never> extends Given<C>
    ? [options?: Given<C>, more?: { readonly enabled?: boolean; readonly refetchInterval?: number | false }]
    : [options: Given<C>, more?: { readonly enabled?: boolean; readonly refetchInterval?: number | false }]
): UseQueryResult<AnswerOf<C>, ApiError> {
  return useQuery({
    queryKey: [name, options ?? null],
    queryFn: ({ signal }) => (call as AnyCall)(name, { ...options, signal }) as Promise<AnswerOf<C>>,
    // While other days, filters or pages of the same thing come, the ones before stay; never those of another thing.
    placeholderData: (before, query) => (isSameThing(query?.queryKey[1], options) ? before : undefined),
    ...more,
  }) as UseQueryResult<AnswerOf<C>, ApiError>;
}

/** Changes something; what is on the screen is asked again once it is done. */
export function useChange<C extends ChangeName>(name: C): UseMutationResult<AnswerOf<C>, ApiError, Given<C>> {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (options: Given<C>) => (call as AnyCall)(name, options) as Promise<AnswerOf<C>>,
    // Not awaited: a dialog closes on the answer, and what it stands on changes after.
    onSettled: () => void queries.invalidateQueries(),
  }) as UseMutationResult<AnswerOf<C>, ApiError, Given<C>>;
}

const isSameThing = (before: unknown, now: unknown): boolean => {
  const paramsOf = (given: unknown): string => JSON.stringify((given as { params?: object } | null)?.params ?? null);
  return paramsOf(before) === paramsOf(now);
};

/** Inside, the types of one call cannot be told from another's; outside they are exact. */
type AnyCall = (name: CallName, options: unknown) => Promise<unknown>;
