interface Stored {
  readonly histogram: { readonly edges: readonly number[]; readonly counts: readonly number[] };
  readonly quantiles: readonly number[];
}

/** Of the stored quantiles. */
const CHANCES = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99];

/**
 * Shares of a column in other bins than its own: bins and quantiles both say how much lies below some places, and between those places
 * rows count as if they lay evenly. One far value thus does not flatten all others.
 */
export function sharesIn(stats: Stored, edges: readonly number[]): number[] {
  const { edges: own, counts } = stats.histogram;
  const total = counts.reduce((sum, n) => sum + n, 0) || 1;
  let seen = 0;
  const knots = [
    ...own.map((x, i): [number, number] => {
      const below = seen / total;
      seen += counts[i] ?? 0;
      return [x, below];
    }),
    ...stats.quantiles.map((x, i): [number, number] => [x, CHANCES[i] ?? 1]),
  ].sort(([x, p], [y, q]) => x - y || p - q);
  const below = (x: number): number => {
    const next = knots.findIndex(([at]) => at > x);
    if (next === 0) return 0;
    if (next < 0) return 1;
    const [[x0, p0], [x1, p1]] = [knots[next - 1]!, knots[next]!];
    return p0 + ((x - x0) / (x1 - x0)) * Math.max(0, p1 - p0);
  };
  const last = edges.length - 2;
  return edges
    .slice(0, -1)
    .map((x, i) => Math.max(0, (i === last ? 1 : below(edges[i + 1]!)) - (i === 0 ? 0 : below(x))));
}
