import { AppError, type ErrorCode } from '../kernel/errors.ts';
import type { Log } from '../ports/system.ts';

const STATUS: Readonly<Record<ErrorCode, number>> = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  precondition_failed: 412,
  too_large: 413,
  unavailable: 503,
};

/** The names that MLflow's clients know, for errors that never reach a handler of compat (login, body, limits). */
const MLFLOW_CODE: Readonly<Record<ErrorCode, string>> = {
  invalid: 'INVALID_PARAMETER_VALUE',
  unauthenticated: 'UNAUTHENTICATED',
  forbidden: 'PERMISSION_DENIED',
  not_found: 'RESOURCE_DOES_NOT_EXIST',
  conflict: 'RESOURCE_ALREADY_EXISTS',
  precondition_failed: 'INVALID_STATE',
  too_large: 'REQUEST_LIMIT_EXCEEDED',
  unavailable: 'TEMPORARILY_UNAVAILABLE',
};

export interface ErrorAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** What a client is told about anything thrown. A bug is 500 with the request's id; its stack goes to the log only. */
export function toErrorAnswer(error: unknown, requestId: string, ours: boolean, log: Log): ErrorAnswer {
  const known = error instanceof AppError ? error : fromTransport(error);
  if (known)
    return { status: STATUS[known.code], body: ours ? toBody(known, requestId) : toForeignBody(known, requestId) };
  const stack = error instanceof Error ? error.stack : String(error);
  log.error('A request failed', { requestId, stack });
  const message = `Levain failed here (request ${requestId}); the server's log has the details`;
  const body = { code: 'internal', message, requestId };
  return { status: 500, body: ours ? { error: body } : { error_code: 'INTERNAL_ERROR', message, requestId } };
}

function toBody(error: AppError, requestId: string): unknown {
  const hint = error.details?.['hint'];
  const details = error.details === undefined ? {} : { details: error.details };
  return {
    error: { code: error.code, message: error.message, ...(hint === undefined ? {} : { hint }), ...details, requestId },
  };
}

const toForeignBody = (error: AppError, requestId: string): unknown => ({
  error_code: MLFLOW_CODE[error.code],
  message: error.message,
  requestId,
});

/** Errors of the host and of sockets that are the client's doing. */
function fromTransport(error: unknown): AppError | undefined {
  const { statusCode, code, message } = error as { statusCode?: number; code?: string; message?: string };
  if (code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE' || code === 'ABORT_ERR') {
    return new AppError('invalid', 'The request ended before its end');
  }
  if (statusCode === undefined || statusCode < 400 || statusCode >= 500) return undefined;
  return new AppError(statusCode === 413 ? 'too_large' : 'invalid', message ?? 'The request cannot be read');
}
