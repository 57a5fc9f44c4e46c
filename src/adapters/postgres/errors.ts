import { AppError, isAppError, messageOf } from '../../kernel/errors.ts';

const SERIALIZATION_FAILURE = '40001';
const DEADLOCK = '40P01';
const STATEMENT_TIMEOUT = '57014';
/** Connection trouble, missing resources and shutdown (postgresql.org, appendix A), and the socket's own. */
const SERVER_TROUBLE =
  /^(08...|53...|57P0.|25P03|28...|3D000|ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH)$/;

export const codeOf = (error: unknown): string => String((error as { code?: unknown })?.code ?? '');

export const isRetryable = (error: unknown): boolean => [SERIALIZATION_FAILURE, DEADLOCK].includes(codeOf(error));

/** `unavailable` where the server or the network is at fault; anything else as it came. */
export function toError(error: unknown): unknown {
  if (isAppError(error)) return error;
  const code = codeOf(error);
  if (code === STATEMENT_TIMEOUT) {
    return new AppError(
      'unavailable',
      'A read took longer than 5 s and was stopped; ask for less at once',
      { code },
      error,
    );
  }
  if (SERVER_TROUBLE.test(code) || /^Connection terminated/.test(messageOf(error))) {
    return new AppError(
      'unavailable',
      `PostgreSQL cannot be reached (${messageOf(error)}); check its address and its log`,
      { code },
      error,
    );
  }
  return error;
}
