import type { IncomingMessage } from 'node:http';

/**
 * Keeps web pages away from a gateway on loopback: the Host must name the loopback, which a rebound DNS name does not, and a browser's Origin
 * must be the gateway itself. Programs send no Origin. Answers why a request is refused. A gateway on another address stands behind whatever
 * its operator put before it.
 */
export function createGuard(host: string): (request: IncomingMessage) => string | undefined {
  if (!/^(localhost|127(\.\d{1,3}){3}|::1)$/.test(host)) return () => undefined;
  let lastNamed: string | undefined;
  return ({ rawHeaders }) => {
    let named = '';
    let origin: string | undefined;
    // The raw list, for Node builds its object of all headers only when it is asked for.
    for (let i = 0; i < rawHeaders.length; i += 2) {
      const name = rawHeaders[i]!;
      if (name.length === 4 && name.toLowerCase() === 'host') named = rawHeaders[i + 1]!;
      else if (name.length === 6 && name.toLowerCase() === 'origin') origin = rawHeaders[i + 1]!;
    }
    if (named !== lastNamed && !LOOPBACK_NAME.test(named))
      return `This gateway listens on the loopback address only; it does not answer for the host "${named.slice(0, 100)}"`;
    lastNamed = named;
    if (origin !== undefined && origin !== `http://${named}`)
      return `Requests from the page "${origin.slice(0, 100)}" are not answered; ask from a program`;
    return undefined;
  };
}

const LOOPBACK_NAME = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i;
