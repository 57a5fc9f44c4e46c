import {
  type CompiledQuery,
  type DatabaseConnection,
  DefaultQueryExecutor,
  type Driver,
  Kysely,
  PostgresAdapter,
  PostgresDialect,
  PostgresQueryCompiler,
  type QueryResult,
} from 'kysely';
import type pg from 'pg';
import type { Tx } from '../../ports/db.ts';
import { checkParameters } from '../../ports/parameters.ts';

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

const compiler = new PostgresQueryCompiler();
const adapter = new PostgresAdapter();
const dialect = new PostgresDialect({ pool: refuse });

function toKysely(connection: DatabaseConnection): Kysely<never> {
  const executor = new DefaultQueryExecutor(compiler, adapter, {
    provideConnection: (consumer) => consumer(connection),
  });
  return new Kysely<never>({ config: { dialect }, dialect, driver: NO_DRIVER, executor });
}

/** Builds statements and executes nothing. */
export const postgresCompiler: Kysely<never> = toKysely({
  executeQuery: async () => {
    throw new Error('db.compiler executes nothing: compile() the statement and give it to db.batch');
  },
  streamQuery: () => {
    throw new Error('db.compiler executes nothing');
  },
});

/** A transaction's handle, dead once `end` was called. A statement that fails dooms it. */
export interface Session {
  readonly tx: Tx;
  /** Waits for statements under way, then throws what doomed the transaction, if anything did. */
  settle(): Promise<void>;
  end(): void;
}

export function createSession(client: pg.ClientBase): Session {
  const underWay = new Set<Promise<unknown>>();
  let ended = false;
  let failure: { readonly cause: unknown } | undefined;

  async function execute(query: CompiledQuery): Promise<QueryResult<never>> {
    if (ended) throw new Error('This transaction has ended; its tx cannot be used any more');
    if (failure) throw new Error('An earlier statement of this transaction failed', failure);
    const answer = runStatement(client, query);
    underWay.add(answer);
    try {
      return (await answer) as QueryResult<never>;
    } catch (cause) {
      failure ??= { cause };
      throw cause;
    } finally {
      underWay.delete(answer);
    }
  }

  const connection: DatabaseConnection = {
    executeQuery: (query) => execute(query),
    streamQuery: () => {
      throw new Error('Streaming is not built: read pages by key');
    },
  };
  return {
    tx: toKysely(connection) as unknown as Tx,
    async settle() {
      await Promise.allSettled(underWay);
      if (failure) throw failure.cause;
    },
    end() {
      ended = true;
    },
  };
}

/** Commands that answer a count of rows that they changed. */
const CHANGING = new Set(['INSERT', 'UPDATE', 'DELETE', 'MERGE']);

export async function runStatement(client: pg.ClientBase, query: CompiledQuery): Promise<QueryResult<unknown>> {
  const values = checkParameters(query.sql, query.parameters) as unknown[];
  const { command, rowCount, rows } = await client.query({ text: query.sql, values });
  return CHANGING.has(command) ? { rows, numAffectedRows: BigInt(rowCount ?? 0) } : { rows };
}
