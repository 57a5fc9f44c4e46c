import type { RefObject } from 'react';
import classes from './chart.module.css';
import { colourOf, type Series } from './chart-parts.ts';

interface LegendProps {
  readonly series: readonly Series[];
  readonly hidden: ReadonlySet<string>;
  readonly onHide: (hidden: ReadonlySet<string>) => void;
  /** Where the values under the crosshair are written, by the label of the series; '' is the crosshair's x. */
  readonly values: RefObject<Map<string, HTMLElement>>;
}

/** What the lines are, and what they are under the crosshair. A click hides one; a double click, or Shift, shows it alone. */
export function Legend({ series, hidden, onHide, values }: LegendProps) {
  const labels = series.filter(({ rawOf }) => rawOf === undefined).map(({ label }) => label);
  const place = (key: string) => (element: HTMLElement | null) => {
    if (element) values.current.set(key, element);
    else values.current.delete(key);
  };
  const toggle = (label: string): void => {
    const next = new Set(hidden);
    if (!next.delete(label)) next.add(label);
    onHide(next);
  };
  const isolate = (label: string): void => {
    const others = labels.filter((each) => each !== label);
    onHide(others.every((each) => hidden.has(each)) ? new Set() : new Set(others));
  };
  return (
    <div className={classes['legend']}>
      {series.map(
        ({ label, rawOf, dashed }, index) =>
          rawOf === undefined && (
            <button
              key={label}
              type="button"
              className={classes['entry']}
              aria-pressed={!hidden.has(label)}
              title={`${label}\nclick: hide or show; double click or Shift: alone`}
              onClick={(event) => (event.shiftKey ? isolate(label) : toggle(label))}
              onDoubleClick={() => isolate(label)}
            >
              <svg width="16" height="8" aria-hidden="true">
                <line
                  x1="0"
                  x2="16"
                  y1="4"
                  y2="4"
                  strokeWidth="2.5"
                  strokeDasharray={dashed ? '5 3' : undefined}
                  style={{ stroke: `var(${colourOf(series, index)})` }}
                />
              </svg>
              <span className={classes['name']}>{label}</span>
              <span ref={place(label)} className={classes['value']} />
            </button>
          ),
      )}
      <span ref={place('')} className={classes['at']} />
    </div>
  );
}
