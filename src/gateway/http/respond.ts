import type { ServerResponse } from 'node:http';
import type { ErrorCode } from '../../kernel/errors.ts';
import { MAX_HEADER_IDS, PREDICTION_IDS_HEADER } from '../../serving/wire.ts';

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

export const statusOf = (code: ErrorCode): number => STATUS[code];

export const RETRY_AFTER_SECONDS = '1';

/** `isAscii`: the caller knows that the text has no other characters, so that it is not read for its size. */
export function sendJson(
  response: ServerResponse,
  status: number,
  text: string,
  ids: readonly string[] | null = null,
  isAscii = false,
): void {
  const sizeBytes = isAscii ? text.length : Buffer.byteLength(text);
  const headers = ['Content-Type', 'application/json', 'Content-Length', String(sizeBytes)];
  if (ids && ids.length > 0 && ids.length <= MAX_HEADER_IDS)
    headers.push(PREDICTION_IDS_HEADER, ids.length === 1 ? ids[0]! : ids.join(','));
  if (status === 429 || status === 503) headers.push('Retry-After', RETRY_AFTER_SECONDS);
  response.writeHead(status, headers);
  response.end(text, sizeBytes === text.length ? 'latin1' : 'utf8');
}

export function sendText(
  response: ServerResponse,
  status: number,
  text: string,
  type = 'text/plain; charset=utf-8',
): void {
  const headers = ['Content-Type', type, 'Content-Length', String(Buffer.byteLength(text))];
  if (status === 429 || status === 503) headers.push('Retry-After', RETRY_AFTER_SECONDS);
  response.writeHead(status, headers);
  response.end(text);
}
