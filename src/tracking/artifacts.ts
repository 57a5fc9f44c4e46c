import type { Readable } from 'node:stream';
import { AppError } from '../kernel/errors.ts';
import type { Tx } from '../ports/db.ts';
import type { ByteRange } from '../ports/object-store.ts';
import { parseArtifactPath, splitArtifactPath } from './artifact-paths.ts';
import {
  type ArtifactPlace,
  deleteArtifactRow,
  findArtifactRow,
  listArtifactRows,
  listRootsBelow,
  upsertArtifact,
} from './artifacts.store.ts';
import type { ArtifactRow } from './tables.ts';
import type { Artifact, ArtifactEntry, ArtifactRoot, TrackingDeps } from './types.ts';

type ArtifactDeps = Pick<TrackingDeps, 'db' | 'content' | 'clock'>;

/** Beyond this a folder is cut off; a model of many shards has a few hundred files. */
export const MAX_FILES_LISTED = 50_000;

/**
 * Stores a file under a root, over what was there before: MLflow's paths are mutable, the bytes behind them are not. Durable
 * when it resolves. `root` may be `''`, and `path` then starts with the root.
 */
export async function putArtifact(
  deps: ArtifactDeps,
  projectId: string,
  root: ArtifactRoot,
  path: string,
  body: Readable | Uint8Array,
): Promise<Artifact> {
  const place = placeOf(projectId, root, path);
  if (place.path === '') throw new AppError('invalid', 'Invalid path');
  const ref = await deps.content.put(body);
  await deps.db.write((tx) => linkIn(tx, deps, place, ref));
  return { path: place.path, ...ref };
}

/** Links bytes that are stored already: how a finished step's outputs become artifacts of its run. */
export async function linkArtifactIn(
  tx: Tx,
  deps: ArtifactDeps,
  projectId: string,
  root: ArtifactRoot,
  artifact: Artifact,
): Promise<void> {
  await linkIn(tx, deps, placeOf(projectId, root, artifact.path), artifact);
}

export interface OpenedArtifact {
  readonly artifact: Artifact;
  open(range?: ByteRange): Promise<Readable>;
}

/** A file's digest and size, and a way to its bytes. Throws `not_found`. */
export async function openArtifact(
  deps: Pick<TrackingDeps, 'db' | 'content'>,
  projectId: string,
  root: ArtifactRoot,
  path: string,
): Promise<OpenedArtifact> {
  const place = placeOf(projectId, root, path);
  const row = await deps.db.read((tx) => findArtifactRow(tx, place));
  if (!row) throw new AppError('not_found', `No such artifact: '${path}'`);
  return { artifact: toArtifact(row), open: (range) => deps.content.open(row.digest, range) };
}

/** The whole tree below a root, by path; paths are relative to it. */
export async function listArtifacts(
  deps: Pick<TrackingDeps, 'db'>,
  projectId: string,
  root: ArtifactRoot,
): Promise<readonly Artifact[]> {
  return deps.db.read((tx) => listArtifactsIn(tx, projectId, root));
}

export async function listArtifactsIn(tx: Tx, projectId: string, root: ArtifactRoot): Promise<readonly Artifact[]> {
  const place = placeOf(projectId, root, '');
  const rows = await listArtifactRows(tx, place, MAX_FILES_LISTED);
  const skip = place.path === '' ? 0 : place.path.length + 1;
  return rows.map((row) => ({ ...toArtifact(row), path: row.path.slice(skip) }));
}

/** The files and folders right inside a folder, by name. A folder that is not there is empty. */
export async function listArtifactFolder(
  deps: Pick<TrackingDeps, 'db'>,
  projectId: string,
  folder: string,
): Promise<readonly ArtifactEntry[]> {
  const place = placeOf(projectId, '', folder);
  return deps.db.read(async (tx) => {
    const files = await listArtifactRows(tx, place, MAX_FILES_LISTED);
    const roots = place.root === '' ? await listRootsBelow(tx, projectId, place.path, MAX_FILES_LISTED) : [];
    const tree = [
      ...files.map(({ path, size_bytes }) => ({ path, sizeBytes: size_bytes })),
      ...roots.map((path) => ({ path: `${path}/`, sizeBytes: 0 })),
    ];
    return toEntries(tree, place.path);
  });
}

/** Deletes a file, or a folder with all in it. Nothing there is fine. */
export async function deleteArtifacts(deps: ArtifactDeps, projectId: string, path: string): Promise<void> {
  const place = placeOf(projectId, '', path);
  if (place.root === '' && place.path === '') throw new AppError('invalid', 'Invalid path');
  await deps.db.write(async (tx) => {
    const file = place.path === '' ? undefined : await findArtifactRow(tx, place);
    const below = await listArtifactRows(tx, place, MAX_FILES_LISTED);
    for (const row of file ? [file, ...below] : below) {
      const found = { projectId, root: row.root, path: row.path };
      await deleteArtifactRow(tx, found);
      await deps.content.release(tx, ownerOf(found));
    }
  });
}

async function linkIn(
  tx: Tx,
  deps: ArtifactDeps,
  place: ArtifactPlace,
  { digest, sizeBytes }: Pick<Artifact, 'digest' | 'sizeBytes'>,
): Promise<void> {
  const { projectId, root, path } = place;
  const known = await findArtifactRow(tx, place);
  if (known?.digest === digest) return;
  if (known) await deps.content.release(tx, ownerOf(place));
  await upsertArtifact(tx, {
    project_id: projectId,
    root,
    path,
    digest,
    size_bytes: sizeBytes,
    updated_at: deps.clock.now(),
  });
  await deps.content.reference(tx, ownerOf(place), [digest]);
}

const ownerOf = ({ projectId, root, path }: ArtifactPlace): { kind: string; id: string } => ({
  kind: 'artifact',
  id: `${projectId}/${root}/${path}`,
});

function placeOf(projectId: string, root: ArtifactRoot, path: string): ArtifactPlace {
  const whole = [root, path].filter((part) => part !== '').join('/');
  return { projectId, ...splitArtifactPath(parseArtifactPath(whole)) };
}

const toArtifact = ({ path, digest, size_bytes }: ArtifactRow): Artifact => ({ path, digest, sizeBytes: size_bytes });

function toEntries(tree: readonly { path: string; sizeBytes: number }[], folder: string): readonly ArtifactEntry[] {
  const skip = folder === '' ? 0 : folder.length + 1;
  const entries = new Map<string, ArtifactEntry>();
  for (const { path, sizeBytes } of tree) {
    const [name = '', ...rest] = path.slice(skip).split('/');
    const isFolder = rest.length > 0;
    if (!entries.has(name)) entries.set(name, { name, isFolder, sizeBytes: isFolder ? 0 : sizeBytes });
  }
  return [...entries.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}
