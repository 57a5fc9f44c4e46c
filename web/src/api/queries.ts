import {
  keepPreviousData,
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

export const createQueries = (): QueryClient =>
  new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 10_000,
        // Refusals stay refusals; only a server that is away is asked again.
        retry: (times, error) => times < RETRIES && error instanceof ApiError && error.code === 'unreachable',
        retryDelay: (times) => Math.min(SLOWEST_RETRY_MS, 500 * 2 ** times),
        refetchOnWindowFocus: true,
        placeholderData: keepPreviousData,
      },
    },
  });

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
    ...more,
  }) as UseQueryResult<AnswerOf<C>, ApiError>;
}

/** Changes something; what is on the screen is asked again once it is done. */
export function useChange<C extends ChangeName>(name: C): UseMutationResult<AnswerOf<C>, ApiError, Given<C>> {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (options: Given<C>) => (call as AnyCall)(name, options) as Promise<AnswerOf<C>>,
    onSettled: () => queries.invalidateQueries(),
  }) as UseMutationResult<AnswerOf<C>, ApiError, Given<C>>;
}

/** Inside, the types of one call cannot be told from another's; outside they are exact. */
type AnyCall = (name: CallName, options: unknown) => Promise<unknown>;
