import type { PointColumns } from './metric-chunk.ts';
import { INFINITY_VALUE } from './metric-points.ts';

/** One run's points of one key, and where they stand on the axis. */
export interface Line {
  /** Axis positions, one a point, in any order. */
  readonly x: Float64Array;
  readonly values: Float64Array;
}

/** What a chart draws: one shared axis, and for each line what lies in each slot of it. */
export interface Levels {
  /** Whether each slot holds one axis position only: nothing was put together. */
  readonly exact: boolean;
  /** Where the slots stand, ascending; slots without any point are left out. */
  readonly x: readonly number[];
  readonly lines: readonly LevelLine[];
}

export interface LevelLine {
  /** All points of the line within the range, NaN and infinite ones too. */
  readonly count: number;
  readonly mean: readonly (number | null)[];
  /** Null where low and high equal the mean in every slot. */
  readonly low: readonly (number | null)[] | null;
  readonly high: readonly (number | null)[] | null;
  /** How many points are in each slot; null where none has more than one. */
  readonly counts: readonly number[] | null;
  /** Slots that hold nothing but NaN, and those that hold nothing but NaN and infinite points. */
  readonly nan: readonly number[];
  readonly infinite: readonly number[];
}

/**
 * The points of some lines on at most `slots` shared positions: every position where they are that few, else equal stretches of
 * the axis with the lowest, highest and mean value in each, so that no spike is lost. `whole` keeps the stretches whole numbers.
 */
export function toLevels(
  lines: readonly Line[],
  options: { readonly slots: number; readonly whole: boolean; readonly from?: number; readonly to?: number },
): Levels {
  const { slots, whole, from = -Infinity, to = Infinity } = options;
  const positions = distinctUpTo(lines, slots, from, to);
  if (positions !== null) return fill(lines, positions, (x) => indexOf(positions, x), { exact: true, from, to });
  const [low, high] = rangeOf(lines, from, to);
  const width = whole ? Math.ceil((high - low + 1) / slots) : (high - low) / slots;
  const count = Math.min(slots, Math.floor((high - low) / width) + 1);
  const middle = whole ? Math.floor((width - 1) / 2) : width / 2;
  const places = Float64Array.from({ length: count }, (_, i) => Math.min(high, low + i * width + middle));
  const slotOf = (x: number): number => Math.min(count - 1, Math.floor((x - low) / width));
  return fill(lines, places, slotOf, { exact: false, from, to });
}

/** The axis positions, sorted; null where they are more than `most`. */
function distinctUpTo(lines: readonly Line[], most: number, from: number, to: number): Float64Array | null {
  const seen = new Set<number>();
  for (const { x } of lines) {
    for (let i = 0; i < x.length; i++) {
      const at = x[i]!;
      if (at < from || at > to) continue;
      seen.add(at);
      if (seen.size > most) return null;
    }
  }
  return Float64Array.from(seen).sort();
}

function rangeOf(lines: readonly Line[], from: number, to: number): readonly [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const { x } of lines) {
    for (let i = 0; i < x.length; i++) {
      const at = x[i]!;
      if (at < from || at > to) continue;
      if (at < low) low = at;
      if (at > high) high = at;
    }
  }
  return [low, high];
}

/** Where `x` stands in sorted positions that hold it. */
function indexOf(positions: Float64Array, x: number): number {
  let [low, high] = [0, positions.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (positions[middle]! < x) low = middle + 1;
    else high = middle;
  }
  return low;
}

interface Range {
  readonly exact: boolean;
  readonly from: number;
  readonly to: number;
}

interface Sums {
  readonly total: number;
  readonly counts: Float64Array;
  readonly nan: Float64Array;
  readonly infinite: Float64Array;
  readonly low: Float64Array;
  readonly high: Float64Array;
  readonly mean: Float64Array;
}

function fill(
  lines: readonly Line[],
  places: Float64Array,
  slotOf: (x: number) => number,
  { exact, from, to }: Range,
): Levels {
  const all = lines.map((line) => sum(line, places.length, slotOf, from, to));
  const used = [...places.keys()].filter((slot) =>
    all.some(({ counts, nan, infinite }) => counts[slot]! + nan[slot]! + infinite[slot]! > 0),
  );
  return {
    exact,
    x: used.map((slot) => places[slot]!),
    lines: all.map((sums) => toLevelLine(sums, used)),
  };
}

function sum({ x, values }: Line, slots: number, slotOf: (x: number) => number, from: number, to: number): Sums {
  const [counts, mean] = [new Float64Array(slots), new Float64Array(slots)];
  const [nan, infinite] = [new Float64Array(slots), new Float64Array(slots)];
  const low = new Float64Array(slots).fill(Infinity);
  const high = new Float64Array(slots).fill(-Infinity);
  let total = 0;
  for (let i = 0; i < x.length; i++) {
    if (x[i]! < from || x[i]! > to) continue;
    total++;
    const slot = slotOf(x[i]!);
    const value = values[i]!;
    if (!(Math.abs(value) < INFINITY_VALUE)) {
      if (Number.isNaN(value)) nan[slot]!++;
      else infinite[slot]!++;
      continue;
    }
    if (value < low[slot]!) low[slot] = value;
    if (value > high[slot]!) high[slot] = value;
    // A running mean: a sum of large values could leave the doubles.
    mean[slot]! += (value - mean[slot]!) / ++counts[slot]!;
  }
  return { total, counts, nan, infinite, low, high, mean };
}

function toLevelLine({ total, counts, nan, infinite, low, high, mean }: Sums, used: readonly number[]): LevelLine {
  const pick = (values: Float64Array) => used.map((slot) => (counts[slot]! > 0 ? values[slot]! : null));
  const isFlat = used.every((slot) => counts[slot]! === 0 || low[slot] === high[slot]);
  const where = (is: (slot: number) => boolean): number[] => [...used.keys()].filter((at) => is(used[at]!));
  const isSingle = used.every((slot) => counts[slot]! <= 1);
  return {
    count: total,
    mean: isFlat ? pick(low) : pick(mean),
    low: isFlat ? null : pick(low),
    high: isFlat ? null : pick(high),
    counts: isSingle ? null : used.map((slot) => counts[slot]!),
    nan: where((slot) => counts[slot] === 0 && nan[slot]! > 0 && infinite[slot] === 0),
    infinite: where((slot) => counts[slot] === 0 && infinite[slot]! > 0),
  };
}

/** Columns one after another. */
export function concatColumns(parts: readonly PointColumns[]): PointColumns {
  if (parts.length === 1) return parts[0]!;
  const count = parts.reduce((total, part) => total + part.count, 0);
  const whole = {
    count,
    steps: new Float64Array(count),
    times: new Float64Array(count),
    values: new Float64Array(count),
  };
  let at = 0;
  for (const { count: size, steps, times, values } of parts) {
    whole.steps.set(steps, at);
    whole.times.set(times, at);
    whole.values.set(values, at);
    at += size;
  }
  return whole;
}
