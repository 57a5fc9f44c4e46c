import { SegmentedControl } from '@mantine/core';
import { useGet } from '../../api/queries.ts';
import { Failure, Rows } from '../../ui/states.tsx';
import { EventTime } from '../../ui/time.tsx';
import { useViewState } from '../../ui/view-state.ts';
import { useModelName } from './layout.tsx';
import { Distribution } from './monitor/distribution.tsx';
import { Features } from './monitor/features.tsx';
import { LightsAndRules } from './monitor/lights.tsx';
import classes from './monitor/monitor.module.css';
import { Outcomes } from './monitor/outcomes.tsx';
import { Performance } from './monitor/performance.tsx';
import { Scores } from './monitor/scores.tsx';
import { MonitorSettings } from './monitor/settings.tsx';
import { DEFAULT_DAYS, useDays } from './monitor/state.ts';

const SPANS = ['14', '30', '90', '180', '400'];

/** Why each light is as it is, columns by drift and importance, what came true, what was answered; or how all that is set. */
export default function MonitorTab() {
  const model = useModelName();
  const [view, setView] = useViewState('view', 'signals');
  const [, setDays] = useViewState('days', DEFAULT_DAYS);
  const days = useDays();
  return (
    <div className={classes['tab']}>
      <div className={classes['bar']}>
        <SegmentedControl
          size="xs"
          aria-label="What is shown"
          data={[
            { value: 'signals', label: 'Signals' },
            { value: 'settings', label: 'Labels and settings' },
          ]}
          value={view}
          onChange={setView}
        />
        {view === 'signals' && (
          <SegmentedControl
            size="xs"
            aria-label="Days of event time"
            data={SPANS.map((span) => ({ value: span, label: `${span} days` }))}
            value={String(days)}
            onChange={setDays}
          />
        )}
      </div>
      {view === 'settings' ? <MonitorSettings model={model} /> : <Signals model={model} days={days} />}
    </div>
  );
}

function Signals({ model, days }: { readonly model: string; readonly days: number }) {
  const { data, error, refetch } = useGet('GET /models/:model/monitor', { params: { model }, query: { days } });
  const marks = useGet('GET /models/:model/monitor/marks', { params: { model }, query: { days } });
  if (error && !data) return <Failure error={error} retry={() => void refetch()} />;
  if (!data) return <Rows count={10} />;
  const happened = marks.data?.items ?? [];
  return (
    <>
      <p className="muted">
        v{data.version ?? '—'} at {data.endpoint}; the event clock stands at <EventTime at={data.eventClock} />. At most{' '}
        {data.falseAlarms.count} false alarm in {data.falseAlarms.perDays} days, all alarms together.
      </p>
      <LightsAndRules monitor={data} days={days} />
      <Features model={model} days={days} marks={happened} shift={data.falseAlarms.detectableShift} />
      <Distribution monitor={data} />
      <Performance monitor={data} marks={happened} />
      <Outcomes monitor={data} />
      <Scores model={model} days={days} marks={happened} />
    </>
  );
}
