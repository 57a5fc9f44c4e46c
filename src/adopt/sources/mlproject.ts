import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import type { Json } from '../../kernel/canonical-json.ts';
import type { AdoptDeps } from '../deps.ts';
import { refusal } from '../refusal.ts';
import type { AdoptFiles, AdoptSpec } from '../types.ts';
import { readYaml } from './dvc.ts';
import { freshSlug, insideOf, slugOf, stemOf } from './names.ts';
import { fromConda, fromPythonEnv, lockFor, type Requirements } from './requirements.ts';

const Parameter = z.union([
  z.string(),
  z.looseObject({ type: z.string().optional(), default: z.union([z.string(), z.number(), z.boolean()]).nullish() }),
]);
const EntryPoint = z.looseObject({ parameters: z.record(z.string(), Parameter).nullish(), command: z.string() });
const MlprojectFile = z.looseObject({
  name: z.string().nullish(),
  conda_env: z.string().nullish(),
  python_env: z.string().nullish(),
  docker_env: z.json().nullish(),
  entry_points: z.record(z.string(), EntryPoint).nullish(),
});

interface Story {
  readonly folder: string;
  readonly data: Record<string, Json>;
  readonly params: Record<string, Json>;
  readonly found: string[];
  readonly left: string[];
  readonly given: readonly string[];
}

/** `MLproject` as a project: the entry point that `mlflow run` starts is a step. Nothing runs. */
export async function adoptMlproject(deps: AdoptDeps, spec: AdoptSpec): Promise<AdoptFiles> {
  const folder = dirname(spec.source);
  const file = MlprojectFile.safeParse(await readYaml(spec.source));
  if (!file.success) {
    const [issue] = file.error.issues;
    throw refusal('mlproject', `MLproject is not understood: ${issue?.path.join('.')} ${issue?.message}`);
  }
  const points = Object.entries(file.data.entry_points ?? {});
  const [name, point] = points.find(([each]) => each === 'main') ?? points[0] ?? [];
  if (name === undefined || point === undefined) {
    throw refusal('no_entry_point', 'MLproject has no entry point', { hint: 'Name the script: levain adopt train.py' });
  }
  const story: Story = { folder, data: {}, params: {}, found: [], left: [], given: spec.data };
  const run = await commandOf(story, point);
  const step = slugOf(name === 'main' ? 'train' : name, 'train');
  const logs = await logsModel(folder);
  const locked = await lockFor(deps, spec, folder, await requirementsOf(folder, file.data, story));
  const others = points.filter(([each]) => each !== name).map(([each]) => each);
  if (others.length > 0)
    story.left.push(
      `Entry points ${others.join(', ')}: mlflow run starts ${name}; add steps for the others where they belong.`,
    );
  return {
    t: 'files',
    kind: 'mlproject',
    name: slugOf(spec.name ?? file.data.name ?? basename(folder), 'project'),
    project: {
      ...(Object.keys(story.data).length > 0 && { data: story.data }),
      ...(Object.keys(story.params).length > 0 && { params: story.params }),
      steps: { [step]: { run } },
      ...(logs && { model: { from: step } }),
    },
    files: [...locked.files],
    found: [
      `Entry point ${name} of MLproject became the step ${step}.`,
      ...(logs ? ['The model that it logs with MLflow is the model.'] : []),
      ...story.found,
      ...locked.found,
    ],
    left: [
      ...story.left,
      ...(logs
        ? []
        : [`No file here logs a model with MLflow; name the one that ${step} leaves: model: { from: ${step}:PATH }.`]),
      ...locked.left,
    ],
    warnings: [],
  };
}

async function commandOf(story: Story, { command, parameters }: z.output<typeof EntryPoint>): Promise<string> {
  const names = Object.keys(parameters ?? {});
  for (const name of names) await addParameter(story, name, parameters![name]!);
  return command.trim().replace(/\{([\w-]+)\}/g, (whole, name: string) => {
    if (!names.includes(name)) return whole;
    return `"$LEVAIN_PARAM_${paramName(name).toUpperCase()}"`;
  });
}

const paramName = (name: string): string => name.replace(/[^A-Za-z0-9]+/g, '_');

async function addParameter(story: Story, name: string, parameter: z.output<typeof Parameter>): Promise<void> {
  const type = typeof parameter === 'string' ? parameter : (parameter.type ?? 'string');
  const given = typeof parameter === 'string' ? null : (parameter.default ?? null);
  const isPath = type === 'path' || type === 'uri';
  const file = given === null && isPath ? story.given[0] : given;
  if (isPath && typeof file === 'string') await addData(story, file);
  const value =
    file === null || file === undefined ? '' : isPath ? (insideOf(story.folder, String(file)) ?? file) : file;
  story.params[paramName(name)] = value;
  if (value === '') story.left.push(`Parameter ${name} has no default; give it a value under params.`);
}

/** A file that lies here, or is fetched, is data: its version counts. */
async function addData(story: Story, path: string): Promise<void> {
  const isUrl = /^\w+:\/\//.test(path);
  const inside = isUrl ? path : (insideOf(story.folder, join(story.folder, path)) ?? path);
  if (!isUrl && !(await stat(join(story.folder, inside)).catch(() => undefined))) return;
  const dataset = freshSlug(stemOf(path), 'data', story.data);
  story.data[dataset] = isUrl ? { from: path, as: basename(path) } : { from: inside };
  story.found.push(`${path} is the dataset ${dataset}.`);
}

async function requirementsOf(
  folder: string,
  file: z.output<typeof MlprojectFile>,
  story: Story,
): Promise<Requirements | undefined> {
  if (file.docker_env) story.left.push('docker_env: steps run in a Python environment, not in that image.');
  const conda = file.conda_env && (await readFile(join(folder, file.conda_env), 'utf8').catch(() => null));
  if (conda) return fromConda(conda);
  const python = file.python_env && (await readFile(join(folder, file.python_env), 'utf8').catch(() => null));
  return python ? fromPythonEnv(python) : undefined;
}

const LOGS = /\bmlflow(\.\w+)*\.(log_model|autolog|save_model)\s*\(|\blog_model\s*\(|\bautolog\s*\(/;
const MAX_SCRIPTS = 200;
const MAX_SCRIPT_BYTES = 2 * 2 ** 20;

async function logsModel(folder: string): Promise<boolean> {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  for (const name of names
    .filter((each) => each.endsWith('.py') && !/(^|\/)(\.|venv|env|node_modules)/.test(each))
    .slice(0, MAX_SCRIPTS)) {
    const path = join(folder, name);
    if ((await stat(path)).size > MAX_SCRIPT_BYTES) continue;
    if (LOGS.test(await readFile(path, 'utf8'))) return true;
  }
  return false;
}
