import { SegmentedControl } from '@mantine/core';
import { useMemo } from 'react';
import { useGet } from '../../api/queries.ts';
import type { AnswerOf } from '../../api/routes.ts';
import { healthOf } from '../../domain/lights.tsx';
import { Chart } from '../../ui/chart.tsx';
import { number, percent, pValue } from '../../ui/format.ts';
import { HeatMap } from '../../ui/heat-map.tsx';
import { Part } from '../../ui/page.tsx';
import { Failure, Rows } from '../../ui/states.tsx';
import { Status } from '../../ui/status.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { EventTime } from '../../ui/time.tsx';
import { useViewState } from '../../ui/view-state.ts';
import { useModelName } from './layout.tsx';

type Monitor = AnswerOf<'GET /models/:model/monitor'>;
type Feature = {
  readonly name: string;
  readonly effect: number;
  readonly importance: number | null;
  readonly psi: number;
  readonly p: number;
};

const SPANS = ['14', '30', '90', '180'];

/** Columns by drift and importance, rules over time, performance and calibration; every alarm's number can be reached here. */
export default function MonitorTab() {
  const model = useModelName();
  const [days, setDays] = useViewState('days', '90');
  const { data, error, refetch } = useGet('GET /models/:model/monitor', {
    params: { model },
    query: { days: Number(days) },
  });
  if (error && !data) return <Failure error={error} retry={() => void refetch()} />;
  if (!data) return <Rows count={10} />;
  return (
    <div style={{ display: 'grid', gap: 20 }}>
      <SegmentedControl
        size="xs"
        style={{ justifySelf: 'start' }}
        data={SPANS.map((span) => ({ value: span, label: `${span} days` }))}
        value={days}
        onChange={setDays}
      />
      <Part title="Rules over event time">
        <Rules monitor={data} />
      </Part>
      <Performance monitor={data} />
      <Part title="Columns by drift and importance">
        <Table
          label="Columns"
          rows={data.features as unknown as readonly Feature[]}
          columns={FEATURES}
          rowId={({ name }) => name}
        />
      </Part>
      <p className="muted" style={{ maxWidth: '80ch' }}>
        At most {data.falseAlarms.count} false alarm in {data.falseAlarms.perDays} days, all alarms together
        {data.falseAlarms.detectableShift === null
          ? '.'
          : `; a numeric column is found moved, 8 times in 10, from ${number(data.falseAlarms.detectableShift)} standard deviations on.`}
      </p>
    </div>
  );
}

function Rules({ monitor }: { readonly monitor: Monitor }) {
  const { columns, rows, cells } = useMemo(() => toGrid(monitor), [monitor]);
  return (
    <HeatMap
      label="Each rule in each window, by its value against its threshold"
      columns={columns}
      rows={rows}
      cells={cells}
    />
  );
}

/** Colour is how near a rule came to its threshold; the outline is the alarm. */
function toGrid({ windows }: Monitor) {
  const rules = [...new Set(windows.flatMap(({ findings }) => findings.map(({ rule }) => rule)))].sort();
  return {
    columns: windows.map(({ start, version }) => ({
      id: `${start}${version}`,
      label: `${start.slice(0, 10)} v${version ?? '?'}`,
    })),
    rows: rules,
    cells: rules.map((rule) =>
      windows.map(({ findings }) => {
        const found = findings.find((finding) => finding.rule === rule);
        if (!found) return null;
        const near =
          found.value === null || !found.threshold ? 0 : Math.min(1, Math.abs(found.value) / (2 * found.threshold));
        return {
          strength: near,
          isMarked: found.state === 'amber' || found.state === 'red',
          text: `${found.state}: ${found.sentence}`,
        };
      }),
    ),
  };
}

interface Day {
  readonly day: string;
  readonly version: number | null;
  readonly metrics?: Readonly<Record<string, number>>;
  readonly loss?: number | null;
  readonly predicted?: number | null;
  readonly observed?: number | null;
  readonly labels?: number;
  readonly predictions?: number;
}

function Performance({ monitor }: { readonly monitor: Monitor }) {
  const days = monitor.performance as unknown as readonly Day[];
  const x = days.map(({ day }) => Date.parse(day) / 1_000);
  const marks = days.flatMap(({ day, version }, i) =>
    i > 0 && days[i - 1]!.version !== version ? [{ x: Date.parse(day) / 1_000, label: `v${version}` }] : [],
  );
  return (
    <Part title="Performance and calibration">
      <Chart
        title="Log loss of labelled predictions by day"
        x={x}
        time
        marks={marks}
        syncKey="monitor"
        series={[
          {
            label: 'log loss',
            values: days.map((day) => day.metrics?.['log_loss'] ?? day.loss ?? null),
            colour: '--champion',
          },
        ]}
      />
      <Chart
        title="What was predicted and what came true, share of positives by day"
        x={x}
        time
        marks={marks}
        syncKey="monitor"
        format={percent}
        series={[
          { label: 'predicted', values: days.map(({ predicted }) => predicted ?? null), colour: '--challenger' },
          { label: 'observed', values: days.map(({ observed }) => observed ?? null), colour: '--champion' },
        ]}
      />
      <Table
        label="Windows"
        rows={[...monitor.windows].reverse()}
        columns={WINDOWS}
        rowId={({ start, version }) => `${start}${version}`}
        height={300}
      />
    </Part>
  );
}

const FEATURES: readonly Column<Feature>[] = [
  { id: 'name', header: 'column', value: ({ name }) => name },
  {
    id: 'effect',
    header: 'drift (effect)',
    numeric: true,
    value: ({ effect }) => effect,
    cell: ({ effect }) => number(effect),
  },
  {
    id: 'importance',
    header: 'importance',
    numeric: true,
    value: ({ importance }) => importance,
    cell: ({ importance }) => percent(importance),
  },
  { id: 'psi', header: 'PSI', numeric: true, value: ({ psi }) => psi, cell: ({ psi }) => number(psi) },
  { id: 'p', header: 'p', numeric: true, value: ({ p }) => p, cell: ({ p }) => pValue(p) },
];

const WINDOWS: readonly Column<Monitor['windows'][number]>[] = [
  { id: 'start', header: 'window', value: ({ start }) => start, cell: ({ start }) => <EventTime at={start} /> },
  { id: 'version', header: 'version', value: ({ version }) => version, cell: ({ version }) => `v${version}` },
  {
    id: 'worst',
    header: 'worst rule',
    value: ({ findings }) => findings.length,
    cell: ({ findings }) => {
      const worst =
        findings.find(({ state }) => state === 'red') ?? findings.find(({ state }) => state === 'amber') ?? findings[0];
      return worst ? <Status health={healthOf(worst.state)} word={`${worst.rule}: ${worst.sentence}`} /> : '—';
    },
  },
];
