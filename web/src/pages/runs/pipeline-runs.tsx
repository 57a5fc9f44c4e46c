import { useInfiniteQuery } from '@tanstack/react-query';
import { useEffect } from 'react';
import { call } from '../../api/client.ts';
import type { AnswerOf } from '../../api/routes.ts';
import { placeOfRun } from '../../domain/places.ts';
import { duration, shortId } from '../../ui/format.ts';
import { Empty, Failure, Rows } from '../../ui/states.tsx';
import { type Health, Status } from '../../ui/status.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { RelativeTime } from '../../ui/time.tsx';
import { useTableView } from '../../ui/view-state.ts';

type Run = AnswerOf<'GET /pipeline-runs'>['items'][number];

const PAGE = 200;
const HEALTH: Readonly<Record<string, Health>> = {
  succeeded: 'good',
  failed: 'bad',
  gate_failed: 'bad',
  refused: 'bad',
  cancelled: 'watch',
  waiting: 'watch',
  running: 'running',
};

/** Whole runs of pipelines: what started them, how they ended, what came of them. */
export function PipelineRuns({ words }: { readonly words: string }) {
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetching } = useInfiniteQuery({
    queryKey: ['GET /pipeline-runs', 'all'],
    queryFn: ({ pageParam, signal }) =>
      call('GET /pipeline-runs', { query: { limit: PAGE, ...(pageParam && { after: pageParam }) }, signal }),
    initialPageParam: '',
    getNextPageParam: (page) => page.next,
  });
  const view = useTableView('p');
  useEffect(() => {
    if (hasNextPage && !isFetching) void fetchNextPage();
  }, [hasNextPage, isFetching, fetchNextPage]);
  if (error && !data) return <Failure error={error} retry={() => void refetch()} />;
  if (!data) return <Rows count={12} />;
  const all = data.pages.flatMap(({ items }) => items);
  if (all.length === 0) return <Empty command="levain run">No pipeline ran yet.</Empty>;
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  const shown = all.filter((run) => wanted.every((word) => textOf(run).includes(word)));
  return (
    <Table
      label="Pipeline runs"
      rows={shown}
      columns={COLUMNS}
      rowId={({ id }) => id}
      sort={view.sort}
      onSort={view.onSort}
      to={({ pipeline, id }) => placeOfRun(pipeline, id)}
      height={TABLE_HEIGHT}
      empty="No pipeline run is like that."
    />
  );
}

const TABLE_HEIGHT = 620;

const textOf = (run: Run): string =>
  `${run.pipeline} ${run.id} ${run.state} ${run.trigger.kind} ${run.startedBy} ${run.summary ?? ''}`.toLowerCase();

const tookMs = ({ startedAt, finishedAt }: Run): number | null =>
  startedAt === null || finishedAt === null ? null : Date.parse(finishedAt) - Date.parse(startedAt);

const COLUMNS: readonly Column<Run>[] = [
  { id: 'run', header: 'run', value: ({ pipeline, id }) => `${pipeline} ${shortId(id)}` },
  {
    id: 'state',
    header: 'state',
    value: ({ state }) => state.replaceAll('_', ' '),
    cell: ({ state }) => <Status health={HEALTH[state] ?? 'unknown'} word={state.replaceAll('_', ' ')} />,
  },
  {
    id: 'created',
    header: 'started',
    value: ({ createdAt }) => createdAt,
    cell: ({ createdAt }) => <RelativeTime at={createdAt} />,
  },
  { id: 'took', header: 'took', numeric: true, value: tookMs, cell: (run) => duration(tookMs(run)) },
  { id: 'trigger', header: 'because of', value: ({ trigger }) => trigger.kind },
  { id: 'by', header: 'by', value: ({ startedBy }) => startedBy },
  { id: 'summary', header: 'what came of it', value: ({ summary, failure }) => summary ?? failure?.message ?? null },
];
