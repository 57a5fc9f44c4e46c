import type { Value } from './chart-parts.ts';

export interface Columns {
  readonly x: readonly number[];
  readonly columns: readonly (readonly Value[])[];
}

/**
 * At most two points a bucket of x: the least and the greatest of each column in the order in which they came, so that no peak is
 * lost. One point on either side of [from, to] stays, for lines that leave the picture, and so do the very first and last.
 * @example decimate({ x: [0, 1, 2, 3], columns: [[5, 9, 1, 5]] }, 0, 3, 1) // x [0, 3], columns [[9, 1]]
 */
export function decimate({ x, columns }: Columns, from: number, to: number, buckets: number): Columns {
  const last = x.length - 1;
  const start = Math.max(0, lowerBound(x, from) - 1);
  const end = Math.min(last, lowerBound(x, to) + 1);
  if (end - start + 1 <= buckets * 2 && start === 0 && end === last) return { x, columns };
  const kept: number[] = [];
  const picked = columns.map((): Value[] => []);
  const copy = (index: number): void => {
    kept.push(x[index]!);
    for (const [c, column] of columns.entries()) picked[c]!.push(column[index]);
  };
  if (start > 0) copy(0);
  const width = (to - from) / buckets;
  let index = start;
  while (index <= end) {
    let next = index + 1;
    if (end - start + 1 > buckets * 2 && width > 0) {
      const bucket = Math.floor((x[index]! - from) / width);
      while (next <= end && Math.floor((x[next]! - from) / width) === bucket) next++;
    }
    if (next - index <= 2) for (let i = index; i < next; i++) copy(i);
    else {
      kept.push(x[index]!, x[next - 1]!);
      for (const [c, column] of columns.entries()) picked[c]!.push(...extremes(column, index, next));
    }
    index = next;
  }
  if (end < last) copy(last);
  return { x: kept, columns: picked };
}

/** The least and the greatest of a stretch, in their order; a stretch of gaps stays one. */
function extremes(column: readonly Value[], start: number, end: number): readonly [Value, Value] {
  let [least, greatest, seen] = [-1, -1, undefined as Value];
  for (let i = start; i < end; i++) {
    const value = column[i];
    if (value === null) seen = null;
    if (value === null || value === undefined) continue;
    if (least < 0 || value < column[least]!) least = i;
    if (greatest < 0 || value > column[greatest]!) greatest = i;
  }
  if (least < 0) return [seen, seen];
  return least <= greatest ? [column[least], column[greatest]] : [column[greatest], column[least]];
}

/** The first index whose x is at least this. */
function lowerBound(x: readonly number[], at: number): number {
  let [low, high] = [0, x.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (x[middle]! < at) low = middle + 1;
    else high = middle;
  }
  return low;
}
