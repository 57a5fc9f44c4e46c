import { mkdir, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, extname, join, relative, sep } from 'node:path';
import { readNotebook } from '../notebooks/reading.ts';
import { type BestRun, findBestRun } from './attempts.ts';
import { chooseModel, nameOf } from './choose.ts';
import type { AdoptDeps, Places } from './deps.ts';
import { findDeclared } from './environment/beside.ts';
import { findKernel } from './environment/kernels.ts';
import { type Ingredients, minorOf } from './environment/recipes.ts';
import { extract, prove } from './extract.ts';
import { digestOfFile } from './files/copy.ts';
import { type FoundData, findData, isInside, type WrittenRead } from './files/data.ts';
import { observe } from './observe.ts';
import { EXIT, refusal } from './refusal.ts';
import { toResult } from './result.ts';
import { readStatic, type Static } from './static.ts';
import type { AdoptResult, AdoptSpec, Stage } from './types.ts';

/** Adopts a notebook: reads it, finds its data and environment, runs it, and proves what is to be served. */
export async function adoptNotebook(deps: AdoptDeps, spec: AdoptSpec): Promise<AdoptResult> {
  const time = stopwatch(deps);
  const places = await placesOf(spec);
  await mkdir(spec.work, { recursive: true });
  deps.conversation.progress('read', `reading ${places.name}`);
  // Looking for installed Pythons takes as long as reading; a failure of it is met where it is awaited.
  const pythons = deps.environments.pythons();
  pythons.catch(() => {});
  const { found, notebook } = await readSource(deps, places);
  refuseMissingModules(found, places);
  time('read');
  const { data, warnings } = await lookForData(deps, places, found);
  const digests = await digestsOf(spec.source, data);
  time('data');
  const ingredients = await ingredientsOf(deps, places, found, pythons);
  const best = await findBestRun({ deps, places, notebook, ingredients, data, digests });
  time('run');
  deps.conversation.progress('choose', `${best.candidates.candidates.length} fitted models are left`);
  const choice = await chooseModel(best, found, places, deps.conversation);
  const observed = await observe(best.attempt, choice.candidate.expression ?? nameOf(choice.candidate));
  time('choose');
  deps.conversation.progress(
    'extract',
    `taking out what stands between raw rows and ${choice.candidate.variable ?? 'the model'}`,
  );
  const extracted = await extract(best.attempt, choice, places);
  time('extract');
  await best.attempt.close();
  deps.conversation.progress('prove', 'asking the model for every row of the file again');
  const proof = await prove(best.attempt, extracted.folder);
  time('prove');
  await refuseTouched(digests);
  const timings = time.all();
  return toResult({
    ...{ deps, places, found, data, best, choice, observed, digests, timings },
    extracted: { ...extracted, proof },
    warnings: [...warnings, ...outcomeWarnings(best)],
  });
}

/** What the text tells, and the cells as they will run. A script is told of in the cells that it becomes. */
async function readSource({ python, pythonPath }: AdoptDeps, { spec, root, name }: Places) {
  const options = { python, pythonPath, file: spec.source, root };
  if (extname(name) !== '.py') {
    const found = await readStatic(options);
    return { found, notebook: await readNotebook(spec.source, name) };
  }
  const notebook = await readNotebook(spec.source, name);
  const cells = join(spec.work, 'script.ipynb');
  await writeFile(cells, JSON.stringify(notebook));
  return { found: await readStatic({ ...options, cells }), notebook };
}

async function placesOf(spec: AdoptSpec): Promise<Places> {
  const facts = await stat(spec.source).catch(() => undefined);
  if (!facts) throw refusal('not_found', `There is no ${spec.source}`, { exit: EXIT.notFound });
  const beside = dirname(spec.source);
  const root = isInside(spec.source, spec.folder) ? spec.folder : beside;
  return {
    spec,
    root,
    beside,
    notebook: relative(root, spec.source).split(sep).join('/'),
    name: basename(spec.source),
  };
}

function refuseMissingModules(found: Static, places: Places): void {
  const missing = found.missing.find(({ optional }) => !optional);
  if (!missing) return;
  throw refusal(
    'module_missing',
    `${places.name} imports ${missing.module}, which is no public package and does not lie beside it`,
    {
      cell: missing.cell ?? null,
      line: missing.line ?? null,
      hint: `Put ${missing.module.split('.')[0]}.py beside the notebook.`,
    },
  );
}

/** Kinds of reads that are no files. */
const NO_FILES = new Set(['sql', 'clipboard', 'folder', 'image']);

async function lookForData(
  deps: AdoptDeps,
  places: Places,
  found: Static,
): Promise<{ readonly data: FoundData; readonly warnings: readonly string[] }> {
  const reads = found.reads.filter((read) => isFile(read.path, read.kind) && !isOwnWork(read, found));
  const choose = async (read: WrittenRead, files: readonly string[]) => {
    const [first] = files;
    return (
      (await deps.conversation.ask({
        kind: 'data',
        text: `Cell ${read.cell} reads ${read.path}; ${files.length} files here may be meant.`,
        options: files.map((path) => ({ value: path, label: relative(places.root, path), hint: null })),
      })) || first!
    );
  };
  const where = { beside: places.beside, root: places.root, given: places.spec.data };
  const data = await findData(reads, where, choose);
  // What only looks like a path is taken along where it is there.
  const mentions = found.mentions
    .filter(({ path }) => isFile(path, null))
    .map((each) => ({ ...each, line: each.line ?? 1 }));
  const more = await findData(mentions, { ...where, given: [] }, async (_, files) => files[0]!);
  refuseMissingData(data, reads.length, places, found);
  const missing = data.missing.map(
    ({ cell, path }) => `Cell ${cell} reads ${path}, which is not there; give it with --data if the model needs it.`,
  );
  const files = [...data.files, ...more.files.filter(({ at }) => !data.files.some((each) => each.at === at))];
  return {
    data: { files, redirects: { ...more.redirects, ...data.redirects }, missing: data.missing },
    warnings: missing,
  };
}

const isFile = (path: string, kind: string | null | undefined): boolean =>
  !NO_FILES.has(kind ?? '') && !/[*?{}]/.test(path.replace(/\?.*$/, '')) && path.length < 2_000;

/** Written by an earlier line of the notebook itself. */
const isOwnWork = (read: WrittenRead, found: Static): boolean =>
  found.writes.some(
    ({ path, cell, line }) => path === read.path && (cell < read.cell || (cell === read.cell && line <= read.line)),
  );

/** Without any of its data a run would only fail later. */
function refuseMissingData(data: FoundData, asked: number, places: Places, found: Static): void {
  const [first, ...others] = data.missing;
  if (!first || data.missing.length < asked || found.datasets.length > 0) return;
  if (places.spec.network && others.every(({ path }) => /^https?:/.test(path)) && /^https?:/.test(first.path)) return;
  const more = others.length > 0 ? ` (and ${others.length} more)` : '';
  throw refusal(
    'data_missing',
    `Cell ${first.cell} of ${places.name} reads ${first.path}${more}, and no such file lies here`,
    {
      cell: first.cell,
      line: first.line,
      hint: `Put ${basename(first.path.replaceAll('\\', '/'))} beside the notebook, or name it: --data PATH${/^https?:/.test(first.path) ? '; or allow the network with --network' : ''}.`,
      exit: EXIT.notFound,
    },
  );
}

async function ingredientsOf(
  deps: AdoptDeps,
  places: Places,
  found: Static,
  installed: Promise<readonly string[]>,
): Promise<Ingredients> {
  const folders = [places.beside, places.root];
  const needed = found.packages.map(({ name, module, optional }) => ({ name, module: module ?? null, optional }));
  const [pythons, declared, kernel] = await Promise.all([
    installed,
    findDeclared(folders),
    findKernel(found.kernel?.name ?? null, needed, folders, deps.env),
  ]);
  if (pythons.length === 0) {
    throw refusal('no_python', 'No Python 3 is installed that an environment could be made of', {
      hint: 'Install Python 3.11 and try again.',
    });
  }
  const { python } = places.spec;
  if (python !== null && !pythons.some((version) => minorOf(version) === minorOf(python))) {
    throw refusal('no_python', `Python ${python} is not installed here`, {
      hint: `Installed are ${[...new Set(pythons.map(minorOf))].join(', ')}; none is downloaded.`,
      exit: EXIT.usage,
    });
  }
  const today = new Date(deps.clock.now()).toISOString().slice(0, 10);
  return { found, declared, kernel, asked: new Set(), pythons, wanted: python, today };
}

async function digestsOf(source: string, data: FoundData): Promise<ReadonlyMap<string, string>> {
  const digests = new Map([[source, await digestOfFile(source)]]);
  for (const file of data.files) if (!file.isFolder) digests.set(file.source, await digestOfFile(file.source));
  return digests;
}

/** The copy is what the notebook sees; that nothing reached the original is checked, not believed. */
async function refuseTouched(digests: ReadonlyMap<string, string>): Promise<void> {
  for (const [path, digest] of digests) {
    const now = await digestOfFile(path).catch(() => undefined);
    if (now === digest) continue;
    throw refusal('data_changed', `${path} changed while the notebook ran, so what was found may not hold for it`, {
      hint: 'See that nothing else writes it, and adopt again.',
    });
  }
}

function outcomeWarnings({ run, attempt }: BestRun): string[] {
  const failed = run.cells.filter(({ error }) => error !== null);
  const skipped = failed.map(
    ({ number, error }) =>
      `Cell ${number} failed and was passed over, since the model does not depend on it: ${error!.name}: ${error!.message.split('\n')[0]!.slice(0, 200)}`,
  );
  const left =
    attempt.left.length > 0 ? [`${attempt.left.length} large files that nothing refers to were not copied.`] : [];
  const resumed = run.cells.findLast(({ status }) => status === 'resumed');
  const kept = resumed
    ? [
        `Cells 1 to ${resumed.number} did not run again: what they left was kept from an earlier run of the same cells, data and environment.`,
      ]
    : [];
  return [...skipped, ...left, ...kept];
}

function stopwatch(deps: AdoptDeps) {
  const startedAt = deps.clock.now();
  let last = startedAt;
  const found: Record<string, number> = {};
  const lap = (stage: Stage) => {
    const now = deps.clock.now();
    found[stage] = now - last;
    last = now;
  };
  return Object.assign(lap, { all: () => ({ ...found, total: deps.clock.now() - startedAt }) });
}
