import { AsyncLocalStorage } from 'node:async_hooks';

/** Throws where a database call is made inside the function of another: on SQLite it would wait for itself for ever. */
export interface NestingGuard {
  assertOutside(call: string): void;
  /** Runs `fn` as the inside of `call`. What it starts and leaves running is outside again once it has ended. */
  run<T>(call: string, fn: () => Promise<T>): Promise<T>;
}

export function createNestingGuard(): NestingGuard {
  const storage = new AsyncLocalStorage<{ readonly call: string; active: boolean }>();
  return {
    assertOutside(call) {
      const outer = storage.getStore();
      if (outer?.active) {
        throw new Error(
          `db.${call} inside the function of db.${outer.call}: pass its tx on instead of opening another`,
        );
      }
    },
    async run(call, fn) {
      const frame = { call, active: true };
      try {
        return await storage.run(frame, fn);
      } finally {
        frame.active = false;
      }
    },
  };
}
