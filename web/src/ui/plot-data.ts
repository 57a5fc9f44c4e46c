import type uPlot from 'uplot';
import { type ChartProps, columnsOf } from './chart-parts.ts';
import { type Columns, decimate } from './decimate.ts';

const fullOf = ({ x, series }: ChartProps): Columns => ({ x, columns: columnsOf(series).map(({ values }) => values) });

/** What uPlot draws of a range: about two points a pixel; what has no place on the axis is a gap. */
export function toData(props: ChartProps, min: number, max: number, width: number): uPlot.AlignedData {
  const { x, columns } = decimate(fullOf(props), min, max, Math.max(50, width));
  const isDrawn = (value: number): boolean => Number.isFinite(value) && (!props.log || value > 0);
  const drawn = columns.map((column) =>
    column.map((value) => (typeof value === 'number' && !isDrawn(value) ? null : value)),
  );
  return [x, ...drawn] as unknown as uPlot.AlignedData;
}
