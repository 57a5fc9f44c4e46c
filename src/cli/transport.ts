import type { IncomingMessage } from 'node:http';
import { byFetch, type Transport } from '../client/client.ts';

/** Not imported: an import of `node:http` loads `fetch` with it, and a command has half its time in that. */
const http = process.getBuiltinModule('node:http');

/** Plain requests over `node:http`. What it does not do itself goes to `fetch`: streams, and answers that point elsewhere. */
export const transport: Transport = async (url, request) => {
  const { body, signal } = request;
  if (body !== null && typeof body !== 'string' && !(body instanceof Uint8Array)) return byFetch(url, request);
  const response = await send(url, request, body);
  const status = response.statusCode ?? 0;
  if (status >= 300 && status < 400 && response.headers.location !== undefined) {
    response.destroy();
    return byFetch(url, request);
  }
  const text = await textOf(response);
  signal?.throwIfAborted();
  return {
    url,
    status,
    statusText: response.statusMessage ?? '',
    ok: status >= 200 && status < 300,
    text: async () => text,
  };
};

async function send(
  url: string,
  { method, headers, signal }: Parameters<Transport>[1],
  body: string | Uint8Array | null,
): Promise<IncomingMessage> {
  signal?.throwIfAborted();
  const { request } = url.startsWith('https:') ? await import('node:https') : http;
  const length = body === null ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers: { ...headers, ...length }, ...(signal ? { signal } : {}) }, resolve);
    sent.once('error', reject);
    sent.end(body ?? undefined);
  });
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
