import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import type { Json } from '../../kernel/canonical-json.ts';
import type { AdoptDeps } from '../deps.ts';
import { type BuiltEnvironment, buildRecipe } from '../environment/build.ts';
import { EXIT, refusal } from '../refusal.ts';
import { runPython } from '../run/processes.ts';
import type { AdoptFiles, AdoptSpec } from '../types.ts';
import { describeFacts, findModelFiles, type ModelFile, type RefusedFile, whyNoModel } from './model-files.ts';
import { modelRecipes } from './model-recipe.ts';
import { freshSlug, insideOf, quoted, slugOf, stemOf } from './names.ts';

const STEP = 'take';
const SERVED = 'served';
const LOOK_TIMEOUT_MS = 10 * 60_000;

/** What `levain_runtime.adopt.look` tells of a loaded model. */
const Looked = z.looseObject({
  ok: z.boolean(),
  message: z.string().nullish(),
  type: z.string().nullish(),
  canPredict: z.boolean().nullish(),
  whyNot: z.string().nullish(),
  features: z.array(z.string()).nullish(),
  classes: z.array(z.json()).nullish(),
  hasProba: z.boolean().nullish(),
  data: z
    .array(
      z.looseObject({
        path: z.string(),
        rows: z.number().nullish(),
        target: z.string().nullish(),
        agree: z.number().nullish(),
        message: z.string().nullish(),
        /** An MLmodel file for the folder that it is served from. */
        mlmodel: z.string().nullish(),
      }),
    )
    .default([]),
});
type Looked = z.output<typeof Looked>;
type Rows = Looked['data'][number];

/** A project that serves one of a folder's model files: read without running it, loaded only after asking. */
export async function adoptModels(deps: AdoptDeps, spec: AdoptSpec): Promise<AdoptFiles> {
  const { conversation } = deps;
  await mkdir(spec.work, { recursive: true });
  conversation.progress('read', `reading the model files of ${basename(spec.source)}`);
  const { models, refused } = await findModelFiles(spec.source);
  const model = await choose(deps, spec, models, refused);
  await askToLoad(deps, model);
  const files = spec.data.length > 0 ? spec.data : await tablesOf(spec, model);
  const { looked, built } = await look(deps, spec, model, files);
  refuseWhatCannotServe(model, looked);
  const data = chooseRows(spec, model, looked);
  const project = await compose(spec, model, looked, data);
  return {
    ...{ t: 'files' as const, kind: 'models' as const, name: slugOf(spec.name ?? nameFor(spec, model), 'model') },
    project,
    files: [
      ...(data.mlmodel ? [{ path: mlmodelOf(model), text: data.mlmodel }] : []),
      { path: 'requirements.lock', text: built.lock },
    ],
    found: [...models.map((each) => `${each.name}: ${describeFacts(each)}.`), sentenceOf(model, looked, built, data)],
    left: leftOut(looked, data),
    warnings: warningsOf(models, refused, model),
  };
}

async function choose(
  { conversation }: AdoptDeps,
  spec: AdoptSpec,
  models: readonly ModelFile[],
  refused: readonly RefusedFile[],
): Promise<ModelFile> {
  const can = models.filter((each) => whyNoModel(each) === undefined);
  if (spec.model !== null) {
    const named = models.find(({ name }) => name === spec.model || stemOf(name) === spec.model);
    if (!named) throw refusal('no_such_model', `There is no model file ${spec.model} here`, { exit: EXIT.notFound });
    const why = whyNoModel(named);
    if (why !== undefined) throw dangerous(named, why);
    return named;
  }
  if (can.length === 0) throw nothingToServe(spec, models, refused);
  // What needs no Python, and what knows its columns, comes first.
  const order = [...can].sort((a, b) => weight(b) - weight(a));
  if (order.length === 1) return order[0]!;
  const answer = await conversation.ask({
    kind: 'model',
    text: `${order.length} files may be the model. Which one is served?`,
    options: order.map((each) => ({ value: each.path, label: each.name, hint: describeFacts(each) })),
  });
  return order.find(({ path }) => path === answer) ?? order[0]!;
}

const weight = ({ facts }: ModelFile): number =>
  (facts.engine === 'levain' ? 4 : 0) + (facts.classes ? 2 : 0) + (facts.features ? 1 : 0);

function nothingToServe(spec: AdoptSpec, models: readonly ModelFile[], refused: readonly RefusedFile[]) {
  const bad = models.find(({ facts }) => facts.dangers.length > 0);
  if (bad) return dangerous(bad, whyNoModel(bad)!);
  const [first] = models;
  const [other] = refused;
  const why = first ? `${first.name} ${whyNoModel(first)}` : other ? `${other.name}: ${other.reason}` : undefined;
  return refusal('no_model', `${basename(spec.source)} holds no model that can be served${why ? `: ${why}` : ''}`, {
    hint: 'Save the fitted model with joblib.dump(model, "model.joblib") and adopt the folder again.',
  });
}

const dangerous = ({ name, facts }: ModelFile, why: string) =>
  facts.dangers.length > 0
    ? refusal('dangerous_model', `${name} ${why}; no model needs that, so it was not loaded`, {
        hint: 'Do not load this file anywhere. Ask whoever made it for one that holds the model alone.',
      })
    : refusal('not_a_model', `${name} ${why}`);

/** Numbers and classes that were read whole are inert; what only Python can tell runs when it is loaded. */
async function askToLoad({ conversation }: AdoptDeps, model: ModelFile): Promise<void> {
  const { facts, name } = model;
  if (facts.engine === 'levain' || facts.format !== 'pickle') return;
  const modules = facts.modules.filter((module) => module !== 'builtins').join(', ') || 'no module';
  const answer = await conversation.ask({
    kind: 'load',
    text: `${name} is a pickle that only Python can load (${facts.reason}), and loading runs what it names: ${modules}. Do you trust it?`,
    options: [
      { value: 'no', label: 'no', hint: 'nothing is loaded or written' },
      { value: 'yes', label: 'yes, load it', hint: 'in a process of its own' },
    ],
  });
  if (answer !== 'yes') {
    throw refusal('not_loaded', `${name} was not loaded, since nobody said that it may be`, {
      hint: 'Answer yes, or pass --yes where you trust the file.',
    });
  }
}

async function look(
  deps: AdoptDeps,
  spec: AdoptSpec,
  model: ModelFile,
  data: readonly string[],
): Promise<{ readonly looked: Looked; readonly built: BuiltEnvironment }> {
  let last: { looked: Looked; built: BuiltEnvironment } | undefined;
  const pythons = spec.python ? [spec.python] : await deps.environments.pythons();
  const today = new Date(deps.clock.now()).toISOString().slice(0, 10);
  for (const recipe of modelRecipes(model.facts, pythons, data, today)) {
    deps.conversation.progress('environment', `building ${recipe.label}`);
    const built = await buildRecipe(deps.environments, recipe, () => undefined);
    if (!built) continue;
    deps.conversation.progress('run', `loading ${model.name}`);
    last = { built, looked: await lookIn(deps, spec, built, model.path, data) };
    if (last.looked.ok) return last;
  }
  if (last) {
    throw refusal('not_loadable', `${model.name} cannot be loaded: ${last.looked.message ?? 'no reason given'}`, {
      hint: 'Adopt it with the module that its classes come from beside it, or with --python where it is of another Python.',
    });
  }
  throw refusal('no_environment', `No packages were found in which ${model.name} could be loaded`, {
    hint: 'Name the Python with --python.',
  });
}

async function lookIn(
  deps: AdoptDeps,
  spec: AdoptSpec,
  built: BuiltEnvironment,
  path: string,
  data: readonly string[],
) {
  const out = join(spec.work, 'look.json');
  const command = [built.environment.python, '-m', 'levain_runtime.adopt.look', path, out];
  const env = { ...deps.env, PYTHONPATH: deps.pythonPath, PYTHONDONTWRITEBYTECODE: '1', PYTHONWARNINGS: 'ignore' };
  const options = { env, timeoutMs: LOOK_TIMEOUT_MS, cwd: spec.folder };
  const end = await runPython([...command, ...data], options);
  if (end.code !== 0) {
    const message = end.stderr.trim().split('\n').at(-1) || `Python ended with ${end.code ?? 'no code in time'}`;
    return Looked.parse({ ok: false, message });
  }
  return Looked.parse(JSON.parse(await readFile(out, 'utf8')));
}

function refuseWhatCannotServe({ name }: ModelFile, looked: Looked): void {
  if (looked.canPredict && !looked.whyNot) return;
  throw refusal('not_a_model', `${name} holds ${looked.whyNot ?? `a ${looked.type}, which has no predict method`}`);
}

async function compose(spec: AdoptSpec, model: ModelFile, looked: Looked, data: Rows): Promise<Record<string, Json>> {
  const path = insideOf(spec.folder, model.path);
  const rows = slugOf(stemOf(data.path), 'data');
  const entries: Record<string, Json> = { [rows]: { from: insideOf(spec.folder, data.path) ?? data.path } };
  // Git's ignored files are in no snapshot; as data they reach the step all the same.
  const isData = path === undefined || (await isIgnored(spec.folder, path));
  const weights = isData ? freshSlug(`${stemOf(model.name)}-file`, 'model', entries) : undefined;
  if (weights !== undefined) entries[weights] = { from: path ?? model.path };
  const at = path ?? basename(model.path);
  const description = mlmodelOf(model);
  const step = {
    run: `mkdir -p ${SERVED} && cp ${quoted(description)} ${SERVED}/MLmodel && cp ${quoted(at)} ${SERVED}/`,
    in: [weights === undefined ? at : `data:${weights}`, description, `data:${rows}`],
    out: [SERVED],
  };
  return {
    data: entries,
    steps: { [STEP]: step },
    model: { from: `${STEP}:${SERVED}/`, ...taskOf(looked, data) },
  };
}

function taskOf({ classes }: Looked, data: Rows): Record<string, Json> {
  const task = !classes ? 'regression' : classes.length === 2 ? 'binary' : 'multiclass';
  const column = data.target;
  if (!column) return { task };
  return { task, target: task === 'binary' ? { column, positive: classes![1]! } : column };
}

const isIgnored = (folder: string, path: string): Promise<boolean> =>
  promisify(execFile)('git', ['check-ignore', '-q', '--', path], { cwd: folder }).then(
    () => true,
    () => false,
  );

/** Says what columns the model file takes: its signature, as MLflow writes it. */
const mlmodelOf = ({ name }: ModelFile): string => `${stemOf(name)}.MLmodel`;

const nameFor = (spec: AdoptSpec, model: ModelFile): string =>
  spec.source === model.path || /^(model|clf|classifier|regressor)$/i.test(stemOf(model.name)) === false
    ? stemOf(model.name)
    : basename(spec.folder);

function sentenceOf({ name, facts }: ModelFile, looked: Looked, built: BuiltEnvironment, data: Rows): string {
  const where = facts.engine === 'levain' ? 'needs no Python to answer' : `runs in a Python worker (${facts.reason})`;
  const file = basename(data.path);
  const agree =
    data.target && data.agree != null ? `; on ${file} its answers ${agreement(looked, data.agree, data.target)}` : '';
  return `${name} is served: it ${where}; Python ${built.python}, ${built.recipe.label}${agree}.`;
}

const agreement = ({ classes }: Looked, agree: number, target: string): string =>
  classes
    ? `agree with ${target} in ${(100 * agree).toFixed(1)} %`
    : `follow ${target} with a correlation of ${agree.toFixed(3)}`;

function leftOut(looked: Looked, data: Rows): string[] {
  const left = [
    'How the model was trained is not in a model file: retraining needs the step that makes it.',
    `Which rows of ${basename(data.path)} it was trained on is not known, so the gate may be too kind to it.`,
  ];
  if (!data.target)
    left.push(
      `No column of ${basename(data.path)} agrees with what the model answers; name the target in levain.yaml.`,
    );
  if (!looked.features) left.push('The model knows its columns by place only.');
  return left;
}

const TABLE = /\.(csv|tsv|parquet)$/i;
const MAX_TABLES = 5;
const MAX_TABLE_BYTES = 200 * 2 ** 20;

/** Tables beside the model, and in a folder `data`: one of them may hold its rows. */
async function tablesOf(spec: AdoptSpec, model: ModelFile): Promise<readonly string[]> {
  const found: string[] = [];
  for (const folder of new Set([dirname(model.path), spec.folder, join(spec.folder, 'data')])) {
    const names = await readdir(folder).catch(() => []);
    for (const name of names.filter((each) => TABLE.test(each) && !each.startsWith('.')).sort()) {
      const path = join(folder, name);
      if ((await stat(path)).size <= MAX_TABLE_BYTES && !found.includes(path)) found.push(path);
    }
  }
  return found.slice(0, MAX_TABLES);
}

/** A version needs rows that the model answers: they give its signature, its golden rows and the monitor's reference. */
function chooseRows(spec: AdoptSpec, model: ModelFile, { data }: Looked): Rows {
  const good = data.filter(({ message }) => !message);
  const best = good.find(({ target }) => target) ?? good[0];
  if (best) return best;
  const [first] = data;
  const why = first ? `: ${basename(first.path)}: ${first.message}` : '';
  throw refusal('data_missing', `Rows that ${model.name} answers are needed to prove and to watch it${why}`, {
    hint: `${spec.data.length > 0 ? 'Give raw rows as the model takes them' : 'Name a table'}: levain adopt ${basename(spec.source)} --data FILE.csv`,
    exit: EXIT.notFound,
  });
}

function warningsOf(models: readonly ModelFile[], refused: readonly RefusedFile[], chosen: ModelFile): string[] {
  const others = models.filter((each) => each !== chosen).map((each) => [each.name, whyNoModel(each)] as const);
  const prepares = models.some((each) => each !== chosen && /prepares rows/.test(whyNoModel(each) ?? ''));
  return [
    ...others.filter(([, why]) => why).map(([name, why]) => `${name} ${why}.`),
    ...refused.map(({ name, reason }) => `${name} was not read: ${reason}.`),
    ...(prepares
      ? [
          `${chosen.name} may need rows that one of these prepared; adopt the notebook that made them to get features.py.`,
        ]
      : []),
  ];
}
