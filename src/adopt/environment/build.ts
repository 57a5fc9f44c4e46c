import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isAppError, messageOf } from '../../kernel/errors.ts';
import { digestOf } from '../../kernel/hash.ts';
import type { Environments, PythonEnvironment } from '../../ports/executor.ts';
import { refusal } from '../refusal.ts';
import { minorOf, nameOf, type Recipe } from './recipes.ts';

export interface BuiltEnvironment {
  readonly recipe: Recipe;
  readonly environment: PythonEnvironment;
  readonly lock: string;
  /** `3.11`. */
  readonly python: string;
  /** Packages that no index has: their cells fail by themselves. */
  readonly unavailable: readonly string[];
}

/** Packages around the kernel itself: newer ones serve older notebooks too. */
const ANY_DAY = [
  'ipykernel',
  'ipython',
  'jupyter-client',
  'jupyter-core',
  'traitlets',
  'pyzmq',
  'tornado',
  'comm',
  'debugpy',
  'nest-asyncio',
  'psutil',
  'matplotlib-inline',
  'prompt-toolkit',
  'pygments',
  'jedi',
  'parso',
  'decorator',
  'backcall',
  'pickleshare',
  'stack-data',
  'executing',
  'asttokens',
  'pure-eval',
  'pexpect',
  'ptyprocess',
  'wcwidth',
  'appnope',
  'packaging',
  'platformdirs',
  'entrypoints',
  'importlib-metadata',
  'zipp',
  'typing-extensions',
  'exceptiongroup',
];
/** Each round takes one obstacle that the resolver names out of the way. */
const MAX_ROUNDS = 10;

/** Where locks are kept, so that what was asked for on the same day is not resolved again. */
export interface LockMemory {
  readonly folder: string;
  /** ISO day. */
  readonly today: string;
}

/** Locks and builds; wheels only. Undefined where no Python of the recipe has packages that fit together. */
export async function buildRecipe(
  environments: Environments,
  recipe: Recipe,
  say: (line: string) => void,
  memory?: LockMemory,
): Promise<BuiltEnvironment | undefined> {
  for (const python of recipe.pythons) {
    const locked = await remembered(memory, recipe, python, () => lockFor(environments, recipe, minorOf(python)));
    if (!locked) continue;
    const environment = await buildLock(environments, locked.lock, say);
    if (environment) return { recipe, environment, python: minorOf(python), ...locked };
  }
  return undefined;
}

async function buildLock(
  environments: Environments,
  lock: string,
  say: (line: string) => void,
): Promise<PythonEnvironment | undefined> {
  try {
    return await environments.build(lock, say);
  } catch (error) {
    if (!isAppError(error, 'invalid')) throw error;
    say(`it cannot be built: ${messageOf(error)}`);
    return undefined;
  }
}

/** A day's packages do not change; today's do, tomorrow. */
async function remembered(
  memory: LockMemory | undefined,
  recipe: Recipe,
  python: string,
  make: () => Promise<Locked | undefined>,
): Promise<Locked | undefined> {
  if (!memory) return make();
  const { requirements, constraints, day } = recipe;
  const asked = {
    requirements,
    constraints,
    python: minorOf(python),
    day: day ?? memory.today,
    platform: process.platform,
  };
  const path = join(memory.folder, `${digestOf(asked).slice(0, 32)}.json`);
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text !== undefined) return JSON.parse(text) as Locked;
  const made = await make();
  if (made) {
    await mkdir(memory.folder, { recursive: true });
    await writeFile(`${path}.${process.pid}`, JSON.stringify(made));
    await rename(`${path}.${process.pid}`, path);
  }
  return made;
}

interface Locked {
  readonly lock: string;
  readonly unavailable: readonly string[];
}

async function lockFor(environments: Environments, recipe: Recipe, python: string): Promise<Locked | undefined> {
  let requirements = [...recipe.requirements];
  let constraints = [...recipe.constraints];
  const anyDay = new Set<string>(ANY_DAY);
  const unavailable: string[] = [];
  for (let round = 0; round < MAX_ROUNDS; round++) {
    try {
      const lock = await environments.lock(requirements, {
        python,
        wheelsOnly: true,
        constraints,
        ...(recipe.day !== null && { excludeNewer: recipe.day, anyDay: [...anyDay] }),
      });
      return { lock, unavailable };
    } catch (error) {
      if (!isAppError(error, 'invalid')) throw error;
      const text = messageOf(error);
      refuseWithoutIndex(text);
      const obstacle = obstacleIn(text);
      if (obstacle === undefined) return undefined;
      const { name, kind } = obstacle;
      const isAsked = requirements.some((line) => nameOf(line).toLowerCase() === name);
      const isBound = [...requirements, ...constraints].some(
        (line) => nameOf(line).toLowerCase() === name && line.length > name.length,
      );
      // Held under a version on purpose: without it the recipe would be another.
      if (isBound && recipe.kind === 'day' && (kind === 'conflict' || anyDay.has(name))) return undefined;
      if (kind === 'absent' && isAsked) {
        requirements = requirements.filter((line) => nameOf(line).toLowerCase() !== name);
        unavailable.push(name);
      } else if (recipe.day !== null && !anyDay.has(name) && kind !== 'conflict') anyDay.add(name);
      else if (isBound && recipe.kind !== 'day') {
        requirements = requirements.map((line) => (nameOf(line).toLowerCase() === name ? nameOf(line) : line));
        constraints = constraints.filter((line) => nameOf(line).toLowerCase() !== name);
      } else if (isAsked && kind === 'wheels') {
        requirements = requirements.filter((line) => nameOf(line).toLowerCase() !== name);
        unavailable.push(name);
      } else return undefined;
    }
  }
  return undefined;
}

interface Obstacle {
  readonly name: string;
  readonly kind: 'absent' | 'wheels' | 'version' | 'conflict';
}

/** What the resolver stumbled over, as it words it. */
export function obstacleIn(text: string): Obstacle | undefined {
  const forms: readonly (readonly [Obstacle['kind'], RegExp])[] = [
    ['absent', /\b([\w.-]+) was not found in the (?:package registry|cache)/],
    ['wheels', /Wheels are required for `([\w.-]+)`/],
    ['wheels', /(?:all versions of )?([\w.-]+?)(?:[<=>!~]\S*)? (?:has|have) no (?:usable )?wheels/],
    ['absent', /there are no versions of ([\w.-]+) and you require/],
    ['version', /there (?:is|are) no versions? of ([\w.-]+?)(?:\[[\w,]*\])?[<=>!~]/],
    ['version', /only ([\w.-]+?)[<=>!~]\S* (?:is|are) available/],
    ['conflict', /you require ([\w.-]+?)[<=>!~]/],
  ];
  for (const [kind, pattern] of forms) {
    const name = pattern.exec(text)?.[1];
    if (name) return { name: name.toLowerCase().replaceAll('_', '-'), kind };
  }
  return undefined;
}

function refuseWithoutIndex(text: string): void {
  if (!/Failed to fetch|Could not connect|error sending request|dns error|timed out/i.test(text)) return;
  throw refusal(
    'no_index',
    'The packages that the notebook imports could not be looked up: the package index does not answer',
    {
      hint: 'See that this machine reaches a package index (UV_INDEX_URL names one), or lay a requirements.lock beside the notebook whose environment is built already.',
    },
  );
}
