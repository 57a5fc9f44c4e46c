import { percent } from './format.ts';
import classes from './histogram.module.css';

export interface HistogramBin {
  readonly label: string;
  /** Shares of their sides, 0 to 1. */
  readonly live: number;
  readonly reference: number | null;
  readonly text: string;
}

interface HistogramProps {
  readonly label: string;
  readonly bins: readonly HistogramBin[];
  /** Texts below the borders of bins: `at` counts borders from the left. */
  readonly ticks?: readonly { readonly at: number; readonly text: string }[];
  readonly height?: number;
  readonly colour?: string;
}

const [WIDTH, LEFT, BOTTOM, TOP] = [640, 44, 20, 8];

/** Bins of equal width on the page, whatever their width in numbers: live filled, reference outlined. */
export function Histogram({ label, bins, ticks = [], height = 180, colour = '--series-1' }: HistogramProps) {
  const top = Math.max(...bins.flatMap(({ live, reference }) => [live, reference ?? 0]), 1e-9) * 1.05;
  const step = (WIDTH - LEFT - 4) / Math.max(1, bins.length);
  const toY = (share: number): number => height - BOTTOM - (share / top) * (height - BOTTOM - TOP);
  const outline = bins.map(({ reference }, i) => {
    const y = toY(reference ?? 0);
    return `${i === 0 ? 'M' : 'L'}${LEFT + i * step} ${y} L${LEFT + (i + 1) * step} ${y}`;
  });
  return (
    <svg viewBox={`0 0 ${WIDTH} ${height}`} className={classes['histogram']} role="img" aria-label={label}>
      {[0, 0.5, 1].map((part) => (
        <g key={part}>
          <line
            className={classes['grid']}
            x1={LEFT}
            x2={WIDTH - 4}
            y1={toY((top * part) / 1.05)}
            y2={toY((top * part) / 1.05)}
          />
          <text x={LEFT - 6} y={toY((top * part) / 1.05) + 4} textAnchor="end">
            {percent((top * part) / 1.05)}
          </text>
        </g>
      ))}
      {bins.map(({ live, text, label: name }, i) => (
        <g key={name} className={classes['bin']}>
          <rect x={LEFT + i * step} y={TOP} width={step} height={height - BOTTOM - TOP} className={classes['target']}>
            <title>{text}</title>
          </rect>
          <rect
            x={LEFT + i * step + (step > 4 ? 1 : 0)}
            y={toY(live)}
            width={Math.max(1, step - (step > 4 ? 2 : 0))}
            height={Math.max(0, height - BOTTOM - toY(live))}
            fill={`var(${colour})`}
            fillOpacity={0.75}
            pointerEvents="none"
          />
        </g>
      ))}
      {bins.some(({ reference }) => reference !== null) && (
        <path d={outline.join(' ')} className={classes['outline']} />
      )}
      {ticks.map(({ at, text }) => (
        <text
          key={at}
          x={LEFT + at * step}
          y={height - 6}
          textAnchor={at === 0 ? 'start' : at >= bins.length ? 'end' : 'middle'}
        >
          {text}
        </text>
      ))}
    </svg>
  );
}

/** Categories as rows: live filled, reference a line across. */
export function CategoryBars({ label, bins, colour = '--series-1' }: Omit<HistogramProps, 'ticks' | 'height'>) {
  const top = Math.max(...bins.flatMap(({ live, reference }) => [live, reference ?? 0]), 1e-9);
  return (
    <ul className={classes['categories']} aria-label={label} tabIndex={0}>
      {bins.map(({ label: name, live, reference, text }) => (
        <li key={name} title={text}>
          <span className={classes['category']}>{name}</span>
          <svg viewBox="0 0 100 12" preserveAspectRatio="none" aria-hidden="true">
            <rect x="0" y="2" width={(live / top) * 100} height="8" fill={`var(${colour})`} fillOpacity={0.75} />
            {reference !== null && (
              <rect x={Math.min(99.5, (reference / top) * 100)} y="0" width="0.5" height="12" fill="var(--text)" />
            )}
          </svg>
          <span className="num">{percent(live)}</span>
          {reference !== null && <span className="num muted">{percent(reference)}</span>}
        </li>
      ))}
    </ul>
  );
}
