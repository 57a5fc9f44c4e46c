export interface DiffLine {
  readonly kind: 'same' | 'removed' | 'added';
  readonly text: string;
}

/** A stretch of changes with the lines around it. Line numbers count from 1. */
export interface Hunk {
  readonly fromLine: number;
  readonly toLine: number;
  readonly lines: readonly DiffLine[];
}

/** Beyond so many pairs of lines between the first and the last difference, what is between is told as removed and added whole. */
const MAX_PAIRS = 4_000_000;

/**
 * What differs between two texts, line by line: the fewest lines removed and added (longest common subsequence), in hunks with
 * `context` lines around them. Equal texts have no hunk.
 */
export function lineDiff(from: readonly string[], to: readonly string[], context = 3): readonly Hunk[] {
  return hunksOf(script(from, to), context);
}

function script(from: readonly string[], to: readonly string[]): readonly DiffLine[] {
  let start = 0;
  while (start < from.length && start < to.length && from[start] === to[start]) start++;
  let end = 0;
  while (end < from.length - start && end < to.length - start && from.at(-1 - end) === to.at(-1 - end)) end++;
  const same = (text: string): DiffLine => ({ kind: 'same', text });
  return [
    ...from.slice(0, start).map(same),
    ...middle(from.slice(start, from.length - end), to.slice(start, to.length - end)),
    ...from.slice(from.length - end).map(same),
  ];
}

function middle(from: readonly string[], to: readonly string[]): readonly DiffLine[] {
  const removed = (text: string): DiffLine => ({ kind: 'removed', text });
  const added = (text: string): DiffLine => ({ kind: 'added', text });
  if (from.length * to.length > MAX_PAIRS) return [...from.map(removed), ...to.map(added)];
  const lengths = commonLengths(from, to);
  const width = to.length + 1;
  const lines: DiffLine[] = [];
  let [i, j] = [0, 0];
  while (i < from.length || j < to.length) {
    if (i < from.length && j < to.length && from[i] === to[j]) {
      lines.push({ kind: 'same', text: from[i++]! });
      j++;
    } else if (j >= to.length || (i < from.length && lengths[(i + 1) * width + j]! >= lengths[i * width + j + 1]!))
      lines.push(removed(from[i++]!));
    else lines.push(added(to[j++]!));
  }
  return lines;
}

/** At (i, j): how long the longest common subsequence of what follows is. */
function commonLengths(from: readonly string[], to: readonly string[]): Uint16Array {
  const width = to.length + 1;
  const lengths = new Uint16Array((from.length + 1) * width);
  for (let i = from.length - 1; i >= 0; i--)
    for (let j = to.length - 1; j >= 0; j--)
      lengths[i * width + j] =
        from[i] === to[j]
          ? lengths[(i + 1) * width + j + 1]! + 1
          : Math.max(lengths[(i + 1) * width + j]!, lengths[i * width + j + 1]!);
  return lengths;
}

function hunksOf(lines: readonly DiffLine[], context: number): readonly Hunk[] {
  const isNear = new Uint8Array(lines.length);
  lines.forEach(({ kind }, at) => {
    if (kind !== 'same') isNear.fill(1, Math.max(0, at - context), at + context + 1);
  });
  const hunks: { fromLine: number; toLine: number; lines: DiffLine[] }[] = [];
  let [fromLine, toLine] = [1, 1];
  lines.forEach((line, at) => {
    if (isNear[at]) {
      if (!isNear[at - 1]) hunks.push({ fromLine, toLine, lines: [] });
      hunks.at(-1)!.lines.push(line);
    }
    if (line.kind !== 'added') fromLine++;
    if (line.kind !== 'removed') toLine++;
  });
  return hunks;
}
