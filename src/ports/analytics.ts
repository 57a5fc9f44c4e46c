import type { Cell, Frame } from '../kernel/frame.ts';

/**
 * SQL (DuckDB's) over local Parquet, CSV and JSON files, in a child process that leaves when idle and has a memory limit.
 *
 * - Parameters are bound (`$1`), never pasted; paths go through `fileList`.
 * - `query` answers at most `maxRows` (default 100,000) rows and throws `too_large` beyond.
 * - Times come back as epoch milliseconds, dates as ISO text, 64-bit integers as numbers (throws beyond 2^53-1).
 * - A query that fails throws `invalid` with the engine's first line.
 */
export interface Analytics {
  query(
    sql: string,
    parameters?: readonly Cell[],
    options?: AnalyticsLimits & { readonly maxRows?: number },
  ): Promise<Frame>;
  /** Runs statements without rows, such as COPY … TO. */
  run(sql: string, parameters?: readonly Cell[], options?: AnalyticsLimits): Promise<void>;
  close(): Promise<void>;
}

/** An abort cancels the statement; after `timeoutMs` (default 120,000) it is cancelled too. Both throw `unavailable`. */
export interface AnalyticsLimits {
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
}

/** A quoted SQL list of files for `read_parquet(…)`. @example fileList(["a'b.parquet"]) === "['a''b.parquet']" */
export const fileList = (paths: readonly string[]): string =>
  `[${paths.map((path) => `'${path.replaceAll("'", "''")}'`).join(', ')}]`;

/** A quoted SQL identifier. */
export const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;
