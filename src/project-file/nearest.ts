/** The candidate that a person most likely meant: the smallest edit distance (with swaps), at most a third of the word. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const wanted = fold(word);
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(wanted, fold(candidate));
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** ` did you mean "x"?`, or the choices where nothing is near, or nothing. */
export function suggestion(word: string, candidates: readonly string[]): string {
  const best = nearest(word, candidates);
  if (best !== undefined) return `; did you mean "${best}"?`;
  if (candidates.length === 0) return '';
  const shown = candidates.slice(0, 20).join(', ');
  return `; known are: ${shown}${candidates.length > 20 ? ', …' : ''}`;
}

/** Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours. @example editDistance('stpes', 'steps') === 1 */
export function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let cost = Math.min(above[j]! + 1, row[j - 1]! + 1, above[j - 1]! + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, before[j - 2]! + 1);
      row.push(cost);
    }
    before = above;
    above = row;
  }
  return above[b.length]!;
}

const fold = (word: string): string => word.toLowerCase().replaceAll('-', '_').slice(0, 64);
