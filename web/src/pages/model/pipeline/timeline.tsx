import { duration } from '../../../ui/format.ts';
import { useNow } from '../../../ui/time.tsx';
import classes from './pipeline.module.css';
import { healthOf, type Step, tookMs, wordOf } from './words.ts';

interface TimelineProps {
  readonly steps: readonly Step[];
  readonly selected: string;
  readonly onSelect: (name: string) => void;
}

const TICKS = [0, 0.25, 0.5, 0.75, 1];

/** When each step ran, on one scale. */
export function Timeline({ steps, selected, onSelect }: TimelineProps) {
  const now = useNow();
  const isRunning = steps.some(({ startedAt, finishedAt }) => startedAt !== null && finishedAt === null);
  const times = steps
    .flatMap(({ startedAt, finishedAt }) => [startedAt, finishedAt])
    .filter((at) => at !== null)
    .map((at) => Date.parse(at));
  const from = Math.min(...times);
  const span = Math.max(1, Math.max(...times, ...(isRunning ? [now] : [])) - from);
  if (times.length === 0) return <p className="muted">No step has begun yet.</p>;
  return (
    <ol className={classes['timeline']} aria-label="Timeline">
      <li aria-hidden="true" className={classes['scale']}>
        <span />
        <span className={classes['ticks']}>
          {TICKS.map((share) => (
            <span key={share} style={{ left: `${share * 100}%` }}>
              {share === 0 ? '0' : duration(span * share)}
            </span>
          ))}
        </span>
      </li>
      {steps.map((step) => {
        const start = step.startedAt === null ? 0 : (Date.parse(step.startedAt) - from) / span;
        const width = (tookMs(step, Math.max(now, from)) ?? 0) / span;
        return (
          <li key={step.name} data-chosen={step.name === selected || undefined}>
            <button
              type="button"
              className={classes['name']}
              aria-pressed={step.name === selected}
              title={step.name}
              onClick={() => onSelect(step.name)}
            >
              {step.name}
            </button>
            <span className={classes['track']}>
              {step.startedAt !== null && (
                <span
                  className={classes['bar']}
                  data-health={healthOf(step.state)}
                  style={{ left: `${start * 100}%`, width: `max(3px, ${Math.min(1 - start, width) * 100}%)` }}
                />
              )}
            </span>
            <span className="num">{step.startedAt === null ? wordOf(step.state) : duration(tookMs(step))}</span>
          </li>
        );
      })}
    </ol>
  );
}
