import { useMemo } from 'react';
import { useGet } from '../../api/queries.ts';
import type { AnswerOf } from '../../api/routes.ts';
import { healthOf } from '../../domain/lights.tsx';
import { placeOfModel } from '../../domain/places.ts';
import { Chart, type ChartProps, type Mark } from '../../ui/chart.tsx';
import { duration, number, percent } from '../../ui/format.ts';
import { GoLink } from '../../ui/link.tsx';
import { Part } from '../../ui/page.tsx';
import { Failure, Rows } from '../../ui/states.tsx';
import { Status } from '../../ui/status.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import classes from './incident.module.css';
import type { Incident } from './page.tsx';

type Evidence = AnswerOf<'GET /incidents/:number/evidence'>;

/** The numbers that the alarm stood on around its time, then what changed and what did not. */
export function Evidence({ incident }: { readonly incident: Incident }) {
  const { data, error, refetch } = useGet('GET /incidents/:number/evidence', { params: { number: incident.number } });
  if (error && !data) return <Failure error={error} retry={() => void refetch()} />;
  if (!data)
    return (
      <Part title="Evidence">
        <Rows count={8} />
      </Part>
    );
  return (
    <>
      <Charts evidence={data} incident={incident} />
      <Changed evidence={data} />
      {incident.light === 'data' && data.columns.length > 0 && <Columns columns={data.columns} />}
    </>
  );
}

function Charts({ evidence, incident }: { readonly evidence: Evidence; readonly incident: Incident }) {
  const monitor = <GoLink to={placeOfModel(incident.model, 'monitor')}>monitor</GoLink>;
  const charts = useMemo(() => evidence.charts.map((chart) => toChart(chart, evidence.marks)), [evidence]);
  return (
    <Part title="Evidence" tools={monitor}>
      {charts.length === 0 ? (
        <RollbackReason incident={incident} />
      ) : (
        charts.map((chart) => <Chart key={chart.title} {...chart} syncKey="incident" height={240} />)
      )}
    </Part>
  );
}

/** A rollback stands on its rollout's evidence, not on windows. */
function RollbackReason({ incident }: { readonly incident: Incident }) {
  const { reason } = incident.details;
  return (
    <p className={classes['text']}>
      {reason === undefined ? 'This cause has no number over time.' : `${reason}.`}{' '}
      <GoLink to={placeOfModel(incident.model, 'live')}>The rollout with its evidence</GoLink>
    </p>
  );
}

const FORMATS: Readonly<Record<Evidence['charts'][number]['unit'], (value: number) => string>> = {
  share: percent,
  ms: duration,
  effect: number,
  loss: number,
  value: number,
};

const COLOURS = { live: '--champion', rehearsal: '--challenger', reference: '--reference', limit: '--bad' } as const;

function toChart(chart: Evidence['charts'][number], marks: Evidence['marks']): ChartProps {
  return {
    title: chart.title,
    x: chart.at.map((at) => Date.parse(at) / 1_000),
    time: true,
    yLabel: chart.yLabel,
    format: FORMATS[chart.unit],
    marks: marks.map(
      ({ at, label, kind }): Mark => ({
        x: Date.parse(at) / 1_000,
        label,
        ...(kind === 'incident' && { colour: '--bad' }),
      }),
    ),
    series: chart.series.map(({ label, kind, values, low, high }) => ({
      label,
      values,
      colour: COLOURS[kind],
      ...((kind === 'limit' || kind === 'reference') && { dashed: true, width: 1 }),
      ...(low && high && { band: { low, high } }),
    })),
  };
}

/** The light of the incident first, then what was as before. */
function Changed({ evidence }: { readonly evidence: Evidence }) {
  const lights = [...evidence.lights].sort((a, b) => Number(b.isOwn) - Number(a.isOwn));
  if (lights.length === 0) return null;
  return (
    <Part title="What changed, and what did not">
      <dl className={classes['changed']}>
        {lights.map(({ light, state, sentence, isOwn }) => (
          <div key={light} data-own={isOwn || undefined}>
            <dt>
              <Status health={healthOf(state)} word={light} />
            </dt>
            <dd>{sentence}</dd>
          </div>
        ))}
      </dl>
    </Part>
  );
}

const COLUMNS: readonly Column<Evidence['columns'][number]>[] = [
  { id: 'name', header: 'column', value: ({ name }) => name },
  {
    id: 'effect',
    header: 'moved by',
    title: 'debiased population stability: 0.1 is worth a look, 0.25 is much',
    numeric: true,
    value: ({ effect }) => effect,
    cell: ({ effect }) => number(effect),
  },
  {
    id: 'importance',
    header: 'importance',
    title: 'share of what the model relies on',
    numeric: true,
    value: ({ importance }) => importance,
    cell: ({ importance }) => percent(importance),
  },
];

function Columns({ columns }: Pick<Evidence, 'columns'>) {
  return (
    <Part title="Columns of that window, by how far they moved">
      <Table label="Columns" rows={columns} columns={COLUMNS} rowId={({ name }) => name} height={260} />
    </Part>
  );
}
