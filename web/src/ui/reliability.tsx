import { count, number, percent } from './format.ts';
import classes from './reliability.module.css';

interface ReliabilityProps {
  readonly label: string;
  readonly bins: readonly {
    readonly rows: number;
    readonly predicted: number;
    readonly observed: number;
    readonly low: number;
    readonly high: number;
  }[];
  /** Both axes run from 0 to 1; else over what is there. */
  readonly isShare: boolean;
}

const [WIDTH, HEIGHT] = [520, 300];
const EDGE = { left: 52, right: 12, top: 10, bottom: 36 };
const COUNTS = 44;
const DRAWN = HEIGHT - EDGE.bottom - COUNTS;

/** Observed against predicted with intervals, the diagonal of a model that is right, and below it how many rows each point stands for. */
export function Reliability({ label, bins, isShare }: ReliabilityProps) {
  const show = isShare ? percent : number;
  const all = bins.flatMap(({ predicted, low, high }) => [predicted, low, high]);
  const [min, max] = isShare ? [0, 1] : [Math.min(...all), Math.max(...all)];
  const toX = (value: number): number =>
    EDGE.left + ((value - min) / (max - min || 1)) * (WIDTH - EDGE.left - EDGE.right);
  const toY = (value: number): number =>
    DRAWN - ((clamp(value, min, max) - min) / (max - min || 1)) * (DRAWN - EDGE.top);
  const most = Math.max(...bins.map(({ rows }) => rows), 1);
  const bottom = HEIGHT - EDGE.bottom;
  return (
    <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} className={classes['reliability']} role="img" aria-label={label}>
      {[0, 0.25, 0.5, 0.75, 1].map((part) => {
        const value = min + part * (max - min);
        return (
          <g key={part}>
            <line className={classes['grid']} x1={EDGE.left} x2={WIDTH - EDGE.right} y1={toY(value)} y2={toY(value)} />
            <text x={EDGE.left - 6} y={toY(value) + 4} textAnchor="end">
              {show(value)}
            </text>
            <text x={toX(value)} y={bottom + 14} textAnchor={part === 1 ? 'end' : 'middle'}>
              {show(value)}
            </text>
          </g>
        );
      })}
      <line className={classes['right']} x1={toX(min)} y1={toY(min)} x2={toX(max)} y2={toY(max)} />
      <polyline
        className={classes['line']}
        points={bins.map(({ predicted, observed }) => `${toX(predicted)},${toY(observed)}`).join(' ')}
      />
      {bins.map(({ rows, predicted, observed, low, high }) => (
        <g key={predicted} className={classes['point']}>
          <title>{`predicted ${show(predicted)}\nobserved ${show(observed)} [${show(low)}, ${show(high)}]\n${count(rows)} rows`}</title>
          <line x1={toX(predicted)} x2={toX(predicted)} y1={toY(low)} y2={toY(high)} />
          <circle cx={toX(predicted)} cy={toY(observed)} r={4} />
          <rect
            x={toX(predicted) - 8}
            width={16}
            y={bottom - (rows / most) * (COUNTS - 20)}
            height={(rows / most) * (COUNTS - 20)}
          />
          <text x={toX(predicted)} y={bottom - (rows / most) * (COUNTS - 20) - 3} textAnchor="middle">
            {count(rows)}
          </text>
        </g>
      ))}
      <text x={(WIDTH + EDGE.left) / 2} y={HEIGHT - 4} textAnchor="middle">
        predicted; bars: rows
      </text>
      <text x={12} y={DRAWN / 2} textAnchor="middle" transform={`rotate(-90 12 ${DRAWN / 2})`}>
        observed
      </text>
    </svg>
  );
}

const clamp = (value: number, min: number, max: number): number => Math.min(max, Math.max(min, value));
