import type { AppError } from '../../kernel/errors.ts';
import type { MetricInput, Pair } from '../../tracking/index.ts';
import {
  fieldOf,
  invalid,
  invalidValue,
  type Message,
  missing,
  textOf,
  toDouble,
  toInteger,
  wrongType,
} from './message.ts';

export const MAX_METRICS = 1_000;
export const MAX_PARAMS = 100;
export const MAX_TAGS = 100;
export const MAX_ENTITIES = 1_000;
export const MAX_KEY = 250;
export const MAX_PARAM_VALUE = 6_000;
export const MAX_TAG_VALUE = 8_000;
export const MAX_EXPERIMENT_TAG_VALUE = 20_000;

/** Python's `\w` is Unicode's; so is ours. */
const ALLOWED = /^[/\p{L}\p{N}_.\- :]*$/u;
/** Names without dots and slashes resolve to themselves: most names need no second look. */
const PLAIN = /^[\w\- :]+$/;

/** A key of a metric, parameter or tag, or MLflow's complaint about it. */
export function checkKey(key: string, path: string): void {
  if (PLAIN.test(key)) return;
  if (!ALLOWED.test(key)) {
    throw invalid(
      `${invalidValue(path, key)}: Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), colon(:) and slashes (/).`,
    );
  }
  const normal = normalPath(key);
  if (normal !== key || normal === '.' || normal.startsWith('..') || normal.startsWith('/')) {
    throw invalid(
      `${invalidValue(path, key)}: Names may be treated as files in certain cases, and must not resolve to other names when treated as such. This name would resolve to '${normal}'`,
    );
  }
}

export function checkLength(what: string, value: string, limit: number): void {
  if (value.length > limit) throw invalid(`'${what}' exceeds the maximum length of ${limit} characters`);
}

/** Over-long values are cut, as MLflow does unless told otherwise; never through the middle of a character. */
export function cut(value: string, limit: number): string {
  if (value.length <= limit) return value;
  const end = value.charCodeAt(limit - 1);
  return value.slice(0, end >= 0xd800 && end <= 0xdbff ? limit - 1 : limit);
}

/** One metric of a request. `at` is its place in a batch, for the texts: `metrics[0]`, or empty. */
export function toMetric(message: Message, at: string): MetricInput {
  const key = textOf(message, 'key') || missing(join(at, 'key'));
  const written = fieldOf(message, 'value');
  if (written === undefined || written === '') missing(join(at, 'value'));
  const time = fieldOf(message, 'timestamp');
  if (time === undefined || time === '') missing(join(at, 'timestamp'));
  checkKey(key, join(at, 'name'));
  const value = toDouble(written);
  const timestamp = toInteger(time);
  const writtenStep = message['step'];
  const step = writtenStep === undefined || writtenStep === null ? 0 : toInteger(writtenStep);
  if (value === undefined)
    throw at === '' ? wrongType('value', written) : badNumber(at, 'value', written, String(time));
  if (timestamp === undefined) throw wrongType(join(at, 'timestamp'), time);
  if (timestamp < 0) throw badTimestamp(at, key, value, timestamp);
  if (step === undefined) throw wrongType(join(at, 'step'), writtenStep);
  checkLength('Metric name', key, MAX_KEY);
  return withContext({ key, value, timestamp, step }, message);
}

export function toParam(message: Message, at: string): Pair {
  const key = textOf(message, 'key') || missing(join(at, 'key'));
  checkKey(key, join(at, 'key'));
  checkLength('Param key', key, MAX_KEY);
  return { key, value: cut(textOf(message, 'value') ?? '', MAX_PARAM_VALUE) };
}

export function toTag(message: Message, at: string): Pair {
  const key = textOf(message, 'key') || missing(join(at, 'key'));
  checkKey(key, join(at, 'key'));
  checkLength(join(at, 'key'), key, MAX_KEY);
  return { key, value: cut(textOf(message, 'value') ?? '', MAX_TAG_VALUE) };
}

export function toExperimentTag(message: Message): Pair {
  const key = textOf(message, 'key') || missing('key');
  const value = textOf(message, 'value') ?? '';
  checkKey(key, 'key');
  checkLength('key', key, MAX_KEY);
  checkLength('value', value, MAX_EXPERIMENT_TAG_VALUE);
  return { key, value };
}

export function checkBatchSize(metrics: number, params: number, tags: number): void {
  checkLimit('metrics', MAX_METRICS, metrics);
  checkLimit('params', MAX_PARAMS, params);
  checkLimit('tags', MAX_TAGS, tags);
  checkLimit('metrics, params, and tags', MAX_ENTITIES, metrics + params + tags);
}

export function checkUniqueParams(params: readonly Pair[]): void {
  const seen = new Set<string>();
  const twice = params.filter(({ key }) => seen.size === seen.add(key).size).map(({ key }) => `'${key}'`);
  if (twice.length === 0) return;
  throw invalid(
    `Duplicate parameter keys have been submitted: [${twice.join(', ')}]. Please ensure the request contains only one param value per param key.`,
  );
}

/** `posixpath.normpath` of Python. */
export function normalPath(path: string): string {
  const start = path.startsWith('//') && !path.startsWith('///') ? '//' : path.startsWith('/') ? '/' : '';
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..' || (start === '' && (parts.length === 0 || parts.at(-1) === '..'))) parts.push(part);
    else parts.pop();
  }
  return start + parts.join('/') || '.';
}

function withContext(metric: MetricInput, message: Message): MetricInput {
  const modelId = textOf(message, 'model_id');
  const datasetName = textOf(message, 'dataset_name');
  const datasetDigest = textOf(message, 'dataset_digest');
  if (!modelId && !datasetName && !datasetDigest) return metric;
  return { ...metric, modelId, datasetName, datasetDigest };
}

const join = (at: string, name: string): string => (at === '' ? name : `${at}.${name}`);

function checkLimit(what: string, limit: number, got: number): void {
  if (got <= limit) return;
  throw invalid(
    `A batch logging request can contain at most ${limit} ${what}. Got ${got} ${what}. Please split up ${what} across multiple requests and try again.`,
  );
}

const badNumber = (at: string, name: string, value: unknown, time: string): AppError =>
  invalid(
    `${invalidValue(join(at, name), value)}: (timestamp=${time}). Please specify value as a valid double (64-bit floating point)`,
  );

const badTimestamp = (at: string, key: string, value: number, timestamp: number): AppError =>
  invalid(
    `${invalidValue(join(at, 'timestamp'), timestamp)}: metric '${key}' (value=${pythonFloat(value)}). Timestamp must be a nonnegative long (64-bit integer) `,
  );

/** As Python prints a float: `1.0`, not `1`. */
const pythonFloat = (value: number): string =>
  Number.isInteger(value) && Math.abs(value) < 1e16 ? `${value}.0` : String(value);
