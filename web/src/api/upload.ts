import { ApiError } from '../errors.ts';
import { addressOf, toError } from './client.ts';
import type { CallName, ParamsOf, QueryOf } from './routes.ts';

interface Upload<C extends CallName> {
  readonly params: ParamsOf<C>;
  readonly query: QueryOf<C>;
  readonly body: Blob;
  /** Bytes sent so far. */
  readonly onProgress?: (sent: number) => void;
  readonly signal?: AbortSignal;
}

/** Sends a file as it is to a route that takes a stream. By XMLHttpRequest: `fetch` does not tell how far it is. */
export function upload<C extends Extract<CallName, `PUT ${string}`>>(name: C, options: Upload<C>): Promise<void> {
  const { params, query, body, onProgress, signal } = options;
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('PUT', addressOf(name.slice('PUT '.length), params as object, query as object));
    request.setRequestHeader('content-type', 'application/octet-stream');
    request.upload.onprogress = ({ loaded }) => onProgress?.(loaded);
    request.onload = () => (request.status < 300 ? resolve() : reject(toError(request.status, request.responseText)));
    request.onerror = () => reject(new ApiError('unreachable', 0, 'The server does not answer'));
    request.onabort = () => reject(new DOMException('Stopped', 'AbortError'));
    signal?.addEventListener('abort', () => request.abort());
    request.send(body);
  });
}
