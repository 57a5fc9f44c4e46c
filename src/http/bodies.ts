import { type Readable, Transform } from 'node:stream';
import { AppError } from '../kernel/errors.ts';

export const JSON_LIMIT_BYTES = 4 * 2 ** 20;
export const STREAM_LIMIT_BYTES = 16 * 2 ** 30;

/** The whole body, at most `limitBytes`; throws `too_large` beyond, before anything more is read. */
export async function readBody(stream: Readable, limitBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limitBytes) throw tooLarge(limitBytes);
    chunks.push(chunk);
  }
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
}

/** JSON, or undefined where the body is empty. Throws `invalid` with what the parser said. */
export function parseJsonBody(bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined;
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw new AppError('invalid', `The body is not JSON: ${(error as Error).message}`);
  }
}

/** The same stream, which fails with `too_large` beyond `limitBytes`. */
export function limitStream(stream: Readable, limitBytes: number): Readable {
  let size = 0;
  const limited = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length;
      done(size > limitBytes ? tooLarge(limitBytes) : null, chunk);
    },
  });
  // Whoever reads it is told; where nobody reads yet, a sender that goes away must not end the process.
  limited.on('error', () => {});
  stream.once('error', (error) => limited.destroy(error));
  stream.once('close', () => {
    if (!stream.readableEnded) limited.destroy(new AppError('invalid', 'The upload ended before its end'));
  });
  return stream.pipe(limited);
}

const tooLarge = (limitBytes: number): AppError =>
  new AppError('too_large', `The body is larger than ${limitBytes} bytes; send less at once`, { limitBytes });
