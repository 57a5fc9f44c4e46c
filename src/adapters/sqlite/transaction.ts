import {
  type CompiledQuery,
  type DatabaseConnection,
  DefaultQueryExecutor,
  type Driver,
  Kysely,
  type QueryResult,
  SqliteAdapter,
  SqliteDialect,
  SqliteQueryCompiler,
} from 'kysely';
import { AppError } from '../../kernel/errors.ts';
import type { Tx } from '../../ports/db.ts';
import { checkParameters } from '../../ports/parameters.ts';
import type { Begin, RawResult, Statement } from './messages.ts';
import type { Thread } from './thread.ts';

export interface TransactionLimit {
  /** `idle`: time in which no statement is under way, so that a slow statement costs its caller nothing. */
  readonly counts: 'idle' | 'all';
  readonly limitMs: number;
  readonly message: string;
}

/**
 * Runs `fn` in a transaction on `thread`, which must be free. BEGIN travels with the first statement. A statement that fails
 * dooms the transaction, as on PostgreSQL.
 */
export async function runTransaction<T>(
  thread: Thread,
  begin: Begin,
  limit: TransactionLimit,
  fn: (tx: Tx) => Promise<T>,
): Promise<{ readonly value: T; readonly tx: Tx }> {
  const session = createSession(thread, begin);
  const tx = toTx(session);
  const watch = watchLimit(session, limit);
  try {
    const value = await Promise.race([fn(tx), watch.expired]);
    await session.end(true);
    return { value, tx };
  } catch (error) {
    await session.end(false);
    throw error;
  } finally {
    watch.stop();
  }
}

interface Session {
  execute(query: CompiledQuery): Promise<QueryResult<never>>;
  end(commit: boolean): Promise<void>;
  isBusy(): boolean;
}

function createSession(thread: Thread, begin: Begin): Session {
  const underWay = new Set<Promise<unknown>>();
  let begun = false;
  let ended = false;
  let failure: { readonly cause: unknown } | undefined;

  async function execute(query: CompiledQuery): Promise<QueryResult<never>> {
    if (ended) throw new Error('This transaction has ended; its tx cannot be used any more');
    if (failure) throw new Error('An earlier statement of this transaction failed', failure);
    const statement = toStatement(query);
    const answer = thread.run({ kind: 'run', begin: begun ? null : begin, statement });
    begun = true;
    underWay.add(answer);
    try {
      return toQueryResult(await answer);
    } catch (cause) {
      failure ??= { cause };
      throw cause;
    } finally {
      underWay.delete(answer);
    }
  }

  async function end(commit: boolean): Promise<void> {
    if (commit) await Promise.allSettled(underWay);
    if (ended) return;
    ended = true;
    const answer = begun ? thread.send({ kind: 'end', commit: commit && !failure }) : Promise.resolve();
    if (!commit) await answer.catch(() => {});
    else if (failure) throw failure.cause;
    else await answer;
  }

  return { execute, end, isBusy: () => underWay.size > 0 };
}

const SLICES = 10;

/** Counts in slices of the limit: a slice during which the event loop was blocked for long still counts once. */
function watchLimit(session: Session, limit: TransactionLimit): { expired: Promise<never>; stop(): void } {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => {});
  let slices = 0;
  const timer = setInterval(() => {
    if (limit.counts === 'idle' && session.isBusy()) return;
    slices += 1;
    if (slices >= SLICES) reject(new AppError('unavailable', limit.message));
  }, limit.limitMs / SLICES);
  timer.unref();
  return { expired: promise, stop: () => clearInterval(timer) };
}

export const toStatement = ({ sql, parameters }: CompiledQuery): Statement => [sql, checkParameters(sql, parameters)];

/** Rows become objects here, on the main thread. */
export function toQueryResult(raw: RawResult): QueryResult<never> {
  const { columns } = raw;
  const rows = columns === null ? [] : raw.rows.map((row) => toRow(columns, row));
  return {
    rows: rows as never[],
    numAffectedRows: BigInt(raw.changes),
    ...(columns === null ? { insertId: BigInt(raw.insertId) } : {}),
  };
}

function toRow(columns: readonly string[], values: readonly unknown[]): Record<string, unknown> {
  const row: Record<string, unknown> = {};
  for (let i = 0; i < columns.length; i++) row[columns[i]!] = values[i];
  return row;
}

const refuse = async (): Promise<never> => {
  throw new Error('Transactions are opened by db.read and db.write only');
};

const NO_DRIVER: Driver = {
  init: async () => {},
  acquireConnection: refuse,
  beginTransaction: refuse,
  commitTransaction: refuse,
  rollbackTransaction: refuse,
  releaseConnection: refuse,
  destroy: async () => {},
};

const compiler = new SqliteQueryCompiler();
const adapter = new SqliteAdapter();
const dialect = new SqliteDialect({ database: refuse });

function toKysely(connection: DatabaseConnection): Kysely<never> {
  const executor = new DefaultQueryExecutor(compiler, adapter, {
    provideConnection: (consumer) => consumer(connection),
  });
  return new Kysely<never>({ config: { dialect }, dialect, driver: NO_DRIVER, executor });
}

function toTx(session: Session): Tx {
  const connection: DatabaseConnection = {
    executeQuery: (query) => session.execute(query),
    streamQuery: () => {
      throw new Error('Streaming is not built: read pages by key');
    },
  };
  return toKysely(connection) as unknown as Tx;
}

/** Builds statements and executes nothing. */
export const sqliteCompiler: Kysely<never> = toKysely({
  executeQuery: async () => {
    throw new Error('db.compiler executes nothing: compile() the statement and give it to db.batch');
  },
  streamQuery: () => {
    throw new Error('db.compiler executes nothing');
  },
});
