import { type KeyboardEvent as ReactKeyboardEvent, type RefObject, useEffect, useRef } from 'react';
import { isPlainClick } from './link.tsx';

interface RowKeys {
  readonly viewport: RefObject<HTMLElement | null>;
  readonly count: number;
  readonly focusIndex: number;
  readonly focusOn: (index: number) => void;
  readonly open: (index: number) => void;
  readonly toggle: ((index: number) => void) | undefined;
  readonly clear: (() => void) | undefined;
}

const STEPS: Readonly<Record<string, number>> = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1, PageDown: 15, PageUp: -15 };
const INTERACTIVE = 'input, textarea, select, button, a, [contenteditable], [role="tab"], summary';
const TYPING = 'input:not([type="checkbox"], [type="radio"]), textarea, select, [contenteditable]';

/** Keys of rows: inside the table all of them, elsewhere on the page `j` and `k` enter its first table. */
export function useRowKeys(keys: RowKeys): (event: ReactKeyboardEvent) => void {
  const latest = useRef(keys);
  latest.current = keys;
  useEffect(() => {
    const onPage = (event: KeyboardEvent): void => {
      const { viewport } = latest.current;
      const target = event.target as HTMLElement;
      if (event.defaultPrevented || !/^[jk]$/.test(event.key) || !isPlainClick(event)) return;
      if (target.closest(`${TYPING}, [data-table], [role="dialog"], [popover]`)) return;
      if (document.querySelector('[role="dialog"]')) return;
      if (document.querySelector('[data-table]') !== viewport.current) return;
      if (move(latest.current, event.key)) event.preventDefault();
    };
    document.addEventListener('keydown', onPage);
    return () => document.removeEventListener('keydown', onPage);
  }, []);
  useRowFocus(keys.viewport, keys.focusIndex);
  return (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || (event.target as HTMLElement).matches(TYPING)) return;
    if (act(latest.current, event)) event.preventDefault();
  };
}

function act(keys: RowKeys, event: ReactKeyboardEvent): boolean {
  const { focusIndex, count } = keys;
  const isOnRow = focusIndex >= 0 && focusIndex < count;
  const isOnControl = (event.target as HTMLElement).closest(INTERACTIVE) !== null;
  if (move(keys, event.key)) return true;
  if (event.key === 'x' && isOnRow && keys.toggle) keys.toggle(focusIndex);
  else if (event.key === 'Enter' && isOnRow && !isOnControl) keys.open(focusIndex);
  else if (event.key === 'Escape' && keys.clear) keys.clear();
  else return false;
  return true;
}

function move({ focusIndex, count, focusOn }: RowKeys, key: string): boolean {
  if (count === 0) return false;
  const step = STEPS[key];
  if (step !== undefined) focusOn(Math.min(count - 1, Math.max(0, focusIndex < 0 ? 0 : focusIndex + step)));
  else if (key === 'Home') focusOn(0);
  else if (key === 'End') focusOn(count - 1);
  else return false;
  return true;
}

/** The focused row has the browser's focus, so that it is read out and scrolled to. */
function useRowFocus(viewport: RefObject<HTMLElement | null>, index: number): void {
  useEffect(() => {
    if (index < 0) return;
    const row = viewport.current?.querySelector<HTMLElement>(`tr[data-row="${index}"]`);
    if (!row || row.contains(document.activeElement)) return;
    row.focus({ preventScroll: true });
    row.scrollIntoView({ block: 'nearest' });
  }, [viewport, index]);
}
