import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { AppError } from '../../kernel/errors.ts';
import { runAfterCommit } from '../../ports/after-commit.ts';
import type { Db, Tx } from '../../ports/db.ts';
import { createNestingGuard } from '../../ports/nesting.ts';
import { createBatches } from './batches.ts';
import { isRetryable, toError } from './errors.ts';
import { listen } from './listener.ts';
import { createSession, postgresCompiler } from './session.ts';
import { TYPE_PARSERS } from './types.ts';

export interface PostgresOptions {
  readonly url: string;
  /** Connections at most. Default 10. */
  readonly poolSize?: number;
}

const MAX_RETRIES = 5;
const READ_STATEMENT_LIMIT_MS = 5_000;
const IDLE_IN_TRANSACTION_LIMIT_MS = 10_000;
const CONNECT_LIMIT_MS = 10_000;

const BEGIN_READ = `begin isolation level repeatable read read only; set local statement_timeout = ${READ_STATEMENT_LIMIT_MS}`;
const BEGIN_WRITE = 'begin isolation level serializable';

/** The scaled-out database. Throws `unavailable` where the server cannot be reached. */
export async function openPostgres({ url, poolSize = 10 }: PostgresOptions): Promise<Db> {
  const pool = createPool(url, poolSize);
  const guard = createNestingGuard();
  const batches = createBatches((use) => withClient(pool, use));
  const listeners = new Set<() => Promise<void>>();
  let closed: Promise<void> | undefined;

  function enter(call: string): void {
    guard.assertOutside(call);
    if (closed) throw new AppError('unavailable', 'The database is closed');
  }

  async function closeAll(): Promise<void> {
    await batches.drain();
    await Promise.all([...listeners].map((stop) => stop()));
    await pool.end();
  }

  try {
    await pool.query('select 1');
  } catch (error) {
    await pool.end();
    throw toError(error);
  }

  return {
    dialect: 'postgres',
    compiler: postgresCompiler,
    async read(fn) {
      enter('read');
      return (await transact(pool, BEGIN_READ, (tx) => guard.run('read', () => fn(tx)))).value;
    },
    async write(fn) {
      enter('write');
      const { value, tx } = await retrying(() => transact(pool, BEGIN_WRITE, (tx) => guard.run('write', () => fn(tx))));
      runAfterCommit(tx);
      return value;
    },
    async batch(statements) {
      enter('batch');
      return statements.length === 0 ? [] : batches.batch(statements).catch(rethrow);
    },
    async listen(channel, onNotify) {
      enter('listen');
      const stop = await listen(url, channel, onNotify);
      listeners.add(stop);
      return async () => {
        listeners.delete(stop);
        await stop();
      };
    },
    close() {
      closed ??= closeAll();
      return closed;
    },
  };
}

function createPool(url: string, max: number): pg.Pool {
  const config: pg.PoolConfig & { readonly pipeline: boolean } = {
    connectionString: url,
    max,
    pipeline: true,
    types: TYPE_PARSERS as unknown as NonNullable<pg.PoolConfig['types']>,
    allowExitOnIdle: true,
    connectionTimeoutMillis: CONNECT_LIMIT_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_LIMIT_MS,
    application_name: 'levain',
  };
  const pool = new pg.Pool(config);
  pool.on('error', () => {});
  return pool;
}

/** A connection that broke, or whose transaction could not be ended, is thrown away. */
async function withClient<T>(pool: pg.Pool, use: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  const { promise: broken, reject } = Promise.withResolvers<never>();
  broken.catch(() => {});
  let isBroken = false;
  const onError = (error: Error): void => {
    isBroken = true;
    reject(error);
  };
  client.on('error', onError);
  try {
    return await Promise.race([use(client), broken]);
  } finally {
    client.off('error', onError);
    client.release(isBroken);
  }
}

function transact<T>(pool: pg.Pool, begin: string, fn: (tx: Tx) => Promise<T>): Promise<{ value: T; tx: Tx }> {
  return withClient(pool, async (client) => {
    const begun = client.query(begin);
    const session = createSession(client);
    try {
      const [value] = await Promise.all([fn(session.tx), begun]);
      await session.settle();
      session.end();
      await client.query('commit');
      return { value, tx: session.tx };
    } catch (error) {
      session.end();
      await client.query('rollback').catch(() => {});
      throw error;
    }
  }).catch(rethrow);
}

/** Runs again what lost against another serializable transaction, with a growing random pause. */
async function retrying<T>(attempt: () => Promise<T>): Promise<T> {
  for (let retry = 1; ; retry++) {
    try {
      return await attempt();
    } catch (error) {
      if (!isRetryable(error)) throw error;
      if (retry > MAX_RETRIES) {
        throw new AppError('unavailable', `A write lost against others ${retry} times; try again`, undefined, error);
      }
      await sleep(Math.random() * 10 * 2 ** retry);
    }
  }
}

function rethrow(error: unknown): never {
  throw toError(error);
}
