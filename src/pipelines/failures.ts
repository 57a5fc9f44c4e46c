import { AppError, messageOf } from '../kernel/errors.ts';
import type { Failure } from './types.ts';

/** A failure with the parts that are not known left empty. */
export const failureOf = (kind: string, message: string, more: Partial<Failure> = {}): Failure => ({
  kind,
  message,
  exitCode: null,
  logTail: [],
  cell: null,
  hint: null,
  ...more,
});

/** What an exception of a phase means for the run: our refusals keep their words, bugs are named as such. */
export function failureOfError(kind: string, error: unknown): Failure {
  if (!(error instanceof AppError)) return failureOf('internal', messageOf(error));
  const { hint, tail } = error.details ?? {};
  return failureOf(kind, error.message, {
    hint: typeof hint === 'string' ? hint : null,
    logTail: Array.isArray(tail) ? tail.map(String) : [],
  });
}
