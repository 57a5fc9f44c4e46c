import { Worker } from 'node:worker_threads';
import { AppError } from '../../kernel/errors.ts';
import { toError } from './errors.ts';
import type { CallResult, RawResult, Request, Response, ThreadOptions } from './messages.ts';

/** A database thread as seen from the main thread. Keeps the process alive only while a request is under way. */
export interface Thread {
  run(request: Extract<Request, { kind: 'run' }>): Promise<RawResult>;
  batch(request: Extract<Request, { kind: 'batch' }>): Promise<readonly CallResult[]>;
  send(request: Exclude<Request, { kind: 'run' | 'batch' }>): Promise<void>;
  terminate(): Promise<void>;
}

interface Waiter {
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

const EXTENSION = import.meta.url.endsWith('.ts') ? 'ts' : 'js';

export function startThread(options: ThreadOptions): Thread {
  const worker = new Worker(new URL(`./thread-main.${EXTENSION}`, import.meta.url), {
    workerData: options,
    name: `sqlite-${options.role}`,
    execArgv: ['--disable-warning=ExperimentalWarning'],
    // Without the cache each thread would load the compiler that strips types: 15 MiB and 35 ms.
    env: pick(process.env, ['NODE_COMPILE_CACHE', 'NODE_DISABLE_COMPILE_CACHE']),
  });
  worker.unref();
  const waiting = new Map<number, Waiter>();
  let lastId = 0;
  let dead: Error | undefined;

  function request<T>(body: Request): Promise<T> {
    if (dead) return Promise.reject(dead);
    return new Promise<T>((resolve, reject) => {
      const id = ++lastId;
      if (waiting.size === 0) worker.ref();
      waiting.set(id, { resolve, reject });
      worker.postMessage({ id, request: body });
    });
  }

  worker.on('message', (response: Response) => {
    const waiter = waiting.get(response.id);
    waiting.delete(response.id);
    if (waiting.size === 0) worker.unref();
    if (response.ok) waiter?.resolve(response.value as never);
    else waiter?.reject(toError(response.error, options.path));
  });

  function die(reason: string): void {
    dead ??= new AppError('unavailable', `The database thread has ended (${reason}); restart Levain`);
    for (const { reject } of waiting.values()) reject(dead);
    waiting.clear();
  }
  worker.on('error', (error) => die(error instanceof Error ? error.message : String(error)));
  worker.on('exit', (code) => die(`exit ${code}`));

  return {
    run: (body) => request<RawResult>(body),
    batch: (body) => request<readonly CallResult[]>(body),
    send: async (body) => void (await request<null>(body)),
    terminate: async () => void (await worker.terminate()),
  };
}

const pick = (env: NodeJS.ProcessEnv, names: readonly string[]): NodeJS.ProcessEnv =>
  Object.fromEntries(names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
