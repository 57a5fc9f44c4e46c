import { readdirSync, readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';

export interface LoadOptions {
  readonly port: number;
  readonly path: string;
  readonly body: string;
  readonly connections: number;
  readonly requests: number;
}

/** Sends requests over keep-alive connections, one at a time on each; resolves with the seconds that it took. Fails on any answer but 200. */
export async function load({ port, path, body, connections, requests }: LoadOptions): Promise<number> {
  const request = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
  const startedAt = performance.now();
  let left = requests;
  const take = (): boolean => left-- > 0;
  await Promise.all(Array.from({ length: connections }, () => runConnection(port, request, take)));
  return (performance.now() - startedAt) / 1000;
}

function runConnection(port: number, request: string, take: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let received = '';
    const next = (): void => {
      if (take()) socket.write(request);
      else {
        socket.destroy();
        resolve();
      }
    };
    socket.on('connect', next);
    socket.on('error', reject);
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
      const end = received.indexOf('\r\n\r\n');
      if (end < 0) return;
      const length = Number(/content-length: (\d+)/i.exec(received)?.[1]);
      if (received.length < end + 4 + length) return;
      if (!received.startsWith('HTTP/1.1 200')) return reject(new Error(received));
      received = '';
      next();
    });
  });
}

/** CPU seconds that a process has used, all threads, by the scheduler's own count. */
export function cpuSecondsOf(pid: number): number {
  let nanoseconds = 0;
  for (const task of readdirSync(`/proc/${pid}/task`))
    nanoseconds += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]);
  return nanoseconds / 1e9;
}
