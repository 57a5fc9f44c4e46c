import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

/** The import table of ARCHITECTURE.md, read from the source itself. */
const SRC = fileURLToPath(new URL('../src/', import.meta.url));

/** From low to high: a pillar may use the index.ts of those before it. */
const PILLARS = ['identity', 'data', 'tracking', 'tuning', 'registry', 'pipelines', 'serving', 'monitoring'];

const PURE_BUILTINS = [
  'assert',
  'buffer',
  'crypto',
  'events',
  'path',
  'path/posix',
  'stream',
  'stream/promises',
  'string_decoder',
  'timers/promises',
  'url',
  'util',
  'zlib',
];
/** What reaches the world. */
const WORLDLY = [
  'child_process',
  'cluster',
  'dgram',
  'dns',
  'http',
  'http2',
  'https',
  'net',
  'sqlite',
  'tls',
  'worker_threads',
  'inspector',
];
/** Local files: those whose work is files. */
const FILES = [
  'fs',
  'fs/promises',
  'os',
  'process',
  'timers',
  'timers/promises',
  'readline',
  'readline/promises',
  'module',
  'async_hooks',
];

interface Rule {
  /** Folders (or `folder/file.ts`) of src that may be imported with values. */
  readonly values: readonly string[];
  /** Folders of which only types may be imported, besides `values`. */
  readonly types: readonly string[];
  /** npm packages; `*` is any. */
  readonly packages: readonly string[];
  readonly builtins: readonly string[];
}

const PILLAR_BASE = ['kernel', 'stats', 'engines', 'content', 'outbox', 'ports', 'wire', 'project-file'];
const ANY = ['*'];
const SHELL = [...PURE_BUILTINS, ...FILES, ...WORLDLY];

const pillar = (name: string): Rule => {
  const lower = PILLARS.slice(0, PILLARS.indexOf(name));
  return {
    values: [...PILLAR_BASE, ...lower.map((each) => `${each}/index.ts`)],
    types: [],
    packages: ['zod', '@datadog/sketches-js', ...(name === 'pipelines' ? ['croner', 'ignore', 'yaml'] : [])],
    builtins: [...PURE_BUILTINS, 'fs', 'fs/promises'],
  };
};

const RULES: Readonly<Record<string, Rule>> = {
  kernel: { values: [], types: [], packages: [], builtins: PURE_BUILTINS },
  stats: { values: ['kernel'], types: [], packages: ['@datadog/sketches-js'], builtins: PURE_BUILTINS },
  ports: { values: ['kernel'], types: [], packages: ['kysely'], builtins: [...PURE_BUILTINS, 'async_hooks'] },
  engines: {
    values: ['kernel', 'stats'],
    types: ['ports'],
    packages: ['zod', 'fflate', 'yaml'],
    builtins: [...PURE_BUILTINS, 'fs', 'fs/promises', 'os'],
  },
  content: { values: ['kernel', 'ports'], types: [], packages: [], builtins: [...PURE_BUILTINS, 'fs', 'fs/promises'] },
  outbox: { values: ['kernel', 'ports'], types: [], packages: [], builtins: PURE_BUILTINS },
  migrations: { values: ['kernel', 'ports'], types: [], packages: ['kysely'], builtins: [] },
  wire: { values: ['kernel'], types: [], packages: ['zod'], builtins: PURE_BUILTINS },
  'project-file': { values: ['kernel'], types: [], packages: ['zod', 'yaml', 'croner'], builtins: PURE_BUILTINS },
  client: { values: ['kernel'], types: ANY, packages: [], builtins: [] },
  http: {
    values: [...PILLARS.map((each) => `${each}/index.ts`), 'wire', 'kernel'],
    types: ['ports'],
    packages: ['fastify', 'zod'],
    builtins: SHELL,
  },
  compat: {
    values: [...PILLARS.map((each) => `${each}/index.ts`), 'wire', 'kernel'],
    types: ['ports'],
    packages: ['zod'],
    builtins: PURE_BUILTINS,
  },
  cli: {
    values: ['client', 'project-file', 'kernel'],
    types: PILLARS,
    packages: ['commander', '@clack/prompts', 'ignore'],
    builtins: SHELL,
  },
  gateway: {
    values: ['kernel', 'stats', 'engines', 'content', 'ports'],
    types: [],
    packages: ['prom-client', '@datadog/sketches-js', 'zod'],
    builtins: SHELL,
  },
  analytics: { values: ['kernel', 'stats', 'engines', 'content', 'ports'], types: [], packages: [], builtins: SHELL },
  notebooks: {
    values: ['kernel', 'stats', 'engines', 'content', 'ports'],
    types: [],
    packages: ['zod'],
    builtins: SHELL,
  },
  adopt: {
    values: ['kernel', 'ports', 'notebooks', 'engines'],
    types: [],
    packages: ['zod', 'yaml'],
    builtins: SHELL,
  },
  ...Object.fromEntries(PILLARS.map((name) => [name, pillar(name)])),
};

/** Everything may be imported by the roots; they decide nothing. */
const ROOTS = /^(app\.ts|main\/|[a-z-]+\/main\.ts$)/;
/** Wire types of serving that the gateway and its siblings share with the control plane. */
const SERVING_WIRE = /^serving\/(wire|segment|segment-bytes|segment-column)\.ts$/;
const KYSELY = /^(ports|adapters|migrations)\/|\.store\.ts$/;
/** A store's table types, beside it. */
const TABLES = /(^|\/)tables\.ts$/;
const FILE_CAP_LINES = 400;

interface Import {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
  readonly dynamic: boolean;
}

const files = globSync('**/*.ts', { cwd: SRC })
  .filter((file) => !/\.(test|contract|bench)\.ts$/.test(file))
  .sort();
const imports = files.flatMap(importsOf);

test('every import is one that the table allows', () => {
  const broken = imports
    .filter((each) => !isAllowed(each))
    .map(({ from, to, typeOnly }) => `${from} → ${to}${typeOnly ? ' (type)' : ''}`);
  assert.deepEqual(broken, []);
});

test('every folder of src has a row in the table', () => {
  const folders = new Set(files.filter((file) => file.includes('/')).map((file) => file.split('/')[0]!));
  const known = new Set([...Object.keys(RULES), 'adapters', 'main']);
  assert.deepEqual(
    [...folders].filter((folder) => !known.has(folder)),
    [],
  );
});

test('the web UI takes types from src, and only where its client is typed', () => {
  const web = fileURLToPath(new URL('../web/src/', import.meta.url));
  const broken = globSync('**/*.{ts,tsx}', { cwd: web }).flatMap((file) => {
    const statements = readFileSync(join(web, file), 'utf8').match(/^(import|export)\s[^;]*?from '[^']+';/gm) ?? [];
    return statements.filter((each) => isForeignToWeb(file, each)).map((each) => `web/src/${file}: ${each}`);
  });
  assert.deepEqual(broken, []);
});

/** `ui/` knows no domain and no server; `domain/` knows no page; the server is known by its types, in `api/`. */
function isForeignToWeb(file: string, statement: string): boolean {
  const target = /from '([^']+)'/.exec(statement)?.[1] ?? '';
  if (target.includes('/src/')) return !file.startsWith('api/') || !/^(import|export) type/.test(statement);
  if (file.startsWith('ui/')) return /^\.\.\/(api|domain|pages)\//.test(target);
  return file.startsWith('domain/') && target.includes('/pages/');
}

test('only ports, adapters, migrations and stores touch Kysely', () => {
  const broken = imports.filter(
    ({ from, to, typeOnly }) => to === 'kysely' && !KYSELY.test(from) && !(typeOnly && TABLES.test(from)),
  );
  assert.deepEqual(
    broken.map(({ from }) => from),
    [],
  );
});

test('the database of a transaction is opened in stores only', () => {
  const opening = /\b(sqlOf|compilerOf)\b/;
  const broken = files.filter(
    (file) => opening.test(readFileSync(join(SRC, file), 'utf8')) && !KYSELY.test(file) && !file.startsWith('ports/'),
  );
  assert.deepEqual(broken, []);
});

test('there are no import cycles of values among folders', () => {
  const edges = new Map<string, Set<string>>();
  for (const { from, to, typeOnly, dynamic } of imports) {
    if (typeOnly || dynamic || ROOTS.test(from) || !isOurs(to)) continue;
    const [a, b] = [folderOf(from), folderOf(to)];
    if (a !== b) edges.set(a, (edges.get(a) ?? new Set()).add(b));
  }
  assert.deepEqual(findCycle(edges), []);
});

test('every pillar shows one index.ts and says in its README what it is', (context) => {
  for (const name of PILLARS) {
    if (!existsSync(join(SRC, name))) continue;
    assert.ok(existsSync(join(SRC, name, 'index.ts')), `${name}/index.ts is missing`);
    if (!existsSync(join(SRC, name, 'README.md'))) context.diagnostic(`warning: ${name}/README.md is missing`);
  }
});

test('files keep to the cap', (context) => {
  for (const file of files) {
    const lines = readFileSync(join(SRC, file), 'utf8').split('\n').length;
    if (lines > FILE_CAP_LINES) context.diagnostic(`warning: ${file} has ${lines} lines; the cap is ${FILE_CAP_LINES}`);
  }
});

function isAllowed(each: Import): boolean {
  const { from, to } = each;
  if (ROOTS.test(from)) return true;
  const folder = folderOf(from);
  if (folder === 'adapters') return isAllowedInAdapter(each);
  const rule = RULES[folder];
  if (!rule) return false;
  if (!isOurs(to)) return isAllowedOutside(each, rule);
  if (folderOf(to) === folder) return folder !== 'compat' || partOf(from) === partOf(to);
  if (folder === 'cli' && each.dynamic && ROOTS.test(to)) return true;
  if (SERVING_WIRE.test(to) && ['gateway', 'analytics', 'notebooks'].includes(folder)) return true;
  if (matches(rule.values, to)) return true;
  return each.typeOnly && isFreeType(folder, to, rule);
}

/** `import type` is free everywhere but upward among pillars. */
function isFreeType(folder: string, to: string, rule: Rule): boolean {
  if (matches(rule.types, to)) return true;
  const [mine, theirs] = [PILLARS.indexOf(folder), PILLARS.indexOf(folderOf(to))];
  if (mine >= 0 && theirs >= 0) return theirs < mine;
  return !(['kernel', 'stats', 'ports', 'migrations', 'wire'].includes(folder) && theirs >= 0);
}

/** An adapter: ports, kernel, its driver; not a pillar, not another adapter. */
function isAllowedInAdapter({ from, to, typeOnly }: Import): boolean {
  if (!isOurs(to)) return true;
  if (folderOf(to) === 'adapters') return partOf(from) === partOf(to);
  if (['ports', 'kernel'].includes(folderOf(to))) return true;
  return typeOnly && !PILLARS.includes(folderOf(to));
}

function isAllowedOutside({ from, to, typeOnly }: Import, rule: Rule): boolean {
  if (to.startsWith('node:')) return rule.builtins.includes(to.slice(5));
  if (to === 'kysely' && (KYSELY.test(from) || (typeOnly && TABLES.test(from)))) return true;
  return rule.packages.includes('*') || rule.packages.includes(packageOf(to));
}

const matches = (allowed: readonly string[], to: string): boolean =>
  allowed.some((each) => each === '*' || each === to || (!each.endsWith('.ts') && folderOf(to) === each));

const isOurs = (to: string): boolean => to.endsWith('.ts') || to.endsWith('.json');
const folderOf = (file: string): string => file.split('/')[0]!;
const partOf = (file: string): string => file.split('/').slice(0, 2).join('/');
const packageOf = (name: string): string =>
  name
    .split('/')
    .slice(0, name.startsWith('@') ? 2 : 1)
    .join('/');

function importsOf(file: string): Import[] {
  const text = withoutComments(readFileSync(join(SRC, file), 'utf8'));
  const found: Import[] = [];
  const statements = /(?:^|\n)\s*(import|export)\s+(type\s+)?([^'"`;()]*?\sfrom\s+)?['"]([^'"]+)['"]/g;
  for (const [, , type, clause = '', specifier] of text.matchAll(statements)) {
    found.push({
      from: file,
      to: resolve(file, specifier!),
      typeOnly: type !== undefined || onlyTypes(clause),
      dynamic: false,
    });
  }
  for (const [, specifier] of text.matchAll(/\bimport\(\s*['"]([^'"]+)['"]\s*\)/g)) {
    found.push({ from: file, to: resolve(file, specifier!), typeOnly: false, dynamic: true });
  }
  return found;
}

/** `{ type A, type B }` brings no value. */
function onlyTypes(clause: string): boolean {
  const names = /^\{([^}]*)\}\s*from\s*$/.exec(clause.trim())?.[1];
  if (names === undefined) return false;
  return names.split(',').every((name) => name.trim() === '' || name.trim().startsWith('type '));
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/[^\n]*/g, '$1');
}

function resolve(file: string, specifier: string): string {
  if (!specifier.startsWith('.')) return specifier;
  return relative(SRC, normalize(join(SRC, dirname(file), specifier)));
}

/** The folders of one cycle, or none. */
function findCycle(edges: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const done = new Set<string>();
  const visit = (folder: string, path: readonly string[]): string[] => {
    if (path.includes(folder)) return [...path.slice(path.indexOf(folder)), folder];
    if (done.has(folder)) return [];
    for (const next of edges.get(folder) ?? []) {
      const cycle = visit(next, [...path, folder]);
      if (cycle.length > 0) return cycle;
    }
    done.add(folder);
    return [];
  };
  for (const folder of edges.keys()) {
    const cycle = visit(folder, []);
    if (cycle.length > 0) return cycle;
  }
  return [];
}
