import type { IncomingMessage } from 'node:http';
import { AppError } from '../../kernel/errors.ts';
import { LIMITS } from '../limits.ts';

/** The whole body; or `too_large` beyond `LIMITS.bodyBytes`, or `unavailable` where the client went away. Calls `done` once. */
export function readBody(request: IncomingMessage, done: (error: AppError | null, body: Buffer) => void): void {
  let first: Buffer | undefined;
  let more: Buffer[] | undefined;
  let size = 0;
  let isDone = false;
  request.on('data', (chunk: Buffer) => {
    if (isDone) return;
    size += chunk.length;
    if (size > LIMITS.bodyBytes) {
      isDone = true;
      done(
        new AppError('too_large', `The body has more than ${LIMITS.bodyBytes} bytes; send fewer rows at once`),
        EMPTY,
      );
    } else if (first === undefined) first = chunk;
    else {
      more ??= [first];
      more.push(chunk);
    }
  });
  request.on('error', () => {
    if (isDone) return;
    isDone = true;
    done(new AppError('unavailable', 'The client went away'), EMPTY);
  });
  request.on('end', () => {
    if (isDone) return;
    isDone = true;
    done(null, more ? Buffer.concat(more) : (first ?? EMPTY));
  });
}

const EMPTY = Buffer.alloc(0);
