import { useQuery } from '@tanstack/react-query';
import { type CallOptions, call } from '../api/client.ts';
import type { AnswerOf, CallName } from '../api/routes.ts';
import type { ApiError } from '../errors.ts';

/** Calls that take `dryRun` and then only say what they would do. */
type Plannable = 'POST /deployments' | 'POST /rollbacks' | 'POST /rehearsals';

export interface Plan<C extends CallName> {
  /** What would happen, as things stand now. */
  readonly plan: AnswerOf<C> | undefined;
  /** Why it would be refused. */
  readonly error: ApiError | null;
  readonly isPlanning: boolean;
}

/**
 * What an action would do, asked of the server, which looks again whenever something that it stands on changes. It is keyed by a
 * noun that every such change names, so that nobody confirms what is no longer true.
 */
export function usePlan<C extends Plannable>(
  name: C,
  options: Omit<CallOptions<C>, 'signal'>,
  { enabled = true }: { readonly enabled?: boolean } = {},
): Plan<C> {
  const { data, error, isFetching } = useQuery({
    queryKey: ['plan /status', name, options],
    queryFn: ({ signal }) => (call as AnyCall)(name, { ...options, signal }) as Promise<AnswerOf<C>>,
    staleTime: 0,
    gcTime: 0,
    retry: false,
    enabled,
    // What another choice would do is not what this one would.
    placeholderData: () => undefined,
  });
  return { plan: error ? undefined : data, error: error as ApiError | null, isPlanning: isFetching };
}

type AnyCall = (name: CallName, options: unknown) => Promise<unknown>;
