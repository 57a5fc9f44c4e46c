import { useMemo } from 'react';
import { useGet } from '../api/queries.ts';

const MAX_EXPERIMENTS = 1_000;

/** Names of experiments by id. */
export function useExperiments(): ReadonlyMap<string, string> {
  const { data } = useGet('GET /experiments', { query: { limit: MAX_EXPERIMENTS } });
  return useMemo(() => new Map(data?.items.map(({ id, name }) => [id, name])), [data]);
}
