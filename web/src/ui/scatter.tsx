import type { KeyboardEvent } from 'react';
import { number } from './format.ts';
import classes from './scatter.module.css';

export interface ScatterPoint {
  readonly id: string;
  /** null: not known; such points stand at the left edge, hollow. */
  readonly x: number | null;
  readonly y: number;
  readonly text: string;
  readonly colour?: string;
}

interface ScatterProps {
  readonly label: string;
  readonly points: readonly ScatterPoint[];
  readonly xLabel: string;
  readonly yLabel: string;
  /** Where values begin to matter. */
  readonly lines?: readonly { readonly y: number; readonly label: string }[];
  readonly formatX?: (value: number) => string;
  readonly selected?: string | undefined;
  readonly onSelect?: (id: string) => void;
}

const [WIDTH, HEIGHT] = [520, 280];
const EDGE = { left: 68, right: 16, top: 14, bottom: 40 };
const MAX_NAMED = 12;

/** Points by two measures; each is reached by Tab and chosen by Enter, and its name stands beside it where there are few. */
export function Scatter(props: ScatterProps) {
  const { label, points, xLabel, yLabel, lines = [], formatX = number, selected, onSelect } = props;
  const maxX = Math.max(...points.map(({ x }) => x ?? 0), 0) * 1.12 || 1;
  const maxY = Math.max(...points.map(({ y }) => y), ...lines.map(({ y }) => y)) * 1.08 || 1;
  // Small effects would lie on one line: a root spreads them, and the axis says where it is.
  const toX = (x: number): number => EDGE.left + (x / maxX) * (WIDTH - EDGE.left - EDGE.right);
  const toY = (y: number): number =>
    HEIGHT - EDGE.bottom - Math.sqrt(Math.max(0, y) / maxY) * (HEIGHT - EDGE.top - EDGE.bottom);
  const named = new Set(
    [...points]
      .sort((a, b) => b.y - a.y)
      .slice(0, MAX_NAMED)
      .map(({ id }) => id),
  );
  /** Names that would stand on one another are stacked. */
  const stackOf = ({ id, x, y }: ScatterPoint): number =>
    points.filter(
      (other) =>
        other.id < id && Math.abs(toX(other.x ?? 0) - toX(x ?? 0)) < 90 && Math.abs(toY(other.y) - toY(y)) < 14,
    ).length;
  const choose = (id: string) => (event: KeyboardEvent) => {
    if (event.key !== 'Enter' && event.key !== ' ') return;
    event.preventDefault();
    onSelect?.(id);
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: within a drawing there are no other elements
    <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} className={classes['scatter']} role="group" aria-label={label}>
      {[0, 0.02, 0.1, 0.25, 0.5, 1, 2, 5]
        .filter((y) => y <= maxY)
        .map((y) => (
          <g key={y} className={classes['grid']}>
            <line x1={EDGE.left} x2={WIDTH - EDGE.right} y1={toY(y)} y2={toY(y)} />
            <text x={EDGE.left - 6} y={toY(y) + 4} textAnchor="end">
              {number(y)}
            </text>
          </g>
        ))}
      {[0, 0.25, 0.5, 0.75, 1].map((part) => (
        <text key={part} x={toX((maxX / 1.12) * part)} y={HEIGHT - EDGE.bottom + 16} textAnchor="middle">
          {formatX((maxX / 1.12) * part)}
        </text>
      ))}
      {lines.map((line) => (
        <g key={line.label} className={classes['line']}>
          <line x1={EDGE.left} x2={WIDTH - EDGE.right} y1={toY(line.y)} y2={toY(line.y)} />
          <text x={WIDTH - EDGE.right} y={toY(line.y) - 4} textAnchor="end">
            {line.label}
          </text>
        </g>
      ))}
      <text x={(WIDTH + EDGE.left) / 2} y={HEIGHT - 6} textAnchor="middle">
        {xLabel}
      </text>
      <text x={14} y={HEIGHT / 2} textAnchor="middle" transform={`rotate(-90 14 ${HEIGHT / 2})`}>
        {yLabel}
      </text>
      {points.map((point) => (
        // biome-ignore lint/a11y/useSemanticElements: as above
        <g
          key={point.id}
          className={classes['point']}
          role="button"
          tabIndex={0}
          aria-label={`${point.id}: ${point.text}`}
          aria-pressed={point.id === selected}
          onClick={() => onSelect?.(point.id)}
          onKeyDown={choose(point.id)}
          style={{ color: `var(${point.colour ?? '--series-1'})` }}
        >
          <title>{`${point.id}\n${point.text}`}</title>
          <circle cx={toX(point.x ?? 0)} cy={toY(point.y)} r={12} className={classes['target']} />
          <circle cx={toX(point.x ?? 0)} cy={toY(point.y)} r={5} data-hollow={point.x === null || undefined} />
          {(named.has(point.id) || point.id === selected) && (
            <Name id={point.id} x={toX(point.x ?? 0)} y={toY(point.y)} stack={stackOf(point)} />
          )}
        </g>
      ))}
    </svg>
  );
}

const MAX_NAME = 18;

interface NameProps {
  readonly id: string;
  readonly x: number;
  readonly y: number;
  readonly stack: number;
}

function Name({ id, x, y, stack }: NameProps) {
  const isRight = x > WIDTH * 0.75;
  const text = [...id].length > MAX_NAME ? `${[...id].slice(0, MAX_NAME - 1).join('')}…` : id;
  return (
    <text
      x={isRight ? x - 9 : x + 9}
      y={y - 8 - 12 * stack}
      textAnchor={isRight ? 'end' : 'start'}
      className={classes['name']}
    >
      {text}
    </text>
  );
}
