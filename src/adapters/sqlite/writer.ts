import type { CompiledQuery, QueryResult } from 'kysely';
import { AppError } from '../../kernel/errors.ts';
import type { Tx } from '../../ports/db.ts';
import { toError } from './errors.ts';
import type { Statement } from './messages.ts';
import type { Thread } from './thread.ts';
import { runTransaction, type TransactionLimit, toQueryResult, toStatement } from './transaction.ts';

export const WRITE_IDLE_LIMIT_MS = 250;
const MAX_QUEUED = 10_000;
const MAX_CALLS_A_COMMIT = 512;
const MAX_STATEMENTS_A_COMMIT = 4_096;

const WRITE_LIMIT: TransactionLimit = {
  counts: 'idle',
  limitMs: WRITE_IDLE_LIMIT_MS,
  message: `A write held the database for ${WRITE_IDLE_LIMIT_MS} ms without a statement and was rolled back; try again`,
};

type BatchResult = readonly QueryResult<unknown>[];

interface BatchJob {
  readonly kind: 'batch';
  readonly statements: readonly Statement[];
  readonly resolve: (results: BatchResult) => void;
  readonly reject: (error: unknown) => void;
}

interface WriteJob {
  readonly kind: 'write';
  readonly run: () => Promise<void>;
}

/** The one line in front of the one write connection. */
export interface Writer {
  write<T>(fn: (tx: Tx) => Promise<T>): Promise<{ readonly value: T; readonly tx: Tx }>;
  batch(statements: readonly CompiledQuery[]): Promise<BatchResult>;
  /** Resolves when all that was asked for is done. */
  drain(): Promise<void>;
}

export function createWriter(thread: Thread, path: string): Writer {
  const queue: (BatchJob | WriteJob)[] = [];
  let working: Promise<void> | undefined;

  function enqueue(job: BatchJob | WriteJob): void {
    if (queue.length >= MAX_QUEUED) {
      throw new AppError('unavailable', `${MAX_QUEUED} writes wait for the database; try again later`);
    }
    queue.push(job);
    working ??= work();
  }

  async function work(): Promise<void> {
    await null;
    while (queue.length > 0) {
      const head = queue[0]!;
      if (head.kind === 'write') {
        queue.shift();
        await head.run();
      } else await commitTogether(thread, path, takeBatches(queue));
    }
    working = undefined;
  }

  return {
    write: (fn) =>
      new Promise((resolve, reject) => {
        const run = () => runTransaction(thread, 'immediate', WRITE_LIMIT, fn).then(resolve, reject);
        enqueue({ kind: 'write', run });
      }),
    batch: (statements) =>
      new Promise((resolve, reject) => {
        enqueue({ kind: 'batch', statements: statements.map(toStatement), resolve, reject });
      }),
    drain: async () => {
      while (working) await working;
    },
  };
}

/** The batch calls at the head of the line, as many as one commit may hold. */
function takeBatches(queue: (BatchJob | WriteJob)[]): readonly BatchJob[] {
  const jobs: BatchJob[] = [];
  let statements = 0;
  for (const job of queue) {
    if (job.kind !== 'batch' || jobs.length >= MAX_CALLS_A_COMMIT) break;
    statements += job.statements.length;
    if (jobs.length > 0 && statements > MAX_STATEMENTS_A_COMMIT) break;
    jobs.push(job);
  }
  queue.splice(0, jobs.length);
  return jobs;
}

async function commitTogether(thread: Thread, path: string, jobs: readonly BatchJob[]): Promise<void> {
  try {
    const answers = await thread.batch({ kind: 'batch', calls: jobs.map(({ statements }) => statements) });
    for (const [i, answer] of answers.entries()) {
      if (answer.ok) jobs[i]!.resolve(answer.results.map(toQueryResult));
      else jobs[i]!.reject(toError(answer.error, path));
    }
  } catch (error) {
    for (const { reject } of jobs) reject(error);
  }
}
