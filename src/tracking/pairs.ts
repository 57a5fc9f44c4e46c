import type { Pair } from './types.ts';

/** One pair a key, the last one given, sorted by key: what an upsert takes without meeting itself or deadlocking. */
export function lastPerKey(pairs: readonly Pair[]): readonly Pair[] {
  if (pairs.length <= 1) return pairs;
  const byKey = new Map(pairs.map((pair) => [pair.key, pair]));
  return [...byKey.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
}

export const valueOfPair = (pairs: readonly Pair[], key: string): string | undefined =>
  pairs.find((pair) => pair.key === key)?.value;
