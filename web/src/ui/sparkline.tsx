interface SparklineProps {
  /** Says what is shown, with its numbers, to those who cannot see it and on hover. */
  readonly label: string;
  /** Null is a gap. */
  readonly values: readonly (number | null)[];
  readonly width?: number;
  readonly height?: number;
}

/** A line without axes beside a number, from zero up. */
export function Sparkline({ label, values, width = 112, height = 22 }: SparklineProps) {
  const known = values.filter((value): value is number => value !== null);
  if (known.length === 0) return <span aria-label={label}>—</span>;
  const top = Math.max(...known, 1e-9);
  const step = width / Math.max(1, values.length - 1);
  const points = (from: number, to: number): string =>
    values
      .slice(from, to)
      .map(
        (value, i) =>
          `${((from + i) * step).toFixed(1)},${(height - 1 - ((value ?? 0) / top) * (height - 2)).toFixed(1)}`,
      )
      .join(' ');
  return (
    <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}>
      <title>{label}</title>
      {spans(values).map(([from, to]) => (
        <g key={from}>
          <polygon
            points={`${from * step},${height} ${points(from, to)} ${(to - 1) * step},${height}`}
            fill="var(--champion)"
            opacity="0.12"
          />
          <polyline points={points(from, to)} fill="none" stroke="var(--champion)" strokeWidth="1.25" />
        </g>
      ))}
    </svg>
  );
}

/** Where values are, one after another: from inclusive, to exclusive. */
function spans(values: readonly (number | null)[]): readonly (readonly [number, number])[] {
  const found: [number, number][] = [];
  values.forEach((value, i) => {
    const last = found.at(-1);
    if (value === null) return;
    if (last?.[1] === i) last[1] = i + 1;
    else found.push([i, i + 1]);
  });
  return found;
}
