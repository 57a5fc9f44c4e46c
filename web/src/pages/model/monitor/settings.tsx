import { useGet } from '../../../api/queries.ts';
import type { AnswerOf } from '../../../api/routes.ts';
import { placeOfData, placeOfModel } from '../../../domain/places.ts';
import { Chart } from '../../../ui/chart.tsx';
import { type Fact, Facts } from '../../../ui/facts.tsx';
import { count, duration, number, percent } from '../../../ui/format.ts';
import { GoLink } from '../../../ui/link.tsx';
import { Part } from '../../../ui/page.tsx';
import { Failure, Rows } from '../../../ui/states.tsx';
import { Status } from '../../../ui/status.tsx';
import { EventTime, RelativeTime } from '../../../ui/time.tsx';
import { SendLabels } from './labels.tsx';
import classes from './monitor.module.css';
import { inSeconds } from './state.ts';

type Settings = AnswerOf<'GET /models/:model/monitor/settings'>;

/** What is watched, as levain.yaml was applied; where labels come from, how far they are, and a way to send some. */
export function MonitorSettings({ model }: { readonly model: string }) {
  const { data, error, refetch } = useGet('GET /models/:model/monitor/settings', { params: { model } });
  if (error && !data) return <Failure error={error} retry={() => void refetch()} />;
  if (!data) return <Rows count={10} />;
  return (
    <>
      <div className={classes['two']}>
        <Part title="What is watched">
          <Facts facts={watchedFacts(data)} />
        </Part>
        <Part title="Labels">
          <Facts facts={labelFacts(data)} />
        </Part>
      </div>
      <LabelDays settings={data} />
      <SendLabels settings={data} />
    </>
  );
}

const or = (words: readonly string[], none: string): string => (words.length === 0 ? none : words.join(', '));

function watchedFacts(settings: Settings): readonly Fact[] {
  const { columns, falseAlarms, limits, page, to, shares } = settings;
  const MANY = 12;
  const shown = columns.slice(0, MANY).join(', ');
  return [
    ['model', `${settings.model}, ${settings.task ?? 'task unknown'}, target ${settings.target ?? 'not named'}`],
    ['endpoint', settings.endpoint],
    [
      'columns',
      columns.length === 0
        ? 'none: this version has no profile'
        : `${columns.length}: ${shown}${columns.length > MANY ? ' …' : ''}`,
    ],
    ['metrics', or(settings.metrics, 'the task’s own')],
    [
      'event time',
      settings.eventTime === 'client' ? 'as callers date their requests' : 'when the server received them',
    ],
    ['false alarms', `at most ${falseAlarms.count} in ${falseAlarms.perDays} days, all rules together`],
    [
      'split over',
      Object.entries(shares)
        .map(([name, share]) => `${name} ${percent(share)}`)
        .join(', '),
    ],
    ['limits', `errors ${percent(limits.errorRate)}, latency p99 ${duration(limits.latencyP99Ms)}`],
    ['pages', or(page, 'nothing')],
    ['messages to', `page: ${to.page ?? 'nobody'}; ticket: ${to.ticket ?? 'nobody'}`],
    ['retrains on', or(settings.retrainOn, 'no alert')],
    ['event clock', <EventTime key="c" at={settings.eventClock} />],
    ['evaluated to', <EventTime key="e" at={settings.evaluatedTo} />],
    ['last evaluation', <RelativeTime key="l" at={settings.evaluatedAt} />],
    [
      'as applied',
      settings.applied ? (
        <GoLink key="p" to={placeOfModel(settings.model, 'pipeline')}>
          levain.yaml
        </GoLink>
      ) : (
        'no file is applied: these are the defaults'
      ),
    ],
  ];
}

function labelFacts({ labels }: Settings): readonly Fact[] {
  const { source, status, usualLag } = labels;
  const isLate = usualLag !== null && labels.lag > usualLag + labels.graceDays;
  return [
    [
      'source',
      source ? (
        <span key="s">
          dataset <GoLink to={placeOfData(source.dataset)}>{source.dataset}</GoLink>, column {source.column ?? '—'},
          joined by {source.join}
          {source.key && ` ${source.key}`}
          {source.at && `, known at ${source.at}`}
        </span>
      ) : (
        'the API: POST /labels, levain labels send, or below'
      ),
    ],
    ['horizon', labels.horizonDays === null ? 'not stated' : `${number(labels.horizonDays)} days`],
    [
      'coverage',
      `${percent(status.coverage)} of ${count(status.predictions)} predictions of the last ${status.days.length} days with traffic`,
    ],
    ['waiting', `${count(labels.waiting)} predictions of the newest days have no label yet`],
    ['pending', `${count(status.pending)} labels wait for their predictions`],
    ['reach to', labels.reaches === null ? 'no label yet' : <EventTime key="r" at={labels.reaches} />],
    [
      'behind',
      <span key="b">
        <Status
          health={labels.reaches === null ? 'unknown' : isLate ? 'watch' : 'good'}
          word={`${labels.lag} ${labels.lag === 1 ? 'day' : 'days'}`}
        />{' '}
        <span className="muted">
          {usualLag === null
            ? 'How late is usual is being learned.'
            : `Usually at most ${usualLag}; from ${usualLag + labels.graceDays + 1} on the performance light says so.`}
        </span>
      </span>,
    ],
    ['judged from', `${labels.minimum} labels and ${percent(labels.minimumCoverage)} of a day’s predictions on`],
  ];
}

function LabelDays({ settings }: { readonly settings: Settings }) {
  const { days } = settings.labels.status;
  return (
    <Chart
      title="Predictions and labels by day of the predictions"
      x={days.map(({ day }) => inSeconds(day))}
      time
      height={160}
      range={[0, null]}
      yLabel="rows"
      format={count}
      series={[
        { label: 'predictions', values: days.map(({ predictions }) => predictions), colour: '--reference' },
        { label: 'labels', values: days.map(({ labels }) => labels), colour: '--series-3' },
      ]}
    />
  );
}
