import { useRouter } from '@tanstack/react-router';
import { useEffect } from 'react';

const STORE = 'levain-scroll';
const REMEMBERED = 50;
const PATIENCE_MS = 3_000;
const NEAR_PX = 2;
const OWN_WAYS = ['wheel', 'touchstart', 'keydown', 'pointerdown'] as const;

/**
 * The router puts a page back to where it was when it is drawn; data that comes a moment later would leave it too far up. This waits
 * until the page is tall enough, unless somebody scrolls.
 */
export function useScrollPatience(): void {
  const router = useRouter();
  useEffect(() => {
    const places = new Map<string, number>(read());
    let stop = (): void => undefined;
    let here = keyOf(router.latestLocation);
    let wanted = places.get(here);
    let isRestoring = false;
    const restore = (): void => {
      stop();
      const y = wanted;
      if (y === undefined || Math.abs(scrollY - y) <= NEAR_PX) return;
      isRestoring = true;
      stop = scrollWhenTall(y, () => {
        isRestoring = false;
      });
    };
    const unsubscribe = [
      router.subscribe('onBeforeLoad', ({ toLocation }) => {
        here = keyOf(toLocation);
        wanted = places.get(here);
      }),
      router.subscribe('onRendered', restore),
    ];
    const onScroll = (): void => {
      if (!isRestoring && keyOf(router.state.location) === here) places.set(here, scrollY);
    };
    const onHide = (): void => write([...places].slice(-REMEMBERED));
    restore();
    addEventListener('scroll', onScroll, { passive: true });
    addEventListener('pagehide', onHide);
    return () => {
      for (const each of unsubscribe) each();
      removeEventListener('scroll', onScroll);
      removeEventListener('pagehide', onHide);
      stop();
    };
  }, [router]);
}

const keyOf = ({ state, href }: { readonly state: object; readonly href: string }): string =>
  (state as { __TSR_key?: string }).__TSR_key ?? href;

/** Scrolls there as the page grows; answers how to give up. */
function scrollWhenTall(y: number, onEnd: () => void): () => void {
  const observer = new ResizeObserver(() => {
    scrollTo(0, y);
    if (Math.abs(scrollY - y) <= NEAR_PX) end();
  });
  const end = (): void => {
    observer.disconnect();
    clearTimeout(timer);
    for (const way of OWN_WAYS) removeEventListener(way, end);
    onEnd();
  };
  const timer = setTimeout(end, PATIENCE_MS);
  for (const way of OWN_WAYS) addEventListener(way, end, { passive: true });
  observer.observe(document.getElementById('content') ?? document.body);
  return end;
}

function read(): readonly (readonly [string, number])[] {
  try {
    return JSON.parse(sessionStorage.getItem(STORE) ?? '[]');
  } catch {
    return [];
  }
}

function write(places: readonly (readonly [string, number])[]): void {
  try {
    sessionStorage.setItem(STORE, JSON.stringify(places));
  } catch {
    // Storage may be full or forbidden; then a reload begins at the top.
  }
}
