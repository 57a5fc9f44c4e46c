import { AppError } from '../../kernel/errors.ts';
import {
  createExperiment,
  deleteExperiment,
  deleteExperimentTag,
  findExperiment,
  getExperiment,
  listLoggedDatasets,
  renameExperiment,
  restoreExperiment,
  searchExperiments,
  setExperimentTag,
  type TrackingDeps,
} from '../../tracking/index.ts';
import { ifAny, ifText, toExperiment, VIEW_TYPE } from './entities.ts';
import {
  enumOf,
  integerOf,
  invalid,
  type Message,
  messagesOf,
  requiredText,
  textOf,
  textsOf,
  wrongType,
} from './message.ts';
import { checkLength, toExperimentTag } from './names.ts';
import type { Call, Rpc } from './rpc.ts';

const MAX_NAME = 500;
const MAX_PAGE = 50_000;
const NONE = {};

export function experimentRpcs(deps: TrackingDeps): readonly Rpc[] {
  const search = (call: Call): Promise<unknown> => searchPage(deps, call);
  return [
    {
      method: 'POST',
      path: '/experiments/create',
      permission: 'write',
      summary: 'create an experiment',
      handler: (call) => create(deps, call),
    },
    {
      method: 'GET',
      path: '/experiments/get',
      permission: 'read',
      summary: 'get an experiment',
      handler: (call) => get(deps, call),
    },
    {
      method: 'GET',
      path: '/experiments/get-by-name',
      permission: 'read',
      summary: 'find an experiment by name',
      handler: (call) => getByName(deps, call),
    },
    { method: 'POST', path: '/experiments/search', permission: 'read', summary: 'search experiments', handler: search },
    { method: 'GET', path: '/experiments/search', permission: 'read', summary: 'search experiments', handler: search },
    {
      method: 'POST',
      path: '/experiments/delete',
      permission: 'write',
      summary: 'delete an experiment',
      handler: (call) => remove(deps, call),
    },
    {
      method: 'POST',
      path: '/experiments/restore',
      permission: 'write',
      summary: 'restore an experiment',
      handler: (call) => restore(deps, call),
    },
    {
      method: 'POST',
      path: '/experiments/update',
      permission: 'write',
      summary: 'rename an experiment',
      handler: (call) => rename(deps, call),
    },
    {
      method: 'POST',
      path: '/experiments/set-experiment-tag',
      permission: 'write',
      summary: 'tag an experiment',
      handler: (call) => setTag(deps, call),
    },
    {
      method: 'POST',
      path: '/experiments/delete-experiment-tag',
      permission: 'write',
      summary: 'remove a tag',
      handler: (call) => deleteTag(deps, call),
    },
    {
      method: 'POST',
      path: '/experiments/search-datasets',
      permission: 'read',
      summary: 'datasets that runs read',
      handler: (call) => datasets(deps, call),
    },
  ];
}

/** Ids are whole numbers written as text. */
export function toExperimentId(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw invalid(`Invalid experiment ID '${text}'. Experiment ID must be a valid integer.`);
}

const experimentIdOf = (message: Message): number => toExperimentId(requiredText(message, 'experiment_id'));

async function create(deps: TrackingDeps, { actor, message }: Call): Promise<unknown> {
  const name = requiredText(message, 'name');
  checkLength('name', name, MAX_NAME);
  const artifactLocation = textOf(message, 'artifact_location');
  if (artifactLocation) checkLocation(artifactLocation);
  const tags = messagesOf(message, 'tags').map(toExperimentTag);
  const { id } = await createExperiment(deps, actor, { name, artifactLocation, tags });
  return { experiment_id: String(id) };
}

/** A location of the user's own is only kept: the client reads and writes there itself. */
function checkLocation(location: string): void {
  if (location.includes('#')) {
    throw invalid("'artifact_location' URL can't include fragments or params.");
  }
  if (location.startsWith('runs:')) {
    throw invalid(`Artifact location cannot be a runs:/ URI. Given: '${location}'`);
  }
  const query = location.split('?', 2)[1] ?? '';
  if (/\.\.|%2e%2e/i.test(query)) throw invalid(`Invalid query string: ${query}`);
  if (location.startsWith('mlflow-artifacts:') && /(^|\/)\.\.(\/|$)|%2e|%2f/i.test(location)) {
    throw invalid('Invalid path');
  }
}

async function get(deps: TrackingDeps, { actor, message }: Call): Promise<unknown> {
  return { experiment: toExperiment(await getExperiment(deps, actor, experimentIdOf(message))) };
}

async function getByName(deps: TrackingDeps, { actor, message }: Call): Promise<unknown> {
  const name = requiredText(message, 'experiment_name');
  const experiment = await findExperiment(deps, actor, name);
  if (!experiment) throw new AppError('not_found', `Could not find experiment with name '${name}'`);
  return { experiment: toExperiment(experiment) };
}

async function searchPage(deps: TrackingDeps, { actor, message }: Call): Promise<unknown> {
  const limit = checkPageSize(integerOf(message, 'max_results') ?? 0, MAX_PAGE);
  const page = await searchExperiments(deps, actor, {
    filter: textOf(message, 'filter'),
    orders: textsOf(message, 'order_by'),
    view: enumOf(message, 'view_type', VIEW_TYPE) ?? 'active',
    limit,
    after: textOf(message, 'page_token'),
  });
  return { ...ifAny('experiments', page.items.map(toExperiment)), ...ifText('next_page_token', page.next) };
}

async function remove(deps: TrackingDeps, { actor, message }: Call): Promise<unknown> {
  await deleteExperiment(deps, actor, experimentIdOf(message));
  return NONE;
}

async function restore(deps: TrackingDeps, { actor, message }: Call): Promise<unknown> {
  await restoreExperiment(deps, actor, experimentIdOf(message));
  return NONE;
}

async function rename(deps: TrackingDeps, { actor, message }: Call): Promise<unknown> {
  const id = experimentIdOf(message);
  const name = textOf(message, 'new_name');
  if (!name) return NONE;
  checkLength('name', name, MAX_NAME);
  await renameExperiment(deps, actor, { id, name });
  return NONE;
}

async function setTag(deps: TrackingDeps, { actor, message }: Call): Promise<unknown> {
  await setExperimentTag(deps, actor, { id: experimentIdOf(message), tag: toExperimentTag(message) });
  return NONE;
}

async function deleteTag(deps: TrackingDeps, { actor, message }: Call): Promise<unknown> {
  await deleteExperimentTag(deps, actor, { id: experimentIdOf(message), key: requiredText(message, 'key') });
  return NONE;
}

async function datasets(deps: TrackingDeps, { actor, message }: Call): Promise<unknown> {
  const ids = textsOf(message, 'experiment_ids').map(toExperimentId);
  const summaries = await listLoggedDatasets(deps, actor, ids);
  return ifAny(
    'dataset_summaries',
    summaries.map(({ experimentId, name, digest, context }) => ({
      experiment_id: String(experimentId),
      name,
      digest,
      ...(context === null ? {} : { context }),
    })),
  );
}

/** `written` is the value as the client wrote it, for the text. */
export function checkPageSize(limit: number, max: number, written: unknown = limit): number {
  if (limit < 1) {
    throw invalid(`Invalid value ${limit} for parameter 'max_results' supplied. It must be a positive integer`);
  }
  if (limit > max) throw wrongType('max_results', written);
  return limit;
}
