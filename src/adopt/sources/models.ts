import { execFile } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import { basename, extname, join, relative } from 'node:path';
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
    .looseObject({
      rows: z.number().nullish(),
      target: z.string().nullish(),
      agree: z.number().nullish(),
      message: z.string().nullish(),
    })
    .nullish(),
});
type Looked = z.output<typeof Looked>;

/** A project that serves one of a folder's model files: read without running it, loaded only after asking. */
export async function adoptModels(deps: AdoptDeps, spec: AdoptSpec): Promise<AdoptFiles> {
  const { conversation } = deps;
  await mkdir(spec.work, { recursive: true });
  conversation.progress('read', `reading the model files of ${basename(spec.source)}`);
  const { models, refused } = await findModelFiles(spec.source);
  const model = await choose(deps, spec, models, refused);
  await askToLoad(deps, model);
  const data = spec.data[0] ?? null;
  const { looked, built } = await look(deps, spec, model, data);
  refuseWhatCannotServe(model, looked);
  const project = await compose(spec, model, looked, data);
  return {
    ...{ t: 'files' as const, kind: 'models' as const, name: slugOf(spec.name ?? nameFor(spec, model), 'model') },
    project,
    files: [{ path: 'requirements.lock', text: built.lock }],
    found: [...models.map((each) => `${each.name}: ${describeFacts(each)}.`), sentenceOf(model, looked, built)],
    left: leftOut(looked, data, spec),
    warnings: warningsOf(models, refused, model, spec),
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
  data: string | null,
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

async function lookIn(deps: AdoptDeps, spec: AdoptSpec, built: BuiltEnvironment, path: string, data: string | null) {
  const out = join(spec.work, 'look.json');
  const command = [built.environment.python, '-m', 'levain_runtime.adopt.look', path, out];
  const env = { ...deps.env, PYTHONPATH: deps.pythonPath, PYTHONDONTWRITEBYTECODE: '1', PYTHONWARNINGS: 'ignore' };
  const options = { env, timeoutMs: LOOK_TIMEOUT_MS, cwd: spec.folder };
  const end = await runPython(data === null ? command : [...command, data], options);
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

async function compose(
  spec: AdoptSpec,
  model: ModelFile,
  looked: Looked,
  data: string | null,
): Promise<Record<string, Json>> {
  const path = insideOf(spec.folder, model.path);
  const served = `served${extname(model.name).toLowerCase()}`;
  const entries: Record<string, Json> = {};
  if (data !== null) entries[freshSlug(stemOf(data), 'data', entries)] = { from: insideOf(spec.folder, data) ?? data };
  // Git's ignored files are in no snapshot; as data they reach the step all the same.
  const isData = path === undefined || (await isIgnored(spec.folder, path));
  const weights = isData ? freshSlug(`${stemOf(model.name)}-file`, 'model', entries) : undefined;
  if (weights !== undefined) entries[weights] = { from: path ?? model.path };
  const at = path ?? basename(model.path);
  const step = {
    run: `cp ${quoted(at)} ${served}`,
    in: [weights === undefined ? at : `data:${weights}`],
    out: [served],
  };
  return {
    ...(Object.keys(entries).length > 0 && { data: entries }),
    steps: { [STEP]: step },
    model: { from: `${STEP}:${served}`, ...taskOf(looked) },
  };
}

function taskOf({ classes, data }: Looked): Record<string, Json> {
  const task = !classes ? 'regression' : classes.length === 2 ? 'binary' : 'multiclass';
  const column = data?.target;
  if (!column) return { task };
  return { task, target: task === 'binary' ? { column, positive: classes![1]! } : column };
}

const isIgnored = (folder: string, path: string): Promise<boolean> =>
  promisify(execFile)('git', ['check-ignore', '-q', '--', path], { cwd: folder }).then(
    () => true,
    () => false,
  );

const nameFor = (spec: AdoptSpec, model: ModelFile): string =>
  spec.source === model.path || /^(model|clf|classifier|regressor)$/i.test(stemOf(model.name)) === false
    ? stemOf(model.name)
    : basename(spec.folder);

function sentenceOf({ name, facts }: ModelFile, looked: Looked, built: BuiltEnvironment): string {
  const where = facts.engine === 'levain' ? 'needs no Python to answer' : `runs in a Python worker (${facts.reason})`;
  const agree = looked.data?.agree;
  const told =
    looked.data?.target && agree != null ? ` On ${looked.data.rows} rows its answers ${agreement(looked, agree)}.` : '';
  return `${name} is served: it ${where}; Python ${built.python}, ${built.recipe.label}.${told}`;
}

const agreement = ({ classes, data }: Looked, agree: number): string =>
  classes
    ? `agree with ${data!.target} in ${(100 * agree).toFixed(1)} %`
    : `follow ${data!.target} with a correlation of ${agree.toFixed(3)}`;

function leftOut(looked: Looked, data: string | null, spec: AdoptSpec): string[] {
  const left = ['How the model was trained is not in a model file: retraining needs the step that makes it.'];
  if (data === null) left.push('Without --data there is no gate, and no reference for the monitor.');
  else if (looked.data?.message) left.push(`${relative(spec.folder, data) || basename(data)}: ${looked.data.message}.`);
  else if (!looked.data?.target)
    left.push(`No column of ${basename(data)} agrees with what the model answers; name the target in levain.yaml.`);
  if (!looked.features) left.push('The model knows its columns by place only; callers send x0, x1 and so on.');
  return left;
}

function warningsOf(
  models: readonly ModelFile[],
  refused: readonly RefusedFile[],
  chosen: ModelFile,
  spec: AdoptSpec,
): string[] {
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
    ...(spec.data.length > 1 ? ['Only the first --data is used.'] : []),
  ];
}
