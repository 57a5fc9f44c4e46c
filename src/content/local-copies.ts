import { createWriteStream } from 'node:fs';
import { mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { AppError } from '../kernel/errors.ts';
import { uuidv7 } from '../kernel/ids.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { Clock, Random } from '../ports/system.ts';
import type { StoredContent } from './content.store.ts';
import { hashing } from './hashing.ts';

interface LocalCopyDeps {
  readonly objects: ObjectStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly cacheDir: string;
}

const MAX_CACHE_BYTES = 20 * 2 ** 30;
/** A copy that was asked for lately may still be read. */
const KEEP_MS = 3_600_000;

/** Files with the bytes of objects: the object's own file, or a copy that was checked against its digest. */
export function createLocalCopies(deps: LocalCopyDeps): { pathOf(stored: StoredContent): Promise<string> } {
  const underWay = new Map<string, Promise<string>>();
  const ownPath = deps.objects.localPath?.bind(deps.objects);

  function copy(stored: StoredContent): Promise<string> {
    const known = underWay.get(stored.digest);
    if (known) return known;
    const copying = findOrCopy(deps, stored).finally(() => underWay.delete(stored.digest));
    underWay.set(stored.digest, copying);
    return copying;
  }

  return {
    async pathOf(stored) {
      if (!ownPath) return copy(stored);
      await deps.objects.head(stored.objectKey);
      return ownPath(stored.objectKey);
    },
  };
}

/** A copy is written durably before it gets its name, so that one with the right name and size is whole. */
async function findOrCopy(deps: LocalCopyDeps, stored: StoredContent): Promise<string> {
  const path = join(deps.cacheDir, stored.digest);
  const found = await stat(path).catch(() => undefined);
  const seconds = deps.clock.now() / 1000;
  if (found?.size === stored.sizeBytes) {
    await utimes(path, seconds, seconds);
    return path;
  }
  await mkdir(deps.cacheDir, { recursive: true, mode: 0o700 });
  await makeRoom(deps, stored.sizeBytes);
  const draft = `${path}.${uuidv7(deps.clock.now(), (bytes) => deps.random.fill(bytes))}`;
  try {
    const { stream, result } = hashing(await deps.objects.get(stored.objectKey));
    await pipeline(stream, createWriteStream(draft, { flags: 'wx', mode: 0o400, flush: true }));
    if (result().digest !== stored.digest) {
      throw new AppError(
        'unavailable',
        `Content ${stored.digest.slice(0, 12)} came damaged from the object store; restore a backup`,
      );
    }
    await rename(draft, path);
  } finally {
    await rm(draft, { force: true });
  }
  return path;
}

/** Removes the copies that were asked for longest ago, until the new one fits. */
async function makeRoom({ cacheDir, clock }: LocalCopyDeps, sizeBytes: number): Promise<void> {
  const files = await Promise.all((await readdir(cacheDir)).map((name) => describe(join(cacheDir, name))));
  const copies = files.filter((file) => file !== undefined).sort((a, b) => a.mtimeMs - b.mtimeMs);
  let total = copies.reduce((sum, { size }) => sum + size, sizeBytes);
  for (const { path, size, mtimeMs } of copies) {
    if (total <= MAX_CACHE_BYTES || mtimeMs > clock.now() - KEEP_MS) return;
    await rm(path, { force: true });
    total -= size;
  }
}

async function describe(path: string): Promise<{ path: string; size: number; mtimeMs: number } | undefined> {
  const found = await stat(path).catch(() => undefined);
  return found && { path, size: found.size, mtimeMs: found.mtimeMs };
}
