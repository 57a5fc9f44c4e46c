import { Button, Skeleton } from '@mantine/core';
import { lazy, Suspense, useState } from 'react';
import classes from './chart.module.css';
import type { ChartProps } from './chart-parts.ts';
import { number, utcTime } from './format.ts';

export type { ChartProps, Mark, Series } from './chart-parts.ts';

const Plot = lazy(() => import('./plot.tsx'));

/** The one chart: a plot that comes when it is needed, the same numbers as a table, and CSV. */
export function Chart(props: ChartProps) {
  const { title, height = 220, series, x } = props;
  const [isTable, setTable] = useState(false);
  const isEmpty = x.length === 0 || series.every(({ values }) => values.every((value) => value === null));
  return (
    <figure className={classes['chart']}>
      <figcaption>
        <span>{title}</span>
        <span className={classes['tools']}>
          <Button size="compact-xs" variant="subtle" color="gray" onClick={() => setTable(!isTable)}>
            {isTable ? 'Chart' : 'Table'}
          </Button>
          <Button size="compact-xs" variant="subtle" color="gray" onClick={() => download(title, toCsv(props))}>
            CSV
          </Button>
        </span>
      </figcaption>
      {isEmpty ? (
        <p className={`${classes['none']} muted`} style={{ height }}>
          No points yet
        </p>
      ) : isTable ? (
        <Numbers {...props} />
      ) : (
        <Suspense fallback={<Skeleton height={height} />}>
          <Plot {...props} height={height} />
        </Suspense>
      )}
    </figure>
  );
}

const MAX_TABLE_ROWS = 500;

function Numbers({ x, series, time, xLabel, height = 220, format = number }: ChartProps) {
  return (
    <section
      className={classes['numbers']}
      style={{ maxHeight: height }}
      tabIndex={0}
      aria-label="the numbers of the chart"
    >
      <table>
        <thead>
          <tr>
            <th>{xLabel ?? (time ? 'time' : 'x')}</th>
            {series.map(({ label }) => (
              <th key={label} className="num">
                {label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {x.slice(0, MAX_TABLE_ROWS).map((at, row) => (
            <tr key={at}>
              <td>{time ? utcTime(at * 1_000) : number(at)}</td>
              {series.map(({ label, values }) => (
                <td key={label} className="num">
                  {values[row] === null || values[row] === undefined ? '—' : format(values[row])}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

export function toCsv({ x, series, time }: Pick<ChartProps, 'x' | 'series' | 'time'>): string {
  const quote = (text: string): string => `"${text.replaceAll('"', '""')}"`;
  const head = [time ? 'time' : 'x', ...series.map(({ label }) => quote(label))].join(',');
  const rows = x.map((at, row) =>
    [time ? new Date(at * 1_000).toISOString() : at, ...series.map(({ values }) => values[row] ?? '')].join(','),
  );
  return `${[head, ...rows].join('\n')}\n`;
}

export function download(name: string, text: string, type = 'text/csv'): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = `${name.replace(/[^\w.-]+/g, '-').slice(0, 80)}.csv`;
  link.click();
  URL.revokeObjectURL(url);
}
