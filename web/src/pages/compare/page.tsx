import { useQueries } from '@tanstack/react-query';
import { useMemo } from 'react';
import { call } from '../../api/client.ts';
import { MetricGrid } from '../../domain/metric-grid.tsx';
import { toChartRuns } from '../../domain/metric-series.ts';
import { useRunVersions } from '../../domain/run-versions.ts';
import { Page, Part } from '../../ui/page.tsx';
import { Empty, Failure, Rows } from '../../ui/states.tsx';
import { useViewState } from '../../ui/view-state.ts';
import { Differences } from './differences.tsx';
import { Legend } from './legend.tsx';

const MAX_RUNS = 20;

/** Some runs beside each other: their metrics in the same charts, and what differs. All of it stands in the address. */
export default function ComparePage() {
  const [list, setList] = useViewState('runs');
  const ids = useMemo(() => [...new Set(list.split(',').filter(Boolean))].slice(0, MAX_RUNS), [list]);
  const versions = useRunVersions();
  const answers = useQueries({
    queries: ids.map((id) => ({
      queryKey: ['GET /runs/:id', { params: { id } }],
      queryFn: ({ signal }: { signal: AbortSignal }) => call('GET /runs/:id', { params: { id }, signal }),
    })),
  });
  const stamp = answers.map(({ dataUpdatedAt }) => dataUpdatedAt).join();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the stamps tell when an answer is another one
  const runs = useMemo(() => answers.flatMap(({ data }) => (data ? [data] : [])), [stamp]);
  const champion = runs.find(({ id }) => versions.get(id)?.isChampion)?.id;
  const charted = useMemo(() => toChartRuns(runs, champion), [runs, champion]);
  const metrics = useMemo(
    () => [...new Set(runs.flatMap(({ latest }) => latest.map(({ key }) => key)))].sort(),
    [runs],
  );
  if (ids.length < 2)
    return (
      <Page title="Compare">
        <Empty>Select two runs or more in Runs (x, or the boxes), then Compare.</Empty>
      </Page>
    );
  const failed = answers.find(({ error, data }) => error && !data);
  if (failed) return <Failure error={failed.error} retry={() => void failed.refetch()} />;
  if (runs.length < ids.length) return <Rows count={12} />;
  return (
    <Page title={`Compare ${runs.length} runs`}>
      <Legend
        runs={runs}
        charted={charted}
        versions={versions}
        onRemove={(id) => setList(ids.filter((each) => each !== id).join(','))}
      />
      {metrics.length > 0 && (
        <Part title="Metrics">
          <MetricGrid runs={charted} metrics={metrics} />
        </Part>
      )}
      <Differences runs={runs} charted={charted} />
    </Page>
  );
}
