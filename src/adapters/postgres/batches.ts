import type { CompiledQuery, QueryResult } from 'kysely';
import type pg from 'pg';
import { AppError } from '../../kernel/errors.ts';
import { checkParameters } from '../../ports/parameters.ts';
import { isRetryable } from './errors.ts';
import { runStatement } from './session.ts';

const MAX_QUEUED = 10_000;
const MAX_CALLS_A_COMMIT = 512;
const MAX_RETRIES = 5;

type BatchResult = readonly QueryResult<unknown>[];

interface Job {
  readonly statements: readonly CompiledQuery[];
  readonly resolve: (results: BatchResult) => void;
  readonly reject: (error: unknown) => void;
}

export interface Batches {
  batch(statements: readonly CompiledQuery[]): Promise<BatchResult>;
  drain(): Promise<void>;
}

/**
 * One lane a process, READ COMMITTED: the calls that came in while the last commit was under way share the next one, sent
 * without waiting for answers in between. Where one of them fails, each runs again in a transaction of its own.
 */
export function createBatches(withClient: <T>(use: (client: pg.ClientBase) => Promise<T>) => Promise<T>): Batches {
  const queue: Job[] = [];
  let working: Promise<void> | undefined;

  async function work(): Promise<void> {
    await null;
    while (queue.length > 0) await commitTogether(withClient, queue.splice(0, MAX_CALLS_A_COMMIT));
    working = undefined;
  }

  return {
    batch: (statements) =>
      new Promise((resolve, reject) => {
        if (queue.length >= MAX_QUEUED) {
          throw new AppError('unavailable', `${MAX_QUEUED} writes wait for the database; try again later`);
        }
        for (const { sql, parameters } of statements) checkParameters(sql, parameters);
        queue.push({ statements, resolve, reject });
        working ??= work();
      }),
    drain: async () => {
      while (working) await working;
    },
  };
}

async function commitTogether(
  withClient: <T>(use: (client: pg.ClientBase) => Promise<T>) => Promise<T>,
  jobs: readonly Job[],
): Promise<void> {
  try {
    const results = await withClient((client) =>
      runPipelined(
        client,
        jobs.flatMap(({ statements }) => statements),
      ),
    );
    let taken = 0;
    for (const { statements, resolve } of jobs) {
      resolve(results.slice(taken, taken + statements.length));
      taken += statements.length;
    }
  } catch (error) {
    if (jobs.length === 1) await retryAlone(withClient, jobs[0]!, error);
    else for (const job of jobs) await commitTogether(withClient, [job]);
  }
}

async function retryAlone(
  withClient: <T>(use: (client: pg.ClientBase) => Promise<T>) => Promise<T>,
  { statements, resolve, reject }: Job,
  first: unknown,
): Promise<void> {
  let error = first;
  for (let i = 0; i < MAX_RETRIES && isRetryable(error); i++) {
    try {
      resolve(await withClient((client) => runPipelined(client, statements)));
      return;
    } catch (next) {
      error = next;
    }
  }
  reject(error);
}

/** COMMIT of a transaction in which a statement failed rolls it back on the server. */
async function runPipelined(client: pg.ClientBase, statements: readonly CompiledQuery[]): Promise<BatchResult> {
  const begun = client.query('begin isolation level read committed');
  const answers = statements.map((statement) => runStatement(client, statement));
  const committed = client.query('commit');
  const settled = await Promise.allSettled([begun, ...answers, committed]);
  const failed = settled.find((one) => one.status === 'rejected');
  if (failed) throw failed.reason;
  return Promise.all(answers);
}
