import { constants } from 'node:fs';
import { chmod, copyFile, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AppError } from '../kernel/errors.ts';
import { digestOf } from '../kernel/hash.ts';
import { uuidv7 } from '../kernel/ids.ts';
import type { Tx } from '../ports/db.ts';
import type { PipelinesDeps } from './deps.ts';
import { findSnapshot, putSnapshot } from './files.store.ts';
import { assertRelativePath } from './paths.ts';
import type { SnapshotFile } from './types.ts';

export const MAX_SNAPSHOT_BYTES = 256 * 2 ** 20;

/** The identity of a snapshot: paths, contents and which files may be run; sizes follow from the contents. */
export const snapshotDigest = (files: readonly SnapshotFile[]): string =>
  digestOf(sorted(files).map(({ path, digest, executable }) => ({ path, digest, executable })));

/**
 * Checks a manifest that a client sent: plain relative paths, each once, at most 256 MiB, the digest that it claims.
 * Throws `invalid` or `too_large` with the path.
 */
export function checkSnapshot(files: readonly SnapshotFile[], claimed: string): readonly SnapshotFile[] {
  const seen = new Set<string>();
  let sizeBytes = 0;
  for (const file of files) {
    assertRelativePath(file.path, 'The snapshot');
    if (seen.has(file.path)) throw new AppError('invalid', `The snapshot names ${file.path} twice`);
    seen.add(file.path);
    sizeBytes += file.sizeBytes;
  }
  if (sizeBytes > MAX_SNAPSHOT_BYTES) {
    const largest = [...files].sort((a, b) => b.sizeBytes - a.sizeBytes).slice(0, 3);
    throw new AppError(
      'too_large',
      `The project holds ${Math.ceil(sizeBytes / 2 ** 20)} MiB, at most 256 are stored; name what steps do not need in .levainignore (largest: ${largest.map(({ path }) => path).join(', ')})`,
    );
  }
  const digest = snapshotDigest(files);
  if (digest !== claimed)
    throw new AppError(
      'invalid',
      `The snapshot's digest is ${digest}, not ${claimed}; send the files that it was computed from`,
    );
  return sorted(files);
}

/** Stores a checked manifest; its files become referenced, so they are kept from now on. */
export async function storeSnapshotIn(
  tx: Tx,
  deps: Pick<PipelinesDeps, 'clock' | 'content'>,
  input: { readonly projectId: string; readonly digest: string; readonly files: readonly SnapshotFile[] },
): Promise<void> {
  const { projectId, digest, files } = input;
  await putSnapshot(tx, {
    project_id: projectId,
    digest,
    manifest: JSON.stringify(files),
    size_bytes: files.reduce((sum, file) => sum + file.sizeBytes, 0),
    created_at: deps.clock.now(),
  });
  await deps.content.reference(
    tx,
    { kind: 'snapshot', id: `${projectId}/${digest}` },
    unique(files.map((file) => file.digest)),
  );
}

export async function getSnapshot(
  deps: Pick<PipelinesDeps, 'db'>,
  projectId: string,
  digest: string,
): Promise<readonly SnapshotFile[]> {
  const manifest = await deps.db.read((tx) => findSnapshot(tx, projectId, digest));
  if (manifest === undefined)
    throw new AppError('not_found', `There is no snapshot ${digest}; apply the project again`);
  return JSON.parse(manifest) as SnapshotFile[];
}

/** Which of these contents the server does not have. */
export async function missingContents(
  deps: Pick<PipelinesDeps, 'content'>,
  digests: readonly string[],
): Promise<readonly string[]> {
  const missing: string[] = [];
  for (const digest of digests) if (!(await deps.content.find(digest))) missing.push(digest);
  return missing;
}

/** Copies files out of the content store, reflinked where the file system can, never linked: steps own what they see. */
export async function layOutFiles(
  deps: Pick<PipelinesDeps, 'content'>,
  files: readonly { readonly path: string; readonly digest: string; readonly executable?: boolean }[],
  folder: string,
): Promise<void> {
  for (const { path, digest, executable } of files) {
    const to = join(folder, assertRelativePath(path, 'The step'));
    await mkdir(dirname(to), { recursive: true });
    await rm(to, { force: true, recursive: true });
    await copyFile(await deps.content.localPath(digest), to, constants.COPYFILE_FICLONE);
    await chmod(to, executable ? 0o755 : 0o644);
  }
}

const KEPT_SNAPSHOTS = 20;

/** The snapshot as a folder of `workDir`, made once; attempts copy from it. The oldest are dropped. */
export async function snapshotFolder(deps: PipelinesDeps, projectId: string, digest: string): Promise<string> {
  const root = join(deps.workDir, 'snapshots');
  const folder = join(root, digest);
  if (await exists(folder)) return folder;
  const files = await getSnapshot(deps, projectId, digest);
  const temporary = join(root, `.${uuidv7(deps.clock.now(), (bytes) => deps.random.fill(bytes))}`);
  await mkdir(temporary, { recursive: true });
  await layOutFiles(deps, files, temporary);
  await rename(temporary, folder).catch(() => rm(temporary, { recursive: true, force: true }));
  await dropOld(root);
  return folder;
}

async function dropOld(root: string): Promise<void> {
  const names = await readdir(root);
  if (names.length <= KEPT_SNAPSHOTS) return;
  const aged = await Promise.all(
    names.map(async (name) => ({ name, at: (await stat(join(root, name)).catch(() => undefined))?.mtimeMs ?? 0 })),
  );
  aged.sort((a, b) => b.at - a.at);
  for (const { name } of aged.slice(KEPT_SNAPSHOTS)) await rm(join(root, name), { recursive: true, force: true });
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

const sorted = (files: readonly SnapshotFile[]): readonly SnapshotFile[] =>
  [...files].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));

const unique = (values: readonly string[]): string[] => [...new Set(values)].sort();
