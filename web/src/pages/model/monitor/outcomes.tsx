import { Select } from '@mantine/core';
import { useGet } from '../../../api/queries.ts';
import type { AnswerOf } from '../../../api/routes.ts';
import { Figure } from '../../../ui/figure.tsx';
import { count, interval, number, percent } from '../../../ui/format.ts';
import { Part } from '../../../ui/page.tsx';
import { Reliability } from '../../../ui/reliability.tsx';
import { Empty, Failure, Rows } from '../../../ui/states.tsx';
import { type Column, Table } from '../../../ui/table.tsx';
import { useTableView, useView } from '../../../ui/view-state.ts';
import classes from './monitor.module.css';
import { labelWords } from './performance.tsx';
import { type DaySpan, type Monitor, spanWords, useChosenSpan, usualSpan } from './state.ts';

type View = AnswerOf<'GET /models/:model/monitor/outcomes'>;
type Slice = NonNullable<View['slices']>['values'][number];

const Z = 1.96;

/** Some days' predictions beside what came true: by how sure the model was, and by the values of one column. */
export function Outcomes({ monitor }: { readonly monitor: Monitor }) {
  const chosen = useChosenSpan();
  const span = chosen ?? usualSpan(monitor, true);
  if (!span) return null;
  return (
    <Part title={`Calibration and slices, ${spanWords(span)}`}>
      <Judged monitor={monitor} span={span} />
    </Part>
  );
}

function Judged({ monitor, span }: { readonly monitor: Monitor; readonly span: DaySpan }) {
  const [view, change] = useView();
  const names = monitor.features.map((feature) => String(feature['name']));
  const slice = names.includes(view['slice'] ?? '') ? view['slice'] : names[0];
  const { data, error, refetch } = useGet('GET /models/:model/monitor/outcomes', {
    params: { model: monitor.model },
    query: { ...span, ...(slice && { slice }) } as never,
  });
  if (error && !data) return <Failure error={error} retry={() => void refetch()} />;
  if (!data) return <Rows count={6} />;
  if (data.labelled === 0)
    return (
      <Empty command={`levain labels send outcomes.csv --endpoint ${monitor.endpoint}`}>
        None of the {count(data.predictions)} predictions of v{data.version} in these days has a label yet.
      </Empty>
    );
  const half = Z * Math.sqrt(data.lossVariance);
  return (
    <>
      <p>
        v{data.version}: {labelWords(data.labelled, data.predictions)};{' '}
        {data.lossName === 'log_loss' ? 'log loss' : data.lossName === 'mse' ? 'squared error' : 'error'}{' '}
        {data.loss === null ? '—' : interval(data.loss, data.loss - half, data.loss + half)}
        {Object.entries(data.metrics)
          .filter(([name]) => name !== data.lossName)
          .map(([name, value]) => `, ${name === 'auc' ? 'AUC' : name.replaceAll('_', ' ')} ${number(value)}`)}
        {data.calibrationError !== null &&
          `, calibration error ${data.task === 'binary' ? percent(data.calibrationError) : number(data.calibrationError)}`}
        .
      </p>
      <div className={classes['two']}>
        <ReliabilityFigure view={data} />
        <Slices view={data} names={names} slice={slice} onSlice={(next) => change({ slice: next })} />
      </div>
    </>
  );
}

function ReliabilityFigure({ view }: { readonly view: View }) {
  return (
    <Figure
      title="Reliability: what came true against what was predicted, with 95 % intervals and counts"
      head={['from', 'to', 'rows', 'predicted', 'observed', 'standard error']}
      rows={view.reliability.map(({ low, high, rows, predicted, observed, error }) => [
        low,
        high,
        rows,
        predicted,
        observed,
        error,
      ])}
      empty={view.reliability.length === 0 ? 'Not drawn for several classes' : undefined}
    >
      <Reliability
        label="Reliability diagram"
        isShare={view.task === 'binary'}
        bins={view.reliability.map(({ rows, predicted, observed, error }) => ({
          rows,
          predicted,
          observed,
          low: observed - Z * error,
          high: observed + Z * error,
        }))}
      />
    </Figure>
  );
}

function Slices({
  view,
  names,
  slice,
  onSlice,
}: {
  readonly view: View;
  readonly names: readonly string[];
  readonly slice: string | undefined;
  readonly onSlice: (slice: string | undefined) => void;
}) {
  const { sort, onSort } = useTableView('slices-');
  return (
    <div style={{ display: 'grid', gap: 8, minWidth: 0 }}>
      <Select
        size="xs"
        label="Slices by"
        data={[...names]}
        value={slice ?? null}
        allowDeselect={false}
        onChange={(next) => onSlice(next ?? undefined)}
      />
      <Table
        label={`Slices by ${slice ?? 'nothing'}`}
        rows={view.slices?.values ?? []}
        columns={sliceColumns(view.task === 'binary')}
        rowId={({ value }) => value}
        sort={sort}
        onSort={onSort}
        height={260}
        empty="No column to slice by is watched."
      />
    </div>
  );
}

const sliceColumns = (isShare: boolean): readonly Column<Slice>[] => {
  const show = isShare ? percent : number;
  return [
    {
      id: 'value',
      header: 'value',
      value: ({ value }) => value,
      cell: ({ value }) => (
        <span className={classes['clipped']} title={value}>
          {value}
        </span>
      ),
    },
    {
      id: 'labelled',
      header: 'labels',
      numeric: true,
      value: ({ labelled }) => labelled,
      cell: ({ labelled }) => count(labelled),
    },
    {
      id: 'loss',
      header: 'loss [95 %]',
      numeric: true,
      value: ({ loss }) => loss,
      cell: ({ loss, lossVariance }) => {
        const half = Z * Math.sqrt(lossVariance);
        return loss === null ? '—' : interval(loss, loss - half, loss + half);
      },
    },
    {
      id: 'observed',
      header: 'observed',
      numeric: true,
      value: ({ observed }) => observed,
      cell: ({ observed }) => show(observed),
    },
    {
      id: 'predicted',
      header: 'predicted',
      numeric: true,
      value: ({ predicted }) => predicted,
      cell: ({ predicted }) => show(predicted),
    },
  ];
};
