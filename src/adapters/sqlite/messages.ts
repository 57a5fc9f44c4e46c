import type { SqlValue } from '../../ports/parameters.ts';

export type Statement = readonly [sql: string, parameters: readonly SqlValue[]];

/** Rows travel as arrays: the column names would otherwise be cloned once a row. */
export interface RawResult {
  readonly columns: readonly string[] | null;
  readonly rows: readonly (readonly unknown[])[];
  readonly changes: number;
  readonly insertId: number;
}

export type Begin = 'immediate' | 'deferred';

/** What the main thread asks of a database thread. Requests are answered in order. */
export type Request =
  | { readonly kind: 'run'; readonly begin: Begin | null; readonly statement: Statement }
  | { readonly kind: 'end'; readonly commit: boolean }
  | { readonly kind: 'batch'; readonly calls: readonly (readonly Statement[])[] }
  | { readonly kind: 'backup'; readonly path: string }
  | { readonly kind: 'close' };

export type CallResult =
  | { readonly ok: true; readonly results: readonly RawResult[] }
  | { readonly ok: false; readonly error: ThreadError };

export interface ThreadError {
  readonly message: string;
  /** SQLite's extended result code, where it came from SQLite. */
  readonly errcode: number | null;
  readonly sql: string | null;
}

export type Response =
  | { readonly id: number; readonly ok: true; readonly value: RawResult | readonly CallResult[] | null }
  | { readonly id: number; readonly ok: false; readonly error: ThreadError };

export interface ThreadOptions {
  readonly path: string;
  readonly role: 'writer' | 'reader';
}
