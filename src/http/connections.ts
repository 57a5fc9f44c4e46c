import type { Server } from 'node:http';
import type { Socket } from 'node:net';

export interface Connections {
  /** Ends every connection that answers nothing now, and each other one as soon as it has answered. */
  drain(): void;
}

/** Node's own `closeIdleConnections` spares those that never sent a request, such as the ones a browser opens in advance. */
export function trackConnections(server: Server): Connections {
  const busy = new Map<Socket, number>();
  let draining = false;
  server.on('connection', (socket: Socket) => {
    busy.set(socket, 0);
    socket.once('close', () => busy.delete(socket));
  });
  server.on('request', ({ socket }, response) => {
    busy.set(socket, (busy.get(socket) ?? 0) + 1);
    response.once('close', () => {
      const left = (busy.get(socket) ?? 1) - 1;
      if (busy.has(socket)) busy.set(socket, left);
      if (draining && left === 0) socket.end();
    });
  });
  return {
    drain() {
      draining = true;
      for (const [socket, requests] of busy) if (requests === 0) socket.destroy();
    },
  };
}
