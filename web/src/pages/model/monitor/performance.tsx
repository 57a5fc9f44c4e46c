import { Select } from '@mantine/core';
import { useMemo } from 'react';
import { useGet } from '../../../api/queries.ts';
import { Chart, type Series } from '../../../ui/chart.tsx';
import { count, percent } from '../../../ui/format.ts';
import { Part } from '../../../ui/page.tsx';
import { Empty } from '../../../ui/states.tsx';
import { useView } from '../../../ui/view-state.ts';
import { inSeconds, type Monitor, type MonitorMark, SYNC, toMarks } from './state.ts';

type Day = Monitor['performance'][number];

/** 95 % of a normal distribution. */
const Z = 1.96;
const LOSS_WORDS = { log_loss: 'log loss', error: 'error', mse: 'squared error' } as const;

interface Props {
  readonly monitor: Monitor;
  readonly marks: readonly MonitorMark[];
}

/** What came true, day by day of the predictions: a metric with its interval and the gate's numbers, coverage, calibration. */
export function Performance({ monitor, marks }: Props) {
  const [view, change] = useView();
  const { days, main, other } = useMemo(() => toDays(monitor), [monitor]);
  if (days.length === 0)
    return (
      <Part title="Performance over time">
        <Empty command={`levain labels send outcomes.csv --endpoint ${monitor.endpoint}`}>
          No prediction of these days can be judged yet: labels say what came true.
        </Empty>
      </Part>
    );
  const loss = main.find((day) => day)?.lossName ?? 'log_loss';
  const names = [...new Set([loss, ...main.flatMap((day) => Object.keys(day?.metrics ?? {}))])];
  const metric = names.includes(view['metric'] ?? '') ? view['metric']! : loss;
  const x = days.map(inSeconds);
  const flags = toMarks(marks, ['deploy', 'incident']);
  return (
    <Part
      title="Performance over time"
      tools={
        <Select
          size="xs"
          w={160}
          aria-label="Metric"
          data={names.map((name) => ({ value: name, label: wordsOf(name) }))}
          value={metric}
          allowDeselect={false}
          onChange={(next) => change({ metric: next === loss ? undefined : (next ?? undefined) })}
        />
      }
    >
      <Chart
        title={`${wordsOf(metric)} of labelled predictions by day${metric === loss ? ', with 95 % interval' : ''}, against the gate`}
        x={x}
        time
        marks={flags}
        syncKey={SYNC}
        yLabel={wordsOf(metric)}
        series={metricSeries(monitor, { main, other, metric, isLoss: metric === loss })}
      />
      <Coverage monitor={monitor} days={days} main={main} />
      <Calibration x={x} main={main} flags={flags} />
    </Part>
  );
}

const wordsOf = (metric: string): string =>
  LOSS_WORDS[metric as keyof typeof LOSS_WORDS] ?? metric.replaceAll('_', ' ').replace(/^auc$/, 'AUC');

type Maybe = Day | undefined;

/** Days in order; of each the version that answered most, and the other one where there were two. */
function toDays({ performance }: Monitor) {
  const byDay = Map.groupBy(performance, ({ day }) => day);
  const days = [...byDay.keys()].sort();
  const ranked = days.map((day) => [...byDay.get(day)!].sort((a, b) => b.predictions - a.predictions));
  return { days, main: ranked.map(([first]): Maybe => first), other: ranked.map((all): Maybe => all[1]) };
}

const metricOf = (day: Maybe, metric: string, isLoss: boolean): number | null =>
  (isLoss ? day?.loss : day?.metrics[metric]) ?? null;

function metricSeries(
  monitor: Monitor,
  given: {
    readonly main: readonly Maybe[];
    readonly other: readonly Maybe[];
    readonly metric: string;
    readonly isLoss: boolean;
  },
): Series[] {
  const { main, other, metric, isLoss } = given;
  const values = main.map((day) => metricOf(day, metric, isLoss));
  const edge = (sign: number) =>
    main.map((day, i) => (values[i] == null ? null : values[i]! + sign * Z * Math.sqrt(day!.lossVariance)));
  const gates = new Map(monitor.versions.map(({ version, gate }) => [version, gate]));
  const gateOf = (day: Maybe) => {
    const gate = day?.version == null ? null : gates.get(day.version);
    return gate?.metric === metric ? gate : null;
  };
  const at = main.map((day) => gateOf(day)?.challenger ?? null);
  const before = main.map((day) => gateOf(day)?.champion ?? null);
  const others = other.map((day) => metricOf(day, metric, isLoss));
  return [
    {
      label: 'answering version',
      values,
      colour: '--champion',
      ...(isLoss && { band: { low: edge(-1), high: edge(1) } }),
    },
    ...(others.some((value) => value !== null)
      ? [{ label: 'other version of the day', values: others, colour: '--challenger' }]
      : []),
    ...(at.some((value) => value !== null)
      ? [{ label: 'its number at the gate', values: at, colour: '--series-1', dashed: true }]
      : []),
    ...(before.some((value) => value !== null)
      ? [{ label: 'the champion’s at that gate', values: before, colour: '--reference', dashed: true }]
      : []),
  ];
}

/** Every day with traffic, labelled or not: a metric is worth what it covers. */
function Coverage({
  monitor,
  days,
  main,
}: {
  readonly monitor: Monitor;
  readonly days: readonly string[];
  readonly main: readonly Maybe[];
}) {
  const { data } = useGet('GET /labels/status', { query: { endpoint: monitor.endpoint, days: 60 } });
  const last = days.at(-1) ?? '';
  // Days since the last label are not judged, so they are no day of performance; that they have none must be seen.
  const later = (data?.days ?? []).filter(({ day }) => day > last);
  const shares = [
    ...main.map((day) => day?.coverage ?? null),
    ...later.map(({ labels, predictions }) => (predictions === 0 ? null : labels / predictions)),
  ];
  return (
    <Chart
      title={`Label coverage by day of the predictions${later.length > 0 ? `; ${later.length} days wait for labels` : ''}`}
      x={[...days, ...later.map(({ day }) => day)].map(inSeconds)}
      time
      syncKey={SYNC}
      height={120}
      range={[0, 1]}
      yLabel="share"
      format={percent}
      series={[{ label: 'predictions with a label', values: shares, colour: '--series-3' }]}
    />
  );
}

function Calibration({
  x,
  main,
  flags,
}: {
  readonly x: readonly number[];
  readonly main: readonly Maybe[];
  readonly flags: ReturnType<typeof toMarks>;
}) {
  if (main.every((day) => day?.observed == null)) return null;
  const isShare = main.find((day) => day)?.lossName === 'log_loss';
  const observed = main.map((day) => day?.observed ?? null);
  const edge = (sign: number) =>
    main.map((day) => (day?.observed == null ? null : day.observed + sign * Z * Math.sqrt(day.gapVariance)));
  return (
    <Chart
      title={`What came true and what was predicted by day, ${isShare ? 'share of positives' : 'mean'}; 95 % interval around what came true`}
      x={x}
      time
      syncKey={SYNC}
      marks={flags}
      height={200}
      yLabel={isShare ? 'share of positives' : 'mean'}
      {...(isShare && { format: percent })}
      series={[
        { label: 'observed', values: observed, colour: '--champion', band: { low: edge(-1), high: edge(1) } },
        { label: 'predicted', values: main.map((day) => day?.predicted ?? null), colour: '--challenger' },
      ]}
    />
  );
}

export const labelWords = (labelled: number, predictions: number): string =>
  `${count(labelled)} of ${count(predictions)} predictions have a label${predictions === 0 ? '' : ` (${percent(labelled / predictions)})`}`;
