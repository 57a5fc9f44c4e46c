import { recordActivity } from '../../identity/index.ts';
import { canonicalJson } from '../../kernel/canonical-json.ts';
import { uuidv7 } from '../../kernel/ids.ts';
import { publish } from '../../outbox/index.ts';
import type { Tx } from '../../ports/db.ts';
import {
  type Artifact,
  getLoggedModelIn,
  linkArtifactIn,
  listArtifactsIn,
  rootOf,
  setLoggedModelTagsIn,
} from '../../tracking/index.ts';
import type { Actor } from '../../wire/route.ts';
import type { VersionFacts } from '../types.ts';
import { findVersionRow, insertVersion, takeVersionNumber } from '../versions.store.ts';
import { listVersions, touchModel, upsertVersionNote, upsertVersionTags } from './entries.store.ts';
import { getModelIn, getVersionIn, registryUri } from './entries.ts';
import type { EntryDeps, EntryTag, VersionEntry, VersionKey } from './types.ts';

/** The tag of a logged model that lists where it is registered. */
export const REGISTRATIONS_TAG = 'mlflow.modelVersions';

export interface NewExternalVersion {
  readonly name: string;
  readonly source: string;
  readonly runId?: string | undefined;
  readonly loggedModelId?: string | undefined;
  readonly runLink?: string | undefined;
  readonly description?: string | undefined;
  readonly tags: readonly EntryTag[];
}

interface Origin {
  readonly location: string;
  readonly runId: string | null;
  readonly loggedModelId: string | null;
}

/**
 * A version that a client registered: a row like any other, in state `external`. Its files are frozen as they are now, where they
 * are with us: later writes to the same paths do not reach the version.
 */
export async function createVersion(deps: EntryDeps, actor: Actor, input: NewExternalVersion): Promise<VersionEntry> {
  const { projectId } = actor;
  const now = deps.clock.now();
  const id = uuidv7(now, (bytes) => deps.random.fill(bytes));
  return deps.db.write(async (tx) => {
    await getModelIn(tx, projectId, input.name);
    const origin = await originOf(tx, projectId, input);
    const files = await filesAt(tx, projectId, origin.location);
    const version = await takeVersionNumber(tx, projectId, input.name);
    await insertVersion(tx, {
      project_id: projectId,
      model: input.name,
      version,
      id,
      state: 'external',
      identity: `external:${id}`,
      run_id: origin.runId,
      pipeline_run_id: null,
      created_at: now,
      draft: 0,
      rehearsal: null,
      facts: canonicalJson(factsOf(files)),
      spec: null,
      profile: null,
      gate: null,
      approval: 'not_needed',
      decision: null,
    });
    if (files.length > 0)
      await deps.content.reference(
        tx,
        { kind: 'model_version', id },
        files.map((f) => f.digest),
      );
    await upsertVersionNote(
      tx,
      { project_id: projectId, model: input.name, version },
      {
        description: input.description ?? null,
        source: input.source,
        location: origin.location,
        run_link: input.runLink ?? null,
        logged_model_id: origin.loggedModelId,
        user_id: actor.user,
        updated_at: now,
      },
    );
    await upsertVersionTags(tx, projectId, input.name, version, input.tags);
    await touchModel(tx, projectId, input.name, now);
    if (origin.loggedModelId)
      await noteRegistration(tx, projectId, origin.loggedModelId, { name: input.name, version });
    await announce(tx, deps, actor, { name: input.name, version }, now);
    return getVersionIn(tx, projectId, { name: input.name, version });
  });
}

/**
 * Where a client reads the files of a version. Files of a pipeline's version, and those that were frozen, are linked as artifacts
 * under the version's own folder the first time someone asks.
 */
export async function downloadUri(deps: EntryDeps, actor: Actor, key: VersionKey): Promise<string> {
  const { projectId } = actor;
  return deps.db.write(async (tx) => {
    await getVersionIn(tx, projectId, key);
    const row = (await findVersionRow(tx, projectId, key.name, key.version))!;
    const { files } = JSON.parse(row.facts) as VersionFacts;
    if (files.length === 0) return (await listVersions(tx, projectId, key.name, key.version))[0]?.location ?? '';
    const folder = `registry/${row.id}`;
    const known = new Set((await listArtifactsIn(tx, projectId, folder)).map(({ path }) => path));
    for (const file of files) if (!known.has(file.path)) await linkArtifactIn(tx, deps, projectId, folder, file);
    return registryUri(row.id);
  });
}

/** `models:/<logged model>`, `models:/<name>/<version>`, or a location of its own. */
async function originOf(tx: Tx, projectId: string, input: NewExternalVersion): Promise<Origin> {
  const { source } = input;
  const copied = /^models:\/+([^/@]+)\/(\d+)$/.exec(source);
  if (copied) {
    const key = { name: copied[1]!, version: Number(copied[2]) };
    await getVersionIn(tx, projectId, key);
    const row = (await listVersions(tx, projectId, key.name, key.version))[0]!;
    return {
      location: row.location ?? registryUri(row.id),
      runId: input.runId || row.run_id,
      loggedModelId: row.logged_model_id,
    };
  }
  const modelId = /^models:\/+(m-[\w-]+)$/.exec(source)?.[1] ?? input.loggedModelId;
  if (modelId) {
    const model = await getLoggedModelIn(tx, projectId, modelId);
    const location = source.startsWith('models:') ? model.artifactUri : source;
    return { location, runId: input.runId || model.sourceRunId || null, loggedModelId: modelId };
  }
  return { location: source, runId: input.runId || null, loggedModelId: null };
}

async function filesAt(tx: Tx, projectId: string, location: string): Promise<readonly Artifact[]> {
  const copied = /^mlflow-artifacts:\/registry\/([\w-]+)$/.exec(location);
  const root = copied ? `registry/${copied[1]}` : rootOf(location);
  return root === null || root === '' ? [] : listArtifactsIn(tx, projectId, root);
}

const factsOf = (files: readonly Artifact[]): VersionFacts => ({
  pipeline: null,
  files: files.map(({ path, digest, sizeBytes }) => ({ path, digest, sizeBytes })),
  featuresDigest: null,
  env: null,
  data: [],
  sourceDigest: null,
  fileDigest: null,
  section: null,
  metrics: {},
  retrain: false,
  engine: null,
  parity: null,
  madeOf: null,
  trainingRows: null,
});

/** Server and client both write this tag; `parseRegistrations` keeps one entry a version. */
async function noteRegistration(tx: Tx, projectId: string, modelId: string, key: VersionKey): Promise<void> {
  const { tags } = await getLoggedModelIn(tx, projectId, modelId);
  const known = tags.find((tag) => tag.key === REGISTRATIONS_TAG)?.value;
  const value = uniqueRegistrations([...parseRegistrations(known), key]);
  await setLoggedModelTagsIn(tx, projectId, modelId, [{ key: REGISTRATIONS_TAG, value }]);
}

function parseRegistrations(text: string | undefined): readonly VersionKey[] {
  try {
    const list: unknown = JSON.parse(text ?? '[]');
    return Array.isArray(list) ? (list as VersionKey[]) : [];
  } catch {
    return [];
  }
}

/** The same version once, as a number: clients write its number as text beside the server's. */
export function uniqueRegistrations(
  registrations: readonly { readonly name: string; readonly version: unknown }[],
): string {
  const unique = new Map(
    registrations.map(({ name, version }) => [`${name}/${version}`, { name, version: Number(version) }]),
  );
  return JSON.stringify([...unique.values()]);
}

async function announce(
  tx: Tx,
  deps: EntryDeps,
  actor: Actor,
  { name, version }: VersionKey,
  now: number,
): Promise<void> {
  const { projectId } = actor;
  await publish(
    tx,
    { topic: 'registry.version_registered', projectId, key: `${name}/${version}`, payload: { model: name, version } },
    deps,
  );
  await recordActivity(tx, deps, {
    projectId,
    at: now,
    kind: 'run',
    subject: `${name}@v${version}`,
    sentence: `${name} v${version} was registered by ${actor.user} through the MLflow client`,
    command: `levain models show ${name}@v${version}`,
    actor: actor.user,
  });
}
