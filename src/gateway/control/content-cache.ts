import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { AppError, isAppError, messageOf } from '../../kernel/errors.ts';
import { GATEWAY_PATHS } from '../../serving/wire.ts';
import { assertDigest } from './desired.ts';
import type { Dialer } from './dial.ts';

const TIMEOUT_MS = 60_000;

/** Content by digest in local files, fetched when first asked for. A file is verified once a process, so a damaged one is fetched again. */
export class ContentCache {
  readonly #dir: string;
  readonly #dialer: Dialer;
  readonly #verified = new Map<string, Promise<string>>();

  constructor(dir: string, dialer: Dialer) {
    this.#dir = dir;
    this.#dialer = dialer;
  }

  /** Throws `unavailable` where it is not here and the control plane does not answer, `not_found` where that has none. */
  localPath(digest: string): Promise<string> {
    assertDigest(digest);
    const known = this.#verified.get(digest);
    if (known) return known;
    const path = this.#find(digest);
    this.#verified.set(digest, path);
    path.catch(() => this.#verified.delete(digest));
    return path;
  }

  async #find(digest: string): Promise<string> {
    const path = join(this.#dir, digest);
    if ((await digestOfFile(path)) === digest) return path;
    await this.#fetch(digest, path);
    return path;
  }

  async #fetch(digest: string, path: string): Promise<void> {
    await mkdir(this.#dir, { recursive: true });
    const temporary = `${path}.${process.pid}.tmp`;
    try {
      const response = await this.#dialer.open(`${GATEWAY_PATHS.content}/${digest}`, { timeoutMs: TIMEOUT_MS });
      if (response.statusCode !== 200) {
        response.resume();
        const code = response.statusCode === 404 ? 'not_found' : 'unavailable';
        throw new AppError(
          code,
          `The control plane answered ${response.statusCode} for the content ${digest.slice(0, 12)}`,
        );
      }
      const hash = createHash('sha256');
      const tee = new Transform({
        transform(chunk: Buffer, _, next) {
          hash.update(chunk);
          next(null, chunk);
        },
      });
      await pipeline(response, tee, createWriteStream(temporary, { mode: 0o600, flush: true }));
      const got = hash.digest('hex');
      if (got !== digest)
        throw new AppError(
          'invalid',
          `The content ${digest.slice(0, 12)} came with the digest ${got.slice(0, 12)}; it is not used`,
        );
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true });
      if (isAppError(error)) throw error;
      throw new AppError(
        'unavailable',
        `The content ${digest.slice(0, 12)} could not be fetched: ${messageOf(error)}`,
        undefined,
        error,
      );
    }
  }
}

async function digestOfFile(path: string): Promise<string | undefined> {
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(path), hash);
    return hash.digest('hex');
  } catch {
    return undefined;
  }
}
