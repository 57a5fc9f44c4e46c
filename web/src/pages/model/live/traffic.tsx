import { SegmentedControl } from '@mantine/core';
import { useMemo } from 'react';
import { useGet } from '../../../api/queries.ts';
import type { AnswerOf } from '../../../api/routes.ts';
import { placeOfVersion } from '../../../domain/places.ts';
import { Chart, type Mark, type Series } from '../../../ui/chart.tsx';
import { count, duration, exact, percent } from '../../../ui/format.ts';
import { GoLink } from '../../../ui/link.tsx';
import { Part } from '../../../ui/page.tsx';
import { Failure, Rows } from '../../../ui/states.tsx';
import { type Column, Table } from '../../../ui/table.tsx';
import { EventTime } from '../../../ui/time.tsx';
import { useViewState } from '../../../ui/view-state.ts';
import type { ModelStatus } from '../layout.tsx';
import classes from './live.module.css';
import { colourOf } from './versions.ts';

type Answer = AnswerOf<'GET /endpoints/:name/traffic'>;
type Step = Answer['steps'][number];
type VersionRow = Answer['versions'][number];

const RANGES = [
  { value: '24', label: '24 h' },
  { value: '168', label: '7 days' },
  { value: '720', label: '30 days' },
  { value: '2160', label: '90 days' },
  { value: '8760', label: '1 year' },
];
const REFRESH_MS = 20_000;
const HEIGHT = 170;
/** The axis of shares shows at least so much, so that nothing looks like nothing. */
const LEAST_SHARE = 0.02;

/** Requests, failures and latencies over event time, by version, with where traffic was moved. */
export function Traffic({ model, endpoint }: { readonly model: ModelStatus; readonly endpoint: string }) {
  const [chosen, setRange] = useViewState('range', '168');
  const range = RANGES.some(({ value }) => value === chosen) ? chosen : '168';
  const { data, error, refetch } = useGet(
    'GET /endpoints/:name/traffic',
    { params: { name: endpoint }, query: { hours: Number(range) } },
    { refetchInterval: REFRESH_MS },
  );
  const tools = (
    <SegmentedControl size="xs" data={RANGES} value={range} onChange={setRange} aria-label="Range of event time" />
  );
  return (
    <Part title="Traffic" tools={tools}>
      {data ? <Shown data={data} model={model} /> : null}
      {!data && (error ? <Failure error={error} retry={() => void refetch()} /> : <Rows count={8} />)}
    </Part>
  );
}

function Shown({ data, model }: { readonly data: Answer; readonly model: ModelStatus }) {
  const { total } = data;
  const columns = useMemo(() => columnsOf(model.name, data), [model.name, data]);
  const charts = useMemo(() => chartsOf(data, model), [data, model]);
  return (
    <>
      <p className="muted">
        {count(total.requests)} requests with {count(total.rows)} rows, {count(total.errors)} failed,{' '}
        {count(total.refused)} refused, from <EventTime at={data.from} /> to <EventTime at={data.to} /> UTC of event
        time, a point every {duration(data.stepMs)}.
      </p>
      <div className={classes['charts']}>
        {charts.map((chart) => (
          <Chart key={chart.title} {...chart} time syncKey="traffic" height={HEIGHT} />
        ))}
      </div>
      <Table
        label="Traffic by version"
        rows={data.versions}
        columns={columns}
        rowId={({ versionId }) => versionId}
        empty="Nothing was asked in this range."
      />
    </>
  );
}

function chartsOf(data: Answer, model: ModelStatus) {
  const { stepMs, versions } = data;
  const byTime = new Map(data.steps.map((step) => [Date.parse(step.at), step]));
  const times = timesOf(data);
  const steps = times.map((at) => byTime.get(at));
  const marks: readonly Mark[] = data.deploys.map(({ at, version, event }) => ({
    x: Date.parse(at) / 1_000,
    label: event === 'abort' ? `v${version} away` : `v${version}`,
    ...(event === 'abort' && { colour: '--bad' }),
  }));
  const shared = { x: times.map((at) => at / 1_000), marks };
  const requests: readonly Series[] = versions.map(({ version }) => ({
    label: version === null ? 'a version that is gone' : `v${version}`,
    colour: colourOf(model, version),
    // No counter of an hour means that nobody asked in it.
    values: steps.map((step) => step?.byVersion.find((each) => each.version === version)?.requests ?? 0),
  }));
  return [
    {
      ...shared,
      title: `Requests in ${duration(stepMs)}, by version`,
      series: requests,
      format: count,
      range: [0, null] as const,
    },
    {
      ...shared,
      title: 'Share of requests that failed or were refused',
      format: percent,
      range: [
        0,
        Math.max(
          LEAST_SHARE,
          ...steps.map((step) => shareOf(step, 'errors') ?? 0),
          ...steps.map((step) => shareOf(step, 'refused') ?? 0),
        ),
      ] as const,
      series: [
        { label: 'failed', colour: '--bad', values: steps.map((step) => shareOf(step, 'errors')) },
        { label: 'refused', colour: '--watch', values: steps.map((step) => shareOf(step, 'refused')), dashed: true },
      ],
    },
    {
      ...shared,
      title: 'Latency in the gateway, by quantile',
      format: duration,
      range: [0, null] as const,
      series: (['p50', 'p95', 'p99'] as const).map((quantile, i) => ({
        label: quantile,
        colour: ['--champion', '--series-1', '--series-2'][i]!,
        values: steps.map((step) => step?.latencyMs[quantile] ?? null),
      })),
    },
  ];
}

/** Every step of the range from the first that has traffic on. */
function timesOf({ steps, stepMs, to }: Answer): readonly number[] {
  const first = steps[0];
  if (!first) return [];
  const start = Date.parse(first.at);
  const length = Math.max(1, Math.ceil((Date.parse(to) - start) / stepMs));
  return Array.from({ length }, (_, i) => start + i * stepMs);
}

/** Of all requests that came in: those that reached a model, and the refused ones on top. */
function shareOf(step: Step | undefined, what: 'errors' | 'refused'): number | null {
  const all = (step?.requests ?? 0) + (step?.refused ?? 0);
  return step && all > 0 ? step[what] / all : null;
}

function columnsOf(model: string, { total }: Answer): readonly Column<VersionRow>[] {
  const latency = (quantile: 'p50' | 'p95' | 'p99'): Column<VersionRow> => ({
    id: quantile,
    header: quantile,
    title: 'Latency in the gateway: this share of requests was faster',
    numeric: true,
    value: ({ latencyMs }) => latencyMs[quantile],
    cell: ({ latencyMs }) => <span title={`${exact(latencyMs[quantile])} ms`}>{duration(latencyMs[quantile])}</span>,
  });
  const counted = (id: 'requests' | 'rows' | 'errors' | 'refused' | 'fallbacks', header: string, title: string) => ({
    id,
    header,
    title,
    numeric: true,
    value: (row: VersionRow) => row[id],
    cell: (row: VersionRow) => <span title={exact(row[id])}>{count(row[id])}</span>,
  });
  return [
    {
      id: 'version',
      header: 'version',
      value: ({ version }) => (version === null ? null : `v${version}`),
      cell: ({ version }) => (version === null ? '—' : <GoLink to={placeOfVersion(model, version)}>v{version}</GoLink>),
    },
    {
      id: 'share',
      header: 'share',
      title: 'Of the requests of this range',
      numeric: true,
      value: ({ requests }) => (total.requests === 0 ? null : requests / total.requests),
      cell: ({ requests }) => (total.requests === 0 ? '—' : percent(requests / total.requests)),
    },
    counted('requests', 'requests', 'That reached a model'),
    counted('rows', 'rows', 'Predictions asked for'),
    counted('errors', 'failed', 'Requests that a model failed'),
    counted('refused', 'refused', 'Requests that do not fit the signature'),
    counted('fallbacks', 'by fallback', 'Rows that the fallback answered'),
    latency('p50'),
    latency('p95'),
    latency('p99'),
  ];
}
