import type { TrackingDeps } from '../../tracking/index.ts';
import type { Actor } from '../../wire/route.ts';

/**
 * What MLflow's registry calls need of a registry: exactly these use cases. `src/registry/mlflow` has them on the tables of the
 * registry, so that a version made by a client is a version like any other.
 */
export interface RegistryPort {
  createModel(deps: TrackingDeps, actor: Actor, input: NewModel): Promise<ModelEntry>;
  getModel(deps: TrackingDeps, actor: Actor, name: string): Promise<ModelEntry>;
  searchModels(deps: TrackingDeps, actor: Actor, query: EntryQuery): Promise<EntryPage<ModelEntry>>;
  renameModel(
    deps: TrackingDeps,
    actor: Actor,
    input: { readonly name: string; readonly newName: string },
  ): Promise<ModelEntry>;
  describeModel(
    deps: TrackingDeps,
    actor: Actor,
    input: { readonly name: string; readonly description: string },
  ): Promise<ModelEntry>;
  deleteModel(deps: TrackingDeps, actor: Actor, name: string): Promise<void>;
  setModelTag(
    deps: TrackingDeps,
    actor: Actor,
    input: { readonly name: string; readonly tag: EntryTag },
  ): Promise<void>;
  deleteModelTag(
    deps: TrackingDeps,
    actor: Actor,
    input: { readonly name: string; readonly key: string },
  ): Promise<void>;
  setModelAlias(deps: TrackingDeps, actor: Actor, input: VersionKey & { readonly alias: string }): Promise<void>;
  deleteModelAlias(
    deps: TrackingDeps,
    actor: Actor,
    input: { readonly name: string; readonly alias: string },
  ): Promise<void>;
  createVersion(deps: TrackingDeps, actor: Actor, input: NewVersion): Promise<VersionEntry>;
  getVersionEntry(deps: TrackingDeps, actor: Actor, key: VersionKey): Promise<VersionEntry>;
  getVersionByAlias(
    deps: TrackingDeps,
    actor: Actor,
    input: { readonly name: string; readonly alias: string },
  ): Promise<VersionEntry>;
  searchVersions(deps: TrackingDeps, actor: Actor, query: EntryQuery): Promise<EntryPage<VersionEntry>>;
  latestVersions(
    deps: TrackingDeps,
    actor: Actor,
    input: { readonly name: string; readonly stages: readonly Stage[] },
  ): Promise<readonly VersionEntry[]>;
  describeVersion(
    deps: TrackingDeps,
    actor: Actor,
    input: VersionKey & { readonly description: string },
  ): Promise<VersionEntry>;
  moveToStage(
    deps: TrackingDeps,
    actor: Actor,
    input: VersionKey & { readonly stage: Stage; readonly archiveOthers: boolean },
  ): Promise<VersionEntry>;
  deleteVersion(deps: TrackingDeps, actor: Actor, key: VersionKey): Promise<void>;
  setVersionTag(deps: TrackingDeps, actor: Actor, input: VersionKey & { readonly tag: EntryTag }): Promise<void>;
  deleteVersionTag(deps: TrackingDeps, actor: Actor, input: VersionKey & { readonly key: string }): Promise<void>;
  /** Where the files of a version can be read by the client: an artifact URI. */
  downloadUri(deps: TrackingDeps, actor: Actor, key: VersionKey): Promise<string>;
}

export type Stage = 'None' | 'Staging' | 'Production' | 'Archived';

export interface EntryTag {
  readonly key: string;
  readonly value: string;
}

export interface VersionKey {
  readonly name: string;
  readonly version: number;
}

export interface NewModel {
  readonly name: string;
  readonly description?: string | undefined;
  readonly tags: readonly EntryTag[];
}

export interface NewVersion {
  readonly name: string;
  /** Where the client says the files are: an artifact URI, `models:/<logged model>`, `models:/<name>/<version>`. */
  readonly source: string;
  readonly runId?: string | undefined;
  readonly loggedModelId?: string | undefined;
  readonly runLink?: string | undefined;
  readonly description?: string | undefined;
  readonly tags: readonly EntryTag[];
}

export interface EntryQuery {
  readonly filter?: string | undefined;
  readonly orders: readonly string[];
  readonly limit: number;
  readonly after?: string | undefined;
}

export interface EntryPage<T> {
  readonly items: readonly T[];
  readonly next?: string;
}

export interface ModelEntry {
  readonly name: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly description: string | null;
  readonly tags: readonly EntryTag[];
  readonly aliases: readonly { readonly alias: string; readonly version: number }[];
  /** The newest of each stage. */
  readonly latest: readonly VersionEntry[];
}

export interface VersionEntry {
  readonly name: string;
  readonly version: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly user: string | null;
  readonly stage: Stage;
  readonly description: string | null;
  readonly source: string;
  readonly runId: string | null;
  readonly runLink: string | null;
  readonly loggedModelId: string | null;
  readonly tags: readonly EntryTag[];
  readonly aliases: readonly string[];
}
