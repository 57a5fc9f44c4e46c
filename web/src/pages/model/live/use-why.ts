import { useQuery } from '@tanstack/react-query';
import { call } from '../../../api/client.ts';
import type { PredictionWhy } from '../../../api/routes.ts';
import type { ApiError } from '../../../errors.ts';

const TRIES = 12;
const TRY_AGAIN_MS = 750;

/** Why a prediction is as it is. A new one is in the log a second or two later: until then it is asked for again. */
export function usePredictionWhy(id: string | undefined) {
  return useQuery<PredictionWhy, ApiError>({
    queryKey: ['GET /why/:id', { params: { id } }],
    queryFn: async ({ signal }) => {
      const { data } = await call('GET /why/:id', { params: { id: id ?? '' }, signal });
      return data as PredictionWhy;
    },
    enabled: id !== undefined,
    staleTime: 60_000,
    // Another prediction's reasons may not stand there meanwhile.
    placeholderData: () => undefined,
    retry: (times, error) => times < TRIES && [0, 404].includes(error.status),
    retryDelay: TRY_AGAIN_MS,
  });
}
