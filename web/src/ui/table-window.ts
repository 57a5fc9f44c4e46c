import { defaultRangeExtractor, useVirtualizer } from '@tanstack/react-virtual';
import { type RefObject, useCallback } from 'react';

const ROW_HEIGHT = 32;
const VIRTUAL_FROM = 200;
const OVERSCAN = 12;

type Part = { readonly index: number } | { readonly key: string; readonly gap: number };

/** Which rows are in the document: all of a short list, those in sight and the focused one of a long list, and gaps as tall as the rest. */
export function useWindow(count: number, viewport: RefObject<HTMLElement | null>, focusIndex: number) {
  const isVirtual = count > VIRTUAL_FROM;
  const rangeExtractor = useCallback(
    (range: Parameters<typeof defaultRangeExtractor>[0]): number[] => {
      const seen = defaultRangeExtractor(range);
      if (focusIndex < 0 || focusIndex >= count || seen.includes(focusIndex)) return seen;
      return [...seen, focusIndex].sort((a, b) => a - b);
    },
    [focusIndex, count],
  );
  const virtual = useVirtualizer({
    count,
    getScrollElement: () => viewport.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: OVERSCAN,
    scrollPaddingStart: ROW_HEIGHT,
    rangeExtractor,
    enabled: isVirtual,
  });
  const indexes = isVirtual
    ? virtual.getVirtualItems().map(({ index }) => index)
    : Array.from({ length: count }, (_, i) => i);
  const scrollTo = (index: number): void => {
    if (isVirtual) virtual.scrollToIndex(index);
  };
  return { parts: withGaps(indexes, count), isVirtual, scrollTo };
}

/** `withGaps([3, 4], 10)`: a gap of three rows, rows 3 and 4, a gap of five. */
export function withGaps(indexes: readonly number[], count: number): readonly Part[] {
  const parts: Part[] = [];
  let next = 0;
  for (const index of indexes) {
    if (index > next) parts.push({ key: `gap before ${next === 0 ? 'all' : index}`, gap: (index - next) * ROW_HEIGHT });
    parts.push({ index });
    next = index + 1;
  }
  if (count > next) parts.push({ key: 'gap at the end', gap: (count - next) * ROW_HEIGHT });
  return parts;
}
