import type { CompiledQuery, Kysely, QueryResult } from 'kysely';

declare const brand: unique symbol;

/** A running transaction. Opaque outside `*.store.ts`, where `sqlOf` opens it. Dies with the function it was given to. */
export interface Tx {
  readonly [brand]: 'tx';
}

/**
 * The relational store: one dialect-neutral schema on SQLite or PostgreSQL.
 *
 * - `read` sees one snapshot; at most 5 s.
 * - `write` is serializable. It may run `fn` again (up to five times) after a serialization failure, so `fn` holds database
 *   work only, awaits nothing else and has no effect outside. At most 250 ms on SQLite, then `unavailable`.
 * - `batch` is the fast lane: the statements of one call are applied all or none, and calls that wait together share one
 *   commit. Resolves after COMMIT. READ COMMITTED on PostgreSQL. Statements come compiled, from `compiler`.
 * - Nesting `read`, `write` or `batch` inside `fn` throws at once.
 * - Integers come back as numbers and throw beyond ±(2^53-1); booleans are 0/1 in `smallint`; JSON is canonical text.
 */
export interface Db {
  readonly dialect: 'sqlite' | 'postgres';
  /** Builds statements for `batch` in this database's dialect; executes nothing. */
  readonly compiler: Kysely<never>;
  read<T>(fn: (tx: Tx) => Promise<T>): Promise<T>;
  write<T>(fn: (tx: Tx) => Promise<T>): Promise<T>;
  batch(statements: readonly CompiledQuery[]): Promise<readonly QueryResult<unknown>[]>;
  /** SQLite only: writes a whole, durable copy of the database to a new file. */
  backup?(toPath: string): Promise<void>;
  /** PostgreSQL only: calls back on each NOTIFY of `channel`, and after a lost connection came back; resolves to what ends it. */
  listen?(channel: string, onNotify: () => void): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

/** The Kysely handle behind a transaction, typed by the pillar's own tables. For `*.store.ts` only. */
export const sqlOf = <Tables>(tx: Tx): Kysely<Tables> => tx as unknown as Kysely<Tables>;

/** A statement builder for `Db.batch`, typed by the pillar's own tables. For `*.store.ts` only. */
export const compilerOf = <Tables>(db: Db): Kysely<Tables> => db.compiler as unknown as Kysely<Tables>;
