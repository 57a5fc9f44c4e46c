import {
  createModel,
  deleteModel,
  deleteModelAlias,
  deleteModelTag,
  deleteVersion,
  deleteVersionTag,
  describeModel,
  describeVersion,
  getModel,
  getVersionByAlias,
  getVersionEntry,
  latestVersions,
  moveToStage,
  renameModel,
  searchModels,
  searchVersions,
  setModelAlias,
  setModelTag,
  setVersionTag,
} from './entries.ts';
import { createVersion, downloadUri } from './external-versions.ts';

export { uniqueRegistrations } from './external-versions.ts';
export type { EntryDeps, ModelEntry, VersionEntry } from './types.ts';

/** The registry as MLflow's protocol needs it: the use cases of `compat/mlflow/registry-port.ts`. */
export const mlflowRegistry = {
  createModel,
  getModel,
  searchModels,
  renameModel,
  describeModel,
  deleteModel,
  setModelTag,
  deleteModelTag,
  setModelAlias,
  deleteModelAlias,
  createVersion,
  getVersionEntry,
  getVersionByAlias,
  searchVersions,
  latestVersions,
  describeVersion,
  moveToStage,
  deleteVersion,
  setVersionTag,
  deleteVersionTag,
  downloadUri,
};
