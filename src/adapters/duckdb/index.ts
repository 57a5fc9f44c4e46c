import { type ChildProcess, fork } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AppError } from '../../kernel/errors.ts';
import type { Cell, Frame } from '../../kernel/frame.ts';
import type { Analytics, AnalyticsLimits } from '../../ports/analytics.ts';
import type { EngineSettings, Request, Response } from './protocol.ts';
import { fromWire } from './wire.ts';

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

/** `Analytics` by a child process with DuckDB: started when first asked, gone when idle, started again after it died. */
export function createAnalytics(options: AnalyticsOptions): Analytics {
  const host = new EngineHost(options);
  return {
    async query(sql, parameters = [], { maxRows = MAX_ROWS, ...limits } = {}) {
      return (await host.execute({ sql, parameters, maxRows }, limits))!;
    },
    async run(sql, parameters = [], limits = {}) {
      await host.execute({ sql, parameters, maxRows: null }, limits);
    },
    close: () => host.close(),
  };
}

interface Statement {
  readonly sql: string;
  readonly parameters: readonly Cell[];
  readonly maxRows: number | null;
}

interface Pending {
  resolve(frame: Frame | null): void;
  reject(error: Error): void;
  readonly child: ChildProcess;
}

/** Owns the child: at most one, and what it was asked and has not answered. */
class EngineHost {
  readonly #settings: EngineSettings;
  readonly #idleMs: number;
  readonly #pending = new Map<number, Pending>();
  #child: ChildProcess | undefined;
  #idleTimer: NodeJS.Timeout | undefined;
  #nextId = 1;
  #isClosed = false;

  constructor(options: AnalyticsOptions) {
    this.#settings = {
      tempDir: options.tempDir,
      memoryLimitBytes: options.memoryLimitBytes ?? MEMORY_LIMIT_BYTES,
      threads: options.threads ?? THREADS,
    };
    this.#idleMs = options.idleMs ?? IDLE_MS;
  }

  async execute(statement: Statement, { signal, timeoutMs = TIMEOUT_MS }: AnalyticsLimits): Promise<Frame | null> {
    if (this.#isClosed) throw new AppError('unavailable', 'Analytics is closed');
    if (signal?.aborted) throw new AppError('unavailable', 'The query was cancelled');
    if (this.#pending.size >= MAX_PENDING)
      throw new AppError('unavailable', `More than ${MAX_PENDING} analytics queries wait; try again`);
    clearTimeout(this.#idleTimer);
    this.#child ??= this.#start();
    const [child, id] = [this.#child, this.#nextId++];
    const onAbort = (): void => this.#cancel(child, id);
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      return await new Promise((resolve, reject) => {
        this.#pending.set(id, { child, resolve, reject });
        child.channel?.ref();
        this.#send(child, { kind: 'execute', id, ...statement, timeoutMs });
      });
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const leaving = this.#child;
    this.#leave();
    if (!leaving || leaving.exitCode !== null || leaving.signalCode !== null) return;
    leaving.ref();
    await new Promise((resolve) => leaving.once('exit', resolve));
  }

  #send(child: ChildProcess, request: Request): void {
    child.send(request, (error) => {
      if (error) this.#settle(request.id, ({ reject }) => reject(ended('its channel closed')));
    });
  }

  #cancel(child: ChildProcess, id: number): void {
    if (child.connected) this.#send(child, { kind: 'cancel', id });
    setTimeout(() => this.#pending.has(id) && child.kill('SIGKILL'), CANCEL_GRACE_MS).unref();
  }

  #start(): ChildProcess {
    const child = spawnEngine(this.#settings);
    child.on('message', (response: Response) =>
      this.#settle(response.id, ({ resolve, reject }) =>
        response.ok
          ? resolve(response.frame && fromWire(response.frame))
          : reject(new AppError(response.code, response.message)),
      ),
    );
    child.once('error', (error) => this.#onEnd(child, error.message));
    child.once('exit', (code, signal) => this.#onEnd(child, signal ?? `exit code ${code}`));
    return child;
  }

  #onEnd(child: ChildProcess, how: string): void {
    if (this.#child === child) this.#child = undefined;
    for (const [id, entry] of this.#pending)
      if (entry.child === child) this.#settle(id, ({ reject }) => reject(ended(how)));
  }

  #settle(id: number, act: (entry: Pending) => void): void {
    const entry = this.#pending.get(id);
    if (!entry) return;
    this.#pending.delete(id);
    act(entry);
    if (this.#pending.size > 0) return;
    this.#child?.channel?.unref();
    this.#idleTimer = setTimeout(() => this.#leave(), this.#idleMs);
    this.#idleTimer.unref();
  }

  #leave(): void {
    clearTimeout(this.#idleTimer);
    const leaving = this.#child;
    this.#child = undefined;
    if (leaving?.connected) leaving.disconnect();
  }
}

const ended = (how: string): AppError =>
  new AppError('unavailable', `The analytics process ended (${how}) before it answered; try again`);

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
