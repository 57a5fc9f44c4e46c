import { useMemo } from 'react';
import { useGet } from '../../api/queries.ts';
import { measured } from '../../domain/run-status.tsx';
import { count, exact, number } from '../../ui/format.ts';
import { GoLink } from '../../ui/link.tsx';
import { Part } from '../../ui/page.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { useTableView } from '../../ui/view-state.ts';
import type { Run } from './page.tsx';

interface MetricRow {
  readonly key: string;
  readonly last: number;
  readonly step: number;
  readonly low: number | null;
  readonly high: number | null;
  readonly points: number | null;
  readonly nans: number;
  readonly run: string;
}

/** Each metric's latest value with its step, and what it ranged over. */
export function MetricTable({ run }: { readonly run: Run }) {
  const { data } = useGet('GET /runs/:id/metric-summaries', { params: { id: run.id } });
  const view = useTableView('m');
  const rows = useMemo(() => {
    const byKey = new Map(data?.items.map((item) => [item.key, item]));
    return run.latest.map(({ key, value, step }): MetricRow => {
      const summary = byKey.get(key);
      return {
        key,
        last: measured(value) as number,
        step,
        low: summary?.low ?? null,
        high: summary?.high ?? null,
        points: summary?.count ?? null,
        nans: summary?.nans ?? 0,
        run: run.id,
      };
    });
  }, [data, run.latest, run.id]);
  return (
    <Part title="Metrics">
      <Table
        label="Metrics"
        rows={rows}
        columns={COLUMNS}
        rowId={({ key }) => key}
        sort={view.sort}
        onSort={view.onSort}
        height={HEIGHT}
        empty="This run measured nothing."
      />
    </Part>
  );
}

const HEIGHT = 360;

const numeric = (id: 'last' | 'low' | 'high', header: string, title: string): Column<MetricRow> => ({
  id,
  header,
  title,
  numeric: true,
  value: (row) => row[id],
  cell: (row) => {
    const value =
      row[id] === null ? null : Math.abs(row[id]) === Number.MAX_VALUE ? Math.sign(row[id]) * Infinity : row[id];
    return <span title={Number.isNaN(value) ? 'NaN: not a number' : exact(value)}>{number(value)}</span>;
  },
});

const COLUMNS: readonly Column<MetricRow>[] = [
  {
    id: 'metric',
    header: 'metric',
    value: ({ key }) => key,
    cell: ({ key, run }) => <GoLink to={`/runs/${run}?tab=charts&metric=${encodeURIComponent(key)}`}>{key}</GoLink>,
  },
  numeric('last', 'latest', 'the value of the last step'),
  {
    id: 'step',
    header: 'at step',
    numeric: true,
    value: ({ step }) => step,
    cell: ({ step }) => number(step),
  },
  numeric('low', 'lowest', 'of all its points'),
  numeric('high', 'highest', 'of all its points'),
  {
    id: 'points',
    header: 'points',
    numeric: true,
    value: ({ points }) => points,
    cell: ({ points, nans }) => (nans > 0 ? `${count(points)}, ${count(nans)} NaN` : count(points)),
  },
];
