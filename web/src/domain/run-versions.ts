import { useQueries } from '@tanstack/react-query';
import { useMemo } from 'react';
import { call } from '../api/client.ts';
import { useGet } from '../api/queries.ts';

export interface RunVersion {
  readonly model: string;
  readonly version: number;
  readonly isChampion: boolean;
}

const MAX_MODELS = 20;

/** The model versions that came of runs, by run. */
export function useRunVersions(): ReadonlyMap<string, RunVersion> {
  const models = useGet('GET /models');
  const names = (models.data?.items ?? []).slice(0, MAX_MODELS).map(({ name }) => name);
  const answers = useQueries({
    queries: names.map((model) => ({
      queryKey: ['GET /models/:model/versions', { params: { model } }],
      queryFn: ({ signal }: { signal: AbortSignal }) =>
        call('GET /models/:model/versions', { params: { model }, signal }),
    })),
  });
  const stamp = answers.map(({ dataUpdatedAt }) => dataUpdatedAt).join();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the stamps tell when an answer is another one
  return useMemo(() => {
    const byRun = new Map<string, RunVersion>();
    for (const { data } of answers)
      for (const { runId, model, version, aliases } of data?.items ?? [])
        if (runId !== null) byRun.set(runId, { model, version, isChampion: aliases.includes('champion') });
    return byRun;
  }, [stamp]);
}
