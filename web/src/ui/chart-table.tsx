import classes from './chart.module.css';
import type { ChartProps, Value } from './chart-parts.ts';
import { csvOf } from './csv.ts';
import { localMinute, MISSING, number, utcTime } from './format.ts';

const MAX_ROWS = 500;

/** A chart's numbers as a table: the same series, their intervals and what happened when. */
export function ChartTable({ x, series, marks = [], time, xLabel, height = 220, format = number }: ChartProps) {
  const cell = (value: Value): string => (typeof value === 'number' ? format(value) : MISSING);
  const at = (value: number): string => (time ? localMinute(value * 1_000) : number(value));
  return (
    <section className={classes['numbers']} style={{ height }} tabIndex={0} aria-label="The numbers of the chart">
      <table>
        <thead>
          <tr>
            <th scope="col">{xLabel ?? (time ? 'time' : 'x')}</th>
            {series.map(({ label, band }) => (
              <th key={label} scope="col" className="num">
                {label}
                {band && ' [interval]'}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {x.slice(0, MAX_ROWS).map((value, row) => (
            <tr key={value}>
              <td title={time ? utcTime(value * 1_000) : String(value)}>{at(value)}</td>
              {series.map(({ label, values, band }) => (
                <td key={label} className="num" title={String(values[row] ?? '')}>
                  {cell(values[row])}
                  {band && typeof values[row] === 'number' && ` [${cell(band.low[row])}, ${cell(band.high[row])}]`}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {x.length > MAX_ROWS && (
        <p className="muted">
          The first {MAX_ROWS} of {x.length}; the CSV has all of them.
        </p>
      )}
      {marks.length > 0 && (
        <ul>
          {marks.map(({ x: when, label }) => (
            <li key={`${when}${label}`}>
              {at(when)}: {label}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

/** All digits, all points, and the edges of intervals in columns of their own. */
export function toCsv({ x, series, time, xLabel }: Pick<ChartProps, 'x' | 'series' | 'time' | 'xLabel'>): string {
  const head = series.flatMap(({ label, band }) => (band ? [label, `${label} low`, `${label} high`] : [label]));
  const rows = x.map((at, row) => [
    time ? new Date(at * 1_000).toISOString() : at,
    ...series.flatMap(({ values, band }) => [values[row], ...(band ? [band.low[row], band.high[row]] : [])]),
  ]);
  return csvOf([time ? 'time' : (xLabel ?? 'x'), ...head], rows);
}
