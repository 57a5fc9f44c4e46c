import { Code, SegmentedControl, Slider, Switch } from '@mantine/core';
import { Link, useParams } from '@tanstack/react-router';
import { useGet } from '../../api/queries.ts';
import type { AnswerOf } from '../../api/routes.ts';
import { MetricChart, type XAxis } from '../../domain/metric-chart.tsx';
import { Facts } from '../../ui/facts.tsx';
import { duration, number } from '../../ui/format.ts';
import { Page, Part, Split } from '../../ui/page.tsx';
import { Failure, Rows } from '../../ui/states.tsx';
import { type Health, Status } from '../../ui/status.tsx';
import { Table } from '../../ui/table.tsx';
import { RelativeTime } from '../../ui/time.tsx';
import { useViewState } from '../../ui/view-state.ts';
import { Artifacts } from './artifacts.tsx';

type Run = AnswerOf<'GET /runs/:id'>;

const HEALTH: Readonly<Record<string, Health>> = {
  FINISHED: 'good',
  FAILED: 'bad',
  KILLED: 'watch',
  RUNNING: 'running',
};
const MAX_CHARTS = 20;

/** One run: what it was given, what it measured, what it left, on which data, code and environment. */
export default function RunPage() {
  const { id } = useParams({ strict: false }) as { id: string };
  const { data, error, refetch } = useGet('GET /runs/:id', { params: { id } });
  if (error && !data) return <Failure error={error} retry={() => void refetch()} />;
  if (!data) return <Rows count={10} />;
  return (
    <Page
      title={data.name}
      status={<Status health={HEALTH[data.status] ?? 'unknown'} word={data.status.toLowerCase()} />}
    >
      <Split side={<Side run={data} />}>
        <Metrics run={data} />
        <Part title="Artifacts">
          <Artifacts run={data.id} />
        </Part>
      </Split>
    </Page>
  );
}

const TAGS_OF_OURS = /^(levain|mlflow)\./;

function Side({ run }: { readonly run: Run }) {
  const tags = Object.entries(run.tags);
  return (
    <div style={{ display: 'grid', gap: 20 }}>
      <Facts
        facts={[
          ['id', <Code key="id">{run.id}</Code>],
          ['started', <RelativeTime key="s" at={run.startedAt} />],
          ['took', duration(run.endedAt === null ? null : Date.parse(run.endedAt) - Date.parse(run.startedAt))],
          ['user', run.user],
          ['models', run.models.map(({ name }) => name).join(', ') || '—'],
          [
            'why',
            run.attemptId ? (
              <Link key="w" to="/why/$id" params={{ id: run.attemptId.split('.').slice(0, 2).join('/') }}>
                why it ran
              </Link>
            ) : (
              '—'
            ),
          ],
        ]}
      />
      <Part title="Parameters">
        <Pairs label="Parameters" pairs={Object.entries(run.params)} />
      </Part>
      <Part title="Data, code and environment">
        <Pairs label="Data, code and environment" pairs={tags.filter(([key]) => TAGS_OF_OURS.test(key))} />
      </Part>
      <Part title="Tags">
        <Pairs label="Tags" pairs={tags.filter(([key]) => !TAGS_OF_OURS.test(key))} />
      </Part>
    </div>
  );
}

function Pairs({ label, pairs }: { readonly label: string; readonly pairs: readonly (readonly [string, string])[] }) {
  if (pairs.length === 0) return <p className="muted">None.</p>;
  return (
    <Table
      label={label}
      rows={pairs}
      columns={[
        { id: 'name', header: 'name', value: ([name]) => name, cell: ([name]) => <span title={name}>{name}</span> },
        {
          id: 'value',
          header: 'value',
          value: ([, value]) => value,
          cell: ([, value]) => <span title={value}>{value}</span>,
        },
      ]}
      rowId={([name]) => name}
      height={300}
    />
  );
}

function Metrics({ run }: { readonly run: Run }) {
  const [axis, setAxis] = useViewState('x', 'step');
  const [smoothing, setSmoothing] = useViewState('smooth', '0');
  const [log, setLog] = useViewState('log');
  const keys = Object.keys(run.metrics).sort();
  if (keys.length === 0) return <p className="muted">This run logged no metric.</p>;
  return (
    <Part
      title="Metrics"
      tools={
        <span style={{ display: 'inline-flex', gap: 16, alignItems: 'center', flexWrap: 'wrap' }}>
          <SegmentedControl size="xs" data={['step', 'time']} value={axis} onChange={setAxis} />
          <Switch
            size="xs"
            label="log axis"
            checked={log === '1'}
            onChange={(event) => setLog(event.currentTarget.checked ? '1' : undefined)}
          />
          <Slider
            w={120}
            size="xs"
            min={0}
            max={0.95}
            step={0.05}
            label={(value) => `smoothing ${value}`}
            thumbLabel="smoothing"
            value={Number(smoothing)}
            onChange={(value) => setSmoothing(value === 0 ? undefined : String(value))}
          />
        </span>
      }
    >
      <Table
        label="Last values"
        rows={keys.map((key) => ({ key, value: run.metrics[key] ?? null }))}
        columns={[
          { id: 'name', header: 'metric', value: ({ key }) => key },
          {
            id: 'value',
            header: 'last value',
            numeric: true,
            value: ({ value }) => value,
            cell: ({ value }) => <span title={String(value)}>{number(value)}</span>,
          },
        ]}
        rowId={({ key }) => key}
        height={240}
      />
      <div style={{ display: 'grid', gap: 16, gridTemplateColumns: 'repeat(auto-fit, minmax(min(360px, 100%), 1fr))' }}>
        {keys.slice(0, MAX_CHARTS).map((metric) => (
          <MetricChart
            key={metric}
            runs={[run]}
            metric={metric}
            axis={axis as XAxis}
            smoothing={Number(smoothing)}
            log={log === '1'}
          />
        ))}
      </div>
    </Part>
  );
}
