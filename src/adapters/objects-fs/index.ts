import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { chmod, link, mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { AppError, messageOf } from '../../kernel/errors.ts';
import { assertObjectKey, type ByteRange, type ObjectInfo, type ObjectStore } from '../../ports/object-store.ts';

const TEMPORARY = '.tmp';
const STALE_AFTER_MS = 3_600_000;
const READ_ONLY = 0o444;

/**
 * Objects as files under `dir`. A put writes to a temporary file, syncs it, links it under its name (which refuses an existing
 * one) and syncs the folder. Temporary files that a crash left are swept on opening, an hour after their last write.
 */
export async function openFsObjects({ dir }: { readonly dir: string }): Promise<ObjectStore> {
  const temporary = join(dir, TEMPORARY);
  await mkdir(temporary, { recursive: true, mode: 0o700 }).catch((error) => {
    throw machineTrouble(dir, error);
  });
  await sweep(temporary);
  const pathOf = (key: string): string => {
    assertObjectKey(key);
    return join(dir, ...key.split('/'));
  };

  async function putIfAbsent(key: string, body: Readable | Uint8Array): Promise<boolean> {
    if (body instanceof Readable) body.on('error', () => {});
    const path = pathOf(key);
    if (await exists(path)) {
      if (body instanceof Readable) body.destroy();
      return false;
    }
    const draft = join(temporary, randomUUID());
    try {
      await writeDurably(draft, body);
      await makeFolder(dir, dirname(path));
      return await publish(draft, path);
    } catch (error) {
      throw isDisk(error) ? machineTrouble(dir, error) : error;
    } finally {
      await rm(draft, { force: true });
    }
  }

  return {
    putIfAbsent,
    async get(key, range) {
      const { size } = await statOf(key, pathOf(key));
      return openRange(pathOf(key), key, size, range);
    },
    async head(key) {
      return { key, sizeBytes: (await statOf(key, pathOf(key))).size };
    },
    list: (prefix) => listUnder(dir, prefix),
    async delete(key) {
      await rm(pathOf(key), { force: true });
    },
    localPath: pathOf,
  };
}

async function writeDurably(path: string, body: Readable | Uint8Array): Promise<void> {
  const source = body instanceof Readable ? body : Readable.from([body], { objectMode: false });
  await pipeline(source, createWriteStream(path, { flags: 'wx', mode: 0o600, flush: true }));
  await chmod(path, READ_ONLY);
}

/** `link`, unlike `rename`, fails where the name is taken. */
async function publish(draft: string, path: string): Promise<boolean> {
  try {
    await link(draft, path);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
  await syncFolder(dirname(path));
  return true;
}

/** A new folder is durable once its parent is synced. */
async function makeFolder(root: string, folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true, mode: 0o700 });
  if (!first) return;
  for (let at = dirname(folder); at.startsWith(root); at = dirname(at)) await syncFolder(at);
}

async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r');
  await handle.sync().finally(() => handle.close());
}

function openRange(path: string, key: string, size: number, range: ByteRange | undefined): Readable {
  const start = range?.start ?? 0;
  const end = range?.end ?? size;
  if (start < 0 || start > end || end > size) {
    throw new AppError('invalid', `Bytes ${start} to ${end} of object ${key} were asked for; it has ${size}`);
  }
  return start === end ? Readable.from([]) : createReadStream(path, { start, end: end - 1 });
}

async function statOf(key: string, path: string): Promise<{ size: number }> {
  try {
    return await stat(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') throw new AppError('not_found', `There is no object ${key}`);
    throw error;
  }
}

/** In key order: a folder sorts as its name and a slash. */
async function* listUnder(dir: string, prefix: string): AsyncGenerator<ObjectInfo> {
  const folder = join(dir, ...prefix.split('/').slice(0, -1));
  for await (const { path, size } of walk(folder)) {
    const key = relative(dir, path).split(sep).join('/');
    if (key.startsWith(prefix) && !key.startsWith(`${TEMPORARY}/`)) yield { key, sizeBytes: size };
  }
}

async function* walk(folder: string): AsyncGenerator<{ path: string; size: number }> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(orNothing);
  const named = entries.map((entry) => ({ entry, order: entry.isDirectory() ? `${entry.name}/` : entry.name }));
  named.sort((a, b) => (a.order < b.order ? -1 : 1));
  for (const { entry } of named) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* walk(path);
    else {
      const found = await stat(path).catch(() => undefined);
      if (found) yield { path, size: found.size };
    }
  }
}

async function sweep(temporary: string): Promise<void> {
  for (const name of await readdir(temporary)) {
    const path = join(temporary, name);
    const found = await stat(path).catch(() => undefined);
    if (found && found.mtimeMs < Date.now() - STALE_AFTER_MS) await rm(path, { force: true });
  }
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

const codeOf = (error: unknown): string => String((error as { code?: unknown }).code ?? '');

const isDisk = (error: unknown): boolean => /^(ENOSPC|EDQUOT|EROFS|EACCES|EPERM|EIO|EMFILE)$/.test(codeOf(error));

const machineTrouble = (dir: string, error: unknown): AppError =>
  new AppError(
    'unavailable',
    `Objects cannot be written under ${dir} (${messageOf(error)}); check its disk and its owner`,
    { dir },
    error,
  );

function orNothing(error: unknown): [] {
  if (['ENOENT', 'ENOTDIR'].includes(codeOf(error))) return [];
  throw error;
}
