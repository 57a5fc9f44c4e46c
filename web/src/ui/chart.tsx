import { Skeleton } from '@mantine/core';
import { lazy, Suspense, useEffect, useMemo, useRef, useState } from 'react';
import classes from './chart.module.css';
import { Legend } from './chart-legend.tsx';
import { type ChartProps, undrawable } from './chart-parts.ts';
import { ChartTable, toCsv } from './chart-table.tsx';
import { download } from './csv.ts';
import { FigureHead } from './figure-head.tsx';

export type { ChartProps, Mark, Series } from './chart-parts.ts';
export { toCsv } from './chart-table.tsx';
export { download } from './csv.ts';

const loadPlot = () => import('./plot.tsx');
const Plot = lazy(loadPlot);

/** The one chart: a plot that comes when it is needed, the same numbers as a table, and CSV. */
export function Chart(props: ChartProps) {
  const { title, height = 220, series, x, log } = props;
  const [isTable, setTable] = useState(false);
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const values = useRef(new Map<string, HTMLElement>());
  // Comes while the numbers do, not after them.
  useEffect(() => void loadPlot(), []);
  const isEmpty = useMemo(() => x.length === 0 || series.every(({ values }) => values.every(isNothing)), [x, series]);
  const lost = useMemo(() => undrawable({ series, ...(log !== undefined && { log }) }), [series, log]);
  return (
    <figure className={classes['chart']}>
      <FigureHead title={title} isTable={isTable} onTable={setTable} onCsv={() => download(title, toCsv(props))} />
      {isEmpty && props.isLoading ? (
        <Skeleton height={height} />
      ) : isEmpty ? (
        <p className={`${classes['none']} muted`} style={{ height }}>
          {lost ?? 'No points yet'}
        </p>
      ) : isTable ? (
        <ChartTable {...props} />
      ) : (
        <Suspense fallback={<Skeleton height={height} />}>
          <Plot {...props} height={height} hidden={hidden} values={values} />
        </Suspense>
      )}
      {!isEmpty && <Legend series={series} hidden={hidden} onHide={setHidden} values={values} />}
      {!isEmpty && lost && <p className={classes['lost']}>{lost}</p>}
    </figure>
  );
}

const isNothing = (value: number | null | undefined): boolean => typeof value !== 'number' || !Number.isFinite(value);
