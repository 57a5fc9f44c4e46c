import { SegmentedControl, Slider, Switch, TextInput } from '@mantine/core';
import { useState } from 'react';
import { Part } from '../ui/page.tsx';
import { useViewState } from '../ui/view-state.ts';
import { WhenSeen } from '../ui/when-seen.tsx';
import { MetricChart, X_AXES, type XAxis } from './metric-chart.tsx';
import classes from './metric-grid.module.css';
import type { ChartRun } from './metric-series.ts';

interface MetricGridProps {
  readonly runs: readonly ChartRun[];
  /** Keys of all metrics; those of the machine begin with `system/`. */
  readonly metrics: readonly string[];
}

const AXIS_WORDS: Readonly<Record<XAxis, string>> = { step: 'Step', relative: 'Since start', time: 'Time' };
const CHART_HEIGHT = 190;
const WHOLE_HEIGHT = 250;
const IS_SYSTEM = /^system\//;

/** Charts of metrics as small multiples, read in one way: axis, smoothing and scale are those of all, and stand in the address. */
export function MetricGrid({ runs, metrics }: MetricGridProps) {
  const [axis, setAxis] = useViewState('x', 'step');
  const [smoothing, setSmoothing] = useViewState('smooth', '0');
  const [log, setLog] = useViewState('log');
  const [words, setWords] = useViewState('metric');
  const view: View = {
    axis: (X_AXES as readonly string[]).includes(axis) ? (axis as XAxis) : 'step',
    smoothing: Math.min(MAX_SMOOTHING, Math.max(0, Number(smoothing) || 0)),
    log: log === '1',
  };
  const found = metrics.filter((metric) => metric.toLowerCase().includes(words.toLowerCase()));
  const own = found.filter((metric) => !IS_SYSTEM.test(metric));
  const system = found.filter((metric) => IS_SYSTEM.test(metric));
  return (
    <>
      <div className={classes['controls']}>
        <SegmentedControl
          size="xs"
          aria-label="What the charts run along"
          data={X_AXES.map((value) => ({ value, label: AXIS_WORDS[value] }))}
          value={view.axis}
          onChange={(next) => setAxis(next === 'step' ? undefined : next)}
        />
        <Smoothing value={view.smoothing} onChange={(next) => setSmoothing(next === 0 ? undefined : String(next))} />
        <Switch
          size="xs"
          label="log axis"
          checked={view.log}
          onChange={(event) => setLog(event.currentTarget.checked ? '1' : undefined)}
        />
        {metrics.length > 6 && (
          <TextInput
            size="xs"
            type="search"
            aria-label="Find a metric"
            placeholder={`Find in ${metrics.length} metrics`}
            value={words}
            onChange={(event) => setWords(event.currentTarget.value)}
          />
        )}
      </div>
      {found.length === 0 && <p className="muted">No metric is called that.</p>}
      {own.length > 0 && <Grid runs={runs} metrics={own} view={view} />}
      {system.length > 0 && (
        <Part title="The machine">
          <Grid runs={runs} metrics={system} view={view} />
        </Part>
      )}
    </>
  );
}

const MAX_SMOOTHING = 0.99;

interface View {
  readonly axis: XAxis;
  readonly smoothing: number;
  readonly log: boolean;
}

function Grid({ runs, metrics, view }: MetricGridProps & { readonly view: View }) {
  return (
    <div className={classes['grid']}>
      {metrics.map((metric) => (
        <WhenSeen key={metric} height={WHOLE_HEIGHT}>
          <MetricChart runs={runs} metric={metric} height={CHART_HEIGHT} syncKey="metrics" {...view} />
        </WhenSeen>
      ))}
    </div>
  );
}

/** Shows at once what is dragged, and draws when it stands still for a moment. */
function Smoothing({ value, onChange }: { readonly value: number; readonly onChange: (value: number) => void }) {
  const [dragged, setDragged] = useState<number>();
  return (
    <span className={classes['smoothing']}>
      <span id="smoothing">smoothing</span>
      <Slider
        w={120}
        size="xs"
        min={0}
        max={MAX_SMOOTHING}
        step={0.01}
        label={null}
        thumbProps={{ 'aria-labelledby': 'smoothing' }}
        value={dragged ?? value}
        onChange={setDragged}
        onChangeEnd={(next) => {
          setDragged(undefined);
          onChange(next);
        }}
      />
      <output className="num">{(dragged ?? value).toFixed(2)}</output>
    </span>
  );
}
