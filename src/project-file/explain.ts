import { AppError } from '../kernel/errors.ts';
import type { Path, YamlText } from './document.ts';
import { suggestion } from './nearest.ts';
import { parseWithLines } from './parse.ts';

/** One value of the file and where it comes from. */
export interface Explanation {
  /** As people write it: `model.gate.rows`. */
  readonly key: string;
  /** As people write it: `30m`, `20%`, `[5%, 25%]`. */
  readonly value: string;
  /** `levain.yaml:12`, or `default`, or what it was derived from. */
  readonly from: string;
}

/**
 * Every value that a levain.yaml amounts to, defaults included, and where each comes from. With `key`, only what stands at
 * or under it; throws `not_found` where nothing does.
 */
export function explain(text: string, path: string, key?: string): readonly Explanation[] {
  const { file, yaml } = parseWithLines(text, path);
  const all = leaves(file, []).map(({ path: at, value }) => {
    const written = at.map((part) => (typeof part === 'number' ? part : toWrittenKey(part)));
    return { key: keyText(written), value, from: originOf(yaml, written) };
  });
  if (key === undefined) return all;
  const found = all.filter(
    (entry) => entry.key === key || entry.key.startsWith(`${key}.`) || entry.key.startsWith(`${key}[`),
  );
  if (found.length > 0) return found;
  const known = [...new Set(all.flatMap((entry) => prefixes(entry.key)))];
  throw new AppError('not_found', `There is no key "${key}" in ${yaml.name}${suggestion(key, known)}`);
}

/** Names that users chose stay as they are; only our own keys change their form. */
const toWrittenKey = (key: string): string => OURS[key] ?? key;

const OURS: Readonly<Record<string, string>> = {
  windowMs: 'window',
  maxNew: 'max_new',
  expectTable: 'expect_table',
  rowCount: 'row_count',
  backoffMs: 'backoff',
  timeoutMs: 'timeout',
  memoryBytes: 'memory',
  withinMs: 'within',
  atMostMs: 'at_most',
  eventTime: 'event_time',
  abortOn: 'abort_on',
  errorRate: 'error_rate',
  latencyP99Ms: 'latency_p99',
  falseAlarms: 'false_alarms',
  horizonMs: 'horizon',
  maxRuns: 'max_runs',
  onConflict: 'on_conflict',
};

/** Values that do not come from a key of their own when the text leaves them out. */
const DERIVED: readonly (readonly [RegExp, string])[] = [
  [/^name$/, "the folder's name"],
  [/^python\.(lock|version)$/, 'requirements.lock beside the file, where there is one'],
  [/^data\.[^.]+\.as$/, 'its "from"'],
  [/^model\.entity$/, "the data's key"],
  [/^model\.gate\.rows$/, 'default for this model and data'],
  [/^model\.gate\.metric$/, "default for the model's task"],
  [/^model\.task$/, 'inferred from the target when the model registers'],
  [/^monitor\.labels\.key$/, "the data's key"],
  [/^monitor\.metrics$/, "default for the model's task"],
];

function originOf(yaml: YamlText, written: Path): string {
  const flat = written.filter((part) => part !== 'expect_table');
  if (yaml.has(flat)) return `${yaml.name}:${yaml.lineOf(flat)}`;
  for (let length = flat.length - 1; length > 1; length--) {
    const parent = flat.slice(0, length);
    if (yaml.has(parent) && yaml.sourceOf(parent) !== undefined) return `${yaml.name}:${yaml.lineOf(parent)}`;
  }
  return DERIVED.find(([pattern]) => pattern.test(keyText(flat)))?.[1] ?? 'default';
}

interface Leaf {
  readonly path: Path;
  readonly value: string;
}

function leaves(value: unknown, path: Path): Leaf[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [{ path, value: show(value, path) }];
  const compact = compactForm(value as Readonly<Record<string, unknown>>, path);
  if (compact !== undefined) return [{ path, value: compact }];
  const entries = Object.entries(value);
  if (entries.length === 0) return path.length === 0 ? [] : [{ path, value: '{}' }];
  return entries.flatMap(([key, inner]) => leaves(inner, [...path, key]));
}

/** Choices (`{ kind: … }`) and rates in the form that people write them. */
function compactForm(value: Readonly<Record<string, unknown>>, path: Path): string | undefined {
  if (path.at(-1) === 'falseAlarms') return `${value['count']}/${duration(value['perMs'] as number)}`;
  if (path[0] === 'params' && path.length > 1) return JSON.stringify(value);
  if (typeof value['kind'] !== 'string') return undefined;
  const { kind, step, variable, file, logged, ...others } = value;
  if (typeof step === 'string')
    return variable ? `${step}.${variable}` : file ? `${step}:${file}` : logged === true ? step : `${step}:${logged}`;
  const rest = Object.entries(others).filter(([, inner]) => inner !== null);
  const shown = rest.map(([key, inner]) => show(inner, [...path, kind === 'share' ? 'share' : key]));
  return (kind === 'count' || kind === 'share' ? shown : [kind, ...shown]).join(' ');
}

function show(value: unknown, path: Path): string {
  if (value === null || value === undefined) return '-';
  const key = String(path.at(-1));
  if (Array.isArray(value))
    return `[${value.map((item) => show(item, [...path.slice(0, -1), key === 'steps' ? 'share' : 'item'])).join(', ')}]`;
  if (typeof value === 'object')
    return compactForm(value as Readonly<Record<string, unknown>>, path) ?? JSON.stringify(value);
  if (typeof value === 'number' && path[0] !== 'params') {
    if (key.endsWith('Ms')) return duration(value);
    if (key.endsWith('Bytes')) return size(value);
    if (['share', 'errorRate', 'jitter', 'mostly'].includes(key)) return `${Number((value * 100).toPrecision(12))}%`;
  }
  return String(value);
}

const DURATION_UNITS = [
  ['d', 864e5],
  ['h', 36e5],
  ['m', 6e4],
  ['s', 1e3],
  ['ms', 1],
] as const;
const SIZE_UNITS = [
  ['G', 2 ** 30],
  ['M', 2 ** 20],
  ['K', 2 ** 10],
  ['', 1],
] as const;

const inUnits = (value: number, units: readonly (readonly [string, number])[]): string => {
  const [unit, factor] = units.find(([, each]) => value >= each && value % each === 0) ?? units.at(-1)!;
  return `${value / factor}${unit}`;
};
const duration = (ms: number): string => inUnits(ms, DURATION_UNITS);
const size = (bytes: number): string => inUnits(bytes, SIZE_UNITS);

const keyText = (path: Path): string =>
  path.reduce<string>(
    (out, part) => (typeof part === 'number' ? `${out}[${part}]` : out ? `${out}.${part}` : part),
    '',
  );

const prefixes = (key: string): string[] => key.split('.').map((_, i, parts) => parts.slice(0, i + 1).join('.'));
