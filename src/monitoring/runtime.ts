/** What one process keeps between calls: all of it derived, so that losing it costs a second look. */
export interface MonitoringRuntime {
  /** Wakes the work loop. */
  wake(): void;
  /** Resolves on a `wake` since it last did. */
  woken(): Promise<void>;
  /** Runs `fn` after whatever else is under way for `key`. */
  inTurn<T>(key: string, fn: () => Promise<T>): Promise<T>;
  /** Profiles and rules of versions by id: they never change. */
  readonly versions: Map<string, unknown>;
  /** Servables that say why, open until nobody has asked for a while, by version. */
  readonly explainers: Map<string, unknown>;
  /** What was looked at and need not be looked at again soon, by key. */
  readonly seen: Map<string, string>;
  /** When this process began. */
  readonly startedAt: number;
  /** Runs something that outlives its request; it is told to end by the signal. */
  track(work: (signal: AbortSignal) => Promise<void>): void;
  /** Tells all that is tracked to end, and waits for it. */
  stop(): Promise<void>;
}

export function createMonitoringRuntime(startedAt: number): MonitoringRuntime {
  const stopping = new AbortController();
  const tracked = new Set<Promise<void>>();
  let awake = Promise.withResolvers<void>();
  const turns = new Map<string, Promise<unknown>>();
  return {
    versions: new Map(),
    explainers: new Map(),
    seen: new Map(),
    startedAt,
    track(work) {
      const running: Promise<void> = work(stopping.signal).finally(() => tracked.delete(running));
      tracked.add(running);
    },
    async stop() {
      stopping.abort();
      await Promise.allSettled(tracked);
    },
    wake: () => awake.resolve(),
    async woken() {
      const mine = awake;
      await mine.promise;
      if (awake === mine) awake = Promise.withResolvers();
    },
    inTurn(key, fn) {
      const turn = (turns.get(key) ?? Promise.resolve()).then(fn, fn);
      turns.set(
        key,
        turn.catch(() => {}),
      );
      return turn;
    },
  };
}
