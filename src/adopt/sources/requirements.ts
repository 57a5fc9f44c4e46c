import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parse as parseYaml } from 'yaml';
import { isAppError, messageOf } from '../../kernel/errors.ts';
import type { AdoptDeps } from '../deps.ts';
import { minorOf } from '../environment/recipes.ts';
import type { AdoptSpec } from '../types.ts';

export interface Requirements {
  readonly lines: readonly string[];
  readonly pythonVersion: string | null;
  readonly left: readonly string[];
}

export interface Locked {
  /** requirements.lock, where there is none yet. */
  readonly files: readonly { readonly path: string; readonly text: string }[];
  readonly found: readonly string[];
  readonly left: readonly string[];
}

const LOCK = 'requirements.lock';
const MODERN = ['3.11', '3.12', '3.13', '3.10', '3.14', '3.9', '3.8'];

/** The lock of what a folder says that it needs; one that stands there already is kept. */
export async function lockFor(deps: AdoptDeps, spec: AdoptSpec, folder: string, given?: Requirements): Promise<Locked> {
  if (await stat(join(folder, LOCK)).catch(() => undefined))
    return { files: [], found: [`${LOCK} stays as it is.`], left: [] };
  const wanted = given ?? (await readRequirements(folder));
  if (wanted.lines.length === 0) {
    const why = `Nothing names the packages; write them into requirements.txt and adopt again, or write ${LOCK}.`;
    return { files: [], found: [], left: [...wanted.left, why] };
  }
  deps.conversation.progress('environment', 'locking the packages that it names');
  const installed = (await deps.environments.pythons()).map(minorOf);
  const asked = spec.python ?? wanted.pythonVersion;
  const pythons = [...new Set([...(asked ? [asked] : []), ...MODERN.filter((minor) => installed.includes(minor))])];
  return lockIn(deps, wanted, pythons, asked);
}

async function lockIn(
  { environments }: AdoptDeps,
  wanted: Requirements,
  pythons: readonly string[],
  asked: string | null,
): Promise<Locked> {
  let reason = '';
  for (const python of pythons) {
    try {
      const text = await environments.lock([...wanted.lines], { python, wheelsOnly: true });
      const isOther = asked !== null && asked !== python;
      const other = isOther ? [`Python ${asked}, which it names, has no packages that fit; ${python} has.`] : [];
      const found = [`${LOCK} pins what it names, for Python ${python}.`];
      return { files: [{ path: LOCK, text }], found, left: [...wanted.left, ...other] };
    } catch (error) {
      if (!isAppError(error, 'invalid')) throw error;
      reason ||= messageOf(error).split('\n')[0]!;
    }
  }
  return { files: [], found: [], left: [...wanted.left, `No lock was made: ${reason}`] };
}

async function readRequirements(folder: string): Promise<Requirements> {
  const text = await readFile(join(folder, 'requirements.txt'), 'utf8').catch(() => null);
  if (text !== null) return { lines: linesOf(text), pythonVersion: null, left: [] };
  for (const name of ['conda.yaml', 'environment.yml', 'environment.yaml']) {
    const conda = await readFile(join(folder, name), 'utf8').catch(() => null);
    if (conda !== null) return fromConda(conda);
  }
  return { lines: [], pythonVersion: null, left: [] };
}

export const linesOf = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.replace(/(^|\s)#.*$/, '').trim())
    .filter((line) => /^[A-Za-z0-9]/.test(line));

/** Names that conda gives other packages. */
const CONDA: Readonly<Record<string, string>> = {
  pytorch: 'torch',
  'py-xgboost': 'xgboost',
  pytables: 'tables',
  'matplotlib-base': 'matplotlib',
  'tensorflow-gpu': 'tensorflow',
};
/** Of conda alone. */
const NO_PACKAGE = new Set(['python', 'pip', 'cudatoolkit', 'nodejs', 'r-base', 'libgcc', 'openjdk', 'gcc', 'gxx']);

/** `conda.yaml`: its packages as lines for pip, and its Python. Channels and builds are left out. */
export function fromConda(text: string): Requirements {
  const dependencies = listOf(parseYaml(text, { maxAliasCount: 100 }), 'dependencies');
  const lines: string[] = [];
  const left: string[] = [];
  let pythonVersion: string | null = null;
  for (const entry of dependencies) {
    if (typeof entry === 'object' && entry !== null) lines.push(...listOf(entry, 'pip').map(String));
    else if (typeof entry === 'string') {
      const match = /^(?:[\w.-]+::)?([\w.-]+)\s*([=<>!~].*)?$/.exec(entry.trim());
      if (!match) continue;
      const [, name = '', rule = ''] = match;
      if (name === 'python') pythonVersion = /\d+\.\d+/.exec(rule)?.[0] ?? null;
      else if (NO_PACKAGE.has(name)) left.push(`${name} of conda.yaml is no Python package.`);
      else lines.push(`${CONDA[name] ?? name}${pipRule(rule)}`);
    }
  }
  return { lines: lines.filter((line) => line !== 'pip'), pythonVersion, left };
}

/** `=1.2` of conda means any 1.2; `=1.2.3=build` is one build. */
function pipRule(rule: string): string {
  const match = /^=([^=<>!~,\s]+)(=\S+)?$/.exec(rule.trim());
  if (!match) return rule.replaceAll(' ', '');
  return (match[1]!.match(/\./g)?.length ?? 0) >= 2 ? `==${match[1]}` : `==${match[1]}.*`;
}

/** MLflow's `python_env.yaml`. */
export function fromPythonEnv(text: string): Requirements {
  const document = parseYaml(text, { maxAliasCount: 100 }) as { python?: unknown } | null;
  const version = /\d+\.\d+/.exec(String(document?.python ?? ''))?.[0] ?? null;
  return { lines: listOf(document, 'dependencies').map(String), pythonVersion: version, left: [] };
}

function listOf(value: unknown, key: string): unknown[] {
  const list = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
  return Array.isArray(list) ? list : [];
}
