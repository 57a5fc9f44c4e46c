import { AppError } from '../../kernel/errors.ts';
import type { Tx } from '../../ports/db.ts';
import { startThread, type Thread } from './thread.ts';
import { runTransaction, type TransactionLimit } from './transaction.ts';

export const READ_LIMIT_MS = 5_000;
const MAX_WAITING = 10_000;

/** A snapshot that lives on keeps the write-ahead log from being reset, so that it would grow without end. */
const READ_LIMIT: TransactionLimit = {
  counts: 'all',
  limitMs: READ_LIMIT_MS,
  message: `A read took longer than ${READ_LIMIT_MS / 1000} s and was stopped; ask for less at once`,
};

/** A read that waits so long opens another thread: a start-up's burst of short reads is no reason for 12 MiB more. */
const PATIENCE_MS = 20;

/** Reader threads: the first when something is read, another when reads wait for those there are. */
export interface Readers {
  read<T>(fn: (tx: Tx) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export function createReaders(path: string, maxThreads: number): Readers {
  const threads: Thread[] = [];
  const free: Thread[] = [];
  const waiting: ((thread: Thread) => void)[] = [];
  let growing: NodeJS.Timeout | undefined;
  let isClosed = false;

  function start(): Thread {
    const started = startThread({ path, role: 'reader' });
    threads.push(started);
    return started;
  }

  async function acquire(): Promise<Thread> {
    const thread = free.pop() ?? (threads.length === 0 ? start() : undefined);
    if (thread) return thread;
    if (waiting.length >= MAX_WAITING) {
      throw new AppError('unavailable', `${MAX_WAITING} reads wait for the database; try again later`);
    }
    if (threads.length < maxThreads) growing ??= setTimeout(grow, PATIENCE_MS);
    return new Promise((resolve) => waiting.push(resolve));
  }

  function grow(): void {
    growing = undefined;
    const next = threads.length < maxThreads && !isClosed ? waiting.shift() : undefined;
    if (next) next(start());
  }

  function release(thread: Thread): void {
    const next = waiting.shift();
    if (next) next(thread);
    else free.push(thread);
  }

  async function read<T>(fn: (tx: Tx) => Promise<T>): Promise<T> {
    const thread = await acquire();
    try {
      return (await runTransaction(thread, 'deferred', READ_LIMIT, fn)).value;
    } finally {
      release(thread);
    }
  }

  async function close(): Promise<void> {
    isClosed = true;
    clearTimeout(growing);
    await Promise.all(threads.map((thread) => thread.send({ kind: 'close' })));
    await Promise.all(threads.map((thread) => thread.terminate()));
  }

  return { read, close };
}
