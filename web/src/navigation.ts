import { useRouterState } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import { titleOf } from './crumbs.ts';
import { PLACES } from './places.ts';
import { isPlainClick, useGo } from './ui/link.tsx';

const SEQUENCE_MS = 1_000;
const DIALOG = '[role="dialog"], dialog[open]';
const TYPING = 'input, textarea, select, [contenteditable]';

export interface GlobalKeys {
  readonly search: () => void;
  readonly help: () => void;
}

/** `/` searches, `?` helps, `g` and then a letter goes to a place; none of them while somebody types or a dialog is open. */
export function useGlobalKeys(keys: GlobalKeys): void {
  const go = useGo();
  const latest = useRef({ go, ...keys });
  latest.current = { go, ...keys };
  useEffect(() => {
    let startedAt = Number.NEGATIVE_INFINITY;
    const onKey = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      if ((event.target as HTMLElement).closest(TYPING)) return;
      if (document.querySelector(DIALOG)) return;
      const isSecond = event.timeStamp - startedAt < SEQUENCE_MS;
      startedAt = Number.NEGATIVE_INFINITY;
      const place = isSecond ? PLACES.find(({ key }) => key === event.key) : undefined;
      if (place) latest.current.go(place.to);
      else if (event.key === 'g' && isPlainClick(event)) startedAt = event.timeStamp;
      else if (event.key === '/') latest.current.search();
      else if (event.key === '?') latest.current.help();
      else return;
      event.preventDefault();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);
}

const PATIENCE_MS = 5_000;

/**
 * After going to another page the tab says its name, and the focus is on its heading, so that a screen reader reads it and keys
 * work from there. Whoever has the focus on something that is still there, such as a tab, keeps it.
 */
export function usePageChange(): void {
  const path = useRouterState({ select: ({ resolvedLocation, location }) => (resolvedLocation ?? location).pathname });
  const first = useRef(true);
  useEffect(() => {
    document.title = titleOf(path);
    if (first.current) {
      first.current = false;
      return;
    }
    return focusHeading();
  }, [path]);
}

function focusHeading(): () => void {
  const main = document.getElementById('content');
  // Somebody may have opened a dialog while the page was on its way.
  if (!main || main.contains(document.activeElement) || document.querySelector(DIALOG)) return () => undefined;
  const focus = (): boolean => {
    const heading = main.querySelector<HTMLElement>('h1');
    if (!heading) return false;
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
    return true;
  };
  if (focus()) return () => undefined;
  main.focus({ preventScroll: true });
  // Its data may be on the way.
  const observer = new MutationObserver(() => {
    if (document.activeElement !== main && document.activeElement !== document.body) observer.disconnect();
    else if (focus()) observer.disconnect();
  });
  observer.observe(main, { childList: true, subtree: true });
  const timer = setTimeout(() => observer.disconnect(), PATIENCE_MS);
  return () => {
    observer.disconnect();
    clearTimeout(timer);
  };
}
