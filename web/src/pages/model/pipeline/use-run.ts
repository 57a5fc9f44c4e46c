import { useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { call } from '../../../api/client.ts';
import { useGet } from '../../../api/queries.ts';
import type { RunDetail } from './words.ts';

const WAIT_SECONDS = 20;
const AGAIN_MS = 3_000;

/** A run with its steps, told anew by the server whenever something of it changes. */
export function useRun(id: string) {
  const queries = useQueryClient();
  const asked = useGet('GET /pipeline-runs/:id', { params: { id } });
  // An address may name a run by the end of its id.
  const detail = asked.data?.run.id.endsWith(id) ? asked.data : undefined;
  const isOpen = detail !== undefined && detail.run.finishedAt === null;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the stamp that it begins with is the first, not each one
  useEffect(() => {
    if (!isOpen) return;
    const stopping = new AbortController();
    const key = ['GET /pipeline-runs/:id', { params: { id } }];
    void follow(id, detail.stamp, stopping.signal, (next) => queries.setQueryData(key, next)).then(() =>
      queries.invalidateQueries({ queryKey: ['GET /pipeline-runs'] }),
    );
    return () => stopping.abort();
  }, [id, isOpen]);
  return { ...asked, data: detail };
}

async function follow(
  id: string,
  first: string,
  signal: AbortSignal,
  tell: (detail: RunDetail) => void,
): Promise<void> {
  for (let since = first; !signal.aborted; ) {
    try {
      const next = await call('GET /pipeline-runs/:id', {
        params: { id },
        query: { since, wait: WAIT_SECONDS },
        signal,
      });
      since = next.stamp;
      if (!signal.aborted) tell(next);
      if (next.run.finishedAt !== null) return;
    } catch {
      if (!signal.aborted) await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }
}
