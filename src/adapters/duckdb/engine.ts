import {
  BIGINT,
  BOOLEAN,
  DOUBLE,
  type DuckDBConnection,
  DuckDBInstance,
  type DuckDBType,
  type DuckDBValue,
  VARCHAR,
} from '@duckdb/node-api';
import { AppError, isAppError, messageOf } from '../../kernel/errors.ts';
import type { Cell, Frame } from '../../kernel/frame.ts';
import { toFrame } from './frames.ts';
import type { EngineSettings } from './protocol.ts';

export interface Execution {
  readonly done: Promise<Frame | null>;
  /** Stops it soon; `done` then rejects with `reason`. */
  interrupt(reason: AppError): void;
}

/** DuckDB in this process: in memory, no network, no extensions beyond those built in. */
export interface Engine {
  execute(sql: string, parameters: readonly Cell[], maxRows: number | null): Execution;
}

const INTERRUPT_EVERY_MS = 20;

export async function openEngine(settings: EngineSettings): Promise<Engine> {
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: `${Math.floor(settings.memoryLimitBytes / 2 ** 20)}MiB`,
    threads: String(settings.threads),
    temp_directory: settings.tempDir,
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    preserve_insertion_order: 'true',
    lock_configuration: 'true',
  });
  return { execute: (sql, parameters, maxRows) => start(instance, sql, parameters, maxRows) };
}

function start(instance: DuckDBInstance, sql: string, parameters: readonly Cell[], maxRows: number | null): Execution {
  let connection: DuckDBConnection | undefined;
  let stopped: AppError | undefined;
  let isDone = false;
  let again: NodeJS.Timeout | undefined;
  const run = async (): Promise<Frame | null> => {
    try {
      connection = await instance.connect();
      if (stopped) throw stopped;
      const { values, types } = bound(parameters);
      const result = await connection.stream(sql, values, types);
      if (maxRows !== null) return await toFrame(result, maxRows);
      while ((await result.fetchChunk())?.rowCount) {}
      return null;
    } catch (error) {
      throw stopped ?? toAppError(error);
    } finally {
      isDone = true;
      clearInterval(again);
      connection?.closeSync();
      connection = undefined;
    }
  };
  return {
    done: run(),
    interrupt(reason) {
      if (isDone) return;
      stopped ??= reason;
      connection?.interrupt();
      // An interrupt that comes before the statement began is lost.
      again ??= setInterval(() => connection?.interrupt(), INTERRUPT_EVERY_MS);
    },
  };
}

/** Whole numbers are bound as BIGINT, so that `limit $1` and comparisons with integers need no cast. */
function bound(parameters: readonly Cell[]): { values: DuckDBValue[]; types: DuckDBType[] } {
  const values = parameters.map((cell) =>
    typeof cell === 'number' && Number.isSafeInteger(cell) ? BigInt(cell) : cell,
  );
  const types = values.map((value) =>
    typeof value === 'bigint'
      ? BIGINT
      : typeof value === 'number'
        ? DOUBLE
        : typeof value === 'boolean'
          ? BOOLEAN
          : VARCHAR,
  );
  return { values, types };
}

function toAppError(error: unknown): AppError {
  if (isAppError(error)) return error;
  const line = messageOf(error).split('\n')[0]!.slice(0, 500);
  return new AppError(/^Out of Memory/i.test(line) ? 'too_large' : 'invalid', line, undefined, error);
}
