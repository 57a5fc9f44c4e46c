import { SegmentedControl, Switch } from '@mantine/core';
import { useQueries } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useMemo } from 'react';
import { call } from '../../api/client.ts';
import { MetricChart, type XAxis } from '../../domain/metric-chart.tsx';
import { number } from '../../ui/format.ts';
import { Page, Part } from '../../ui/page.tsx';
import { Empty, Rows } from '../../ui/states.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { useViewState } from '../../ui/view-state.ts';

interface Line {
  readonly kind: 'parameter' | 'metric';
  readonly name: string;
  readonly values: readonly (string | number | null | undefined)[];
}

const MAX_RUNS = 10;
const MAX_CHARTS = 20;

/** Some runs beside each other: what differs, and their metrics in the same charts. */
export default function ComparePage() {
  const [list] = useViewState('runs');
  const ids = useMemo(() => list.split(',').filter(Boolean).slice(0, MAX_RUNS), [list]);
  const [all, setAll] = useViewState('all');
  const [axis, setAxis] = useViewState('x', 'step');
  const answers = useQueries({
    queries: ids.map((id) => ({
      queryKey: ['GET /runs/:id', { params: { id } }],
      queryFn: ({ signal }: { signal: AbortSignal }) => call('GET /runs/:id', { params: { id }, signal }),
    })),
  });
  const runs = answers.flatMap(({ data }) => (data ? [data] : []));
  if (ids.length < 2) return <Empty>Choose two runs or more in Runs, then Compare.</Empty>;
  if (runs.length < ids.length) return <Rows count={10} />;
  const lines = [
    ...linesOf(
      'parameter',
      runs.map(({ params }) => params),
    ),
    ...linesOf(
      'metric',
      runs.map(({ metrics }) => metrics),
    ),
  ].filter(({ values }) => all === '1' || new Set(values).size > 1);
  const columns: readonly Column<Line>[] = [
    { id: 'kind', header: '', value: ({ kind }) => kind },
    { id: 'name', header: 'name', value: ({ name }) => name },
    ...runs.map(
      ({ id, name }, i): Column<Line> => ({
        id,
        header: name,
        numeric: true,
        value: ({ values }) => values[i],
        cell: ({ values }) => (typeof values[i] === 'number' ? number(values[i]) : (values[i] ?? '—')),
      }),
    ),
  ];
  const metrics = [...new Set(runs.flatMap((run) => Object.keys(run.metrics)))].sort().slice(0, MAX_CHARTS);
  return (
    <Page
      title={`${runs.length} runs`}
      status={runs.map(({ id, name }) => (
        <Link key={id} to="/runs/$id" params={{ id }}>
          {name}
        </Link>
      ))}
    >
      <Part
        title={all === '1' ? 'Everything' : 'What differs'}
        tools={
          <Switch
            size="xs"
            label="also what is the same"
            checked={all === '1'}
            onChange={(event) => setAll(event.currentTarget.checked ? '1' : undefined)}
          />
        }
      >
        <Table
          label="Comparison"
          rows={lines}
          columns={columns}
          rowId={({ kind, name }) => `${kind}${name}`}
          height={420}
        />
      </Part>
      <Part
        title="Metrics"
        tools={<SegmentedControl size="xs" data={['step', 'time']} value={axis} onChange={setAxis} />}
      >
        <div
          style={{ display: 'grid', gap: 16, gridTemplateColumns: 'repeat(auto-fit, minmax(min(360px, 100%), 1fr))' }}
        >
          {metrics.map((metric) => (
            <MetricChart key={metric} runs={runs} metric={metric} axis={axis as XAxis} smoothing={0} log={false} />
          ))}
        </div>
      </Part>
    </Page>
  );
}

function linesOf(
  kind: Line['kind'],
  records: readonly Readonly<Record<string, string | number | null>>[],
): readonly Line[] {
  const names = [...new Set(records.flatMap((record) => Object.keys(record)))].sort();
  return names.map((name) => ({ kind, name, values: records.map((record) => record[name]) }));
}
