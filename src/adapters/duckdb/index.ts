import { type ChildProcess, fork } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AppError } from '../../kernel/errors.ts';
import type { Cell, Frame } from '../../kernel/frame.ts';
import type { Analytics } from '../../ports/analytics.ts';
import type { EngineSettings, Request, Response } from './protocol.ts';

export interface AnalyticsOptions {
  /** A folder in the data directory for what does not fit into memory. */
  readonly tempDir: string;
  readonly memoryLimitBytes?: number;
  readonly threads?: number;
  /** The process leaves after this long without a query. */
  readonly idleMs?: number;
}

const MEMORY_LIMIT_BYTES = 512 * 2 ** 20;
const THREADS = 2;
const IDLE_MS = 30_000;
const TIMEOUT_MS = 120_000;
const MAX_ROWS = 100_000;
const MAX_PENDING = 1000;
/** A cancelled statement that has not stopped by then takes its process with it. */
const CANCEL_GRACE_MS = 10_000;

interface Pending {
  resolve(frame: Frame | null): void;
  reject(error: Error): void;
  readonly child: ChildProcess;
}

/** `Analytics` by a child process with DuckDB: started when first asked, gone when idle, started again after it died. */
export function createAnalytics(options: AnalyticsOptions): Analytics {
  const settings: EngineSettings = {
    tempDir: options.tempDir,
    memoryLimitBytes: options.memoryLimitBytes ?? MEMORY_LIMIT_BYTES,
    threads: options.threads ?? THREADS,
  };
  const idleMs = options.idleMs ?? IDLE_MS;
  const pending = new Map<number, Pending>();
  let child: ChildProcess | undefined;
  let idleTimer: NodeJS.Timeout | undefined;
  let nextId = 1;
  let isClosed = false;

  const settle = (id: number, act: (entry: Pending) => void): void => {
    const entry = pending.get(id);
    if (!entry) return;
    pending.delete(id);
    act(entry);
    if (pending.size > 0) return;
    child?.channel?.unref();
    idleTimer = setTimeout(leave, idleMs);
    idleTimer.unref();
  };

  const leave = (): void => {
    clearTimeout(idleTimer);
    const leaving = child;
    child = undefined;
    if (leaving?.connected) leaving.disconnect();
  };

  const onExit = (gone: ChildProcess, how: string): void => {
    if (child === gone) child = undefined;
    for (const [id, entry] of pending) {
      if (entry.child === gone)
        settle(id, ({ reject }) =>
          reject(new AppError('unavailable', `The analytics process ended (${how}) before it answered; try again`)),
        );
    }
  };

  const start = (): ChildProcess => {
    const started = spawnEngine(settings);
    started.on('message', (response: Response) =>
      settle(response.id, ({ resolve, reject }) =>
        response.ok ? resolve(response.frame) : reject(new AppError(response.code, response.message)),
      ),
    );
    started.once('error', (error) => onExit(started, error.message));
    started.once('exit', (code, signal) => onExit(started, signal ?? `exit code ${code}`));
    return started;
  };

  const execute = (
    sql: string,
    parameters: readonly Cell[],
    maxRows: number | null,
    limits: Limits,
  ): Promise<Frame | null> => {
    if (isClosed) return Promise.reject(new AppError('unavailable', 'Analytics is closed'));
    if (limits.signal?.aborted) return Promise.reject(cancelled());
    if (pending.size >= MAX_PENDING)
      return Promise.reject(new AppError('unavailable', `More than ${MAX_PENDING} analytics queries wait; try again`));
    clearTimeout(idleTimer);
    child ??= start();
    const [to, id] = [child, nextId++];
    to.channel?.ref();
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        if (to.connected) to.send({ kind: 'cancel', id } satisfies Request);
        setTimeout(() => pending.has(id) && to.kill('SIGKILL'), CANCEL_GRACE_MS).unref();
      };
      limits.signal?.addEventListener('abort', onAbort, { once: true });
      const release = (): void => limits.signal?.removeEventListener('abort', onAbort);
      pending.set(id, {
        child: to,
        resolve: (frame) => {
          release();
          resolve(frame);
        },
        reject: (error) => {
          release();
          reject(error);
        },
      });
      const request: Request = {
        kind: 'execute',
        id,
        sql,
        parameters,
        maxRows,
        timeoutMs: limits.timeoutMs ?? TIMEOUT_MS,
      };
      to.send(
        request,
        (error) =>
          error &&
          settle(id, (entry) =>
            entry.reject(new AppError('unavailable', 'The analytics process went away; try again', undefined, error)),
          ),
      );
    });
  };

  return {
    async query(sql, parameters = [], { maxRows = MAX_ROWS, ...limits } = {}) {
      return (await execute(sql, parameters, maxRows, limits))!;
    },
    async run(sql, parameters = [], limits = {}) {
      await execute(sql, parameters, null, limits);
    },
    async close() {
      isClosed = true;
      const leaving = child;
      leave();
      if (!leaving || leaving.exitCode !== null || leaving.signalCode !== null) return;
      leaving.ref();
      await new Promise((resolve) => leaving.once('exit', resolve));
    },
  };
}

interface Limits {
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
}

const cancelled = (): AppError => new AppError('unavailable', 'The query was cancelled');

function spawnEngine(settings: EngineSettings): ChildProcess {
  const main = fileURLToPath(new URL(`../../analytics/main${extname(import.meta.url)}`, import.meta.url));
  const child = fork(main, [JSON.stringify(settings)], {
    serialization: 'advanced',
    // Times without a zone are UTC, whatever the server's own zone.
    env: { ...pick(process.env, ['PATH', 'HOME', 'TMPDIR', 'NODE_COMPILE_CACHE', 'SystemRoot']), TZ: 'UTC' },
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  child.unref();
  return child;
}

const pick = (env: NodeJS.ProcessEnv, names: readonly string[]): NodeJS.ProcessEnv =>
  Object.fromEntries(names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
