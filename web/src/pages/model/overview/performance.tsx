import { useMemo } from 'react';
import { useGet } from '../../../api/queries.ts';
import type { AnswerOf } from '../../../api/routes.ts';
import type { ModelStatus } from '../../../domain/model-facts.tsx';
import { placeOfModel } from '../../../domain/places.ts';
import { Chart, type Mark, type Series } from '../../../ui/chart.tsx';
import { count, interval, number, percent } from '../../../ui/format.ts';
import { GoLink } from '../../../ui/link.tsx';
import { Part } from '../../../ui/page.tsx';
import { Empty, Failure, Rows } from '../../../ui/states.tsx';
import { metricWords } from '../versions/verdict.ts';
import classes from './overview.module.css';

type Version = AnswerOf<'GET /models/:model/versions/:version'>;
type Day = AnswerOf<'GET /models/:model/monitor'>['performance'][number];

const DAYS = 60;
/** Half the width of a 95 % interval, in standard errors. */
const Z = 1.96;

interface PerformanceProps {
  readonly model: ModelStatus;
  readonly version: Version;
}

/** The loss that labels tell, by day of the predictions, against what the gate measured. */
export function PerformanceNow({ model, version }: PerformanceProps) {
  const { data, error, refetch } = useGet('GET /models/:model/monitor', {
    params: { model: model.endpoint ?? model.name },
    query: { days: DAYS },
  });
  return (
    <Part title="Performance now" tools={<GoLink to={placeOfModel(model.name, 'monitor')}>monitor</GoLink>}>
      {error && !data ? (
        <Failure error={error} retry={() => void refetch()} />
      ) : !data ? (
        <Rows count={8} />
      ) : data.performance.length === 0 ? (
        <Empty command={`levain labels send ${model.name} labels.csv`}>
          No prediction of the last {DAYS} days has a label yet, so nobody knows how well it does.
        </Empty>
      ) : (
        <Measured days={data.performance} version={version} />
      )}
    </Part>
  );
}

interface Point {
  readonly value: number;
  readonly low: number | null;
  readonly high: number | null;
}

/** The day's loss with its interval; without a known variance the value alone. */
function pointOf({ loss, lossVariance }: Day): Point | null {
  if (loss === null || loss === undefined) return null;
  const half = lossVariance === null || lossVariance === undefined ? null : Z * Math.sqrt(lossVariance);
  return { value: loss, low: half === null ? null : loss - half, high: half === null ? null : loss + half };
}

/** While a rollout runs, two versions have the same day; the one that answered more of it stands for it. */
function byDay(days: readonly Day[]): readonly Day[] {
  const best = new Map<string, Day>();
  for (const day of days) if (day.predictions > (best.get(day.day)?.predictions ?? -1)) best.set(day.day, day);
  return [...best.values()];
}

function Measured({ days: all, version }: { readonly days: readonly Day[]; readonly version: Version }) {
  const days = useMemo(() => byDay(all), [all]);
  const name = days.at(-1)?.lossName ?? 'loss';
  const metric = metricWords({ metric: name });
  const chart = useMemo(() => chartOf(days, metric), [days, metric]);
  return (
    <>
      <Now days={days} metric={metric} version={version} />
      <Chart
        title={`${metric} by day of the predictions, against what the gate measured (dashed)`}
        time
        yLabel={metric}
        {...chart}
      />
    </>
  );
}

interface NowProps {
  readonly days: readonly Day[];
  readonly metric: string;
  readonly version: Version;
}

/** The newest labelled day in words: value, interval, difference, coverage, as of when. */
function Now({ days, metric, version }: NowProps) {
  const last = days.findLast((day) => pointOf(day) !== null);
  const point = last && pointOf(last);
  if (!last || !point) return null;
  const gate = last.reference ?? null;
  const worse = gate === null ? null : point.value - gate;
  return (
    <p className={classes['now']}>
      {metric} <strong>{interval(point.value, point.low, point.high)}</strong> on {last.day}
      {last.version !== null && last.version !== version.version && ` (v${last.version})`}
      {worse !== null && (
        <>
          , <strong>{number(Math.abs(worse))}</strong> {worse > 0 ? 'worse' : 'better'} than the {number(gate)} of the
          gate
        </>
      )}
      <span className="muted">
        {' '}
        · {count(last.labelled)} of {count(last.predictions)} predictions labelled ({percent(last.coverage)}), as of{' '}
        {last.day}
        {gate !== null && point.low !== null && point.high !== null && point.low <= gate && gate <= point.high
          ? ' · within its interval'
          : ''}
      </span>
    </p>
  );
}

function chartOf(days: readonly Day[], metric: string) {
  const points = days.map(pointOf);
  const series: readonly Series[] = [
    {
      label: metric,
      values: points.map((point) => point?.value ?? null),
      colour: '--champion',
      band: { low: points.map((point) => point?.low ?? null), high: points.map((point) => point?.high ?? null) },
    },
    {
      label: 'at the gate',
      values: days.map(({ reference }) => reference ?? null),
      colour: '--challenger',
      dashed: true,
    },
  ];
  return { x: days.map(({ day }) => Date.parse(day) / 1_000), series, marks: marksOf(days) };
}

/** Where another version began to answer. */
function marksOf(days: readonly Day[]): readonly Mark[] {
  return days.flatMap(({ day, version }, index) =>
    index > 0 && version !== null && version !== days[index - 1]!.version
      ? [{ x: Date.parse(day) / 1_000, label: `v${version}` }]
      : [],
  );
}
