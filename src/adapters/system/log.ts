import { destination, type Logger, pino } from 'pino';
import type { Log } from '../../ports/system.ts';

export interface LogOptions {
  /** Which process speaks: `server`, `gateway`. */
  readonly name: string;
  /** Appended to, mode 0600. Default: stderr. */
  readonly file?: string | undefined;
  readonly level?: 'debug' | 'info' | 'warn' | 'error' | undefined;
}

/** JSON lines with `level` as a word and `time` in ISO 8601. stderr is written at once, a file as fast as it can be. */
export function createLog({ name, file, level = 'info' }: LogOptions): Log {
  const target = file ? destination({ dest: file, sync: false, mode: 0o600 }) : destination({ dest: 2, sync: true });
  const logger = pino(
    {
      name,
      level,
      base: { name, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    target,
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
