import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Notebook } from '../notebooks/notebook.ts';
import { type Attempt, type AttemptRun, findCandidates, openAttempt, resume, runAttempt } from './attempt.ts';
import type { AdoptDeps, Places } from './deps.ts';
import { type BuiltEnvironment, buildRecipe } from './environment/build.ts';
import { alsoNeeds, isAside, isOfPackages, isOfPandas3, wantsNewer } from './environment/failures.ts';
import {
  dayOf,
  dayRecipe,
  firstRecipe,
  type Ingredients,
  olderPandasRecipe,
  otherDay,
  type Recipe,
  todayRecipe,
} from './environment/recipes.ts';
import type { FoundData } from './files/data.ts';
import { refusal } from './refusal.ts';
import type { CellsRun } from './run/cells.ts';
import type { Static } from './static.ts';
import type { Candidates } from './trace-files.ts';
import type { Candidate, CellOutcome, EnvironmentAttempt } from './types.ts';

/** The environment in which the notebook does best, with its kernel still open. */
export interface BestRun {
  readonly attempt: Attempt;
  readonly run: CellsRun;
  readonly candidates: Candidates;
  readonly attempts: readonly EnvironmentAttempt[];
  /** Which environment and why, in one sentence. */
  readonly sentence: string;
  readonly warnings: readonly string[];
}

interface Tried extends AttemptRun {
  readonly candidates: Candidates | undefined;
}

interface Search {
  readonly deps: AdoptDeps;
  readonly places: Places;
  readonly notebook: Notebook;
  readonly ingredients: Ingredients;
  readonly data: FoundData;
  /** SHA-256 of the notebook and of each data file. */
  readonly digests: ReadonlyMap<string, string>;
  readonly tried: Tried[];
  /** Recipes for which no packages fitted together. */
  readonly failed: Recipe[];
}

const MAX_ATTEMPTS = 4;
/** What uv says on the way that tells a person nothing. */
const CHATTER = /^\s*(?:[+~-] |Using |Creating virtual|Activate with|Resolved |Prepared |Installed | ?Downloaded )/;
/** A notebook that takes longer is not run again only because an output differs. */
const MAX_REPEAT_MS = 5 * 60_000;

/** Runs the notebook in one environment after another until one does, at most four; the best of them is kept. */
export async function findBestRun(input: Omit<Search, 'tried' | 'failed'>): Promise<BestRun> {
  const search: Search = { ...input, tried: [], failed: [] };
  let recipe: Recipe | undefined = startRecipe(search);
  while (recipe !== undefined) {
    const built = await build(search, recipe);
    if (built === undefined) search.failed.push(recipe);
    else await tryOut(search, built);
    recipe = (await withWhatItAsksFor(search)) ?? nextRecipe(search);
  }
  if (search.tried.length === 0) throw noEnvironment(search);
  const best = await chooseBest(search);
  for (const { attempt } of search.tried) {
    if (attempt === best.attempt) continue;
    await attempt.close();
    await rm(attempt.folder, { recursive: true, force: true });
  }
  return {
    ...best,
    attempts: [...search.failed.map(toUnbuilt), ...search.tried.map(toAttempt)],
    sentence: sentenceOf(best, search),
    warnings: best.attempt.built.unavailable.map(
      (name) => `No package index has a wheel of ${name} that fits; cells that need it failed.`,
    ),
  };
}

/** What is known to be gone today is not tried today. */
function startRecipe({ ingredients }: Search): Recipe {
  const first = firstRecipe(ingredients);
  const { found } = ingredients;
  const isGone = found.removed.some(({ sure, cell }) => sure && (cell == null || !isAside(cell, found)));
  if (first.kind !== 'today' || !isGone) return first;
  const { day, why } = dayOf(ingredients.found, ingredients.today);
  return dayRecipe(ingredients, day, why);
}

async function build(search: Search, recipe: Recipe): Promise<BuiltEnvironment | undefined> {
  const { deps } = search;
  const say = (line: string) => {
    if (!CHATTER.test(line)) deps.conversation.progress('environment', line.trim());
  };
  say(`${recipe.label}: looking for versions that fit together`);
  const memory = { folder: join(search.places.spec.dataDir, 'locks'), today: search.ingredients.today };
  const built = await buildRecipe(deps.environments, recipe, say, memory);
  const isKnown = search.tried.some(({ attempt }) => attempt.built.environment.digest === built?.environment.digest);
  return isKnown ? undefined : built;
}

async function tryOut(search: Search, built: BuiltEnvironment): Promise<void> {
  const { deps, places, notebook, ingredients, data, tried } = search;
  deps.conversation.progress('copy', `a copy of the project, with ${built.recipe.label}`);
  let attempt = await openAttempt(deps, places, built, data, search.digests);
  let earlier: CellsRun | undefined;
  try {
    earlier = await resume(deps, attempt, notebook);
  } catch {
    // What was kept does not fit: a fresh kernel runs everything.
    await attempt.close();
    attempt = await openAttempt(deps, places, built, data, search.digests);
  }
  const { found } = ingredients;
  const { kind, requirements } = built.recipe;
  const stops = (outcome: CellOutcome) =>
    (asksFor(outcome, found) && !requirements.includes(alsoNeeds(outcome.error!, found)!)) ||
    (kind !== 'day' && mayTryOther(search) && isCured(outcome, found));
  const { run } = await runAttempt(deps, places, attempt, notebook, { stops, earlier });
  const candidates = run.stopped ? undefined : await findCandidates(attempt, places.spec.model);
  tried.push({ attempt, run, candidates });
}

/**
 * The last recipe with a package that a library asked for when it was used; what was tried without it is dropped. A package that
 * does not exist is asked for once.
 */
async function withWhatItAsksFor({ tried, ingredients, failed }: Search): Promise<Recipe | undefined> {
  const last = tried.at(-1);
  if (last === undefined) return undefined;
  const { recipe } = last.attempt.built;
  const asked = last.run.cells.flatMap(({ error }) => (error ? (alsoNeeds(error, ingredients.found) ?? []) : []));
  const known = [...recipe.requirements, ...failed.flatMap(({ requirements }) => requirements)];
  const missing = [...new Set(asked)].filter((name) => !known.includes(name));
  if (missing.length === 0) return undefined;
  for (const name of missing) ingredients.asked.add(name);
  tried.pop();
  await last.attempt.close();
  return { ...recipe, requirements: [...recipe.requirements, ...missing] };
}

const asksFor = ({ error, number }: CellOutcome, found: Static): boolean =>
  error !== null && !isAside(number, found) && alsoNeeds(error, found) !== undefined;

const mayTryOther = ({ tried, failed }: Search): boolean =>
  tried.length + 1 < MAX_ATTEMPTS && !failed.some(({ kind }) => kind === 'day') && !tried.some(isOfDay);

const isOfDay = ({ attempt }: Tried): boolean => attempt.built.recipe.kind === 'day';

const isCured = ({ error, number }: CellOutcome, found: Static): boolean =>
  error !== null && isOfPackages(error, number, found);

/** What is tried next, or undefined where what was tried is enough or nothing else is likely to do better. */
function nextRecipe(search: Search): Recipe | undefined {
  const { tried, failed, ingredients } = search;
  if (tried.length >= MAX_ATTEMPTS || tried.length + failed.length > MAX_ATTEMPTS + 1) return undefined;
  const last = tried.at(-1);
  if (last === undefined) return afterUnbuilt(search);
  if (isGood(last, ingredients.found)) return undefined;
  // The same failure with other packages is the notebook's own.
  if (tried.some((each) => each !== last && hasSameError(each, last, ingredients.found))) return undefined;
  const kinds = new Set([...tried.map(({ attempt }) => attempt.built.recipe), ...failed].map(({ kind }) => kind));
  const { day, why } = dayOf(ingredients.found, ingredients.today);
  const wantsPandas = suspectsPandas(last) && !kinds.has('pins') && usesPandas(ingredients.found);
  const reason = whyAnother(last, ingredients.found);
  if (wantsPandas && (kinds.has('day') || day >= '2023-04-03' || !hasPackageError(last, ingredients.found)))
    return olderPandasRecipe(isOfDay(last) ? todayRecipe(ingredients) : last.attempt.built.recipe, reason);
  if (!kinds.has('day')) {
    const isNeeded = hasPackageError(last, ingredients.found) || last.candidates?.differences.some(namesPackage);
    return isNeeded ? dayRecipe(ingredients, day, joined(why, reason)) : undefined;
  }
  return anotherDay(search, last) ?? (kinds.has('today') ? undefined : todayAfterAll(search));
}

/** Nothing of the first recipe fitted together. */
function afterUnbuilt({ ingredients, failed }: Search): Recipe | undefined {
  const kinds = new Set(failed.map(({ kind }) => kind));
  const plain: Ingredients = { ...ingredients, kernel: undefined, declared: undefined };
  if (!kinds.has('today')) return firstRecipe(plain);
  const { day, why } = dayOf(ingredients.found, ingredients.today);
  return kinds.has('day') ? undefined : dayRecipe(ingredients, day, why);
}

const todayAfterAll = ({ ingredients }: Search): Recipe =>
  firstRecipe({ ...ingredients, kernel: undefined, declared: undefined });

/** The day was wrong where its packages stop the notebook too: once more, a year off. */
function anotherDay({ tried, ingredients }: Search, last: Tried): Recipe | undefined {
  const error = packageError(last, ingredients.found);
  const { recipe } = last.attempt.built;
  if (!error || recipe.day === null || tried.filter(isOfDay).length > 1) return undefined;
  const direction = tried.some((each) => !isOfDay(each)) && wantsNewer(error) ? 'later' : 'earlier';
  const day = otherDay(recipe.day, direction, ingredients.today);
  return day === undefined
    ? undefined
    : dayRecipe(ingredients, day, `what was there on ${recipe.day} does not run it either`);
}

const hasSameError = (a: Tried, b: Tried, found: Static): boolean => {
  const [x, y] = [packageError(a, found), packageError(b, found)];
  return x !== undefined && y !== undefined && x.name === y.name && x.message === y.message;
};

const packageError = ({ run }: Tried, found: Static) =>
  run.cells.find((outcome) => isCured(outcome, found))?.error ?? undefined;

const hasPackageError = (tried: Tried, found: Static): boolean => packageError(tried, found) !== undefined;

const namesPackage = (difference: { readonly package: string | null }): boolean => difference.package !== null;

/** Errors that pandas 3 brought, or outputs that differ because of pandas. */
function suspectsPandas({ run, candidates }: Tried): boolean {
  const isError = run.cells.some(({ error }) => error !== null && isOfPandas3(error));
  return isError || (candidates?.differences.some((each) => each.package?.startsWith('pandas') === true) ?? false);
}

const usesPandas = (found: Static): boolean => found.packages.some(({ name }) => name === 'pandas');

/** Nothing is left to heal: no cell failed for its packages, and no output differs because of one. */
function isGood(tried: Tried, found: Static): boolean {
  if (tried.candidates === undefined || hasPackageError(tried, found)) return false;
  if (tried.run.runMs > MAX_REPEAT_MS) return true;
  return !tried.candidates.differences.some(namesPackage);
}

/** Runs on what stopped early where nothing else reached a model, and takes the best. */
async function chooseBest(search: Search): Promise<Required<Tried> & { candidates: Candidates }> {
  const { deps, places, notebook, tried } = search;
  const finished = () =>
    tried.filter((each): each is Tried & { candidates: Candidates } => each.candidates !== undefined);
  for (const [index, each] of tried.entries()) {
    if (each.candidates !== undefined || finished().some(({ candidates }) => isServable(chosenOf(candidates))))
      continue;
    const { run } = await runAttempt(deps, places, each.attempt, notebook, { stops: () => false, earlier: each.run });
    tried[index] = { ...each, run, candidates: await findCandidates(each.attempt, places.spec.model) };
  }
  return [...finished()].sort((a, b) => compareRanks(rankOf(b), rankOf(a)))[0]!;
}

export const chosenOf = ({ candidates, chosen }: Candidates): Candidate | undefined =>
  chosen === null ? undefined : candidates[chosen];

const isServable = (candidate: Candidate | undefined): boolean =>
  candidate !== undefined && candidate.dependsOnFailed.length === 0;

/** Higher is better, the first number that differs decides. */
function rankOf({ candidates, run }: Tried & { candidates: Candidates }): readonly number[] {
  const chosen = chosenOf(candidates);
  return [
    isServable(chosen) ? 1 : 0,
    chosen?.printedAnswersHold === false ? 0 : 1,
    -candidates.differences.filter(namesPackage).length,
    -run.cells.filter(({ error }) => error !== null).length,
    -candidates.differences.length,
  ];
}

function compareRanks(a: readonly number[], b: readonly number[]): number {
  for (const [index, value] of a.entries()) if (value !== b[index]) return value - (b[index] ?? 0);
  return 0;
}

function outcomeOf({ run, candidates }: Tried): string {
  const failed = run.cells.filter(({ error }) => error !== null);
  const [first] = failed;
  const differing = candidates?.differences.length ?? 0;
  if (first) {
    const more = failed.length > 1 ? ` and ${failed.length - 1} more` : '';
    return `cell ${first.number} failed${more}: ${first.error!.name}: ${first.error!.message.split('\n')[0]!.slice(0, 160)}`;
  }
  return differing === 0
    ? 'it ran clean'
    : `it ran clean, ${differing} stored ${differing === 1 ? 'output differs' : 'outputs differ'}`;
}

function whyAnother(last: Tried, found: Static): string {
  const outcome = last.run.cells.find((each) => isCured(each, found));
  const { label } = last.attempt.built.recipe;
  if (outcome) {
    const message = outcome.error!.message.split('\n')[0]!.slice(0, 120);
    return `with ${label} cell ${outcome.number} stops: ${outcome.error!.name}: ${message}`;
  }
  const different = last.candidates?.differences.find(namesPackage);
  return different ? `with ${label} the output of cell ${different.cell} differs because of ${different.package}` : '';
}

const joined = (...parts: readonly string[]): string => parts.filter((part) => part !== '').join('; ');

function toAttempt(tried: Tried): EnvironmentAttempt {
  const { recipe, python, environment } = tried.attempt.built;
  return {
    kind: recipe.kind,
    label: recipe.label,
    day: recipe.day,
    python,
    digest: environment.digest,
    outcome: outcomeOf(tried),
  };
}

const toUnbuilt = ({ kind, label, day, pythons }: Recipe): EnvironmentAttempt => ({
  kind,
  label,
  day,
  python: pythons[0] ?? '',
  digest: null,
  outcome: 'no new set of wheels fits together for an installed Python',
});

function sentenceOf({ attempt }: Tried, search: Search): string {
  const { recipe, python } = attempt.built;
  const label = `${recipe.label[0]!.toUpperCase()}${recipe.label.slice(1)}`;
  const others = search.tried.filter((each) => each.attempt !== attempt);
  const because = recipe.why === '' ? '' : `, because ${recipe.why}`;
  const better =
    recipe.why === '' && others.length > 0
      ? `, in which it does best of the ${search.tried.length} that were tried`
      : '';
  return `${label} on Python ${python}${because}${better}.`;
}

function noEnvironment({ failed, places }: Search): Error {
  const labels = failed.map(({ label }) => label).join(', ');
  return refusal(
    'no_environment',
    `No environment could be built for ${places.name}: ${labels || 'nothing'} have no wheels that fit together for a Python that is installed here`,
    {
      hint: `Lay a requirements.txt with versions that work beside it (${join(places.root, 'requirements.txt')}), or install the Python it ran on and name it with --python.`,
    },
  );
}
