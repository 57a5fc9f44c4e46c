import { Readable } from 'node:stream';
import { AppError } from '../kernel/errors.ts';
import { type Route, route } from '../wire/route.ts';
import type { Bus } from './bus.ts';

const COALESCE_MS = 100;
const HEARTBEAT_MS = 15_000;
const MAX_LISTENERS = 500;
/** Of one message. */
const MAX_TOPICS = 100;

/** One stream of hints a browser: at most ten a second, each naming what changed since the last. */
export function eventsRoute(bus: Bus): Route {
  let listeners = 0;
  return route(
    { method: 'GET', path: '/events', permission: 'read', summary: 'Hints about what changed (server-sent events)' },
    async ({ actor, signal }) => {
      if (listeners >= MAX_LISTENERS)
        throw new AppError('unavailable', `${MAX_LISTENERS} event streams are open already`);
      listeners++;
      signal.addEventListener('abort', () => listeners--, { once: true });
      const headers = { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' };
      return { raw: true, headers, body: toStream(bus, actor.projectId, signal) };
    },
  );
}

function toStream(bus: Bus, projectId: string, signal: AbortSignal): Readable {
  const stream = new Readable({ read() {} });
  const changed = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  const flush = (): void => {
    timer = undefined;
    stream.push(`data: ${JSON.stringify({ changed: [...changed].sort() })}\n\n`);
    changed.clear();
  };
  const unsubscribe = bus.subscribe(projectId, (topic) => {
    // Where very much changes at once, single things are no longer told apart.
    changed.add(changed.size < MAX_TOPICS ? topic : topic.split('/', 1)[0]!);
    timer ??= setTimeout(flush, COALESCE_MS);
  });
  const heartbeat = setInterval(() => stream.push(': still here\n\n'), HEARTBEAT_MS);
  const stop = (): void => {
    unsubscribe();
    clearTimeout(timer);
    clearInterval(heartbeat);
    stream.push(null);
  };
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });
  stream.push('retry: 1000\n\n');
  return stream;
}
