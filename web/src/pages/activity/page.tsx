import { NativeSelect } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { call } from '../../api/client.ts';
import { useGet } from '../../api/queries.ts';
import type { AnswerOf } from '../../api/routes.ts';
import { Page } from '../../ui/page.tsx';
import { Empty, Failure, Rows } from '../../ui/states.tsx';
import { useViewState } from '../../ui/view-state.ts';
import classes from './activity.module.css';
import { Kinds, SHOWN_BY_ITSELF } from './kinds.tsx';
import { Timeline } from './timeline.tsx';

export type Line = AnswerOf<'GET /activity'>['items'][number];

const PAGE = 100;
const SYSTEM = 'levain';

/** The one timeline of everything that happened, by day, the newest first; more comes as one scrolls. */
export default function ActivityPage() {
  const [kinds, setKinds] = useViewState('kind');
  const [model, setModel] = useViewState('model');
  const [by, setBy] = useViewState('by');
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage, isPlaceholderData } = useTimeline({
    kinds,
    model,
    by,
  });
  const lines = useMemo(() => data?.pages.flatMap(({ items }) => items), [data]);
  return (
    <Page title="Activity">
      <div className={classes['filters']}>
        <Kinds chosen={kinds} onChoose={setKinds} />
        <ModelFilter value={model} onChange={setModel} />
        <PersonFilter value={by} onChange={setBy} lines={lines ?? []} />
      </div>
      {error && !lines ? (
        <Failure error={error} retry={() => void refetch()} />
      ) : !lines ? (
        <Rows count={14} />
      ) : lines.length === 0 ? (
        <Empty>{kinds || model || by ? 'Nothing like this happened yet.' : 'Nothing happened yet.'}</Empty>
      ) : (
        <Timeline
          lines={lines}
          isOld={isPlaceholderData}
          more={hasNextPage ? () => void fetchNextPage() : undefined}
          isLoading={isFetchingNextPage}
        />
      )}
    </Page>
  );
}

interface Filter {
  readonly kinds: string;
  readonly model: string;
  readonly by: string;
}

/** Keyed by the route, so that the server's hints bring what is new. */
function useTimeline({ kinds, model, by }: Filter) {
  const query = {
    limit: PAGE,
    kind: kinds || SHOWN_BY_ITSELF,
    ...(model && { about: model }),
    ...(by && { by }),
  };
  return useInfiniteQuery({
    queryKey: ['GET /activity', query],
    initialPageParam: '',
    queryFn: ({ pageParam, signal }) =>
      call('GET /activity', { query: { ...query, ...(pageParam && { after: pageParam }) }, signal }),
    getNextPageParam: ({ next }) => next,
  });
}

interface SelectProps {
  readonly value: string;
  readonly onChange: (value: string | undefined) => void;
}

function ModelFilter({ value, onChange }: SelectProps) {
  const status = useGet('GET /status');
  const names = new Set([...(status.data?.models ?? []).map(({ name }) => name), ...(value ? [value] : [])]);
  return (
    <NativeSelect
      size="xs"
      aria-label="Model"
      className={classes['select'] ?? ''}
      data={[{ value: '', label: 'every model' }, ...[...names].sort()]}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value || undefined)}
    />
  );
}

/** Whoever did something of what is loaded; the server filters. */
function PersonFilter({ value, onChange, lines }: SelectProps & { readonly lines: readonly Line[] }) {
  const names = new Set([SYSTEM, ...lines.map(({ actor }) => actor), ...(value ? [value] : [])]);
  return (
    <NativeSelect
      size="xs"
      aria-label="Done by"
      className={classes['select'] ?? ''}
      data={[
        { value: '', label: 'by anybody' },
        ...[...names]
          .sort()
          .map((name) => ({ value: name, label: name === SYSTEM ? 'by levain itself' : `by ${name}` })),
      ]}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value || undefined)}
    />
  );
}
