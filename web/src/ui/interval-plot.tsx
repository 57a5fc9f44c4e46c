import { useCallback, useState } from 'react';
import { number, signed } from './format.ts';
import classes from './interval-plot.module.css';

export interface IntervalRow {
  readonly label: string;
  readonly value: number;
  readonly low: number | null;
  readonly high: number | null;
  /** A colour token, such as `--good`. */
  readonly colour?: string;
}

interface IntervalPlotProps {
  /** States what is shown, in words. */
  readonly title: string;
  readonly rows: readonly IntervalRow[];
  /** What lies on either side of the zero line. */
  readonly sides: readonly [below: string, above: string];
  /** A line that an interval has to clear, beside zero. */
  readonly mark?: { readonly at: number; readonly label: string };
}

/** Where what stands: beside the bars where there is room, else above them. */
interface Frame {
  readonly width: number;
  readonly left: number;
  readonly right: number;
  readonly row: number;
  /** Of the bar within its row. */
  readonly bar: number;
}

const [TOP, FOOT, NARROW, WIDEST] = [8, 34, 520, 640];

const frameOf = (width: number): Frame =>
  width < NARROW
    ? { width, left: 8, right: width - 8, row: 48, bar: 34 }
    : { width, left: 120, right: width - 190, row: 34, bar: 17 };

/** Values with their intervals beside zero, one a row, on one axis. */
export function IntervalPlot({ title, rows, sides, mark }: IntervalPlotProps) {
  const [width, setWidth] = useState(WIDEST);
  const place = useCallback((element: HTMLDivElement | null) => {
    if (!element) return;
    const look = new ResizeObserver(() => setWidth(Math.min(WIDEST, element.clientWidth || WIDEST)));
    look.observe(element);
    return () => look.disconnect();
  }, []);
  const frame = frameOf(width);
  const { toX, ticks } = scaleOf(rows, mark?.at, frame);
  const height = TOP + rows.length * frame.row + FOOT;
  const floor = height - FOOT;
  return (
    <div ref={place} className={classes['place']}>
      <svg className={classes['plot']} width={width} height={height} role="img" aria-label={title}>
        <title>{title}</title>
        {ticks.map((tick) => (
          <g key={tick}>
            <line className={classes['axis']} x1={toX(tick)} x2={toX(tick)} y1={TOP} y2={floor} />
            <text x={toX(tick)} y={floor + 14} textAnchor="middle">
              {tick === 0 ? '0' : signed(tick, (value) => number(value, 2))}
            </text>
          </g>
        ))}
        <line className={classes['zero']} x1={toX(0)} x2={toX(0)} y1={TOP} y2={floor} />
        {mark && (
          <line stroke="var(--watch)" strokeDasharray="3 3" x1={toX(mark.at)} x2={toX(mark.at)} y1={TOP} y2={floor} />
        )}
        <text x={frame.left} y={floor + 30}>
          ← {sides[0]}
        </text>
        <text x={frame.right} y={floor + 30} textAnchor="end">
          {sides[1]} →
        </text>
        {rows.map((row, index) => (
          <Row key={row.label} row={row} top={TOP + index * frame.row} toX={toX} frame={frame} />
        ))}
      </svg>
    </div>
  );
}

interface RowProps {
  readonly row: IntervalRow;
  readonly top: number;
  readonly toX: (value: number) => number;
  readonly frame: Frame;
}

function Row({ row, top, toX, frame }: RowProps) {
  const { label, value, low, high, colour = '--text' } = row;
  const stroke = `var(${colour})`;
  const y = top + frame.bar;
  const textY = frame.bar > frame.row / 2 ? top + 14 : y + 4;
  return (
    <g>
      <text className={classes['name']} x={0} y={textY}>
        {label}
      </text>
      {low !== null && high !== null && (
        <>
          <line x1={toX(low)} x2={toX(high)} y1={y} y2={y} stroke={stroke} strokeWidth={3} />
          <line x1={toX(low)} x2={toX(low)} y1={y - 5} y2={y + 5} stroke={stroke} strokeWidth={1.5} />
          <line x1={toX(high)} x2={toX(high)} y1={y - 5} y2={y + 5} stroke={stroke} strokeWidth={1.5} />
        </>
      )}
      <circle cx={toX(value)} cy={y} r={5} fill={stroke} />
      <text x={frame.width} y={textY} textAnchor="end">
        {signed(value)}
        {low !== null && high !== null && ` [${signed(low)}, ${signed(high)}]`}
      </text>
    </g>
  );
}

const TICKS = 4;

/** Zero is always in sight, and the widest interval with a little air. */
function scaleOf(rows: readonly IntervalRow[], mark: number | undefined, { left, right }: Frame) {
  const all = [
    0,
    ...(mark === undefined ? [] : [mark]),
    ...rows.flatMap(({ value, low, high }) => [value, low ?? value, high ?? value]),
  ];
  const finite = all.filter(Number.isFinite);
  const [least, most] = [Math.min(...finite), Math.max(...finite)];
  const air = (most - least || 1) * 0.12;
  const [from, to] = [least - air, most + air];
  const toX = (value: number): number =>
    left + ((Math.min(to, Math.max(from, value)) - from) / (to - from)) * (right - left);
  return { toX, ticks: ticksBetween(from, to) };
}

function ticksBetween(from: number, to: number): readonly number[] {
  const rough = (to - from) / TICKS;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((times) => times * power).find((each) => each >= rough) ?? rough;
  const first = Math.ceil(from / step);
  return Array.from({ length: Math.floor(to / step) - first + 1 }, (_, i) => (first + i) * step);
}

interface IntervalBarProps {
  readonly label: string;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  /** Greatest distance from zero of all bars that stand below one another. */
  readonly reach: number;
  readonly colour?: string;
}

const [BAR_WIDTH, BAR_HEIGHT] = [96, 14];

/** One interval beside zero, small enough for a cell of a table. */
export function IntervalBar({ label, value, low, high, reach, colour = '--text' }: IntervalBarProps) {
  const toX = (at: number): number =>
    BAR_WIDTH / 2 + (Math.max(-1, Math.min(1, at / (reach || 1))) * (BAR_WIDTH - 8)) / 2;
  const stroke = `var(${colour})`;
  return (
    <svg className={classes['bar']} width={BAR_WIDTH} height={BAR_HEIGHT} role="img" aria-label={label}>
      <line className={classes['zero']} x1={BAR_WIDTH / 2} x2={BAR_WIDTH / 2} y1={0} y2={BAR_HEIGHT} />
      <line x1={toX(low)} x2={toX(high)} y1={BAR_HEIGHT / 2} y2={BAR_HEIGHT / 2} stroke={stroke} strokeWidth={2} />
      <circle cx={toX(value)} cy={BAR_HEIGHT / 2} r={3.5} fill={stroke} />
    </svg>
  );
}
