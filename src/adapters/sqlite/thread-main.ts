/** The root of a database thread: owns one connection, answers requests in order. */
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import type { CallResult, RawResult, Request, Response, Statement, ThreadError, ThreadOptions } from './messages.ts';

const STATEMENT_CACHE_SIZE = 400;
const BUSY_TIMEOUT_MS = 5_000;
const CACHE_KIB = 8 * 1024;

interface Prepared {
  readonly statement: StatementSync;
  columns: readonly string[];
}

const options = workerData as ThreadOptions;
const port = parentPort!;
let db: DatabaseSync | undefined;
const cache = new Map<string, Prepared>();
let sqlInHand: string | null = null;

port.on('message', ({ id, request }: { id: number; request: Request }) => {
  sqlInHand = null;
  try {
    port.postMessage({ id, ok: true, value: answer(request) } satisfies Response);
  } catch (error) {
    port.postMessage({ id, ok: false, error: toThreadError(error) } satisfies Response);
  }
});

function answer(request: Request): RawResult | readonly CallResult[] | null {
  switch (request.kind) {
    case 'run':
      if (request.begin) database().exec(`begin ${request.begin}`);
      return run(request.statement);
    case 'end':
      return end(request.commit);
    case 'batch':
      return runBatch(request.calls);
    case 'backup':
      database().exec('pragma query_only = off');
      database().prepare('vacuum into ?').run(request.path);
      return null;
    case 'close':
      return close();
  }
}

function database(): DatabaseSync {
  db ??= open();
  return db;
}

function open(): DatabaseSync {
  const opened = new DatabaseSync(options.path, { enableForeignKeyConstraints: true, timeout: BUSY_TIMEOUT_MS });
  if (options.role === 'writer') opened.exec('pragma journal_mode = wal; pragma synchronous = full');
  else opened.exec('pragma query_only = on');
  opened.exec(`pragma cache_size = -${CACHE_KIB}; pragma temp_store = memory; pragma journal_size_limit = 67108864;
    pragma case_sensitive_like = on`);
  return opened;
}

function run([sql, parameters]: Statement): RawResult {
  sqlInHand = sql;
  const prepared = prepare(sql);
  const bound = parameters.map(toBound);
  if (prepared.columns.length === 0) {
    const { changes, lastInsertRowid } = prepared.statement.run(...bound);
    return { columns: null, rows: [], changes: Number(changes), insertId: Number(lastInsertRowid) };
  }
  const rows = prepared.statement.all(...bound) as unknown as unknown[][];
  if (rows[0] && rows[0].length !== prepared.columns.length) prepared.columns = columnsOf(prepared.statement);
  return { columns: prepared.columns, rows, changes: rows.length, insertId: 0 };
}

/** Whole numbers are bound as SQLite integers: node:sqlite would bind 5 as 5.0, which divides and casts to text differently. */
const toBound = (value: Statement[1][number]): null | number | bigint | string | Uint8Array =>
  typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : value;

function prepare(sql: string): Prepared {
  const known = cache.get(sql);
  if (known) {
    cache.delete(sql);
    cache.set(sql, known);
    return known;
  }
  const statement = database().prepare(sql);
  statement.setReturnArrays(true);
  const prepared = { statement, columns: columnsOf(statement) };
  cache.set(sql, prepared);
  if (cache.size > STATEMENT_CACHE_SIZE) cache.delete(cache.keys().next().value!);
  return prepared;
}

const columnsOf = (statement: StatementSync): readonly string[] => statement.columns().map(({ name }) => name);

function end(commit: boolean): null {
  if (!database().isTransaction) {
    if (commit) throw new Error('The transaction had already been rolled back by SQLite');
    return null;
  }
  if (!commit) database().exec('rollback');
  else commitOrRollBack();
  return null;
}

function commitOrRollBack(): void {
  try {
    database().exec('commit');
  } catch (error) {
    if (database().isTransaction) database().exec('rollback');
    throw error;
  }
}

/** One transaction for all calls, one savepoint a call, so that a failing call fails alone. */
function runBatch(calls: readonly (readonly Statement[])[]): readonly CallResult[] {
  database().exec('begin immediate');
  try {
    const answers = calls.map(runCall);
    commitOrRollBack();
    return answers;
  } catch (error) {
    if (database().isTransaction) database().exec('rollback');
    throw error;
  }
}

function runCall(statements: readonly Statement[]): CallResult {
  database().exec('savepoint call');
  try {
    const results = statements.map(run);
    database().exec('release call');
    return { ok: true, results };
  } catch (error) {
    if (!database().isTransaction) throw error;
    database().exec('rollback to call; release call');
    return { ok: false, error: toThreadError(error) };
  }
}

function close(): null {
  cache.clear();
  if (db && options.role === 'writer') db.exec('pragma optimize; pragma wal_checkpoint(truncate)');
  db?.close();
  db = undefined;
  return null;
}

function toThreadError(error: unknown): ThreadError {
  const { message, errcode } = error as { message?: string; errcode?: number };
  return { message: message ?? String(error), errcode: errcode ?? null, sql: sqlInHand };
}
