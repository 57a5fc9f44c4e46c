import { openSync, writeSync } from 'node:fs';
import { type Logger, pino } from 'pino';
import type { Log } from '../../ports/system.ts';

export interface LogOptions {
  /** Which process speaks: `server`, `gateway`. */
  readonly name: string;
  /** Appended to, mode 0600. Default: stderr. */
  readonly file?: string | undefined;
  readonly level?: 'debug' | 'info' | 'warn' | 'error' | undefined;
}

/**
 * JSON lines with `level` as a word and `time` in ISO 8601, written at once. A log that cannot be written (a full disk, a terminal that
 * has gone) loses lines and stops nobody. Throws what opening the file throws.
 */
export function createLog({ name, file, level = 'info' }: LogOptions): Log {
  const descriptor = file === undefined ? STDERR : openSync(file, 'a', 0o600);
  const logger = pino(
    {
      name,
      level,
      base: { name, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line: string) => writeLine(descriptor, line) },
  );
  return toLog(logger);
}

const toLog = (logger: Logger): Log => ({
  debug: (message, fields) => logger.debug(fields ?? {}, message),
  info: (message, fields) => logger.info(fields ?? {}, message),
  warn: (message, fields) => logger.warn(fields ?? {}, message),
  error: (message, fields) => logger.error(fields ?? {}, message),
  child: (fields) => toLog(logger.child(fields)),
});

const STDERR = 2;
const BUSY_PAUSE_MS = 10;
const BUSY_TRIES = 50;

/** pino's own destination tries for ever, also while the process ends; this one waits for a reader that is slow, for half a second. */
function writeLine(descriptor: number, line: string): void {
  const bytes = Buffer.from(line);
  let written = 0;
  for (let tries = 0; written < bytes.length && tries < BUSY_TRIES; ) {
    try {
      written += writeSync(descriptor, bytes, written);
    } catch (error) {
      if ((error as { code?: string }).code !== 'EAGAIN') return;
      tries += 1;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BUSY_PAUSE_MS);
    }
  }
}
