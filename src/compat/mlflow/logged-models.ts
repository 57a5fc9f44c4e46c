import { uniqueRegistrations } from '../../registry/index.ts';
import {
  createLoggedModel,
  deleteLoggedModel,
  deleteLoggedModelTag,
  finishLoggedModel,
  getLoggedModel,
  listArtifactFolder,
  logLoggedModelParams,
  type Pair,
  searchLoggedModels,
  setLoggedModelTags,
  type TrackingDeps,
} from '../../tracking/index.ts';
import { ifAny, ifText, LOGGED_MODEL_STATUS, toLoggedModel } from './entities.ts';
import { checkPageSize, toExperimentId } from './experiments.ts';
import {
  booleanOf,
  enumOf,
  integerOf,
  invalid,
  type Message,
  messagesOf,
  missing,
  requiredText,
  textOf,
  textsOf,
} from './message.ts';
import type { Call, Rpc } from './rpc.ts';

const MAX_PAGE = 1_000;
const BAD_CHARACTERS = ['/', ':', '.', '%', '"', "'"];

export const loggedModelRpcs = (deps: TrackingDeps): readonly Rpc[] => [
  {
    method: 'POST',
    path: '/logged-models',
    permission: 'write',
    summary: 'start a logged model',
    handler: (call) => create(deps, call),
  },
  {
    method: 'POST',
    path: '/logged-models/search',
    permission: 'read',
    summary: 'search logged models',
    handler: (call) => search(deps, call),
  },
  {
    method: 'GET',
    path: '/logged-models/:model_id',
    permission: 'read',
    summary: 'get a logged model',
    handler: (call) => get(deps, call),
  },
  {
    method: 'PATCH',
    path: '/logged-models/:model_id',
    permission: 'write',
    summary: 'finish a logged model',
    handler: (call) => finish(deps, call),
  },
  {
    method: 'DELETE',
    path: '/logged-models/:model_id',
    permission: 'write',
    summary: 'delete a logged model',
    handler: (call) => remove(deps, call),
  },
  {
    method: 'PATCH',
    path: '/logged-models/:model_id/tags',
    permission: 'write',
    summary: 'tag a logged model',
    handler: (call) => setTags(deps, call),
  },
  {
    method: 'DELETE',
    path: '/logged-models/:model_id/tags/:tag_key',
    permission: 'write',
    summary: 'remove a tag',
    handler: (call) => deleteTag(deps, call),
  },
  {
    method: 'POST',
    path: '/logged-models/:model_id/params',
    permission: 'write',
    summary: 'log parameters',
    handler: (call) => params(deps, call),
  },
  {
    method: 'GET',
    path: '/logged-models/:model_id/artifacts/directories',
    permission: 'read',
    summary: 'list files',
    handler: (call) => folder(deps, call),
  },
];

async function create(deps: TrackingDeps, { actor, message }: Call): Promise<unknown> {
  const name = textOf(message, 'name');
  if (name) checkName(name);
  const model = await createLoggedModel(deps, actor, {
    experimentId: toExperimentId(requiredText(message, 'experiment_id')),
    name,
    modelType: textOf(message, 'model_type'),
    sourceRunId: textOf(message, 'source_run_id'),
    params: messagesOf(message, 'params').map(toPair),
    tags: messagesOf(message, 'tags').map(toPair),
  });
  return { model: toLoggedModel(model) };
}

function checkName(name: string): void {
  if (!BAD_CHARACTERS.some((character) => name.includes(character))) return;
  throw invalid(
    `Invalid model name ('${name}') provided. Model name must be a non-empty string and cannot contain the following characters: ('/', ':', '.', '%', '"', "'")`,
  );
}

const toPair = (message: Message): Pair => ({
  key: requiredText(message, 'key'),
  value: textOf(message, 'value') ?? '',
});

async function get(deps: TrackingDeps, { actor, message }: Call): Promise<unknown> {
  return { model: toLoggedModel(await getLoggedModel(deps, actor, requiredText(message, 'model_id'))) };
}

async function finish(deps: TrackingDeps, { actor, message }: Call): Promise<unknown> {
  const status = enumOf(message, 'status', LOGGED_MODEL_STATUS) ?? missing('status');
  return {
    model: toLoggedModel(await finishLoggedModel(deps, actor, { id: requiredText(message, 'model_id'), status })),
  };
}

async function remove(deps: TrackingDeps, { actor, message }: Call): Promise<unknown> {
  await deleteLoggedModel(deps, actor, requiredText(message, 'model_id'));
  return {};
}

async function setTags(deps: TrackingDeps, { actor, message }: Call): Promise<unknown> {
  const tags = messagesOf(message, 'tags').map(toPair).map(withUniqueRegistrations);
  return {
    model: toLoggedModel(await setLoggedModelTags(deps, actor, { id: requiredText(message, 'model_id'), tags })),
  };
}

/** The server has written this tag when a version was made; the client then writes its own list, with the number as text. */
function withUniqueRegistrations({ key, value }: Pair): Pair {
  if (key !== 'mlflow.modelVersions') return { key, value };
  try {
    return { key, value: uniqueRegistrations(JSON.parse(value)) };
  } catch {
    return { key, value };
  }
}

async function deleteTag(deps: TrackingDeps, { actor, message }: Call): Promise<unknown> {
  const key = requiredText(message, 'tag_key');
  await deleteLoggedModelTag(deps, actor, { id: requiredText(message, 'model_id'), key });
  return {};
}

async function params(deps: TrackingDeps, { actor, message }: Call): Promise<unknown> {
  const pairs = messagesOf(message, 'params').map(toPair);
  await logLoggedModelParams(deps, actor, { id: requiredText(message, 'model_id'), params: pairs });
  return {};
}

async function search(deps: TrackingDeps, { actor, message }: Call): Promise<unknown> {
  const datasets = messagesOf(message, 'datasets').map((dataset) => {
    const name = textOf(dataset, 'dataset_name');
    if (!name) throw invalid('`dataset_name` in the `datasets` clause must be specified.');
    return { name, digest: textOf(dataset, 'dataset_digest') || undefined };
  });
  const orders = messagesOf(message, 'order_by').map((order) => ({
    fieldName: requiredText(order, 'field_name'),
    ascending: booleanOf(order, 'ascending') ?? true,
    datasetName: textOf(order, 'dataset_name') || undefined,
    datasetDigest: textOf(order, 'dataset_digest') || undefined,
  }));
  const experimentIds = textsOf(message, 'experiment_ids').map(toExperimentId);
  const query = { experimentIds, filter: textOf(message, 'filter'), datasets, orders };
  const digest = JSON.stringify([experimentIds, query.filter ?? '', orders]);
  const page = await searchLoggedModels(deps, actor, {
    ...query,
    limit: checkPageSize(integerOf(message, 'max_results') ?? 50, MAX_PAGE),
    after: openToken(textOf(message, 'page_token'), digest),
  });
  return {
    ...ifAny('models', page.items.map(toLoggedModel)),
    ...ifText('next_page_token', sealToken(page.next, digest)),
  };
}

/** A token of this search carries the search itself, and is refused by another. */
function sealToken(next: string | undefined, search: string): string | undefined {
  return next === undefined ? undefined : Buffer.from(JSON.stringify([next, search])).toString('base64');
}

function openToken(token: string | undefined, search: string): string | undefined {
  if (!token) return undefined;
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(token, 'base64').toString('utf8'));
  } catch {
    throw invalid('Invalid page token, could not base64-decode');
  }
  if (!Array.isArray(parts) || typeof parts[0] !== 'string')
    throw invalid('Invalid page token, could not base64-decode');
  if (parts[1] === search) return parts[0];
  throw invalid('The page token belongs to a search with other experiment_ids, filter or order_by');
}

async function folder(deps: TrackingDeps, { actor, message }: Call): Promise<unknown> {
  const model = await getLoggedModel(deps, actor, requiredText(message, 'model_id'));
  const path = textOf(message, 'artifact_directory_path') ?? '';
  if (model.root === null)
    throw invalid(`The files of this model are at ${model.artifactUri}, where only the client can read them`);
  const entries = await listArtifactFolder(deps, actor.projectId, path === '' ? model.root : `${model.root}/${path}`);
  const files = entries.map(({ name, isFolder, sizeBytes }) => ({
    path: path === '' ? name : `${path}/${name}`,
    is_dir: isFolder,
    ...(isFolder ? {} : { file_size: sizeBytes }),
  }));
  return { root_uri: model.artifactUri, ...ifAny('files', files) };
}
