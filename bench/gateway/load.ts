import { readdirSync, readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';

export interface LoadOptions {
  readonly port: number;
  readonly path: string;
  readonly body: string;
  readonly connections: number;
  readonly requests: number;
  /** Requests a second, the same for every peer; each is sent when it is due, whatever the answers before it. */
  readonly perSecond: number;
}

/**
 * Sends requests at a fixed rate over keep-alive connections. Peers that are driven as fast as they can are compared at different rates: the one that
 * keeps the client waiting also pays for waking it with every answer. Fails on any answer but 200.
 */
export async function load(options: LoadOptions): Promise<void> {
  const { port, path, body, requests, perSecond } = options;
  const head = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n`;
  const sockets = await Promise.all(Array.from({ length: options.connections }, () => open(port)));
  const idle = [...sockets];
  const startedAt = performance.now();
  let sent = 0;
  let answered = 0;
  await new Promise<void>((resolve, reject) => {
    const sendDue = (): void => {
      const due = Math.min(requests, Math.ceil(((performance.now() - startedAt) / 1000) * perSecond));
      while (sent < due && idle.length > 0) {
        idle.pop()!.write(head + body);
        sent += 1;
      }
    };
    const timer = setInterval(sendDue, 1);
    const end = (error?: Error): void => {
      clearInterval(timer);
      for (const socket of sockets) socket.destroy();
      if (error) reject(error);
      else resolve();
    };
    for (const socket of sockets) {
      socket.on('error', end);
      onAnswers(socket, (isOk, text) => {
        if (!isOk) return end(new Error(text));
        idle.push(socket);
        answered += 1;
        if (answered === requests) end();
      });
    }
  });
}

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => resolve(socket));
    socket.once('error', reject);
  });
}

function onAnswers(socket: Socket, done: (isOk: boolean, text: string) => void): void {
  let received = '';
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1');
    const end = received.indexOf('\r\n\r\n');
    if (end < 0) return;
    const length = Number(/content-length: (\d+)/i.exec(received)?.[1]);
    if (received.length < end + 4 + length) return;
    const text = received;
    received = '';
    done(text.startsWith('HTTP/1.1 200'), text);
  });
}

/** CPU seconds that a process has used, all threads, by the scheduler's own count. */
export function cpuSecondsOf(pid: number): number {
  let nanoseconds = 0;
  for (const task of readdirSync(`/proc/${pid}/task`))
    nanoseconds += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]);
  return nanoseconds / 1e9;
}
