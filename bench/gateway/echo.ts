import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The peer: a bare `node:http` server that reads a body and sends it back. */
const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const body = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': body.length });
    response.end(body);
  });
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(
    `${JSON.stringify({ gatewayUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })}\n`,
  );
});
