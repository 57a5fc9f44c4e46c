import { createHash } from 'node:crypto';
import { type Readable, Transform } from 'node:stream';

/** A stream that passes on the bytes of `body`, and what they were: valid once the stream has ended. */
export function hashing(body: Readable): {
  readonly stream: Readable;
  readonly result: () => { readonly digest: string; readonly sizeBytes: number };
} {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  const stream = new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      hash.update(chunk);
      sizeBytes += chunk.byteLength;
      done(null, chunk);
    },
  });
  stream.on('error', () => {});
  body.on('error', (error) => stream.destroy(error));
  body.once('close', () => {
    if (!body.readableEnded && !body.errored) stream.destroy(new Error('The upload ended before its end'));
  });
  stream.once('close', () => body.destroy());
  if (body.destroyed) stream.destroy(body.errored ?? new Error('The upload had ended before it began'));
  body.pipe(stream);
  return { stream, result: () => ({ digest: hash.digest('hex'), sizeBytes }) };
}
