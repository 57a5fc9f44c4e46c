import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parse as parseYaml } from 'yaml';

/** What a file beside the notebook says about its packages. */
export interface Declared {
  /** Its name, relative to the folder it was found in. */
  readonly file: string;
  /** Requirement lines: `pandas==1.5.3`. */
  readonly lines: readonly string[];
  /** `3.8`, where it names the Python. */
  readonly python: string | null;
}

const MAX_BYTES = 2 * 2 ** 20;
const MAX_LINES = 2_000;

/** The most exact first. */
const FORMS: readonly (readonly [string, (text: string) => Omit<Declared, 'file'>])[] = [
  ['uv.lock', fromTomlLock],
  ['poetry.lock', fromTomlLock],
  ['Pipfile.lock', fromPipfileLock],
  ['requirements.lock', fromRequirements],
  ['requirements.txt', fromRequirements],
  ['environment.yml', fromConda],
  ['environment.yaml', fromConda],
  ['Pipfile', fromPipfile],
  ['pyproject.toml', fromPyproject],
];

/** The first file that names packages, in the notebook's folder or else in the project's. */
export async function findDeclared(folders: readonly string[]): Promise<Declared | undefined> {
  for (const folder of new Set(folders)) {
    for (const [file, read] of FORMS) {
      const path = join(folder, file);
      const size = (await stat(path).catch(() => undefined))?.size;
      if (size === undefined || size > MAX_BYTES) continue;
      const found = parsed(await readFile(path, 'utf8').catch(() => ''), read);
      if (found && found.lines.length > 0)
        return { file, ...found, python: found.python ?? (await pythonBeside(folder)) };
    }
  }
  return undefined;
}

/** A file that cannot be read is as good as none: the imports are known anyway. */
function parsed(text: string, read: (text: string) => Omit<Declared, 'file'>): Omit<Declared, 'file'> | undefined {
  try {
    const { lines, python } = read(text);
    return { lines: lines.slice(0, MAX_LINES), python };
  } catch {
    return undefined;
  }
}

async function pythonBeside(folder: string): Promise<string | null> {
  for (const file of ['.python-version', 'runtime.txt']) {
    const text = await readFile(join(folder, file), 'utf8').catch(() => '');
    const version = /^(?:python-)?(3\.\d+)/m.exec(text)?.[1];
    if (version) return version;
  }
  return null;
}

/** Name, extras and version; markers, options, addresses and local files do not count. */
const REQUIREMENT =
  /^([A-Za-z0-9][\w.-]*)\s*(\[[\w,\s.-]+\])?\s*((?:(?:===|==|~=|!=|<=|>=|<|>)\s*[^\s,;#]+\s*,?\s*)*)\s*(?:;.*|#.*)?$/;

export function toRequirement(line: string): string | undefined {
  const match = REQUIREMENT.exec(line.trim());
  if (!match) return undefined;
  const [, name, , bounds = ''] = match;
  return `${name}${bounds.replaceAll(/\s+/g, '').replace(/,$/, '')}`;
}

function fromRequirements(text: string): Omit<Declared, 'file'> {
  const joined = text.replace(/\\\r?\n/g, ' ').replaceAll(/\s--hash=\S+/g, '');
  const lines = joined.split(/\r?\n/).flatMap((line) => toRequirement(line) ?? []);
  return { lines, python: /^#\s*python:\s*(3\.\d+)/m.exec(text)?.[1] ?? null };
}

function fromTomlLock(text: string): Omit<Declared, 'file'> {
  const found = text.matchAll(/^\[\[package\]\]\s*\nname\s*=\s*"([^"]+)"\s*\nversion\s*=\s*"([^"]+)"/gm);
  return { lines: [...found].map(([, name, version]) => `${name}==${version}`), python: pythonOf(text) };
}

function fromPipfileLock(text: string): Omit<Declared, 'file'> {
  const value = JSON.parse(text) as {
    _meta?: { requires?: { python_version?: string } };
    default?: Record<string, { version?: string }>;
  };
  const lines = Object.entries(value.default ?? {}).map(([name, { version }]) => `${name}${version ?? ''}`);
  return { lines, python: value._meta?.requires?.python_version ?? null };
}

function fromConda(text: string): Omit<Declared, 'file'> {
  const value = parseYaml(text) as { dependencies?: unknown } | null;
  const lines: string[] = [];
  let python: string | null = null;
  for (const entry of Array.isArray(value?.dependencies) ? value.dependencies : []) {
    if (typeof entry === 'string') {
      const [name = '', version] = entry.replace(/^[\w-]+::/, '').split(/(?<![=<>!~])=(?!=)|\s+/);
      if (name.startsWith('python') && /^python\W*/.test(name) && !/^python-/.test(name))
        python = /3\.\d+/.exec(entry)?.[0] ?? null;
      else lines.push(toRequirement(version && /^\d/.test(version) ? `${name}==${version}` : name) ?? '');
    } else if (typeof entry === 'object' && entry !== null && Array.isArray((entry as { pip?: unknown }).pip)) {
      for (const line of (entry as { pip: unknown[] }).pip) lines.push(toRequirement(String(line)) ?? '');
    }
  }
  return { lines: lines.filter(Boolean), python };
}

function fromPipfile(text: string): Omit<Declared, 'file'> {
  const section = /^\[packages\]\s*\n([\s\S]*?)(?=^\[|(?![\s\S]))/m.exec(text)?.[1] ?? '';
  const lines = [...section.matchAll(/^"?([\w.-]+)"?\s*=\s*(?:"([^"]*)"|\{[^}]*version\s*=\s*"([^"]*)")/gm)].flatMap(
    ([, name, plain, inner]) => toRequirement(`${name}${(plain ?? inner ?? '').replace('*', '')}`) ?? [],
  );
  return { lines, python: /python_version\s*=\s*"(3\.\d+)/.exec(text)?.[1] ?? null };
}

function fromPyproject(text: string): Omit<Declared, 'file'> {
  const list = /^dependencies\s*=\s*\[([\s\S]*?)\]\s*$/m.exec(text)?.[1] ?? '';
  const standard = [...list.matchAll(/["']([^"']+)["']/g)].flatMap(([, line]) => toRequirement(line!) ?? []);
  if (standard.length > 0) return { lines: standard, python: pythonOf(text) };
  const section = /^\[tool\.poetry\.dependencies\]\s*\n([\s\S]*?)(?=^\[|(?![\s\S]))/m.exec(text)?.[1] ?? '';
  const poetry = [...section.matchAll(/^([\w.-]+)\s*=\s*(?:"([^"]*)"|\{[^}]*version\s*=\s*"([^"]*)")/gm)];
  const lines = poetry
    .filter(([, name]) => name !== 'python')
    .flatMap(([, name, plain, inner]) => toRequirement(`${name}${caret(plain ?? inner ?? '')}`) ?? []);
  return { lines, python: pythonOf(text) };
}

/** Poetry's `^1.2` means at least that, and below the next major version. */
function caret(version: string): string {
  const match = /^\^\s*(\d+)(\S*)$/.exec(version.trim());
  if (match) return `>=${match[1]}${match[2]},<${Number(match[1]) + 1}`;
  return /^\d/.test(version) ? `==${version}` : version.replace('*', '');
}

/** `requires-python` names the lowest; where it bounds above too, the highest below that bound is nearest to what was used. */
function pythonOf(text: string): string | null {
  const line = /^(?:requires-python|python-versions|python)\s*=\s*"([^"]+)"/m.exec(text)?.[1];
  if (line === undefined) return null;
  const exact = /^(?:==|~=|~|=)?\s*(3\.\d+)/.exec(line)?.[1];
  if (exact) return exact;
  const below = /<\s*3\.(\d+)/.exec(line)?.[1];
  return below === undefined ? null : `3.${Number(below) - 1}`;
}
