import type { Agent, IncomingMessage, RequestOptions } from 'node:http';
import { AppError, messageOf } from '../../kernel/errors.ts';

/** Not imported: an import of `node:http` loads WebSocket and fetch with it, 45 ms and 4 MiB. */
const { Agent: HttpAgent, request: httpRequest } = process.getBuiltinModule('node:http');

export interface DialOptions {
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** Calls the control plane. Throws `unavailable` where it cannot be reached. */
export interface Dialer {
  open(path: string, options: DialOptions): Promise<IncomingMessage>;
  call(
    path: string,
    options: DialOptions & { readonly maxBytes: number },
  ): Promise<{ readonly status: number; readonly body: Buffer }>;
  close(): void;
}

export interface DialerDeps {
  /** Asked before each call: a control plane may come back on another port. */
  readonly serverUrl: () => Promise<string>;
  readonly token: () => Promise<string | undefined>;
}

export function createDialer({ serverUrl, token }: DialerDeps): Dialer {
  const agent = new HttpAgent({ keepAlive: true, maxSockets: 8 });
  let secureAgent: Agent | undefined;

  const open = async (path: string, options: DialOptions): Promise<IncomingMessage> => {
    const base = await serverUrl();
    const url = new URL(base.replace(/\/$/, '') + path);
    const isSecure = url.protocol === 'https:';
    const https = isSecure ? await import('node:https') : undefined;
    if (https) secureAgent ??= new https.Agent({ keepAlive: true, maxSockets: 8 });
    const secret = await token();
    const headers: Record<string, string> = { ...options.headers };
    if (secret !== undefined) headers['authorization'] = `Bearer ${secret}`;
    if (options.body) headers['content-length'] = String(options.body.length);
    const settings: RequestOptions = {
      method: options.method ?? 'GET',
      headers,
      agent: isSecure ? secureAgent : agent,
      signal: options.signal,
      timeout: options.timeoutMs,
    };
    return send(https?.request ?? httpRequest, url, settings, options.body);
  };

  return {
    open,
    async call(path, options) {
      const response = await open(path, options);
      return { status: response.statusCode ?? 0, body: await readAll(response, options.maxBytes) };
    },
    close() {
      agent.destroy();
      secureAgent?.destroy();
    },
  };
}

function send(
  request: typeof httpRequest,
  url: URL,
  settings: RequestOptions,
  body: Uint8Array | undefined,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, settings, resolve);
    outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer within ${settings.timeout} ms`)));
    outgoing.on('error', (error) =>
      reject(
        new AppError(
          'unavailable',
          `The control plane at ${url.origin} does not answer: ${messageOf(error)}`,
          undefined,
          error,
        ),
      ),
    );
    outgoing.end(body);
  });
}

async function readAll(response: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > maxBytes) throw new AppError('too_large', `The control plane sent more than ${maxBytes} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError('unavailable', `The control plane broke off its answer: ${messageOf(error)}`, undefined, error);
  }
  return Buffer.concat(chunks);
}
