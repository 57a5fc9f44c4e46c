import { readFile, stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { type Flavor, flavorsFromMlmodel } from '../engines/index.ts';
import { AppError } from '../kernel/errors.ts';
import type { Actor } from '../wire/route.ts';
import type { ModelFile, ModelVersion, RegistryDeps, VersionRef } from './types.ts';
import { getVersion } from './versions.ts';

type Deps = Pick<RegistryDeps, 'db' | 'content'>;

/** Longer MLmodel files are not read for their flavours. */
const MAX_MLMODEL_BYTES = 1024 * 1024;

export interface VersionFiles {
  readonly items: readonly (ModelFile & { readonly role: 'model' | 'features' })[];
  readonly flavors: readonly Flavor[];
}

/** What a version is made of: the model's own files, and its features.py. */
export async function listFiles(deps: Deps, actor: Pick<Actor, 'projectId'>, ref: VersionRef): Promise<VersionFiles> {
  const version = await getVersion(deps, actor, ref);
  return { items: await filesOf(deps, version), flavors: await flavorsOf(deps, version) };
}

/** One of them. Throws `not_found`. */
export async function openFile(
  deps: Deps,
  actor: Pick<Actor, 'projectId'>,
  input: VersionRef & { readonly path: string },
): Promise<{ readonly file: ModelFile; readonly body: Readable }> {
  const version = await getVersion(deps, actor, input);
  const file = (await filesOf(deps, version)).find(({ path }) => path === input.path);
  if (!file) throw new AppError('not_found', `${version.model}@v${version.version} has no file "${input.path}"`);
  return { file, body: await deps.content.open(file.digest) };
}

async function filesOf(deps: Deps, { facts }: ModelVersion): Promise<VersionFiles['items']> {
  const own = facts.files.map((file) => ({ ...file, role: 'model' as const }));
  if (facts.featuresDigest === null) return own;
  const name = facts.section?.features ?? 'features.py';
  const path = own.some((file) => file.path === name) ? `features/${name}` : name;
  const { size } = await stat(await deps.content.localPath(facts.featuresDigest));
  return [...own, { path, digest: facts.featuresDigest, sizeBytes: size, role: 'features' }];
}

async function flavorsOf(deps: Deps, { facts }: ModelVersion): Promise<readonly Flavor[]> {
  const file = facts.files.find(({ path }) => path === 'MLmodel');
  if (!file || file.sizeBytes > MAX_MLMODEL_BYTES) return [];
  try {
    return flavorsFromMlmodel(await readFile(await deps.content.localPath(file.digest), 'utf8'));
  } catch {
    // A file that a client wrote may be anything; its bytes can be downloaded.
    return [];
  }
}
