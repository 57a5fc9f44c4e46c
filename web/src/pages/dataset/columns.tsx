import { CloseButton } from '@mantine/core';
import { Bars } from '../../ui/bars.tsx';
import { Facts } from '../../ui/facts.tsx';
import { Figure } from '../../ui/figure.tsx';
import { FilterBar } from '../../ui/filter-bar.tsx';
import { count, exact, localMinute, number, percent } from '../../ui/format.ts';
import { CategoryBars, Histogram } from '../../ui/histogram.tsx';
import { type Column, exportCsv, Table } from '../../ui/table.tsx';
import { useTableView, useView, useViewState } from '../../ui/view-state.ts';
import classes from './dataset.module.css';
import type { Version } from './page.tsx';

export type Profile = Version['profile']['columns'][number];

/** The profile: every column with its shape; one of them, chosen, in full. */
export function Columns({ version }: { readonly version: Version }) {
  const [view, change] = useView();
  const [words, setWords] = useViewState('q');
  const { sort, onSort, hidden, onHide } = useTableView('columns-');
  const { profile, rowCount } = version;
  const shown = profile.columns.filter(({ name }) => name.toLowerCase().includes(words.toLowerCase()));
  const columns = columnsOf(rowCount);
  const chosen = profile.columns.find(({ name }) => name === view['column']);
  return (
    <>
      <FilterBar
        label="Filter columns by name"
        value={words}
        onChange={setWords}
        columns={columns}
        hidden={hidden}
        onHide={onHide}
        onCsv={() => exportCsv(`${version.dataset} v${version.version} columns`, shown, columns)}
      />
      <Table
        label="Columns"
        rows={shown}
        columns={columns}
        rowId={({ name }) => name}
        sort={sort}
        onSort={onSort}
        hidden={hidden}
        selected={new Set(chosen ? [chosen.name] : [])}
        onOpen={({ name }) => change({ column: name === view['column'] ? undefined : name })}
        height={420}
        empty={
          profile.columns.length === 0
            ? 'These files are no table, so they have no columns.'
            : 'No column has a name like that.'
        }
      />
      {chosen && <Detail column={chosen} rowCount={rowCount} />}
    </>
  );
}

const share = (part: number, whole: number): string => (whole === 0 ? '—' : percent(part / whole));
const moment = (ms: number | undefined): string => (ms === undefined ? '—' : localMinute(ms));
const leastOf = ({ number: stats, time, text }: Profile): string =>
  stats ? number(stats.min) : time ? moment(time.min) : text ? `${text.minLength} characters` : '—';
const mostOf = ({ number: stats, time, text }: Profile): string =>
  stats ? number(stats.max) : time ? moment(time.max) : text ? `${text.maxLength} characters` : '—';

const columnsOf = (rowCount: number): readonly Column<Profile>[] => [
  {
    id: 'name',
    header: 'column',
    value: ({ name }) => name,
    cell: ({ name }) => (
      <strong className={classes['clipped']} title={name}>
        {name}
      </strong>
    ),
  },
  { id: 'kind', header: 'kind', value: ({ kind }) => kind },
  {
    id: 'nulls',
    header: 'missing',
    title: 'Share of the rows; NaN counts as missing',
    numeric: true,
    value: ({ nulls }) => (rowCount === 0 ? null : nulls / rowCount),
    cell: ({ nulls }) => <span title={`${exact(nulls)} of ${exact(rowCount)}`}>{share(nulls, rowCount)}</span>,
  },
  {
    id: 'distinct',
    header: 'distinct',
    title: 'Exact up to 10 000, else estimated',
    numeric: true,
    value: ({ distinct }) => distinct,
    cell: ({ distinct }) => count(distinct),
  },
  { id: 'shape', header: 'shape', value: () => null, cell: (column) => <Shape column={column} rowCount={rowCount} /> },
  {
    id: 'min',
    header: 'least',
    numeric: true,
    value: (column) => column.number?.min ?? column.time?.min,
    cell: leastOf,
  },
  {
    id: 'median',
    header: 'median',
    numeric: true,
    value: (column) => column.number?.quantiles[3],
    cell: (column) => number(column.number?.quantiles[3]),
  },
  { id: 'max', header: 'most', numeric: true, value: (column) => column.number?.max ?? column.time?.max, cell: mostOf },
  {
    id: 'mean',
    header: 'mean',
    numeric: true,
    value: (column) => column.number?.mean,
    cell: (column) => <span title={exact(column.number?.mean)}>{number(column.number?.mean)}</span>,
  },
  {
    id: 'sd',
    header: 'sd',
    title: 'Standard deviation',
    numeric: true,
    value: (column) => column.number?.sd,
    cell: (column) => number(column.number?.sd),
  },
];

/** In a row: bins of numbers, shares of frequent values, nothing where there is nothing to draw. */
function Shape({ column, rowCount }: { readonly column: Profile; readonly rowCount: number }) {
  if (column.number && column.number.histogram.counts.length > 1)
    return <Bars label={`distribution of ${column.name}`} counts={column.number.histogram.counts} />;
  if (column.number) return <span className="muted">always {number(column.number.min)}</span>;
  const [first] = column.top;
  if (column.nulls === rowCount) return <span className="muted">{rowCount === 0 ? 'no rows' : 'all missing'}</span>;
  if (!first) return <span className="muted">{column.time ? 'times' : 'many values'}</span>;
  return (
    <span className={classes['clipped']} title={`${first.value}: ${exact(first.count)} of ${exact(rowCount)}`}>
      <Bars
        label={`frequent values of ${column.name}`}
        counts={column.top.slice(0, 12).map((each) => each.count)}
        width={72}
      />{' '}
      {first.value} {share(first.count, rowCount)}
    </span>
  );
}

function Detail({ column, rowCount }: { readonly column: Profile; readonly rowCount: number }) {
  const [, change] = useView();
  return (
    <section className={classes['detail']} aria-label={`Column ${column.name}`}>
      <header>
        <h2>{column.name}</h2>
        <CloseButton size="sm" aria-label="Close the column" onClick={() => change({ column: undefined })} />
      </header>
      <div className={classes['side']}>
        <NumberShape column={column} />
        <TopValues column={column} rowCount={rowCount} />
      </div>
      <Facts facts={factsOf(column, rowCount)} />
    </section>
  );
}

function NumberShape({ column }: { readonly column: Profile }) {
  const stats = column.number;
  if (!stats) return null;
  const { edges, counts } = stats.histogram;
  const total = counts.reduce((a, b) => a + b, 0) || 1;
  const labels = counts.map((_, i) => `${number(edges[i])} to ${number(edges[i + 1])}`);
  return (
    <Figure
      title={`Distribution, ${counts.length} bins of equal width`}
      head={['from', 'to', 'rows', 'share']}
      rows={counts.map((rows, i) => [edges[i], edges[i + 1], rows, rows / total])}
      empty={counts.length < 2 ? `All ${count(total)} values are ${exact(stats.min)}` : undefined}
    >
      <Histogram
        label={`distribution of ${column.name}`}
        bins={counts.map((rows, i) => ({
          label: `${i} ${labels[i]}`,
          live: rows / total,
          reference: null,
          text: `${labels[i]}\n${exact(rows)} rows, ${percent(rows / total)}`,
        }))}
        ticks={[0, 5, 10, 15, 20].flatMap((at) => (edges[at] === undefined ? [] : [{ at, text: number(edges[at]) }]))}
      />
    </Figure>
  );
}

function TopValues({ column, rowCount }: { readonly column: Profile; readonly rowCount: number }) {
  if (column.top.length === 0) return null;
  const rest = rowCount - column.nulls - column.top.reduce((sum, { count: n }) => sum + n, 0);
  return (
    <Figure
      title={`The ${column.top.length === 1 ? 'only value' : `${column.top.length} most frequent values`}${rest > 0 ? `; ${count(rest)} rows have others` : ''}`}
      head={['value', 'rows', 'share']}
      rows={column.top.map(({ value, count: n }) => [value, n, n / rowCount])}
    >
      <CategoryBars
        label={`frequent values of ${column.name}`}
        bins={column.top.map(({ value, count: n }) => ({
          label: value,
          live: n / rowCount,
          reference: null,
          text: `${value}\n${exact(n)} rows`,
        }))}
      />
    </Figure>
  );
}

const QUANTILES = ['p1', 'p5', 'p25', 'median', 'p75', 'p95', 'p99'];

function factsOf(column: Profile, rowCount: number) {
  const { number: stats, time, text } = column;
  return [
    ['type', `${column.kind} (${column.type})`],
    ['missing', `${number(column.nulls)} of ${number(rowCount)} (${share(column.nulls, rowCount)})`],
    ['distinct', number(column.distinct)],
    ...(stats
      ? [
          ['least', exact(stats.min)] as const,
          ...QUANTILES.map((name, i) => [name, exact(stats.quantiles[i])] as const),
          ['most', exact(stats.max)] as const,
          ['mean', exact(stats.mean)] as const,
          ['standard deviation', exact(stats.sd)] as const,
          ['zeros', number(stats.zeros)] as const,
          ['negatives', number(stats.negatives)] as const,
        ]
      : []),
    ...(time ? [['first', moment(time.min)] as const, ['last', moment(time.max)] as const] : []),
    ...(text
      ? [
          [
            'length',
            `${text.minLength} to ${text.maxLength} characters, ${number(text.meanLength)} on average`,
          ] as const,
        ]
      : []),
  ] as const;
}
