/** The closed list of error codes. Each edge (HTTP, CLI, MLflow) maps them once. */
export type ErrorCode =
  | 'invalid'
  | 'unauthenticated'
  | 'forbidden'
  | 'not_found'
  | 'conflict'
  | 'precondition_failed'
  | 'too_large'
  | 'unavailable';

/**
 * The only error that the domain throws on purpose. The message says what is wrong, what was got and how to fix it;
 * `details` is plain JSON for machines. Anything else that is thrown is a bug.
 */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(code: ErrorCode, message: string, details?: Readonly<Record<string, unknown>>, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'AppError';
    this.code = code;
    this.details = details;
  }
}

export const isAppError = (error: unknown, code?: ErrorCode): error is AppError =>
  error instanceof AppError && (code === undefined || error.code === code);

/** The message of anything thrown, for logs and user-facing wrapping. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
