interface BarsProps {
  readonly label: string;
  readonly counts: readonly number[];
  /** The reference, outlined over the same bins. */
  readonly reference?: readonly number[];
  readonly width?: number;
  readonly height?: number;
}

/** A small histogram: live filled, reference outlined. */
export function Bars({ label, counts, reference, width = 120, height = 22 }: BarsProps) {
  if (counts.length === 0) return <span>—</span>;
  const shareOf = (values: readonly number[]): readonly number[] => {
    const total = values.reduce((sum, value) => sum + value, 0) || 1;
    return values.map((value) => value / total);
  };
  const live = shareOf(counts);
  const before = reference ? shareOf(reference) : undefined;
  const top = Math.max(...live, ...(before ?? []), 1e-9);
  const step = width / counts.length;
  return (
    <svg width={width} height={height} role="img" aria-label={label}>
      {live.map((value, i) => (
        <rect
          key={i}
          x={i * step}
          y={height - (value / top) * height}
          width={Math.max(1, step - 1)}
          height={(value / top) * height}
          fill="var(--series-1)"
        />
      ))}
      {before?.map((value, i) => (
        <rect
          key={i}
          x={i * step + 0.5}
          y={height - (value / top) * height}
          width={Math.max(1, step - 1)}
          height={(value / top) * height}
          fill="none"
          stroke="var(--reference)"
        />
      ))}
    </svg>
  );
}
