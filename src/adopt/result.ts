import { readFile, stat, writeFile } from 'node:fs/promises';
import { basename, extname, join, relative, sep } from 'node:path';
import type { Json } from '../kernel/canonical-json.ts';
import { executedPath } from './attempt.ts';
import type { BestRun } from './attempts.ts';
import { type Choice, nameOf } from './choose.ts';
import type { AdoptDeps, Places } from './deps.ts';
import type { Extracted } from './extract.ts';
import { type BroughtRows, placeBrought } from './files/brought.ts';
import { digestOfFile } from './files/copy.ts';
import { type FoundData, isInside } from './files/data.ts';
import type { Static } from './static.ts';
import type { AdoptResult, DataFile } from './types.ts';

export interface ResultInput {
  readonly deps: AdoptDeps;
  readonly places: Places;
  readonly found: Static;
  readonly data: FoundData;
  readonly best: BestRun;
  readonly choice: Choice;
  readonly extracted: Extracted;
  readonly observed: Observed;
  readonly digests: ReadonlyMap<string, string>;
  readonly timings: Readonly<Record<string, number>>;
  readonly warnings: readonly string[];
}

/** What the trace saw of the world. */
export interface Observed {
  readonly opens: readonly string[];
  readonly writes: readonly string[];
  readonly refusedNetwork: readonly string[];
  readonly redirects: Readonly<Record<string, string>>;
  readonly notes: readonly string[];
  /** Tables that were read, by path: how large they are, and a column that tells their rows apart. */
  readonly files: Readonly<
    Record<string, { readonly rows: number; readonly columns: number; readonly key: string | null }>
  >;
  /** Of the model. */
  readonly params: Readonly<Record<string, Json>>;
}

const LOG_TAIL_LINES = 200;
const MAX_LOG_READ = 32 * 2 ** 20;
const DEEP = /^(?:keras|tensorflow|torch|pytorch_lightning|fastai|jax|flax|skorch|scikeras|tf_keras)\b/;

export async function toResult(input: ResultInput): Promise<AdoptResult> {
  const { places, found, best, choice, extracted, observed, timings } = input;
  const { attempt, run, candidates } = best;
  const failed = run.cells.filter(({ error }) => error !== null);
  const rows = await broughtRows(input);
  return {
    t: 'result',
    kind: extname(places.name) === '.py' ? 'script' : 'notebook',
    name: places.spec.name ?? projectName(places.name),
    source: {
      path: fromFolder(places, join(places.root, places.notebook)),
      digest: input.digests.get(places.spec.source) ?? '',
      cells: run.cells.length,
      ranOutOfOrder: candidates.ranOutOfOrder || found.order.ranOutOfOrder,
      neverRun: found.order.neverRun,
    },
    model: modelOf(choice, extracted),
    others: candidates.candidates.filter((each) => each !== choice.candidate),
    environment: environmentOf(best),
    network: {
      way: attempt.isolation.way,
      sentence: attempt.isolation.sentence,
      refused: [...observed.refusedNetwork],
    },
    features:
      extracted.features === null ? null : { text: extracted.features, statements: extracted.facts.statements ?? null },
    facts: extracted.facts as AdoptResult['facts'],
    proof: { ...extracted.proof },
    golden: extracted.golden,
    rawColumns: extracted.facts.rawColumns,
    data: await dataFiles(input, rows),
    brought: rows ? { path: rows.path, at: rows.at, sentence: sayBrought(rows, extracted, places) } : null,
    run: {
      executed: executedPath(attempt),
      log: attempt.log,
      logTail: await tailOf(attempt.log),
      startedAt: attempt.startedAt,
      endedAt: attempt.startedAt + run.runMs,
      cells: [...run.cells],
      skipped: failed.map(({ number, error }) => ({
        cell: number,
        error: `${error!.name}: ${error!.message.split('\n')[0]}`,
      })),
      resumedAfter: run.cells.findLast(({ status }) => status === 'resumed')?.number ?? null,
      params: { ...observed.params } as AdoptResult['run']['params'],
      metrics: choice.candidate.score ? { [choice.candidate.score.name]: choice.candidate.score.value } : {},
      exports: [await exported(choice, extracted)],
      writes: [...observed.writes],
    },
    lints: found.lints,
    differences: candidates.differences,
    warnings: [
      ...input.warnings,
      ...best.warnings,
      ...observed.notes,
      ...extracted.facts.notes,
      ...extracted.facts.leaks,
    ],
    timings: { ...timings, notebook: run.runMs },
  };
}

function modelOf({ candidate, chosenBy, reason }: Choice, { facts }: Extracted): AdoptResult['model'] {
  const score = candidate.score;
  return {
    variable: nameOf(candidate),
    expression: candidate.expression,
    type: candidate.type,
    task: facts.task ?? candidate.task,
    classes: facts.classes ?? candidate.classes,
    target: facts.target ?? candidate.target?.column ?? null,
    positive: facts.positive ?? candidate.target?.positive ?? null,
    targetWhy: candidate.targetWhy,
    features: candidate.features,
    cell: candidate.cell,
    score: score && { name: score.name, value: score.value, rows: score.rows ?? null },
    evidence: candidate.evidence,
    reason,
    chosenBy,
    runsIn: DEEP.test(candidate.type) ? `a Python worker: ${candidate.type.split('.')[0]} models run only there` : null,
  };
}

function environmentOf({ attempt, attempts, sentence }: BestRun): AdoptResult['environment'] {
  const { recipe, environment, lock, python } = attempt.built;
  return {
    sentence,
    kind: recipe.kind,
    day: recipe.day,
    python: environment.python,
    pythonVersion: environment.pythonVersion || python,
    digest: environment.digest,
    lock,
    attempts: [...attempts],
  };
}

/** The saved model in the form that a notebook step leaves: the folder, and the facts beside it. */
async function exported(
  { candidate }: Choice,
  { folder, facts: told }: Extracted,
): Promise<AdoptResult['run']['exports'][number]> {
  const facts = (told['model'] ?? { ok: true }) as AdoptResult['run']['exports'][number]['facts'];
  const variable = nameOf(candidate);
  await writeFile(join(folder, `export-${variable.replaceAll(/\W+/g, '_')}.json`), `${JSON.stringify(facts)}\n`);
  return { variable, ok: facts['ok'] !== false, folder: join(folder, 'model'), facts };
}

/** Each file that the run opened and did not make itself. */
async function dataFiles(input: ResultInput, rows: BroughtRows | undefined): Promise<DataFile[]> {
  const { places, data, extracted, observed, digests } = input;
  const { facts } = extracted;
  const main = facts.dataset?.path ?? null;
  const lookups = new Set(facts.others);
  const found: DataFile[] = [];
  const taken = new Set<string>();
  if (rows) found.push(toDataFile(input, rows, datasetName(rows.path, taken)));
  for (const { at, source } of await openedFiles(input, main)) {
    const role = at === main && !rows ? 'main' : lookups.has(at) ? 'lookup' : 'other';
    const table = observed.files[at];
    found.push({
      name: datasetName(at, taken),
      role,
      path: fromFolder(places, join(places.root, at)),
      source,
      outside: !isInside(source, places.spec.folder),
      asWritten: Object.entries({ ...data.redirects, ...observed.redirects }).flatMap(([written, to]) =>
        to === at ? [written] : [],
      ),
      digest: digests.get(source) ?? (await digestOfFile(source)),
      sizeBytes: (await stat(source)).size,
      rows: table?.rows ?? null,
      columns: table?.columns ?? null,
      key: (role === 'main' ? facts.key : null) ?? table?.key ?? null,
      ...(at === main && rows && { isTable: false }),
    });
  }
  return found.sort((a, b) => ROLES.indexOf(a.role) - ROLES.indexOf(b.role));
}

async function broughtRows({ extracted, places }: ResultInput): Promise<BroughtRows | undefined> {
  const { brought } = extracted.facts;
  if (!brought) return undefined;
  return placeBrought(brought, { out: extracted.folder, source: places.spec.source, folder: places.spec.folder });
}

/** Its place is where the file will stand, for what is remembered of a run stands on its data there. */
const toDataFile = ({ extracted: { facts }, places }: ResultInput, rows: BroughtRows, name: string): DataFile => ({
  name,
  role: 'main',
  path: rows.path,
  source: join(places.spec.folder, rows.path),
  outside: false,
  asWritten: [],
  digest: rows.digest,
  sizeBytes: rows.sizeBytes,
  rows: facts.dataset?.rows ?? null,
  columns: facts.brought?.columns ?? null,
  key: facts.key ?? null,
});

const sayBrought = (rows: BroughtRows, { facts }: Extracted, { name }: Places): string =>
  `${name} takes its rows from ${facts.brought!.by}: ${rows.path} holds the same rows as a table, so that versions, the gate and the monitor have them; the notebook goes on loading its own`;

/** What its text names and it did open, and what only the run could tell: paths put together, helpers that read. */
async function openedFiles(
  { places, data, extracted, observed }: ResultInput,
  main: string | null,
): Promise<readonly { readonly at: string; readonly source: string }[]> {
  const wanted = new Set([...observed.opens, ...Object.keys(observed.files), ...extracted.facts.others]);
  if (main !== null) wanted.add(main);
  const named = data.files.filter(({ at, isFolder }) => !isFolder && wanted.has(at));
  const found = named.map(({ at, source }) => ({ at, source }));
  for (const at of wanted) {
    if (found.some((each) => each.at === at) || (observed.writes.includes(at) && at !== main)) continue;
    const isData = at === main || at in observed.files || DATA_FILE.test(at);
    const source = join(places.root, at);
    if (isData && isInside(source, places.root) && (await isFile(source))) found.push({ at, source });
  }
  return found;
}

const DATA_FILE =
  /\.(csv|tsv|xlsx?|xlsm|parquet|feather|json|jsonl|ndjson|h5|hdf5?|arff|mat|npy|npz|db|sqlite3?|dta|sav|data|dat)(\.(gz|zip|bz2|xz))?$/i;

const isFile = (path: string): Promise<boolean> =>
  stat(path).then(
    (facts) => facts.isFile(),
    () => false,
  );

const ROLES: readonly DataFile['role'][] = ['main', 'lookup', 'other'];

function datasetName(path: string, taken: Set<string>): string {
  const stem = basename(path).split('.')[0]!;
  const plain =
    stem
      .replaceAll(/[^A-Za-z0-9_-]+/g, '-')
      .replaceAll(/^[-_]+|-+$/g, '')
      .toLowerCase() || 'data';
  const start = /^[a-z]/.test(plain) ? plain : `d-${plain}`;
  let name = start;
  for (let n = 2; taken.has(name); n++) name = `${start}-${n}`;
  taken.add(name);
  return name;
}

/** @example projectName('Churn Prediction (final).ipynb') === 'churn-prediction-final' */
export function projectName(file: string): string {
  const stem = basename(file, extname(file));
  const plain = stem
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 60);
  if (plain === '') return 'model';
  return /^[a-z]/.test(plain) ? plain : `m-${plain}`;
}

const fromFolder = ({ spec }: Places, path: string): string => relative(spec.folder, path).split(sep).join('/');

async function tailOf(path: string): Promise<string[]> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text.slice(-MAX_LOG_READ).split('\n').slice(-LOG_TAIL_LINES);
}
