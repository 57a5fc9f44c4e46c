import type { Static } from '../static.ts';
import type { EnvironmentAttempt } from '../types.ts';
import type { Declared } from './beside.ts';
import { type InstalledKernel, normalised } from './kernels.ts';

/** What an environment is locked from. */
export interface Recipe {
  readonly kind: EnvironmentAttempt['kind'];
  /** `today's packages`. */
  readonly label: string;
  /** Why these, as the second half of a sentence; empty where it is the plain case. */
  readonly why: string;
  readonly day: string | null;
  /** Python versions to try, `3.11`, the best first. */
  readonly pythons: readonly string[];
  readonly requirements: readonly string[];
  readonly constraints: readonly string[];
}

export interface Ingredients {
  readonly found: Static;
  readonly declared: Declared | undefined;
  readonly kernel: InstalledKernel | undefined;
  /** Installed Pythons, newest first: `3.12.1`. */
  readonly pythons: readonly string[];
  /** What libraries asked for when they were used; grows with each run. */
  readonly asked: Set<string>;
  /** `--python`. */
  readonly wanted: string | null;
  /** ISO day of today. */
  readonly today: string;
}

/** What runs the kernel; it may be of any day, but not so old that its events and messages were others. */
export const KERNEL_PACKAGES = ['ipykernel>=6', 'ipython>=7.23'] as const;
/** Today's packages come for these Pythons; the middle ones have the most wheels. */
const TODAY_ORDER = ['3.11', '3.12', '3.13', '3.10', '3.14', '3.9', '3.8'];
const OLDEST_MINOR = 8;
/** The day from which the usual packages have wheels for a Python. */
const WHEELS_FROM: Readonly<Record<string, string>> = {
  '3.8': '2019-12-20',
  '3.9': '2020-12-20',
  '3.10': '2021-12-20',
  '3.11': '2022-12-05',
  '3.12': '2023-12-01',
  '3.13': '2024-12-01',
  '3.14': '2025-12-01',
};
/** A notebook that tells nothing of its day and does not run today. */
const UNKNOWN_DAY = '2023-01-15';
/** First days without what older notebooks use, by package and version: `below` of the static analysis as a day. */
const RELEASED: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  'scikit-learn': [
    ['0.20', '2018-09-25'],
    ['0.22', '2019-12-03'],
    ['0.23', '2020-05-12'],
    ['0.24', '2020-12-22'],
    ['1.0', '2021-09-24'],
    ['1.2', '2022-12-08'],
    ['1.3', '2023-06-30'],
    ['1.4', '2024-01-17'],
    ['1.5', '2024-05-21'],
    ['1.6', '2024-12-09'],
    ['1.7', '2025-06-05'],
    ['1.8', '2025-12-10'],
  ],
  pandas: [
    ['1.0', '2020-01-29'],
    ['2.0', '2023-04-03'],
    ['3.0', '2026-01-21'],
  ],
  numpy: [
    ['1.24', '2022-12-18'],
    ['2.0', '2024-06-16'],
  ],
};

/** The kernel, what files beside it say, or today's packages: the first that there is. */
export function firstRecipe(from: Ingredients): Recipe {
  return kernelRecipe(from) ?? declaredRecipe(from) ?? todayRecipe(from);
}

function kernelRecipe({ kernel, found, pythons, wanted }: Ingredients): Recipe | undefined {
  if (!kernel || !pythons.some((version) => minorOf(version) === kernel.python)) return undefined;
  if (wanted !== null && minorOf(wanted) !== kernel.python) return undefined;
  const pinned = found.packages.map(({ name }) => pin(name, kernel.versions)).filter((line) => line !== undefined);
  const constraints = [...kernel.versions].map(([name, version]) => `${name}==${version}`);
  return {
    kind: 'kernel',
    label: `the packages of ${kernel.label}`,
    why: 'the notebook runs there',
    day: null,
    pythons: [kernel.python],
    requirements: [...pinned, ...KERNEL_PACKAGES],
    constraints: constraints.filter((line) => !line.includes('+')),
  };
}

const pin = (name: string, versions: ReadonlyMap<string, string>): string | undefined => {
  const version = versions.get(normalised(name));
  return version === undefined || version.includes('+') ? undefined : `${name}==${version}`;
};

/** A file that only names packages says no more than the imports do. */
function declaredRecipe(from: Ingredients): Recipe | undefined {
  const { declared, found } = from;
  const bounded = declared?.lines.filter((line) => /[<=~]/.test(line)) ?? [];
  if (!declared || bounded.length === 0) return undefined;
  return {
    kind: 'files',
    label: `the packages of ${declared.file}`,
    why: 'it lies beside the notebook',
    day: null,
    pythons: unique([...(from.wanted ? [from.wanted] : []), ...near(declared.python ?? pythonOf(found), from.pythons)]),
    requirements: [...importsOf(from), ...KERNEL_PACKAGES],
    constraints: bounded,
  };
}

export function todayRecipe(from: Ingredients): Recipe {
  const order = TODAY_ORDER.filter((minor) => from.pythons.some((version) => minorOf(version) === minor));
  const own = pythonOf(from.found);
  const first = own !== null && order.includes(own) && Number(own.split('.')[1]) >= 11 ? [own] : [];
  return {
    kind: 'today',
    label: "today's packages",
    why: '',
    day: null,
    pythons: from.wanted ? [from.wanted] : unique([...first, ...order]),
    requirements: [...importsOf(from), ...KERNEL_PACKAGES],
    constraints: [],
  };
}

/** The same packages but for what changed most quietly. */
export function olderPandasRecipe(base: Recipe, why: string): Recipe {
  const isPandas = (line: string) => normalised(nameOf(line)) === 'pandas';
  return {
    ...base,
    kind: 'pins',
    label: `${base.label} with pandas 2`,
    why,
    requirements: base.requirements.map((line) => (isPandas(line) ? 'pandas' : line)),
    constraints: [...base.constraints.filter((line) => !isPandas(line)), 'pandas<3'],
  };
}

/** The packages of a day, with the Python nearest to the notebook's own. */
export function dayRecipe(from: Ingredients, day: string, why: string): Recipe {
  const { found } = from;
  const python = from.wanted ? [from.wanted] : pythonsOfDay(day, pythonOf(found), from.pythons);
  const floor = WHEELS_FROM[minorOf(python[0] ?? '3.8')] ?? day;
  const effective = day < floor ? floor : day;
  const below = Object.entries(found.below).map(([name, version]) => `${name}<${version}`);
  return {
    kind: 'day',
    label: `the packages of ${effective}`,
    why,
    day: effective,
    pythons: python,
    requirements: [...importsOf(from), ...KERNEL_PACKAGES],
    constraints: below,
  };
}

/** The notebook's day, held under what it uses; with the reason for it. */
export function dayOf(found: Static, today: string): { readonly day: string; readonly why: string } {
  const suggestion = found.day?.suggestion;
  const bounds = Object.entries(found.below).flatMap(([name, below]) => lastDayBelow(name, below));
  const lowest = bounds.sort((a, b) => (a.day < b.day ? -1 : 1))[0];
  if (suggestion && (lowest === undefined || suggestion.date <= lowest.day)) {
    return { day: suggestion.date, why: `the notebook is of that time (${suggestion.why})` };
  }
  if (lowest) return { day: lowest.day, why: `it uses what ${lowest.name} ${lowest.below} removed` };
  const day = UNKNOWN_DAY < today ? UNKNOWN_DAY : today;
  return { day, why: 'nothing tells its day, and most notebooks that fail today ran then' };
}

/** Another day to try beside one that did not do: earlier where it was too new, later where it was too old. */
export function otherDay(day: string, direction: 'earlier' | 'later', today: string): string | undefined {
  const years = direction === 'earlier' ? -1 : 1;
  const moved = new Date(`${day}T00:00:00Z`);
  moved.setUTCFullYear(moved.getUTCFullYear() + years);
  const text = moved.toISOString().slice(0, 10);
  return text < WHEELS_FROM['3.8']! || text > today ? undefined : text;
}

/** The last day before a version, as [{ day }]; empty where it is not known. */
export function lastDayBelow(name: string, below: string): { name: string; below: string; day: string }[] {
  const releases = RELEASED[normalised(name)] ?? [];
  const first = releases.find(([version]) => compareVersions(version, below) >= 0);
  return first ? [{ name, below, day: dayBefore(first[1]) }] : [];
}

function dayBefore(day: string): string {
  const date = new Date(`${day}T00:00:00Z`);
  date.setUTCDate(date.getUTCDate() - 1);
  return date.toISOString().slice(0, 10);
}

export function compareVersions(a: string, b: string): number {
  const [x, y] = [a, b].map((text) => text.split('.').map(Number));
  for (let i = 0; i < Math.max(x!.length, y!.length); i++) {
    const difference = (x![i] ?? 0) - (y![i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Imports and `pip install` lines; an optional import of a package that nobody knows is left to its `except`. */
function importsOf({ found, declared, asked }: Ingredients): string[] {
  const imports = found.packages
    .filter(({ known, optional }) => known || !optional)
    .map(({ name, spec }) => (spec && /^[<=>!~]/.test(spec) ? `${name}${spec}` : name));
  const named = new Set(imports.map((line) => normalised(nameOf(line))));
  const plugins = (declared?.lines ?? []).map(nameOf).filter((name) => PLUGINS.has(normalised(name)));
  plugins.push(...asked);
  return [...imports, ...plugins.filter((name) => !named.has(normalised(name)))];
}

/** Packages that others load when asked for a format; nobody imports them. */
const PLUGINS = new Set([
  'openpyxl',
  'xlrd',
  'pyarrow',
  'fastparquet',
  'lxml',
  'html5lib',
  'tables',
  'odfpy',
  'pyxlsb',
]);

export const nameOf = (requirement: string): string => /^[\w.-]+/.exec(requirement)?.[0] ?? requirement;

/** @example minorOf('3.11.7') === '3.11' */
export const minorOf = (version: string): string => version.split('.').slice(0, 2).join('.');

const pythonOf = (found: Static): string | null => {
  const version = found.day?.python?.version;
  return version ? minorOf(version) : null;
};

/** Installed minors that we run on, nearest to the wanted one first (older before newer); without one, today's order. */
function near(wanted: string | null, pythons: readonly string[]): string[] {
  const minors = usable(pythons);
  if (wanted === null) return TODAY_ORDER.filter((minor) => minors.includes(minor));
  const number = Number(wanted.split('.')[1]);
  const distance = (minor: string) => Math.abs(Number(minor.split('.')[1]) - number);
  return [...minors].sort((a, b) => distance(a) - distance(b) || Number(a.split('.')[1]) - Number(b.split('.')[1]));
}

/** The notebook's own Python where wheels of that day exist for it, else the newest that the day's packages knew. */
function pythonsOfDay(day: string, own: string | null, pythons: readonly string[]): string[] {
  const minors = usable(pythons);
  const fitting = minors.filter((minor) => (WHEELS_FROM[minor] ?? '9') <= day);
  const newestFirst = [...fitting].sort((a, b) => compareVersions(b, a));
  const oldest = [...minors].sort(compareVersions).slice(0, 1);
  const first = own !== null && fitting.includes(own) ? [own] : [];
  return unique([...first, ...(newestFirst.length > 0 ? newestFirst : oldest)]);
}

const usable = (pythons: readonly string[]): string[] =>
  unique(pythons.map(minorOf)).filter((minor) => Number(minor.split('.')[1]) >= OLDEST_MINOR);

const unique = (items: readonly string[]): string[] => [...new Set(items)];
