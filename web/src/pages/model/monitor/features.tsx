import { useMemo } from 'react';
import { useGet } from '../../../api/queries.ts';
import type { AnswerOf } from '../../../api/routes.ts';
import { Figure } from '../../../ui/figure.tsx';
import { count, number, percent, pValue } from '../../../ui/format.ts';
import { type HeatCell, HeatMap } from '../../../ui/heat-map.tsx';
import { Part } from '../../../ui/page.tsx';
import { Scatter } from '../../../ui/scatter.tsx';
import { Failure, Rows } from '../../../ui/states.tsx';
import { Status } from '../../../ui/status.tsx';
import { type Column, Table } from '../../../ui/table.tsx';
import { useTableView, useView } from '../../../ui/view-state.ts';
import classes from './monitor.module.css';
import { dayOf, type MonitorMark, useChosenSpan } from './state.ts';

type Drift = AnswerOf<'GET /models/:model/monitor/drift'>;
type Cell = NonNullable<Drift['cells'][number][number]>;
type Feature = Drift['columns'][number] & { readonly now: Cell | null };

interface Props {
  readonly model: string;
  readonly days: number;
  readonly marks: readonly MonitorMark[];
  readonly shift: number | null;
}

/** Watched columns: where drift meets importance, their numbers, and how they went day by day. */
export function Features({ model, days, marks, shift }: Props) {
  const { data, error, refetch } = useGet('GET /models/:model/monitor/drift', { params: { model }, query: { days } });
  if (error && !data) return <Failure error={error} retry={() => void refetch()} />;
  if (!data) return <Rows count={8} />;
  const now = data.now ?? -1;
  const window = data.windows[now];
  const features = data.columns.map((column, i): Feature => ({ ...column, now: data.cells[i]?.[now] ?? null }));
  return (
    <Part title="Columns by drift and importance">
      <p className="muted">
        {window
          ? `Window ${dayOf(window.start)} of v${window.version ?? '—'}: ${count(window.basisRows)} rows of ${window.basisDays === 1 ? 'the day' : `${window.basisDays} days`} against training. An effect matters from ${number(window.floor)} on where p is below ${pValue(window.alpha)}.`
          : 'No window has ended in these days.'}
        {shift !== null &&
          ` A numeric column is found moved, 8 times in 10, from ${number(shift)} standard deviations on.`}
      </p>
      <div className={classes['drift']}>
        <FeatureScatter features={features} />
        <FeatureTable features={features} window={window} />
      </div>
      <DriftMap drift={data} marks={marks} />
    </Part>
  );
}

function FeatureScatter({ features }: { readonly features: readonly Feature[] }) {
  const [view, change] = useView();
  const judged = features.flatMap((feature) => (feature.now ? [{ ...feature, now: feature.now }] : []));
  return (
    <Figure
      title="Drift of each column against its importance, in the newest window"
      head={['column', 'importance', 'drift (effect)', 'p']}
      rows={judged.map(({ name, importance, now }) => [name, importance, now.effect, now.p])}
      empty={judged.length === 0 ? 'No window has been judged yet' : undefined}
    >
      <Scatter
        label="Columns by importance and drift"
        xLabel="importance, share of the model’s"
        yLabel="drift, effect (root scale)"
        formatX={percent}
        selected={view['column']}
        onSelect={(column) => change({ column })}
        lines={[
          { y: 0.1, label: 'matters from 0.1' },
          { y: 0.25, label: 'major from 0.25' },
        ]}
        points={judged.map(({ name, importance, now }) => ({
          id: name,
          x: importance,
          y: now.effect,
          text: `effect ${number(now.effect)}, p ${pValue(now.p)}, importance ${percent(importance)}`,
          colour: now.significant ? (now.effect >= 0.25 ? '--bad' : '--watch') : '--series-1',
        }))}
      />
    </Figure>
  );
}

function FeatureTable({
  features,
  window,
}: {
  readonly features: readonly Feature[];
  readonly window: Drift['windows'][number] | undefined;
}) {
  const [view, change] = useView();
  const { sort, onSort } = useTableView('columns-', '-effect');
  const columns = useMemo(() => FEATURES, []);
  return (
    <Table
      label={`Watched columns${window ? `, ${dayOf(window.start)}` : ''}`}
      rows={features}
      columns={columns}
      rowId={({ name }) => name}
      sort={sort}
      onSort={onSort}
      selected={new Set(view['column'] ? [view['column']] : [])}
      onOpen={({ name }) => change({ column: name })}
      height={330}
      empty="This version has no profile of its training data, so no column is watched."
    />
  );
}

const numeric = (
  id: string,
  header: string,
  title: string,
  value: (cell: Cell) => number,
  show: (value: number) => string,
): Column<Feature> => ({
  id,
  header,
  title,
  numeric: true,
  value: ({ now }) => (now ? value(now) : null),
  cell: ({ now }) => (now ? <span title={String(value(now))}>{show(value(now))}</span> : '—'),
});

const FEATURES: readonly Column<Feature>[] = [
  {
    id: 'name',
    header: 'column',
    value: ({ name }) => name,
    cell: ({ name }) => (
      <span className={classes['clipped']} title={name}>
        {name}
      </span>
    ),
  },
  numeric('effect', 'drift', 'Debiased population stability', ({ effect }) => effect, number),
  numeric('p', 'p', 'Before the correction for many columns', ({ p }) => p, pValue),
  {
    id: 'state',
    header: 'state',
    value: ({ now }) => (now === null ? null : now.significant ? 1 : 0),
    cell: ({ now }) =>
      now === null ? (
        <Status health="unknown" word="unknown" />
      ) : (
        <Status
          health={now.significant ? (now.effect >= 0.25 ? 'bad' : 'watch') : 'good'}
          word={now.significant ? 'drifted' : 'as in training'}
        />
      ),
  },
  {
    id: 'importance',
    header: 'importance',
    numeric: true,
    value: ({ importance }) => importance,
    cell: ({ importance }) => percent(importance),
  },
  numeric('nulls', 'missing', 'Share of the day’s values that are missing', ({ nulls }) => nulls, percent),
  numeric(
    'unseen',
    'new categories',
    'Share of the day’s values never seen in training',
    ({ unseen }) => unseen,
    percent,
  ),
  numeric(
    'outside',
    'outside',
    'Share of the day’s values outside the range of training',
    ({ outside }) => outside,
    percent,
  ),
  numeric('psi', 'PSI', 'Population stability index', ({ psi }) => psi, number),
];

/** Each step about doubles what is seen of the colour; 0.1 matters, 0.25 is major. */
const STEPS = [
  { from: 0, strength: 0, text: 'below 0.01' },
  { from: 0.01, strength: 0.12, text: '0.01' },
  { from: 0.02, strength: 0.24, text: '0.02' },
  { from: 0.05, strength: 0.4, text: '0.05' },
  { from: 0.1, strength: 0.6, text: '0.1' },
  { from: 0.25, strength: 0.8, text: '0.25' },
  { from: 1, strength: 1, text: '1 and more' },
] as const;

const strengthOf = (effect: number): number => STEPS.findLast(({ from }) => effect >= from)?.strength ?? 0;

function DriftMap({ drift, marks }: { readonly drift: Drift; readonly marks: readonly MonitorMark[] }) {
  const [view, change] = useView();
  const span = useChosenSpan();
  const map = useMemo(() => toMap(drift), [drift]);
  const lanes = useMemo(() => toLanes(drift, marks), [drift, marks]);
  const windows = new Set(
    drift.windows.map(({ start }) => dayOf(start)).filter((day) => span && day >= span.from && day <= span.to),
  );
  return (
    <Figure
      title="Drift of each column in each window; choosing a cell shows its distribution below"
      head={['window', 'version', 'rows', ...drift.columns.map(({ name }) => name)]}
      rows={drift.windows.map(({ start, version, rows }, k) => [
        dayOf(start),
        version === null ? null : `v${version}`,
        rows,
        ...drift.cells.map((row) => row[k]?.effect ?? null),
      ])}
      empty={drift.windows.length === 0 ? 'No window has ended in these days' : undefined}
    >
      <HeatMap
        label="Drift of each column in each window, by effect size"
        columns={map.columns}
        rows={map.rows}
        cells={map.cells}
        lanes={lanes}
        legend={STEPS}
        marked="counted as drift"
        selected={{ row: view['column'], columns: windows }}
        onSelect={(column, day) => change({ column, from: day, to: undefined })}
      />
    </Figure>
  );
}

function toMap(drift: Drift) {
  const order = drift.columns
    .map(({ name, importance }, i) => ({ name, importance: importance ?? -1, i }))
    .sort((a, b) => b.importance - a.importance);
  return {
    columns: drift.windows.map(({ start, version }, k) => ({
      id: dayOf(start),
      label: `${dayOf(start)}, v${version ?? '—'}`,
      ...(isTick(drift, k) && { tick: dayOf(start).slice(5) }),
    })),
    rows: order.map(({ name }) => name),
    cells: order.map(({ i }) =>
      drift.windows.map((window, k) => {
        const cell = drift.cells[i]?.[k];
        return cell ? toHeat(cell, window) : null;
      }),
    ),
  };
}

/** Dates stand at Mondays, or at the first of a month where there are many. */
function isTick({ windows }: Drift, k: number): boolean {
  const date = new Date(windows[k]!.start);
  return windows.length > 100 ? date.getUTCDate() === 1 : date.getUTCDay() === 1;
}

function toHeat(cell: Cell, { basisDays, basisRows, floor }: Drift['windows'][number]): HeatCell {
  const more = [
    ...(cell.nulls > 0 ? [`${percent(cell.nulls)} missing`] : []),
    ...(cell.unseen > 0 ? [`${percent(cell.unseen)} new categories`] : []),
    ...(cell.outside > 0 ? [`${percent(cell.outside)} outside the range`] : []),
  ];
  return {
    strength: strengthOf(cell.effect),
    isMarked: cell.significant,
    text: [
      `effect ${number(cell.effect)} (matters from ${number(floor)}), p ${pValue(cell.p)}, ${count(basisRows)} rows of ${basisDays === 1 ? 'the day' : `${basisDays} days`}`,
      ...more,
    ].join(', '),
  };
}

function toLanes({ windows }: Drift, marks: readonly MonitorMark[]) {
  const index = new Map(windows.map(({ start }, k) => [dayOf(start), k]));
  return (['deploy', 'data', 'incident'] as const).map((kind) => ({
    label: { deploy: 'deploys', data: 'data versions', incident: 'incidents' }[kind],
    marks: marks.flatMap((mark) => {
      const at = mark.kind === kind ? index.get(dayOf(mark.at)) : undefined;
      const colour = kind === 'incident' ? { colour: '--bad' } : {};
      return at === undefined ? [] : [{ at, text: `${mark.label}: ${mark.sentence}`, ...colour }];
    }),
  }));
}
