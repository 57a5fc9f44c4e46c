import {
  type DatasetInput,
  deleteTag,
  logBatch,
  logInputs,
  logMetrics,
  logOutputs,
  logParams,
  recordModelHistory,
  setTags,
  type TrackingDeps,
} from '../../tracking/index.ts';
import {
  integerOf,
  invalid,
  type Message,
  messageOfField,
  messagesOf,
  requiredText,
  runIdOf,
  textOf,
} from './message.ts';
import { checkBatchSize, checkLength, checkUniqueParams, toMetric, toParam, toTag } from './names.ts';
import type { Call, Rpc } from './rpc.ts';

const NONE = {};

export const loggingRpcs = (deps: TrackingDeps): readonly Rpc[] => [
  {
    method: 'POST',
    path: '/runs/log-metric',
    permission: 'write',
    summary: 'log a metric',
    handler: (call) => oneMetric(deps, call),
  },
  {
    method: 'POST',
    path: '/runs/log-batch',
    permission: 'write',
    summary: 'log a batch',
    handler: (call) => batch(deps, call),
  },
  {
    method: 'POST',
    path: '/runs/log-parameter',
    permission: 'write',
    summary: 'log a parameter',
    handler: (call) => oneParam(deps, call),
  },
  {
    method: 'POST',
    path: '/runs/set-tag',
    permission: 'write',
    summary: 'set a tag',
    handler: (call) => setTag(deps, call),
  },
  {
    method: 'POST',
    path: '/runs/delete-tag',
    permission: 'write',
    summary: 'delete a tag',
    handler: (call) => removeTag(deps, call),
  },
  {
    method: 'POST',
    path: '/runs/log-inputs',
    permission: 'write',
    summary: 'log what a run read',
    handler: (call) => inputs(deps, call),
  },
  {
    method: 'POST',
    path: '/runs/outputs',
    permission: 'write',
    summary: 'log the models of a run',
    handler: (call) => outputs(deps, call),
  },
  {
    method: 'POST',
    path: '/runs/log-model',
    permission: 'write',
    summary: 'log a model (2.x)',
    handler: (call) => modelHistory(deps, call),
  },
];

/** The hot path: no schema library, one look at each field. */
async function oneMetric(deps: TrackingDeps, { actor, message }: Call): Promise<unknown> {
  const runId = runIdOf(message);
  await logMetrics(deps, actor, { runId, metrics: [toMetric(message, '')] });
  return NONE;
}

async function batch(deps: TrackingDeps, { actor, message }: Call): Promise<unknown> {
  const runId = runIdOf(message);
  const metrics = messagesOf(message, 'metrics');
  const params = messagesOf(message, 'params');
  const tags = messagesOf(message, 'tags');
  checkBatchSize(metrics.length, params.length, tags.length);
  const read = {
    runId,
    metrics: metrics.map((metric, i) => toMetric(metric, `metrics[${i}]`)),
    params: params.map((param, i) => toParam(param, `params[${i}]`)),
    tags: tags.map((tag, i) => toTag(tag, `tags[${i}]`)),
  };
  checkUniqueParams(read.params);
  await logBatch(deps, actor, read);
  return NONE;
}

async function oneParam(deps: TrackingDeps, { actor, message }: Call): Promise<unknown> {
  await logParams(deps, actor, { runId: runIdOf(message), params: [toParam(message, '')] });
  return NONE;
}

async function setTag(deps: TrackingDeps, { actor, message }: Call): Promise<unknown> {
  await setTags(deps, actor, { runId: runIdOf(message), tags: [toTag(message, '')] });
  return NONE;
}

async function removeTag(deps: TrackingDeps, { actor, message }: Call): Promise<unknown> {
  await deleteTag(deps, actor, { runId: runIdOf(message), key: requiredText(message, 'key') });
  return NONE;
}

const MAX_DATASETS = 1_000;

async function inputs(deps: TrackingDeps, { actor, message }: Call): Promise<unknown> {
  const runId = runIdOf(message);
  const datasets = messagesOf(message, 'datasets');
  if (datasets.length > MAX_DATASETS) throw invalid(`A request can log at most ${MAX_DATASETS} datasets`);
  await logInputs(deps, actor, {
    runId,
    datasets: datasets.map(toDatasetInput),
    models: messagesOf(message, 'models').map((model) => requiredText(model, 'model_id')),
  });
  return NONE;
}

function toDatasetInput(message: Message): DatasetInput {
  const dataset = messageOfField(message, 'dataset');
  if (!dataset) throw invalid('Dataset cannot be None');
  const read = {
    name: datasetText(dataset, 'name', 500),
    digest: datasetText(dataset, 'digest', 36),
    sourceType: datasetText(dataset, 'source_type', 36),
    source: datasetText(dataset, 'source', 65_535),
    schema: textOf(dataset, 'schema') ?? null,
    profile: textOf(dataset, 'profile') ?? null,
  };
  checkLength('schema', read.schema ?? '', 1_048_575);
  checkLength('profile', read.profile ?? '', 16_777_215);
  const tags = messagesOf(message, 'tags').map((tag) => {
    const pair = { key: textOf(tag, 'key') ?? '', value: textOf(tag, 'value') ?? '' };
    if (pair.key === '') throw invalid('InputTag key cannot be None');
    checkLength('key', pair.key, 255);
    checkLength('value', pair.value, 500);
    return pair;
  });
  return { dataset: read, tags };
}

function datasetText(dataset: Message, name: string, limit: number): string {
  const text = textOf(dataset, name);
  if (text === undefined) throw invalid(`Dataset ${name} cannot be None`);
  checkLength(name, text, limit);
  return text;
}

async function outputs(deps: TrackingDeps, { actor, message }: Call): Promise<unknown> {
  const models = messagesOf(message, 'models').map((model) => ({
    modelId: requiredText(model, 'model_id'),
    step: integerOf(model, 'step') ?? 0,
  }));
  await logOutputs(deps, actor, { runId: runIdOf(message), models });
  return NONE;
}

const MODEL_FIELDS = ['artifact_path', 'flavors', 'utc_time_created', 'run_id'];

async function modelHistory(deps: TrackingDeps, { actor, message }: Call): Promise<unknown> {
  const runId = runIdOf(message);
  const text = requiredText(message, 'model_json');
  const model = parseModel(text);
  const absent = MODEL_FIELDS.filter((name) => !(name in model)).map((name) => `'${name}'`);
  if (absent.length > 0) throw invalid(`Model json is missing mandatory fields: {${absent.join(', ')}}`);
  await recordModelHistory(deps, actor, { runId, model });
  return NONE;
}

function parseModel(text: string): Record<string, unknown> {
  try {
    const model: unknown = JSON.parse(text);
    if (typeof model === 'object' && model !== null) return model as Record<string, unknown>;
  } catch {}
  throw invalid(`Malformed model info. \n ${text} \n is not a valid JSON.`);
}
