import { Button } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { call } from '../../api/client.ts';
import type { AnswerOf } from '../../api/routes.ts';
import { FilterBar } from '../../ui/filter-bar.tsx';
import { duration, number } from '../../ui/format.ts';
import { Id } from '../../ui/id.tsx';
import { Page } from '../../ui/page.tsx';
import { Empty, Failure, Rows } from '../../ui/states.tsx';
import { type Health, Status } from '../../ui/status.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { RelativeTime } from '../../ui/time.tsx';
import { fromSort, toSort, useViewState } from '../../ui/view-state.ts';

type Run = AnswerOf<'GET /runs'>['items'][number];

const HEALTH: Readonly<Record<string, Health>> = {
  FINISHED: 'good',
  FAILED: 'bad',
  KILLED: 'watch',
  RUNNING: 'running',
};
const PAGE = 1_000;
const METRIC_COLUMNS = 6;

/** Tracked runs: search, sort, choose columns, and put some beside each other. */
export default function RunsPage() {
  const navigate = useNavigate();
  const [words, setWords] = useViewState('q');
  const [sort, setSort] = useViewState('sort');
  const [hidden, setHidden] = useViewState('hide');
  const [selected, select] = useState<ReadonlySet<string>>(new Set());
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery({
    queryKey: ['GET /runs', 'all'],
    queryFn: ({ pageParam, signal }) =>
      call('GET /runs', { query: { limit: PAGE, ...(pageParam && { after: pageParam }) } as never, signal }),
    initialPageParam: '',
    getNextPageParam: (page) => page.next,
  });
  const runs = useMemo(() => data?.pages.flatMap(({ items }) => items) ?? [], [data]);
  const columns = useMemo(() => columnsOf(runs), [runs]);
  const shown = useMemo(() => filter(runs, words), [runs, words]);
  const hiddenIds = hidden === '' ? [] : hidden.split(',');
  if (error && !data) return <Failure error={error} retry={() => void refetch()} />;
  if (!data) return <Rows count={12} />;
  if (runs.length === 0)
    return (
      <Page title="Runs">
        <Empty command={`mlflow.set_tracking_uri("${location.origin}")`}>
          No run yet. Existing MLflow code logs here with one line:
        </Empty>
      </Page>
    );
  return (
    <Page
      title="Runs"
      actions={
        selected.size > 1 && (
          <Button
            size="xs"
            onClick={() => void navigate({ to: '/compare', search: { runs: [...selected].join(',') } as never })}
          >
            Compare {selected.size}
          </Button>
        )
      }
    >
      <FilterBar
        label="Filter runs"
        placeholder="name, user, parameter=value"
        value={words}
        onChange={setWords}
        columns={columns}
        hidden={hiddenIds}
        onHide={(next) => setHidden(next.join(','))}
      >
        <span className="muted">
          {shown.length === runs.length ? `${runs.length} runs` : `${shown.length} of ${runs.length} runs`}
        </span>
        {hasNextPage && (
          <Button size="compact-xs" variant="subtle" loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
            Load older
          </Button>
        )}
      </FilterBar>
      <Table
        label="Runs"
        rows={shown}
        columns={columns}
        rowId={({ id }) => id}
        hidden={hiddenIds}
        sort={toSort(sort)}
        onSort={(next) => setSort(fromSort(next))}
        selected={selected}
        onSelect={select}
        onOpen={({ id }) => void navigate({ to: '/runs/$id', params: { id } })}
        height={640}
      />
    </Page>
  );
}

/** Every word must stand in the run's name, user, status, or `parameter=value`. */
function filter(runs: readonly Run[], text: string): readonly Run[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return runs;
  return runs.filter((run) => {
    const all = textOf(run);
    return words.every((word) => all.includes(word));
  });
}

const texts = new WeakMap<Run, string>();
function textOf(run: Run): string {
  let text = texts.get(run);
  if (text === undefined) {
    const params = Object.entries(run.params).map(([key, value]) => `${key}=${value}`);
    text = [run.id, run.name, run.user, run.status, ...params].join(' ').toLowerCase();
    texts.set(run, text);
  }
  return text;
}

function columnsOf(runs: readonly Run[]): readonly Column<Run>[] {
  return [
    { id: 'name', header: 'run', value: ({ name }) => name },
    { id: 'id', header: 'id', value: ({ id }) => id, cell: ({ id }) => <Id id={id} /> },
    {
      id: 'status',
      header: 'status',
      value: ({ status }) => status,
      cell: ({ status }) => <Status health={HEALTH[status] ?? 'unknown'} word={status.toLowerCase()} />,
    },
    {
      id: 'started',
      header: 'started',
      value: ({ startedAt }) => startedAt,
      cell: ({ startedAt }) => <RelativeTime at={startedAt} />,
    },
    {
      id: 'took',
      header: 'took',
      numeric: true,
      value: tookMs,
      cell: (run) => duration(tookMs(run)),
    },
    { id: 'user', header: 'user', value: ({ user }) => user },
    ...mostUsed(runs, ({ metrics }) => metrics).map(
      (key): Column<Run> => ({
        id: `metric:${key}`,
        header: key,
        numeric: true,
        value: ({ metrics }) => metrics[key],
        cell: ({ metrics }) => <span title={String(metrics[key] ?? '')}>{number(metrics[key])}</span>,
      }),
    ),
  ];
}

const tookMs = ({ startedAt, endedAt }: Run): number | null =>
  endedAt === null ? null : Date.parse(endedAt) - Date.parse(startedAt);

const SAMPLE = 500;

function mostUsed(runs: readonly Run[], of: (run: Run) => Readonly<Record<string, unknown>>): readonly string[] {
  const counts = new Map<string, number>();
  for (const run of runs.slice(0, SAMPLE))
    for (const key of Object.keys(of(run))) counts.set(key, (counts.get(key) ?? 0) + 1);
  return [...counts.entries()]
    .sort((a, b) => b[1] - a[1])
    .slice(0, METRIC_COLUMNS)
    .map(([key]) => key);
}
