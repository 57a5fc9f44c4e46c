import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { LIMITS } from '../limits.ts';
import { GatheredRequest } from './body.ts';

describe('a gathered body', () => {
  const failures: string[] = [];
  /** Answers of requests to /wait, which the test gives. */
  const waiting: ServerResponse[] = [];
  const server = createServer({ IncomingMessage: GatheredRequest }, (request, response) => {
    if (request.url === '/unread') {
      response.end('unread');
      return;
    }
    request.readBody((error, body) => {
      if (error) failures.push(error.code);
      if (error?.code === 'unavailable') return;
      if (request.url === '/wait') waiting.push(response);
      else response.end(error ? error.code : body);
    });
  });
  before(() => once(server.listen(0, '127.0.0.1'), 'listening'));
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  const open = async (): Promise<Socket> => {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    await once(socket, 'connect');
    return socket;
  };
  const head = (path: string, length: number) =>
    `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${length}\r\n\r\n`;
  /** Reads until so many bodies came, by their Content-Length. */
  const answers = async (socket: Socket, count: number): Promise<string[]> => {
    let text = '';
    const bodies: string[] = [];
    for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
      text += (chunk as Buffer).toString('latin1');
      for (;;) {
        const found = /\r\nContent-Length: (\d+)[\s\S]*?\r\n\r\n/i.exec(text);
        const end = found ? found.index + found[0].length + Number(found[1]) : Number.POSITIVE_INFINITY;
        if (text.length < end) break;
        bodies.push(text.slice(end - Number(found![1]), end));
        text = text.slice(end);
      }
      if (bodies.length >= count) break;
    }
    return bodies;
  };

  it('is whole however it was cut, and the connection goes on', async () => {
    const socket = await open();
    socket.write(head('/', 5));
    for (const piece of ['a', 'bc', 'de']) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      socket.write(piece);
    }
    assert.deepEqual(await answers(socket, 1), ['abcde']);
    socket.write(
      `POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nfgh\r\n2\r\nij\r\n0\r\n\r\n${head('/', 0)}`,
    );
    assert.deepEqual(await answers(socket, 2), ['fghij', '']);
    socket.destroy();
  });

  it('of requests that come at once is answered in their order', async () => {
    const socket = await open();
    socket.write([1, 2, 3].map((n) => `${head(n === 2 ? '/unread' : '/', 1)}${n}`).join(''));
    assert.deepEqual(await answers(socket, 3), ['1', 'unread', '3']);
    socket.destroy();
  });

  it('that nobody asked for is dropped, whether it comes with its headers or after the answer', async () => {
    const socket = await open();
    socket.write(head('/unread', 6));
    assert.deepEqual(await answers(socket, 1), ['unread']);
    socket.write(`secret${head('/', 2)}ok`);
    assert.deepEqual(await answers(socket, 1), ['ok']);
    socket.destroy();
  });

  it('that is too large is said to be so once', async () => {
    const socket = await open();
    socket.on('error', () => undefined);
    failures.length = 0;
    socket.write(head('/', LIMITS.bodyBytes + 2));
    socket.write(Buffer.alloc(LIMITS.bodyBytes + 2, 'x'));
    assert.deepEqual(await answers(socket, 1), ['too_large']);
    assert.deepEqual(failures, ['too_large']);
    socket.destroy();
  });

  it('whose client goes away before its end is unavailable; after it, the answer has nowhere to go', async () => {
    failures.length = 0;
    const half = await open();
    half.write(`${head('/', 10)}half`);
    await new Promise((resolve) => setTimeout(resolve, 20));
    half.destroy();
    while (failures.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.deepEqual(failures, ['unavailable']);
    const whole = await open();
    whole.write(`${head('/wait', 2)}ok`);
    while (waiting.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const gone = once(waiting[0]!, 'close');
    whole.destroy();
    await gone;
    waiting[0]!.end('nobody');
    assert.deepEqual(failures, ['unavailable']);
  });
});
