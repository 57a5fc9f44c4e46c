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

/** Reader threads, opened one by one as more reads come together than there are threads. */
export interface Readers {
  read<T>(fn: (tx: Tx) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export function createReaders(path: string, maxThreads: number): Readers {
  const threads: Thread[] = [];
  const free: Thread[] = [];
  const waiting: ((thread: Thread) => void)[] = [];

  async function acquire(): Promise<Thread> {
    const thread = free.pop();
    if (thread) return thread;
    if (threads.length < maxThreads) {
      const started = startThread({ path, role: 'reader' });
      threads.push(started);
      return started;
    }
    if (waiting.length >= MAX_WAITING) {
      throw new AppError('unavailable', `${MAX_WAITING} reads wait for the database; try again later`);
    }
    return new Promise((resolve) => waiting.push(resolve));
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
    await Promise.all(threads.map((thread) => thread.send({ kind: 'close' })));
    await Promise.all(threads.map((thread) => thread.terminate()));
  }

  return { read, close };
}
