import { useCallback, useEffect, useRef, useState } from 'react';
import { type LogOf, type LogWindow, openAt, openTail, readBack, readOn } from './log-window.ts';

const WAIT_SECONDS = 20;
const AGAIN_MS = 3_000;

export interface ShownLog {
  readonly window: LogWindow | undefined;
  readonly error: unknown;
  /** Whether what comes is shown as it comes. */
  readonly isFollowing: boolean;
  readonly follow: (follows: boolean) => void;
  readonly goTo: (offset: number) => void;
  readonly back: () => void;
  readonly on: () => void;
}

/** A window on a log: its end, followed as it grows, until somebody looks elsewhere in it. */
export function useLog({ run, step, attempt }: LogOf): ShownLog {
  const [window, setWindow] = useState<LogWindow>();
  const [error, setError] = useState<unknown>(null);
  const [isFollowing, setFollowing] = useState(true);
  const isBusy = useRef(false);
  const stopping = useRef(new AbortController());
  useEffect(() => {
    if (!isFollowing) return;
    const stop = new AbortController();
    void followLog({ run, step, attempt }, stop.signal, setWindow, setError);
    return () => stop.abort();
  }, [run, step, attempt, isFollowing]);
  useEffect(() => {
    stopping.current = new AbortController();
    return () => stopping.current.abort();
  }, []);
  const change = useCallback(async (read: (signal: AbortSignal) => Promise<LogWindow>) => {
    if (isBusy.current) return;
    isBusy.current = true;
    try {
      setWindow(await read(stopping.current.signal));
      setError(null);
    } catch (caught) {
      if (!stopping.current.signal.aborted) setError(caught);
    } finally {
      isBusy.current = false;
    }
  }, []);
  const log = { run, step, attempt };
  return {
    window,
    error,
    isFollowing,
    follow: setFollowing,
    goTo: (offset) => {
      setFollowing(false);
      void change((signal) => openAt(log, offset, signal));
    },
    back: () => {
      if (window && window.start > 0) void change((signal) => readBack(log, window, signal));
    },
    on: () => {
      if (window && !isFollowing && window.end < window.sizeBytes)
        void change((signal) => readOn(log, window, 0, signal));
    },
  };
}

async function followLog(
  log: LogOf,
  signal: AbortSignal,
  tell: (window: LogWindow) => void,
  fail: (error: unknown) => void,
): Promise<void> {
  let window: LogWindow | undefined;
  while (!signal.aborted && !window?.finished) {
    try {
      window = window ? await readOn(log, window, WAIT_SECONDS, signal) : await openTail(log, signal);
      if (signal.aborted) return;
      tell(window);
      fail(null);
    } catch (error) {
      if (signal.aborted) return;
      fail(error);
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }
}
