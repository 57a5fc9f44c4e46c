import type { TrackingDeps } from '../../tracking/index.ts';
import { ifAny, ifText } from './entities.ts';
import { checkPageSize } from './experiments.ts';
import { booleanOf, integerOf, invalid, type Message, messagesOf, requiredText, textOf, textsOf } from './message.ts';
import { checkKey, checkLength } from './names.ts';
import type { EntryTag, ModelEntry, RegistryPort, Stage, VersionEntry, VersionKey } from './registry-port.ts';
import type { Call, Rpc } from './rpc.ts';

const MAX_MODELS_A_PAGE = 1_000;
const MAX_VERSIONS_A_PAGE = 200_000;
const DEFAULT_MODELS = 100;
const MAX_TAG_VALUE = 100_000;
const MAX_DESCRIPTION = 5_000;

type Handler = (deps: TrackingDeps, port: RegistryPort, call: Call) => Promise<unknown>;

type Entry = readonly [
  method: Rpc['method'],
  path: string,
  permission: 'read' | 'write',
  summary: string,
  handler: Handler,
];

/** Every call of MLflow's model registry, as thin translations onto the registry's use cases. */
export const registryRpcs = (deps: TrackingDeps, port: RegistryPort): readonly Rpc[] =>
  ENTRIES.map(([method, path, permission, summary, handler]) => ({
    method,
    path,
    permission,
    summary,
    handler: (call) => handler(deps, port, call),
  }));

const nameOf = (message: Message): string => requiredText(message, 'name');

const keyOf = (message: Message): VersionKey => ({
  name: nameOf(message),
  version: toVersion(requiredVersion(message)),
});

/** Versions are numbers written as text. */
function requiredVersion(message: Message): string {
  const value = message['version'];
  return typeof value === 'number' ? String(value) : requiredText(message, 'version');
}

function toVersion(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw invalid(`Parameter 'version' must be an integer, got '${text}'.`);
}

function checkModelName(name: string): string {
  if (name.trim() === '') throw invalid("Missing value for required parameter 'name'.");
  if (/[/:]/.test(name)) throw invalid(`Invalid model name '${name}'. Names cannot contain '/' or ':'.`);
  return name;
}

function toTag(message: Message): EntryTag {
  const key = requiredText(message, 'key');
  const value = textOf(message, 'value') ?? '';
  checkKey(key, 'key');
  checkLength('key', key, 250);
  checkLength('value', value, MAX_TAG_VALUE);
  return { key, value };
}

const STAGE_NAMES: readonly Stage[] = ['None', 'Staging', 'Production', 'Archived'];

/** Stages in any case. */
function toStage(text: string): Stage {
  const stage = STAGE_NAMES.find((name) => name.toLowerCase() === text.toLowerCase());
  if (stage) return stage;
  throw invalid(`Invalid Model Version stage: ${text}. Value must be one of ${STAGE_NAMES.join(', ')}.`);
}

function checkAlias(alias: string): string {
  if (!/^[\w-]*$/.test(alias)) {
    throw invalid(
      `Invalid alias name: '${alias}'. Names may only contain alphanumerics, underscores (_), and dashes (-).`,
    );
  }
  checkLength('Registered model alias name', alias, 255);
  if (alias.toLowerCase() === 'latest') throw invalid("'latest' alias name (case insensitive) is reserved.");
  if (/^[vV]\d+$/.test(alias)) throw invalid(`Version alias name '${alias}' is reserved.`);
  return alias;
}

/** Prompts are versions whose text is a tag and whose source is this word. */
const PROMPT_SOURCE = 'dummy-source';
const PROMPT_TAG = 'mlflow.prompt.is_prompt';

/** The client reads the files itself, but a source must not lead out of where it says it is, and our disk is none. */
function checkSource(source: string, tags: readonly EntryTag[]): string {
  if (source === PROMPT_SOURCE && tags.some(({ key }) => key === PROMPT_TAG)) return source;
  let plain = source;
  for (let i = 0; i < 10; i++) {
    const decoded = decode(plain);
    if (decoded === plain) break;
    plain = decoded;
  }
  const isLocal = /^file:/i.test(plain) || !/^[a-z][\w+.-]*:/i.test(plain);
  if (isLocal) {
    throw invalid(
      `Invalid model version source: '${source}'. To use a local path as a model version source, the run_id request parameter has to be specified and the local path has to be contained within the artifact directory of the run specified by the run_id.`,
    );
  }
  if (plain.includes('\u0000') || plain.split(/[/?&=\\]/).includes('..')) {
    throw invalid(
      `Invalid model version source: '${source}'. If supplying a source as an http, https, local file path, ftp, objectstore, or mlflow-artifacts uri, an absolute path must be provided without relative path references present. Please provide an absolute path.`,
    );
  }
  return source;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function toModel(entry: ModelEntry): unknown {
  return {
    name: entry.name,
    creation_timestamp: entry.createdAt,
    last_updated_timestamp: entry.updatedAt,
    ...(entry.description === null ? {} : { description: entry.description }),
    ...ifAny(
      'latest_versions',
      entry.latest.map((version) => toVersionMessage({ ...version, aliases: [] })),
    ),
    ...ifAny('tags', entry.tags),
    ...ifAny(
      'aliases',
      entry.aliases.map(({ alias, version }) => ({ alias, version: String(version) })),
    ),
  };
}

function toVersionMessage(entry: VersionEntry): unknown {
  return {
    name: entry.name,
    version: String(entry.version),
    creation_timestamp: entry.createdAt,
    last_updated_timestamp: entry.updatedAt,
    ...(entry.user === null ? {} : { user_id: entry.user }),
    current_stage: entry.stage,
    description: entry.description ?? '',
    source: entry.source,
    run_id: entry.runId ?? '',
    status: 'READY',
    ...ifAny('tags', entry.tags),
    run_link: entry.runLink ?? '',
    ...ifAny('aliases', entry.aliases),
    ...(entry.loggedModelId === null ? {} : { model_id: entry.loggedModelId }),
  };
}

const modelAnswer = (entry: ModelEntry): unknown => ({ registered_model: toModel(entry) });
const versionAnswer = (entry: VersionEntry): unknown => ({ model_version: toVersionMessage(entry) });

const createModel: Handler = async (deps, port, { actor, message }) => {
  const name = checkModelName(nameOf(message));
  const description = textOf(message, 'description');
  checkLength('description', description ?? '', MAX_DESCRIPTION);
  return modelAnswer(
    await port.createModel(deps, actor, { name, description, tags: messagesOf(message, 'tags').map(toTag) }),
  );
};

const getModel: Handler = async (deps, port, { actor, message }) =>
  modelAnswer(await port.getModel(deps, actor, nameOf(message)));

const searchModels: Handler = async (deps, port, { actor, message }) => {
  const limit = checkPageSize(
    integerOf(message, 'max_results') ?? DEFAULT_MODELS,
    MAX_MODELS_A_PAGE,
    message['max_results'],
  );
  const page = await port.searchModels(deps, actor, queryOf(message, limit));
  return { ...ifAny('registered_models', page.items.map(toModel)), ...ifText('next_page_token', page.next) };
};

const queryOf = (message: Message, limit: number) => ({
  filter: textOf(message, 'filter'),
  orders: textsOf(message, 'order_by'),
  limit,
  after: textOf(message, 'page_token'),
});

const renameModel: Handler = async (deps, port, { actor, message }) => {
  const newName = checkModelName(requiredText(message, 'new_name'));
  return modelAnswer(await port.renameModel(deps, actor, { name: nameOf(message), newName }));
};

const updateModel: Handler = async (deps, port, { actor, message }) => {
  const description = textOf(message, 'description') ?? '';
  checkLength('description', description, MAX_DESCRIPTION);
  return modelAnswer(await port.describeModel(deps, actor, { name: nameOf(message), description }));
};

const deleteModel: Handler = async (deps, port, { actor, message }) => {
  await port.deleteModel(deps, actor, nameOf(message));
  return {};
};

const latestVersions: Handler = async (deps, port, { actor, message }) => {
  const stages = textsOf(message, 'stages').map(toStage);
  const entries = await port.latestVersions(deps, actor, { name: nameOf(message), stages });
  return ifAny(
    'model_versions',
    entries.map((entry) => toVersionMessage({ ...entry, aliases: [] })),
  );
};

const setModelTag: Handler = async (deps, port, { actor, message }) => {
  await port.setModelTag(deps, actor, { name: nameOf(message), tag: toTag(message) });
  return {};
};

const deleteModelTag: Handler = async (deps, port, { actor, message }) => {
  await port.deleteModelTag(deps, actor, { name: nameOf(message), key: requiredText(message, 'key') });
  return {};
};

const setAlias: Handler = async (deps, port, { actor, message }) => {
  await port.setModelAlias(deps, actor, { ...keyOf(message), alias: checkAlias(requiredText(message, 'alias')) });
  return {};
};

const deleteAlias: Handler = async (deps, port, { actor, message }) => {
  await port.deleteModelAlias(deps, actor, { name: nameOf(message), alias: requiredText(message, 'alias') });
  return {};
};

const getByAlias: Handler = async (deps, port, { actor, message }) =>
  versionAnswer(
    await port.getVersionByAlias(deps, actor, { name: nameOf(message), alias: requiredText(message, 'alias') }),
  );

const createVersion: Handler = async (deps, port, { actor, message }) => {
  const description = textOf(message, 'description');
  checkLength('description', description ?? '', MAX_DESCRIPTION);
  const tags = messagesOf(message, 'tags').map(toTag);
  const entry = await port.createVersion(deps, actor, {
    name: checkModelName(nameOf(message)),
    source: checkSource(requiredText(message, 'source'), tags),
    runId: textOf(message, 'run_id') || undefined,
    loggedModelId: textOf(message, 'model_id') || undefined,
    runLink: textOf(message, 'run_link') || undefined,
    description,
    tags,
  });
  return versionAnswer(entry);
};

const getVersion: Handler = async (deps, port, { actor, message }) =>
  versionAnswer(await port.getVersionEntry(deps, actor, keyOf(message)));

const updateVersion: Handler = async (deps, port, { actor, message }) => {
  const description = textOf(message, 'description') ?? '';
  checkLength('description', description, MAX_DESCRIPTION);
  return versionAnswer(await port.describeVersion(deps, actor, { ...keyOf(message), description }));
};

const moveToStage: Handler = async (deps, port, { actor, message }) => {
  const stage = toStage(requiredText(message, 'stage'));
  const archiveOthers = booleanOf(message, 'archive_existing_versions') ?? false;
  if (archiveOthers && stage !== 'Staging' && stage !== 'Production') {
    throw invalid(
      `Model version transition cannot archive existing model versions because '${stage}' is not an Active stage. Valid stages are ['Staging', 'Production']`,
    );
  }
  return versionAnswer(await port.moveToStage(deps, actor, { ...keyOf(message), stage, archiveOthers }));
};

const deleteVersion: Handler = async (deps, port, { actor, message }) => {
  await port.deleteVersion(deps, actor, keyOf(message));
  return {};
};

const searchVersions: Handler = async (deps, port, { actor, message }) => {
  const limit = checkPageSize(
    integerOf(message, 'max_results') ?? MAX_VERSIONS_A_PAGE,
    MAX_VERSIONS_A_PAGE,
    message['max_results'],
  );
  const page = await port.searchVersions(deps, actor, queryOf(message, limit));
  return { ...ifAny('model_versions', page.items.map(toVersionMessage)), ...ifText('next_page_token', page.next) };
};

const downloadUri: Handler = async (deps, port, { actor, message }) => ({
  artifact_uri: await port.downloadUri(deps, actor, keyOf(message)),
});

const setVersionTag: Handler = async (deps, port, { actor, message }) => {
  await port.setVersionTag(deps, actor, { ...keyOf(message), tag: toTag(message) });
  return {};
};

const deleteVersionTag: Handler = async (deps, port, { actor, message }) => {
  await port.deleteVersionTag(deps, actor, { ...keyOf(message), key: requiredText(message, 'key') });
  return {};
};

const ENTRIES: readonly Entry[] = [
  ['POST', '/registered-models/create', 'write', 'create a registered model', createModel],
  ['GET', '/registered-models/get', 'read', 'get a registered model', getModel],
  ['GET', '/registered-models/search', 'read', 'search registered models', searchModels],
  ['POST', '/registered-models/rename', 'write', 'rename a registered model', renameModel],
  ['PATCH', '/registered-models/update', 'write', 'describe a registered model', updateModel],
  ['DELETE', '/registered-models/delete', 'write', 'delete a registered model', deleteModel],
  ['POST', '/registered-models/get-latest-versions', 'read', 'newest versions of stages', latestVersions],
  ['GET', '/registered-models/get-latest-versions', 'read', 'newest versions of stages', latestVersions],
  ['POST', '/registered-models/set-tag', 'write', 'tag a registered model', setModelTag],
  ['DELETE', '/registered-models/delete-tag', 'write', 'remove a tag', deleteModelTag],
  ['POST', '/registered-models/alias', 'write', 'set an alias', setAlias],
  ['DELETE', '/registered-models/alias', 'write', 'remove an alias', deleteAlias],
  ['GET', '/registered-models/alias', 'read', 'get a version by alias', getByAlias],
  ['POST', '/model-versions/create', 'write', 'register a version', createVersion],
  ['GET', '/model-versions/get', 'read', 'get a version', getVersion],
  ['PATCH', '/model-versions/update', 'write', 'describe a version', updateVersion],
  ['POST', '/model-versions/transition-stage', 'write', 'move a version to a stage', moveToStage],
  ['DELETE', '/model-versions/delete', 'write', 'delete a version', deleteVersion],
  ['GET', '/model-versions/search', 'read', 'search versions', searchVersions],
  ['GET', '/model-versions/get-download-uri', 'read', 'where the files of a version are', downloadUri],
  ['POST', '/model-versions/set-tag', 'write', 'tag a version', setVersionTag],
  ['DELETE', '/model-versions/delete-tag', 'write', 'remove a tag', deleteVersionTag],
];
