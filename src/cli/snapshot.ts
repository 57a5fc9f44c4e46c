import { execFile } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { lstat, readdir, readFile, realpath, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import ignore, { type Ignore } from 'ignore';
import type { Client } from '../client/client.ts';
import { AppError } from '../kernel/errors.ts';
import { digestOf, sha256 } from '../kernel/hash.ts';

export const MAX_SNAPSHOT_BYTES = 256 * 2 ** 20;
const MAX_FILES = 50_000;
const DIGESTS_A_CALL = 1_000;
const WHOLE_FILE_BYTES = 8 * 2 ** 20;
const LARGEST_NAMED = 3;

export interface SnapshotFile {
  /** Relative to the folder, `/` separated. */
  readonly path: string;
  readonly digest: string;
  readonly sizeBytes: number;
  readonly executable: boolean;
}

export interface Snapshot {
  readonly sourceDigest: string;
  readonly sourceManifest: readonly SnapshotFile[];
}

/** Never part of a snapshot, with or without Git: ours, and what tools write beside the source. */
const NEVER = ['.git/', '.levain/', '__pycache__/', '.ipynb_checkpoints/', '.venv/', 'node_modules/'];

/**
 * The project as it is on disk: Git's files and the untracked ones that it does not ignore; without Git, the folder walked by
 * its `.gitignore` files. Without what `.levainignore` or `without` (the sources of the data) name. Throws `too_large` above
 * 256 MiB, naming the largest files.
 */
export async function takeSnapshot(folder: string, without: readonly string[]): Promise<Snapshot> {
  const ignored = ignore()
    .add(NEVER)
    .add(await readLines(join(folder, '.levainignore')))
    .add(without.map(toPattern));
  const names = (await listWithGit(folder)) ?? (await walk(folder, '', []));
  const kept = names.filter((name) => !ignored.ignores(name)).sort((a, b) => (a < b ? -1 : 1));
  if (kept.length > MAX_FILES) throw tooMany(kept.length);
  const root = await realpath(folder);
  const sized = [];
  for (const path of kept) {
    const file = await sizeOf(root, path);
    if (file) sized.push(file);
  }
  assertSize(sized);
  const sourceManifest: SnapshotFile[] = [];
  for (const file of sized) sourceManifest.push({ ...file, digest: await digestOfFile(folder, file) });
  return { sourceManifest, sourceDigest: snapshotDigest(sourceManifest) };
}

/** The identity of a snapshot: its paths, bytes and executable bits. */
export const snapshotDigest = (manifest: readonly SnapshotFile[]): string =>
  digestOf(manifest.map(({ path, digest, executable }) => ({ path, digest, executable })));

/** Sends what the server does not have yet. */
export async function uploadSnapshot(
  client: Client,
  folder: string,
  { sourceManifest }: Snapshot,
  onProgress: (sent: number, total: number) => void = () => {},
): Promise<void> {
  const files = new Map(sourceManifest.map((file) => [file.digest, file]));
  const digests = [...files.keys()];
  const missing: string[] = [];
  for (let i = 0; i < digests.length; i += DIGESTS_A_CALL) {
    const body = { digests: digests.slice(i, i + DIGESTS_A_CALL) };
    missing.push(...(await client.post<{ missing: string[] }>('/snapshots/missing', body)).missing);
  }
  for (const [sent, digest] of missing.entries()) {
    onProgress(sent, missing.length);
    const file = files.get(digest)!;
    await uploadFile(client, join(folder, file.path), file);
  }
}

async function uploadFile(client: Client, path: string, { digest, sizeBytes }: SnapshotFile): Promise<void> {
  const body =
    sizeBytes <= WHOLE_FILE_BYTES ? await readFile(path) : (Readable.toWeb(createReadStream(path)) as ReadableStream);
  const stored = await client.upload<{ digest: string }>(`/snapshots/content/${digest}`, body);
  if (stored.digest !== digest)
    throw new AppError('conflict', `${path} changed while it was sent; run the command again`);
}

const run = promisify(execFile);

/** Undefined where this is no working tree, a folder that the tree around it ignores, or there is no git. */
async function listWithGit(folder: string): Promise<string[] | undefined> {
  if (await isIgnored(folder)) return undefined;
  const args = ['-C', folder, 'ls-files', '-z', '--cached', '--others', '--exclude-standard', '--deduplicate'];
  try {
    const { stdout } = await run('git', args, { maxBuffer: 64 * 2 ** 20 });
    return stdout.split('\0').filter((name) => name !== '' && !name.startsWith('..'));
  } catch {
    return undefined;
  }
}

const isIgnored = (folder: string): Promise<boolean> =>
  run('git', ['-C', folder, 'check-ignore', '-q', '.']).then(
    () => true,
    () => false,
  );

interface Rules {
  readonly base: string;
  readonly rules: Ignore;
}

async function walk(folder: string, base: string, above: readonly Rules[]): Promise<string[]> {
  const rules = [...above, { base, rules: ignore().add(await readLines(join(folder, base, '.gitignore'))) }];
  const names: string[] = [];
  const never = ignore().add(NEVER);
  for (const entry of await readdir(join(folder, base), { withFileTypes: true })) {
    const name = base === '' ? entry.name : `${base}/${entry.name}`;
    const shown = entry.isDirectory() ? `${name}/` : name;
    if (
      never.ignores(shown) ||
      rules.some((each) => each.rules.ignores(shown.slice(each.base === '' ? 0 : each.base.length + 1)))
    )
      continue;
    if (entry.isDirectory()) names.push(...(await walk(folder, name, rules)));
    else names.push(name);
    if (names.length > MAX_FILES) throw tooMany(names.length);
  }
  return names;
}

/** A regular file, or a link to one inside the folder; undefined for what is gone or points outside. */
async function sizeOf(root: string, path: string): Promise<Omit<SnapshotFile, 'digest'> | undefined> {
  const full = join(root, path);
  const entry = await lstat(full).catch(() => undefined);
  if (!entry) return undefined;
  if (entry.isSymbolicLink()) {
    const target = await realpath(full).catch(() => undefined);
    if (target === undefined || relative(root, target).startsWith('..')) return undefined;
  } else if (!entry.isFile()) return undefined;
  const info = await stat(full);
  if (!info.isFile()) return undefined;
  return { path: path.split(sep).join('/'), sizeBytes: info.size, executable: (info.mode & 0o111) !== 0 };
}

async function digestOfFile(folder: string, file: Omit<SnapshotFile, 'digest'>): Promise<string> {
  try {
    return await hashOfFile(join(folder, file.path), file.sizeBytes);
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === 'EACCES' || code === 'EPERM') {
      const message = `${file.path} may not be read by this user; change its mode, or name it in .levainignore`;
      throw new AppError('invalid', message, undefined, error);
    }
    if (code === 'ENOENT') throw new AppError('conflict', `${file.path} went away; run the command again`);
    throw error;
  }
}

async function hashOfFile(path: string, sizeBytes: number): Promise<string> {
  if (sizeBytes <= WHOLE_FILE_BYTES) return sha256(await readFile(path));
  const { createHash } = await import('node:crypto');
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

function assertSize(files: readonly Omit<SnapshotFile, 'digest'>[]): void {
  const total = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  if (total <= MAX_SNAPSHOT_BYTES) return;
  const largest = [...files].sort((a, b) => b.sizeBytes - a.sizeBytes).slice(0, LARGEST_NAMED);
  const named = largest.map(({ path, sizeBytes }) => `${path} (${toMiB(sizeBytes)} MiB)`).join(', ');
  throw new AppError(
    'too_large',
    `This folder holds ${toMiB(total)} MiB of source, and a snapshot at most ${toMiB(MAX_SNAPSHOT_BYTES)}; name the largest in .levainignore or as data in levain.yaml: ${named}`,
  );
}

const tooMany = (count: number): AppError =>
  new AppError(
    'too_large',
    `This folder holds ${count} files and more, and a snapshot at most ${MAX_FILES}; name some in .levainignore`,
  );

const toMiB = (bytes: number): string => (bytes / 2 ** 20).toFixed(bytes < 2 ** 20 ? 1 : 0);

/** A path or glob of `data.*.from` as a pattern of .gitignore's kind, anchored at the folder. */
const toPattern = (from: string): string => `/${from.replace(/^\.\//, '').replace(/^\/+/, '')}`;

async function readLines(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}
