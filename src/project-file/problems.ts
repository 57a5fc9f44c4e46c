import type { z } from 'zod';
import type { Path, Problem, YamlText } from './document.ts';
import { suggestion } from './nearest.ts';

type Issue = z.core.$ZodIssue;

/** Issues of the schema in the words of a person, one a key, each with its line. */
export function toProblems(yaml: YamlText, issues: readonly Issue[]): Problem[] {
  return issues.flatMap((issue) => describe(yaml, issue, []));
}

function describe(yaml: YamlText, issue: Issue, base: Path): Problem[] {
  const path = [...base, ...(issue.path as (string | number)[])];
  const at = (message: string, where: Path = path): Problem => ({ line: yaml.lineOf(where), message });
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => at(unknownKey(key, issue.message.split('\n'), path), [...path, key]));
  if (issue.code === 'invalid_key') return issue.issues.map((inner) => at(inner.message));
  if (issue.code === 'invalid_union') return describeUnion(yaml, issue, path);
  if (issue.code === 'invalid_type') return [at(wrongType(yaml, issue, path))];
  if (issue.code === 'invalid_value' && issue.values.length > 1)
    return [at(wrongValue(valueAt(yaml, path), issue.values.map(String), path))];
  return [
    at(
      issue.code === 'custom'
        ? issue.message
        : `${label(path)}: ${issue.message.toLowerCase()}; got ${show(valueAt(yaml, path))}`,
    ),
  ];
}

/** The branch that the writer meant is the one whose outer type fits; without one, all choices are named. */
function describeUnion(yaml: YamlText, issue: Issue & { code: 'invalid_union' }, path: Path): Problem[] {
  const meant = issue.errors.find((branch) =>
    branch.every((inner) => inner.path.length > 0 || !['invalid_type', 'invalid_value'].includes(inner.code)),
  );
  if (meant) return meant.flatMap((inner) => describe(yaml, inner, path));
  const flat = issue.errors.flat().flatMap((inner) => (inner.code === 'invalid_union' ? inner.errors.flat() : [inner]));
  const words = flat.flatMap((inner) => (inner.code === 'invalid_value' ? inner.values.map(String) : []));
  const types = flat.flatMap((inner) =>
    inner.code === 'invalid_type' ? [TYPE_WORDS[inner.expected] ?? inner.expected] : [],
  );
  const value = valueAt(yaml, path);
  if (value === undefined) return [{ line: yaml.lineOf(path), message: lacks(path) }];
  if (words.length > 0 && typeof value === 'string')
    return [{ line: yaml.lineOf(path), message: wrongValue(value, words, path) }];
  const choices = [...new Set([...words.map((word) => `"${word}"`), ...types])].join(' or ');
  return [{ line: yaml.lineOf(path), message: `${label(path)} is ${show(value)}; write ${choices}` }];
}

const TYPE_WORDS: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  object: 'a section of keys',
  record: 'a section of keys',
  array: 'a list',
  tuple: 'a list of two',
  boolean: 'true or false',
};

function wrongType(yaml: YamlText, issue: Issue & { code: 'invalid_type' }, path: Path): string {
  const value = valueAt(yaml, path);
  if (value === undefined) return lacks(path);
  const source = yaml.sourceOf(path);
  if (issue.expected === 'string' && (typeof value === 'number' || typeof value === 'boolean'))
    return `${label(path)} is the ${typeof value} ${show(value)}, not text; quote it: ${path.at(-1)}: "${source ?? value}"`;
  return `${label(path)} is ${show(value)}; write ${TYPE_WORDS[issue.expected] ?? issue.expected}`;
}

const lacks = (path: Path): string => `${label(path.slice(0, -1))} lacks "${path.at(-1)}"; add it`;

const wrongValue = (value: unknown, allowed: readonly string[], path: Path): string =>
  `${label(path)} is ${show(value)}${suggestion(String(value), allowed)}`;

function unknownKey(key: string, known: readonly string[], path: Path): string {
  const where = path.length === 0 ? '' : ` in ${label(path)}`;
  if (key === 'on' || key === 'true')
    return `"on" is never a key${where} (YAML 1.1 reads it as true); what starts a run stands under "triggers"`;
  return `key "${key}" is unknown${where}${suggestion(key, known)}`;
}

/** `data.churn.expect`, `triggers[1]`. */
export const label = (path: Path): string =>
  path.length === 0
    ? 'the file'
    : path.reduce<string>((out, key) => (typeof key === 'number' ? `${out}[${key}]` : out ? `${out}.${key}` : key), '');

function valueAt(yaml: YamlText, path: Path): unknown {
  let value = yaml.value;
  for (const key of path) value = (value as Record<string | number, unknown> | null | undefined)?.[key];
  return value;
}

function show(value: unknown): string {
  if (value === null || value === undefined) return 'empty';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : `a list of ${value.length}`;
  if (typeof value === 'object') return 'a section of keys';
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 80)}…"` : text;
}
